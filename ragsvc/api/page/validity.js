// Says from when until when a source holds, and how that is known.

/** Return what to show of it: text, and notes in elements of their own. */
export function validity(source, words) {
  const today = new Date().toLocaleDateString("sv"); // YYYY-MM-DD
  const { effective_from: from, effective_to: to } = source;
  const parts = [from && words.from(from), to && words.until(to)].filter(Boolean);
  const notes = [
    to && to <= today && words.past,
    from && from > today && words.ahead,
    parts.length && { inferred: words.inferred, given: words.given }[source.validity_source],
  ].filter(Boolean);
  const pieces = [parts.join(" · ") || words.always];
  for (const note of notes) pieces.push(" ", make("span", "note", note));
  return pieces;
}

export function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
