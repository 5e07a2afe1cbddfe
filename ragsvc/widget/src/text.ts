// Text of models and documents is shown as text, never as markup. Offsets of the service count code points, those of
// JavaScript count UTF-16 units: a text becomes an array of code points before anything is cut from it.
import type { Citation } from "./wire";

// Would let a text read otherwise than it is stored; or, of no width, hide in it.
const HIDDEN = /[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Make visible what would otherwise work unseen. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (one) => `[U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** The language to set a text in, for its glyphs and its voice. */
export function languageOf(text: string): string {
  return /\p{Script=Han}/u.test(text) ? "zh-CN" : "en";
}

export type Piece = string | Citation;

/**
 * Cut an answer into paragraphs of text and of citations, each where its marker stands.
 *
 * Markers come in the order of the citations, each behind what it proves: looked for from the end, a bracketed number
 * inside a quotation is not taken for one.
 */
export function toParagraphs(text: string, citations: Citation[]): Piece[][] {
  const pieces: Piece[] = text.split(/(\[\d+\]|\n+)/);
  const waiting = [...citations];
  for (let n = pieces.length - 1; n >= 0 && waiting.length; n -= 1) {
    if (pieces[n] === waiting.at(-1)!.marker) pieces[n] = waiting.pop()!;
  }
  const paragraphs: Piece[][] = [[]];
  for (const piece of pieces) {
    if (typeof piece === "string" && piece.startsWith("\n")) paragraphs.push([]);
    else if (piece !== "") paragraphs.at(-1)!.push(piece);
  }
  return paragraphs.filter((one) => one.length);
}

export interface Stretch {
  text: string;
  isQuoted: boolean;
  isInside: boolean; // of the article (or passage) that is cited
}

export interface Line {
  stretches: Stretch[];
  isTitle: boolean;
}

interface Range {
  start: number;
  end: number;
}

/** Cut `text`, which stands at `offset` in its version, into lines with `article` and `quote` told apart from the rest. */
export function toLines(text: string, offset: number, article: Range, quote: Range | null): Line[] {
  const points = Array.from(text);
  const inside = (range: Range | null, at: number) => !!range && at + offset >= range.start && at + offset < range.end;
  const lines: Line[] = [];
  for (let start = 0, at = 0; at <= points.length; at += 1) {
    if (at < points.length && points[at] !== "\n") continue;
    const line = points.slice(start, at).join("");
    const isComment = /^\s*<!--.*-->\s*$/.test(line) && !inside(article, start);
    const hashes = Array.from(/^\s*#{1,6}\s+/.exec(line)?.[0] ?? "").length;
    const stretches: Stretch[] = [];
    for (let n = start + hashes; n < at && !isComment; n += 1) {
      const [isQuoted, isInside] = [inside(quote, n), inside(article, n)];
      const last = stretches.at(-1);
      if (last && last.isQuoted === isQuoted && last.isInside === isInside) last.text += points[n];
      else stretches.push({ text: points[n], isQuoted, isInside });
    }
    if (stretches.some((one) => one.text.trim())) lines.push({ stretches, isTitle: hashes > 0 });
    start = at + 1;
  }
  return lines;
}
