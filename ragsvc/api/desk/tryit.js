// One question through every way of searching, side by side.
import { get, post } from "./api.js";
import { field, h, select } from "./dom.js";
import { languageOf } from "/page/source.js";

const ARMS = { fused: undefined, address: ["address"], lexical: ["lexical"], dense: ["dense"] };

export async function tryit({ words, act, say }) {
  const { collections } = await get("/v1/collections");
  const arms = h("div", { class: "arms", "aria-live": "polite" });
  const form = h("form", { class: "card fields", role: "search", onsubmit: (event) => { event.preventDefault(); search(); } },
    field(words.question, h("input", { name: "question", required: true, maxlength: 4000, dir: "auto" }), "wide"),
    field(words.collection, select({ name: "collection" }, [["", words.all], ...collections.map((one) => [one.name, one.name])])),
    field(words.asOf, h("input", { name: "as_of", type: "date" })),
    field(words.k, select({ name: "top_k" }, ["5", "10", "20"].map((n) => [n, n]), "10")),
    h("button", { class: "primary" }, words.try));
  const search = act(async () => {
    const asked = new FormData(form);
    const body = { question: asked.get("question").trim(), top_k: Number(asked.get("top_k")) };
    if (asked.get("collection")) body.collections = [asked.get("collection")];
    if (asked.get("as_of")) body.as_of = asked.get("as_of");
    say(words.loading);
    const found = await Promise.all(Object.entries(ARMS).map(async ([name, only]) => [name, await post("/v1/search", only ? { ...body, arms: only } : body)]));
    const ranks = new Map();
    for (const [name, { hits }] of found) hits.forEach((hit, at) => ranks.set(hit.chunk_id, { ...ranks.get(hit.chunk_id), [name]: at + 1 }));
    arms.replaceChildren(...found.map(([name, result]) => column(name, result, ranks, words)));
    say("");
  });
  return [form, arms];
}

function column(name, { hits, missing, timings_ms: timings }, ranks, words) {
  const total = Math.max(0, ...Object.values(timings)); // the whole is one of them
  return h("section", { class: `arm ${name}`, "aria-label": words.arms[name] },
    h("h2", {}, words.arms[name]), h("p", { class: "soft" }, words.ms(total.toFixed(1))),
    name === "fused" || name === "address" ? missing.map((one) => h("p", { class: "soft" }, words.missing(one.mention, one.nearest.join(" · ")))) : null,
    hits.length ? h("ol", {}, hits.map((hit) => item(name, hit, ranks.get(hit.chunk_id), words))) : h("p", { class: "soft" }, words.noHits));
}

function item(name, hit, ranks, words) {
  const scores = Object.entries(words.scores).filter(([key]) => hit.scores[key] != null).map(([key, label]) => `${label} ${hit.scores[key].toFixed(3)}`);
  const elsewhere = Object.entries(ranks).filter(([arm]) => arm !== name).map(([arm, rank]) => `${words.arms[arm]} #${rank}`);
  return h("li", {}, h("div", { lang: languageOf(hit.title) }, h("strong", {}, [hit.title, hit.locator].filter(Boolean).join(" "))),
    h("div", { class: "scores" }, scores.join(" · ")),
    h("div", { class: "text", lang: languageOf(hit.text) }, hit.text.trim()),
    elsewhere.length ? h("div", { class: "scores" }, words.alsoAt(elsewhere.join(" · "))) : null);
}
