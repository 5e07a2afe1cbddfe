// What readers said, and what they asked in vain.
import { get, query } from "./api.js";
import { field, h, moment, pager, select, table } from "./dom.js";
import { languageOf } from "/page/source.js";

const LIMIT = 20;

export async function feedback({ words, parameters, go }) {
  const chosen = Object.fromEntries(["rating", "reason", "collection"].map((name) => [name, parameters.get(name) ?? ""]));
  const offset = Number(parameters.get("offset") ?? 0);
  const [{ feedback: found }, { collections }] = await Promise.all([
    get(query("/v1/feedback", { ...chosen, offset, limit: LIMIT })), get("/v1/collections")]);
  const all = ["", words.all];
  const form = h("form", { class: "card fields", onchange: (event) => go("feedback", Object.fromEntries(new FormData(event.currentTarget))) },
    field(words.rating, select({ name: "rating" }, [all, ["up", words.up], ["down", words.down]], chosen.rating)),
    field(words.reason, select({ name: "reason" }, [all, ...Object.entries(words.reasons)], chosen.reason)),
    field(words.collection, select({ name: "collection" }, [all, ...collections.map((one) => [one.name, one.name])], chosen.collection)));
  const turn = (to) => go("feedback", { ...chosen, offset: to });
  return [form, found.length ? found.map((one) => said(one, words)) : h("p", { class: "empty" }, words.noFeedback),
    pager(words, { offset, limit: LIMIT, count: found.length, go: turn })];
}

function said(one, words) {
  const { receipt } = one;
  return h("article", { class: "card" },
    h("p", { class: "bar" }, h("span", { class: `tag ${one.rating === "up" ? "good" : "bad"}` }, words[one.rating]),
      one.reason ? h("span", { class: "tag" }, words.reasons[one.reason]) : null,
      h("span", { class: "soft" }, [moment(one.given_at), receipt.collections.join(" · ") || words.all, one.marker && words.aboutCitation(one.marker)].filter(Boolean).join(" · "))),
    one.comment ? h("p", { lang: languageOf(one.comment) }, one.comment) : null,
    h("p", { class: "soft" }, `${words.asked}: ${receipt.question ?? words.noQuestion}`),
    h("details", {}, h("summary", {}, words.answered), h("p", { class: "diff", lang: languageOf(receipt.answer) }, receipt.answer),
      h("ul", { class: "list plain soft" }, receipt.citations.map((cited) => h("li", {}, `${cited.marker} ${cited.title} ${cited.locator}: “${cited.quote}”`))),
      h("p", { class: "soft code" }, `${receipt.answer_id} · ${one.model} · ${receipt.index_generation}`)));
}

export async function declined({ words, parameters, go }) {
  const offset = Number(parameters.get("offset") ?? 0);
  const { declined: found } = await get(query("/v1/declined", { offset, limit: LIMIT }));
  if (!found.length) return [h("p", { class: "empty" }, words.noDeclined)];
  return [table(words.views.declined[0], [
    [words.question, (one) => one.question],
    [words.reason, (one) => one.reason],
    [words.collection, (one) => one.collections.join(" · ") || words.all],
    [words.created, (one) => moment(one.asked_at)],
  ], found), pager(words, { offset, limit: LIMIT, count: found.length, go: (to) => go("declined", { offset: to }) })];
}
