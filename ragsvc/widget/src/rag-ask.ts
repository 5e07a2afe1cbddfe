// <rag-ask>: ask, read the answer as it comes, open what it quotes.
import { LitElement, html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import "./feedback";
import { asText, printAlone } from "./paper";
import { Problem, Service } from "./service";
import { SourcePanel, sourceName } from "./source-panel";
import { styles } from "./styles";
import { type Piece, languageOf, toParagraphs, visible } from "./text";
import { today, validity } from "./validity";
import type { Answer, AnswerEvent, Citation, Notice, Passage, Question, Source, Turn } from "./wire";
import { type Words, wordsOf } from "./words";

const MOST_TURNS = 12; // of the conversation, sent with a question: the service looks back no further than it needs to

/** A question and what became of it. */
interface Entry {
  question: string;
  history: Turn[];
  text: string;
  citations: Citation[];
  passages: Passage[];
  notices: Notice[];
  answer: Answer | null;
  isOver: boolean;
  notice: string;
}

class RagAsk extends LitElement {
  static override styles = styles;
  static override properties = {
    service: {}, ticketUrl: { attribute: "ticket-url" }, collections: {}, lang: {}, asOf: { attribute: "as-of" }, placeholder: {},
    entries: { state: true }, isFresh: { state: true }, status: { state: true }, isError: { state: true }, stopper: { state: true },
  };

  declare service: string;
  declare ticketUrl: string;
  declare collections: string;
  declare asOf: string;
  declare placeholder: string; // an example of a question, in the portal's own field
  private declare entries: Entry[]; // the newest first; they live as long as the page
  private declare isFresh: boolean; // the next question begins a new conversation
  private declare status: string;
  private declare isError: boolean;
  private declare stopper: AbortController | null;
  private client!: Service;
  private opener: HTMLElement | null = null;

  constructor() {
    super();
    Object.assign(this, { service: "", ticketUrl: "", collections: "", asOf: "", placeholder: "", lang: "", entries: [], isFresh: false, status: "", isError: false, stopper: null });
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!this.client || changed.has("service") || changed.has("ticketUrl")) {
      const base = new URL(this.service || "..", this.service ? document.baseURI : import.meta.url).href;
      this.client = new Service(base.replace(/\/$/, ""), this.ticketUrl && new URL(this.ticketUrl, document.baseURI).href);
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopper?.abort();
  }

  private get words(): Words {
    return wordsOf(this.lang || document.documentElement.lang || navigator.language);
  }

  private get panel(): SourcePanel {
    return this.renderRoot.querySelector<SourcePanel>("rag-ask-source")!;
  }

  private get field(): HTMLTextAreaElement {
    return this.renderRoot.querySelector("textarea")!;
  }

  // --- asking ---

  private submit(event: Event): void {
    event.preventDefault();
    const question = this.field.value.trim();
    if (!question || this.stopper) return;
    void this.ask(question, this.conversation());
    this.field.value = "";
  }

  /** What was said before: a question may lean on it, and what is said to a question back belongs to it. */
  private conversation(): Turn[] {
    const last = this.entries.find((one) => one.answer && one.text);
    return last && !this.isFresh ? after(last) : [];
  }

  private async ask(question: string, history: Turn[] = []): Promise<void> {
    const entry: Entry = { question, history, text: "", citations: [], passages: [], notices: [], answer: null, isOver: false, notice: "" };
    this.isFresh = false;
    this.entries = [entry, ...this.entries];
    this.stopper = new AbortController();
    this.say(this.words.searching);
    try {
      await this.client.ask(this.toQuestion(entry), (event) => this.receive(entry, event), this.stopper.signal);
    } catch (error) {
      this.fail(entry, error);
    } finally {
      entry.isOver = true;
      this.stopper = null;
    }
  }

  private toQuestion(entry: Entry): Question {
    const day = this.asOf && this.asOf !== "today" ? { as_of: this.asOf } : {};
    const history = entry.history.length ? { history: entry.history } : {};
    return { question: entry.question, collections: this.collections.split(/[\s,]+/).filter(Boolean), ...day, ...history };
  }

  private receive(entry: Entry, event: AnswerEvent): void {
    if (event.name === "passages") {
      entry.passages = event.data.passages;
      this.say(this.words.writing);
    } else if (event.name === "notice") {
      entry.notices = [...entry.notices, event.data];
    } else if (event.name === "citation") {
      entry.citations = [...entry.citations, event.data];
    } else if (event.name === "token") {
      entry.text += event.data.text;
    } else if (event.name === "error") {
      this.fail(entry, new Problem(event.data.status, event.data.detail, event.data.passages, false, event.data.notices));
    } else {
      const { answer: text, citations, passages, notices = entry.notices } = event.data;
      Object.assign(entry, { answer: event.data, text, citations, passages, notices });
      this.say(event.data.clarify ? this.words.asksBack : event.data.abstained ? this.words.abstained : this.words.done);
    }
    this.requestUpdate();
  }

  private fail(entry: Entry, error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return this.say(this.words.stopped);
    const { words } = this;
    const problem = error instanceof Problem ? error : new Problem(-1, "");
    if (problem.passages.length) entry.passages = problem.passages;
    if (problem.notices.length) entry.notices = problem.notices;
    if (entry.text || entry.passages.length) entry.notice = problem.status === 0 ? words.broken : words.modelFailed;
    const known = problem.status === 0 ? words.offline : words.problems[problem.status];
    this.say(problem.fromPortal || problem.status === 401 || problem.status === 403 ? words.noTicket : known ?? words.failed, true);
  }

  private say(text: string, isError = false): void {
    Object.assign(this, { status: text, isError });
  }

  // --- what a reader does ---

  private onKey(event: KeyboardEvent): void {
    // While a Chinese input method composes, Enter belongs to it (keyCode 229: Safari).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    this.submit(event);
  }

  private open(event: Event, source: Source, entry: Entry): void {
    this.opener = event.currentTarget as HTMLElement;
    this.opener.setAttribute("aria-expanded", "true");
    void this.panel.open(source, entry.passages);
  }

  private closed(): void {
    this.opener?.setAttribute("aria-expanded", "false");
    (this.opener?.isConnected ? this.opener : this.field).focus();
  }

  private async copy(entry: Entry): Promise<void> {
    await navigator.clipboard.writeText(asText(entry.question, entry.answer!, this.words));
    this.say(this.words.copied);
  }

  private startAfresh(): void {
    this.isFresh = true;
    this.field.focus();
  }

  private clear(): void {
    this.entries = this.entries.slice(0, 1);
    this.field.focus();
  }

  // --- showing ---

  override render() {
    const { words, entries: [latest, ...earlier], stopper } = this;
    const goesOn = latest && !stopper && this.conversation().length > 0;
    const day = this.asOf && this.asOf !== "today" && this.asOf !== today() ? html`<span class="hint">${words.asOf(this.asOf)}</span>` : html`<span class="hint" id="hint">${words.hint}</span>`;
    return html`<div lang=${words.htmlLang} part="widget">
      <form part="form" @submit=${this.submit}>
        <label for="question">${words.question}</label>
        <textarea id="question" part="question" rows="2" maxlength="4000" dir="auto" autocomplete="off" aria-describedby="hint"
          placeholder=${this.placeholder || words.placeholder} @keydown=${this.onKey}></textarea>
        ${goesOn ? html`<div class="row goes-on"><span class="hint">${words.follows}</span>
          <button type="button" class="quiet" @click=${this.startAfresh}>${words.fresh}</button></div>` : nothing}
        <div class="row">${day}<div class="actions">
          ${stopper ? html`<button type="button" part="button" @click=${() => { stopper.abort(); this.field.focus(); }}>${words.stop}</button>` : nothing}
          <button class="primary" part="button ask" aria-disabled=${live(String(!!stopper))}>${words.ask}</button>
        </div></div>
      </form>
      <p class="status ${this.isError ? "error" : this.status === words.done ? "unseen" : ""}" part="status" role="status">${this.status}</p>
      ${latest ? this.entry(latest, true) : nothing}
      ${earlier.length ? html`<details part="history"><summary>${words.earlier(earlier.length)}</summary>
        ${earlier.map((one) => this.entry(one, false))}
        <button type="button" class="quiet" @click=${this.clear}>${words.clear}</button></details>` : nothing}
      <rag-ask-source exportparts="panel, source-text, validity" .service=${this.client} .words=${words} @closed=${this.closed}></rag-ask-source>
    </div>`;
  }

  private entry(entry: Entry, isLatest: boolean) {
    const { words } = this;
    const { answer, passages } = entry;
    const isDeclined = !!answer?.abstained;
    const urgent = entry.notices.filter((one) => one.severity === "urgent");
    const others = entry.notices.filter((one) => one.severity !== "urgent");
    if (!answer && !entry.text && !passages.length && !entry.notices.length && !isLatest) return nothing;
    const quoted = bySource(entry.citations, entry.text);
    const list = (texts: [Source, string, string][]) => html`<ol class="sources">${texts.map((one) => this.item(entry, ...one))}</ol>`;
    return html`<article part="answer" class=${isDeclined ? "is-declined" : ""}>
      <p class="asked" dir="auto" lang=${languageOf(entry.question)}>${visible(entry.question)}</p>
      ${urgent.map((one) => this.notice(entry, one))}
      ${entry.text || entry.isOver ? html`<h2>${this.heading(entry)}</h2>` : nothing}
      ${entry.notice ? html`<p class="notice">${entry.notice}</p>` : nothing}
      <div class="answer" part="text" lang=${languageOf(entry.text)} aria-live=${isLatest ? "polite" : "off"} aria-busy=${String(!entry.isOver)}>
        ${toParagraphs(entry.text, entry.citations).map((one) => html`<p dir="auto">${one.map((piece) => this.piece(entry, piece))}</p>`)}</div>
      ${isDeclined ? html`<p class="hint why">${words.whyAbstained}</p>` : nothing}
      ${others.length ? html`<div class="notices" role="note" aria-label=${words.notices}>${others.map((one) => this.notice(entry, one))}</div>` : nothing}
      ${answer?.clarify && isLatest ? html`<div class="replies">${[...(answer.clarify.choices ?? []), words.unsure].map((reply) =>
        html`<button type="button" part="button reply" @click=${() => void this.ask(reply, after(entry))}>${reply}</button>`)}</div>
        <p class="hint">${words.reply}</p>` : nothing}
      ${quoted.length ? html`<h3>${words.sources}</h3>${list(quoted)}` : nothing}
      ${passages.length && entry.isOver ? html`<details ?open=${isDeclined || !!entry.notice}><summary>${(isDeclined ? words.nearest : words.passages)(passages.length)}</summary>
        ${list(passages.map((one) => [one, one.text, ""]))}</details>` : nothing}
      ${answer?.disclaimer ? html`<p class="disclaimer" part="disclaimer" lang=${languageOf(answer.disclaimer)}>${answer.disclaimer}</p>` : nothing}
      ${entry.isOver ? this.tools(entry) : nothing}
    </article>`;
  }

  /** Urgent ones stand first, in a box of their own that a screen reader says at once. */
  private notice(entry: Entry, one: Notice) {
    const isUrgent = one.severity === "urgent";
    const text = toParagraphs(one.text, one.citations);
    const unplaced = one.citations.filter((cited) => !text.flat().includes(cited));
    return html`<div class=${isUrgent ? "urgent" : `notice ${one.severity}`} part="notice ${one.severity}" lang=${one.language}
        role=${isUrgent ? "alert" : nothing}>${isUrgent ? html`<strong>${this.words.urgent}</strong>` : nothing}
      ${text.map((line, n) => html`<p dir="auto">${line.map((piece) => this.piece(entry, piece))}${
        n === text.length - 1 ? unplaced.map((piece) => this.piece(entry, piece)) : nothing}</p>`)}</div>`;
  }

  private heading(entry: Entry): string {
    const { answer } = entry;
    if (answer) return answer.clarify ? this.words.clarify : answer.abstained ? this.words.abstained : this.words.answer;
    return entry.isOver ? this.words.incomplete : this.words.answer;
  }

  private piece(entry: Entry, piece: Piece) {
    if (typeof piece === "string") return visible(piece);
    const number = piece.marker.slice(1, -1);
    return html`<button type="button" class="chip" part="citation" aria-haspopup="dialog" aria-expanded="false" title=${sourceName(piece)}
      aria-label=${this.words.cited(number, sourceName(piece))} @click=${(event: Event) => this.open(event, piece, entry)}>${number}</button>`;
  }

  private item(entry: Entry, source: Source, text: string, marker: string) {
    const { days, notes } = validity(source, this.words);
    return html`<li part="source"><button type="button" class="quiet" aria-haspopup="dialog" aria-expanded="false"
        @click=${(event: Event) => this.open(event, source, entry)}>${marker} ${sourceName(source)}</button>
      <p class="validity">${days}${notes.map((note) => html`<span class="note">${note}</span>`)}</p>
      ${text ? html`<blockquote dir="auto" lang=${languageOf(text)}>${visible(text.trim())}</blockquote>` : nothing}</li>`;
  }

  private tools(entry: Entry) {
    const { words } = this;
    const { answer } = entry;
    const isWhole = answer && !answer.clarify;
    return html`<div class="tools" part="tools">
      ${isWhole && navigator.clipboard ? html`<button type="button" class="quiet" @click=${() => void this.copy(entry)}>${words.copy}</button>` : nothing}
      ${isWhole ? html`<button type="button" class="quiet" @click=${() => printAlone(this)}>${words.print}</button>` : nothing}
      ${answer ? nothing : html`<button type="button" class="quiet" @click=${() => !this.stopper && void this.ask(entry.question, entry.history)}>${words.again}</button>`}
      ${answer ? html`<span class="receipt">${words.receipt(answer.answer_id)}</span>` : nothing}
    </div>
    ${isWhole ? html`<rag-ask-feedback part="feedback" exportparts="feedback, button" .service=${this.client} .words=${words} .answerId=${answer.answer_id}
      .question=${entry.question}></rag-ask-feedback>` : nothing}`;
  }
}

/** The conversation up to and with an answer. */
function after(entry: Entry): Turn[] {
  return [...entry.history, { role: "user", content: entry.question } as Turn, { role: "assistant", content: entry.text } as Turn].slice(-MOST_TURNS);
}

/** A source cited twice is listed once, with each of its quotations that the answer does not spell out. */
function bySource(citations: Citation[], text: string): [Source, string, string][] {
  const groups = new Map<string, Citation[]>();
  for (const one of citations) groups.set(one.marker, [...(groups.get(one.marker) ?? []), one]);
  const unsaid = (cited: Citation[]) => [...new Set(cited.map((one) => one.quote.trim()))].filter((quote) => !text.includes(quote));
  return [...groups].map(([marker, cited]) => [cited[0], unsaid(cited).join("\n"), marker]);
}

if (!customElements.get("rag-ask")) customElements.define("rag-ask", RagAsk);
