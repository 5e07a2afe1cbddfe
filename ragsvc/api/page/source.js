// Shows a stretch of a stored text with a quotation marked. Offsets of the service count code points, those of
// JavaScript count UTF-16 units: a text is turned into an array of code points before anything is cut from it.

const MARKUP = /^\s*(#{1,6}\s+|<!--.*-->\s*$)/;

/**
 * Render `text`, which stands at `offset` in its version, into `target`.
 * The range `article` is shown in full ink, the rest dimmed; `quote` is marked. Returns the first mark.
 */
export function render(target, text, offset, article, quote) {
  const points = Array.from(text);
  const cuts = [article.start, article.end, quote?.start ?? article.start, quote?.end ?? article.start]
    .map((at) => Math.min(Math.max(at - offset, 0), points.length));
  const [articleStart, articleEnd, quoteStart, quoteEnd] = cuts;
  target.replaceChildren();
  let first = null;
  for (const [start, end] of lines(points)) {
    const line = points.slice(start, end).join("");
    const markup = line.match(MARKUP);
    if (markup && markup[1].startsWith("<!--")) continue;
    const shown = markup ? start + Array.from(markup[0]).length : start;
    const paragraph = document.createElement("p");
    if (markup) paragraph.className = "title-line";
    const bounds = [...new Set([shown, end, ...cuts.filter((at) => at > shown && at < end)])].sort((a, b) => a - b);
    for (let i = 0; i + 1 < bounds.length; i += 1) {
      const [from, to] = [bounds[i], bounds[i + 1]];
      const isQuote = from >= quoteStart && to <= quoteEnd;
      const isArticle = from >= articleStart && to <= articleEnd;
      const element = document.createElement(isQuote ? "mark" : "span");
      if (!isQuote && !isArticle) element.className = "dim";
      element.textContent = points.slice(from, to).join("");
      if (isQuote && !first) first = element;
      paragraph.append(element);
    }
    if (paragraph.textContent.trim()) target.append(paragraph);
  }
  return first;
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
