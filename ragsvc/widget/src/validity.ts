// From when until when a text holds, in words.
import type { Passage, Source, Version } from "./wire";
import type { Words } from "./words";

/** The reader's day, YYYY-MM-DD. */
export function today(): string {
  return new Date().toLocaleDateString("sv");
}

/** Below this a reader is told that text recognition was unsure. */
const SURE = 0.8;

/** The days of a source, and what a reader has to be told about them. */
export function validity(source: Source & Partial<Passage>, words: Words): { days: string; notes: string[] } {
  const { effective_from: from, effective_to: to } = source;
  const days = [from && words.from(from), to && words.until(to)].filter(Boolean).join(" · ");
  const howKnown = days && source.validity_source === "inferred" ? words.inferred : days && source.validity_source === "given" ? words.given : "";
  const now = today();
  const known = source.status && { "in force": "", future: words.ahead, superseded: words.superseded, repealed: words.past }[source.status];
  const isNow = known ?? (to && to <= now ? words.past : from && from > now ? words.ahead : "");
  const doubtful = source.confidence != null && source.confidence < SURE ? words.doubtful(Math.round(source.confidence * 100)) : "";
  const notes = [isNow, howKnown, doubtful].filter(Boolean);
  return { days: days || words.always, notes };
}

export interface Newer {
  text: string;
  isInForce: boolean;
}

/** What to say of versions of the same document that come after this one; null when there is none. */
export function newer(source: Source, versions: Version[], words: Words): Newer | null {
  const begin = (one: { effective_from: string | null }) => one.effective_from ?? "";
  const later = versions.filter((one) => one.version_id !== source.version_id && begin(one) > begin(source));
  const inForce = later.filter((one) => begin(one) <= today()).at(-1);
  if (inForce) return { text: words.newer(inForce.effective_from), isInForce: !inForce.effective_to || inForce.effective_to > today() };
  return later.length ? { text: words.upcoming(begin(later[0])), isInForce: false } : null;
}
