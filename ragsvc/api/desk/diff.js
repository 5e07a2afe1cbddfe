// Two versions, place by place, with the words that differ marked.
import { h } from "./dom.js";
import { languageOf } from "/page/source.js";

const WORD = /第[〇零一二三四五六七八九十百千\d]+[编章节条款项]|[a-zA-Z]+|\d+(?:[.,]\d+)*|\s+|./gsu;
const MOST_CELLS = 4_000_000; // of the table below; beyond it, a place is shown as written anew

/** Cut two texts into runs [kind, text]; kind is same, old or new. Longest common subsequence of words. */
export function runs(oldText, newText) {
  const [a, b] = [oldText.match(WORD) ?? [], newText.match(WORD) ?? []];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const found = [["same", a.slice(0, head)], ...middle, ["same", tail ? a.slice(-tail) : []]];
  return found.map(([kind, words]) => [kind, words.join("")]).filter(([, text]) => text);
}

function between(a, b) {
  if (!a.length || !b.length || a.length * b.length > MOST_CELLS) return [["old", a], ["new", b]];
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      best[i * width + j] = a[i] === b[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const found = [];
  const put = (kind, word) => { if (found.at(-1)?.[0] === kind) found.at(-1)[1].push(word); else found.push([kind, [word]]); };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { put("same", a[i]); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && best[(i + 1) * width + j] >= best[i * width + j + 1])) { put("old", a[i]); i += 1; }
    else { put("new", b[j]); j += 1; }
  }
  return found;
}

/** The comparison of two versions as the service makes it. */
export function comparison(diff, words) {
  const kinds = ["changed", "added", "repealed", "renumbered"];
  const counts = h("ul", { class: "counts" }, [...kinds.map((kind) => [kind, diff[kind].length]), ["unchanged", diff.unchanged]]
    .map(([kind, n]) => h("li", {}, `${words.counts[kind]} `, h("b", {}, n))));
  if (kinds.every((kind) => diff[kind].length === 0)) return [h("p", {}, words.identical), counts];
  const places = kinds.flatMap((kind) => diff[kind].map((one) => place(kind, one, words)));
  return [counts, ...places];
}

function place(kind, one, words) {
  const [before, after] = kind === "added" ? [null, one] : kind === "repealed" ? [one, null] : [one.old, one.new];
  const name = (it) => it.locator || it.heading_path.join(" › ");
  const names = before && after && name(before) !== name(after) ? `${name(before)} → ${name(after)}` : name(after ?? before);
  const text = after ?? before;
  const tone = { added: "good", repealed: "bad" }[kind] ?? "note";
  return h("section", { class: "card" }, h("h3", {}, h("span", { class: `tag ${tone}` }, words.counts[kind]), " ", names),
    h("p", { class: "diff", lang: languageOf(text.text) }, runs(before?.text ?? "", after?.text ?? "").map(([which, run]) =>
      (which === "same" ? run : h(which === "old" ? "del" : "ins", {}, run)))));
}
