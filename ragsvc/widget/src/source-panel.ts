// A source, opened beside the answer at the quoted words. A modal dialogue: what is behind it is out of reach meanwhile.
import { LitElement, html, nothing } from "lit";
import { Problem, Service } from "./service";
import { styles } from "./styles";
import { type Line, languageOf, toLines, visible } from "./text";
import { type Newer, newer, validity } from "./validity";
import type { Citation, Passage, Source } from "./wire";
import type { Words } from "./words";

const AROUND = 1200; // code points shown before and after an article

export class SourcePanel extends LitElement {
  static override styles = styles;
  static override properties = {
    words: { attribute: false }, source: { state: true }, lines: { state: true }, failure: { state: true },
    hasMore: { state: true }, newer: { state: true },
  };

  declare service: Service;
  declare words: Words;
  private declare source: Source | null;
  private declare lines: Line[] | null;
  private declare failure: string;
  private declare hasMore: boolean;
  private declare newer: Newer | null;
  private article: Source | null = null;
  private around = AROUND;

  /** Open the article that holds `source`, at its quotation if it is a citation. */
  async open(source: Source, passages: Passage[]): Promise<void> {
    const holds = (one: Passage) => one.version_id === source.version_id && one.start <= source.start && source.end <= one.end;
    this.article = passages.find(holds) ?? source;
    Object.assign(this, { source, lines: null, failure: "", hasMore: false, newer: null, around: AROUND });
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog")!;
    if (!dialog.open) dialog.showModal();
    this.renderRoot.querySelector<HTMLElement>("h2")!.focus();
    await Promise.all([this.read(), this.lookForNewer(source)]);
  }

  close(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  private async read(): Promise<void> {
    const { source, article, around } = this;
    if (!source || !article) return;
    try {
      const { length } = await this.service.versionText(source.version_id, 0, 0);
      const [start, end] = [Math.max(0, article.start - around), Math.min(length, article.end + around)];
      const { text } = await this.service.versionText(source.version_id, start, end);
      if (source !== this.source) return; // another was opened meanwhile
      this.lines = toLines(text, start, article, "quote" in source ? source : null);
      this.hasMore = start > 0 || end < length;
      await this.updateComplete;
      this.renderRoot.querySelector("mark, .inside")?.scrollIntoView({ block: "center" });
    } catch (error) {
      if (source === this.source) this.failure = error instanceof Problem && error.status === 0 ? this.words.offline : this.words.failed;
    }
  }

  private async lookForNewer(source: Source): Promise<void> {
    const versions = await this.service.versions(source.document_id).catch(() => []);
    if (source === this.source) this.newer = newer(source, versions, this.words);
  }

  private async openNewer(): Promise<void> {
    const source = this.source!;
    const found = await this.service.lookup(`${source.work}${source.locator}`, source.collection).catch(() => undefined);
    if (found) await this.open(found, []);
    else this.newer = { ...this.newer!, isInForce: false }; // it has no such place: nothing to open
  }

  private showMore(): void {
    this.around *= 4;
    this.renderRoot.querySelector<HTMLElement>("h2")!.focus();
    void this.read();
  }

  override render() {
    const { source, words } = this;
    if (!source) return html`<dialog></dialog>`;
    const { days, notes } = validity(source, words);
    const host = URL.canParse(source.url ?? "") && /^https?:$/.test(new URL(source.url!).protocol) ? new URL(source.url!).host : "";
    return html`<dialog part="panel" aria-labelledby="title locator" lang=${words.htmlLang}
        @close=${() => this.dispatchEvent(new Event("closed"))}
        @click=${(event: MouseEvent) => event.target === event.currentTarget && this.close()}>
      <div class="head">
        <div>
          <h2 id="title" tabindex="-1" dir="auto" lang=${languageOf(source.title)}>${visible(source.title)}</h2>
          <p id="locator" class="locator">${visible(source.locator)}</p>
        </div>
        <button type="button" class="quiet" aria-label=${words.close} @click=${() => this.close()}>×</button>
      </div>
      <p class="validity" part="validity">${days}${notes.map((note) => html`<span class="note">${note}</span>`)}</p>
      ${this.newer ? html`<p class="notice" role="status">${this.newer.text}
        ${this.newer.isInForce && source.locator ? html`<button type="button" class="quiet" @click=${() => void this.openNewer()}>${words.openNewer}</button>` : nothing}</p>` : nothing}
      <div class="text" part="source-text" tabindex="0" role="region" aria-labelledby="title">${this.text()}</div>
      <div class="foot">
        ${this.hasMore ? html`<button type="button" @click=${() => this.showMore()}>${words.more}</button>` : nothing}
        ${host ? html`<a href=${source.url!} target="_blank" rel="noopener noreferrer">${words.origin(host)}</a>` : nothing}
      </div>
    </dialog>`;
  }

  private text() {
    if (this.failure) return html`<p role="alert">${this.failure}</p>`;
    if (!this.lines) return html`<p role="status">${this.words.loading}</p>`;
    return this.lines.map((line) => html`<p dir="auto" class=${line.isTitle ? "title" : ""}
      lang=${languageOf(line.stretches.map((one) => one.text).join(""))}>${line.stretches.map((one) =>
        one.isQuoted ? html`<mark>${visible(one.text)}</mark>` : html`<span class=${one.isInside ? "inside" : "around"}>${visible(one.text)}</span>`)}</p>`);
  }
}

export function sourceName(source: Source | Citation): string {
  return visible([source.title, source.locator].filter(Boolean).join(" "));
}

customElements.define("rag-ask-source", SourcePanel);
