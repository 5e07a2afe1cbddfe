// An answer outside the page: as a text to paste, and on paper.
import { sourceName } from "./source-panel";
import { visible } from "./text";
import { validity } from "./validity";
import type { Answer } from "./wire";
import type { Words } from "./words";

/** The answer with its citations spelled out below it. */
export function asText(question: string, answer: Answer, words: Words): string {
  const cited = answer.citations.map((one) => {
    const { days, notes } = validity(one, words);
    return `${one.marker} ${sourceName(one)} (${[days, ...notes].join("; ")})\n    “${one.quote.trim()}”${one.url ? `\n    ${one.url}` : ""}`;
  });
  const notices = (answer.notices ?? []).map((one) => one.text.trim()).join("\n");
  const parts = [question, notices, answer.answer.trim(), cited.join("\n"), answer.disclaimer.trim(), words.receipt(answer.answer_id)];
  return visible(parts.filter(Boolean).join("\n\n"));
}

/** Print `element` without the page around it. */
export function printAlone(element: Element): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("@media print { [data-ragsvc-unprinted] { display: none !important; } }");
  const aside: Element[] = [];
  let node: Node = element;
  while (node !== document.body && (node.parentNode || node instanceof ShadowRoot)) {
    const parent: Node = node instanceof ShadowRoot ? node.host : node.parentNode!;
    if (!(node instanceof ShadowRoot) && !(parent instanceof ShadowRoot)) {
      for (const sibling of parent.childNodes) if (sibling !== node && sibling instanceof Element) aside.push(sibling);
    }
    node = parent;
  }
  for (const one of aside) one.toggleAttribute("data-ragsvc-unprinted", true);
  document.adoptedStyleSheets.push(sheet);
  window.print();
  for (const one of aside) one.removeAttribute("data-ragsvc-unprinted");
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
}
