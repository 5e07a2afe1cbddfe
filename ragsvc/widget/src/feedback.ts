// Thumbs below an answer. A thumb down may say why; the question goes along only if its reader wants that.
import { LitElement, html, nothing } from "lit";
import type { Service } from "./service";
import { styles } from "./styles";
import { type Feedback, REASONS } from "./wire";
import type { Words } from "./words";

export class AnswerFeedback extends LitElement {
  static override styles = styles;
  static override properties = {
    words: { attribute: false }, answerId: { attribute: false }, question: { attribute: false },
    given: { state: true }, isAsking: { state: true }, message: { state: true },
  };

  declare service: Service;
  declare words: Words;
  declare answerId: string;
  declare question: string;
  private declare given: "up" | "down" | "";
  private declare isAsking: boolean;
  private declare message: string;

  constructor() {
    super();
    Object.assign(this, { given: "", isAsking: false, message: "" });
  }

  private async down(): Promise<void> {
    this.isAsking = true;
    await this.updateComplete;
    this.renderRoot.querySelector("input")!.focus();
  }

  private async cancel(): Promise<void> {
    this.isAsking = false;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("#down")!.focus();
  }

  private submit(event: Event): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const said: Feedback = { answer_id: this.answerId, rating: "down", comment: String(form.get("comment")).trim() };
    if (form.get("reason")) said.reason = form.get("reason") as Feedback["reason"];
    if (form.get("withQuestion")) said.question = this.question;
    void this.send(said);
  }

  private async send(said: Feedback): Promise<void> {
    try {
      await this.service.rate(said);
      Object.assign(this, { given: said.rating, isAsking: false, message: this.words.thanks });
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>(`#${said.rating}`)!.focus();
    } catch {
      this.message = this.words.notKept;
    }
  }

  override render() {
    const { words, given } = this;
    const thumb = (rating: "up" | "down", act: () => void) => html`<button type="button" class="quiet thumb" id=${rating} title=${words[rating]}
      aria-label=${words[rating]} aria-pressed=${String(given === rating)} @click=${act}><svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M7 10v10H3V10zM7 11l4-8c1.7 0 2.6 1 2.3 2.7L12.6 9H19c1.300 0 2.200 1.200 1.900 2.500l-1.600 7c-.2.9-1 1.500-1.900 1.500H7"/></svg></button>`;
    return html`<div class="useful"><span class="hint">${words.wasUseful}</span>
      ${thumb("up", () => void this.send({ answer_id: this.answerId, rating: "up" }))}${thumb("down", () => void this.down())}
      <span class="hint" role="status">${this.message}</span></div>
      ${this.isAsking ? html`<form class="why-down" part="feedback" @submit=${this.submit}
          @keydown=${(event: KeyboardEvent) => event.key === "Escape" && void this.cancel()}>
        <fieldset><legend>${words.whatWasWrong}</legend>${REASONS.map((reason) =>
          html`<label><input type="radio" name="reason" value=${reason}> ${words.reasons[reason]}</label>`)}</fieldset>
        <label for="comment">${words.comment}</label>
        <textarea id="comment" name="comment" rows="2" maxlength="2000" dir="auto"></textarea>
        <label><input type="checkbox" name="withQuestion"> ${words.withQuestion}</label>
        <div class="row"><button type="button" part="button" @click=${this.cancel}>${words.cancel}</button>
          <button class="primary" part="button">${words.send}</button></div>
      </form>` : nothing}`;
  }
}

customElements.define("rag-ask-feedback", AnswerFeedback);
