// Shows stored text as text, and a stretch of it with a quotation marked. Offsets of the service count code points,
// those of JavaScript count UTF-16 units: a text becomes an array of code points before anything is cut from it.

const HASHES = /^\s*#{1,6}\s+/;
const COMMENT = /^\s*<!--.*-->\s*$/;
const LONG_WORD = /[!-~]{9}/; // would tear holes into a justified line
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069]/g;

/** Make the characters visible that would let a text read otherwise than it is stored. */
export function visible(text) {
  return text.replace(BIDI_CONTROL, (control) => `[U+${control.charCodeAt(0).toString(16).toUpperCase()}]`);
}

/** The language to set a text in, for its glyphs and its voice. */
export function languageOf(text) {
  return /\p{Script=Han}/u.test(text) ? "zh-CN" : "en";
}

/**
 * Render `text`, which stands at `offset` in its version, into `target`.
 * The range `article` is shown in full ink, the rest dimmed; `quote` (none = null) is marked.
 * Returns the element to scroll to: the first mark, else the beginning of the article.
 */
export function render(target, text, offset, article, quote) {
  const points = Array.from(text);
  const clamp = (at) => Math.min(Math.max(at - offset, 0), points.length);
  const inArticle = within(clamp(article.start), clamp(article.end));
  const inQuote = quote ? within(clamp(quote.start), clamp(quote.end)) : () => false;
  const cuts = [article, quote ?? article].flatMap((range) => [clamp(range.start), clamp(range.end)]);
  const paragraphs = [];
  for (const [start, end] of lines(points)) {
    const line = points.slice(start, end).join("");
    if (COMMENT.test(line) && !inArticle(start, end)) continue;
    const hashes = Array.from(line.match(HASHES)?.[0] ?? "").length;
    const paragraph = document.createElement("p");
    paragraph.dir = "auto";
    if (hashes) paragraph.className = "title-line";
    else if (!LONG_WORD.test(line)) paragraph.className = "even";
    const bounds = [start + hashes, end, ...cuts.filter((at) => at > start + hashes && at < end)].sort((a, b) => a - b);
    for (let i = 0; i + 1 < bounds.length; i += 1) {
      const [from, to] = [bounds[i], bounds[i + 1]];
      if (from === to) continue;
      const element = document.createElement(inQuote(from, to) ? "mark" : "span");
      element.className = inArticle(from, to) ? "article" : "around";
      element.textContent = visible(points.slice(from, to).join(""));
      paragraph.append(element);
    }
    if (paragraph.textContent.trim()) paragraphs.push(paragraph);
  }
  target.lang = languageOf(text);
  target.replaceChildren(...paragraphs);
  return target.querySelector("mark") ?? target.querySelector(".article");
}

function within(start, end) {
  return (from, to) => from >= start && to <= end;
}

function* lines(points) {
  let start = 0;
  for (let at = 0; at <= points.length; at += 1) {
    if (at === points.length || points[at] === "\n") {
      if (at > start) yield [start, at];
      start = at + 1;
    }
  }
}
