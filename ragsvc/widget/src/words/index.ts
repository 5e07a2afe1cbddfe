// The languages of the widget: a file of this folder each, named by its tag. A further language is one more file.

import type { REASONS } from "../wire";

type Dated = (date: string) => string;
type Counted = (n: number) => string;

export interface Words {
  htmlLang: string;
  question: string; placeholder: string; ask: string; stop: string; hint: string; asOf: Dated;
  searching: string; writing: string; done: string; stopped: string; asksBack: string;
  answer: string; incomplete: string; abstained: string; clarify: string;
  unsure: string; reply: string; whyAbstained: string; urgent: string; notices: string; follows: string; fresh: string;
  sources: string; nearest: Counted; passages: Counted; cited: (marker: string, name: string) => string;
  copy: string; copied: string; print: string; again: string; clear: string; earlier: Counted;
  always: string; from: Dated; until: Dated; past: string; ahead: string; inferred: string; given: string;
  superseded: string; doubtful: Counted;
  wasUseful: string; up: string; down: string; whatWasWrong: string; reasons: Record<(typeof REASONS)[number], string>;
  comment: string; withQuestion: string; send: string; cancel: string; thanks: string; notKept: string;
  newer: (date: string | null) => string; openNewer: string; upcoming: Dated;
  close: string; loading: string; more: string; origin: (host: string) => string; receipt: (id: string) => string;
  broken: string; modelFailed: string; offline: string; noTicket: string;
  problems: Record<number, string>; failed: string;
}

const files = import.meta.glob<{ words: Words }>(["./*.ts", "!./index.ts"], { eager: true });
const languages = new Map(Object.entries(files).map(([path, file]) => [path.slice(2, -3), file.words]));

/** The words of a language tag ("zh-CN" = zh), else English. */
export function wordsOf(tag: string): Words {
  return languages.get(tag.toLowerCase().split("-")[0]) ?? languages.get("en")!;
}
