import { get } from "./api.js";
import { h, number, table } from "./dom.js";

export async function collections({ words }) {
  const { collections: found } = await get("/v1/collections");
  if (!found.length) return [h("p", { class: "empty" }, words.noCollections)];
  const address = (one) => `#/documents?${new URLSearchParams({ collection: one.name })}`;
  return [table(words.views.collections[0], [
    [words.name, (one) => h("a", { href: address(one) }, one.name)],
    [words.domain, (one) => one.domain],
    [words.documents, (one) => number(one.n_documents), "n"],
    [words.chunks, (one) => number(one.n_chunks), "n"],
    [words.model, (one) => one.model || h("span", { class: "soft" }, words.default)],
    [words.strategy, (one) => one.strategy || h("span", { class: "soft" }, words.default)],
    [words.zone, (one) => one.time_zone],
  ], found)];
}
