// The documents of a collection, and one of them with its versions.
import { get, query, send } from "./api.js";
import { comparison } from "./diff.js";
import { decisive, field, h, number, pager, select, statusTag, table, validity } from "./dom.js";
import { languageOf } from "/page/source.js";

const LIMIT = 50;

export async function documents({ words, parameters, go }) {
  const { collections } = await get("/v1/collections");
  if (!collections.length) return [h("p", { class: "empty" }, words.noCollections)];
  const collection = parameters.get("collection") || collections[0].name;
  const matching = parameters.get("matching") ?? "";
  const offset = Number(parameters.get("offset") ?? 0);
  const { documents: found } = await get(query("/v1/documents", { collection, matching, offset, limit: LIMIT }));
  const move = (values) => go("documents", { collection, matching, ...values });
  const search = h("form", { class: "card fields", role: "search", onsubmit: (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    move({ collection: form.get("collection"), matching: form.get("matching").trim() });
  } },
  field(words.collection, select({ name: "collection" }, collections.map((one) => [one.name, one.name]), collection)),
  field(words.matching, h("input", { type: "search", name: "matching", value: matching, maxlength: 200 }), "wide"),
  h("button", { class: "primary" }, words.search));
  if (!found.length) return [search, h("p", { class: "empty" }, words.nothing)];
  return [search, table(words.views.documents[0], [
    [words.title, (one) => [h("a", { href: query("#/document", { id: one.document_id }) }, `${one.work} ${one.part}`.trim()), h("div", { class: "soft" }, one.name)]],
    [words.kind, (one) => one.kind],
    [words.force, (one) => validity(one, words)],
    [words.versions, (one) => number(one.n_versions), "n"],
    [words.chunks, (one) => number(one.n_chunks), "n"],
  ], found), pager(words, { offset, limit: LIMIT, count: found.length, go: (to) => move({ offset: to }) })];
}

export async function document_({ words, parameters, act, say, go, signal }) {
  const id = encodeURIComponent(parameters.get("id"));
  const [one, { versions }] = await Promise.all([get(`/v1/documents/${id}`), get(`/v1/documents/${id}/versions`)]);
  const shown = h("div", { id: "shown" });
  const facts = [[words.collection, one.collection], [words.kind, one.kind], [words.issuer, one.issuer], [words.number, one.number], [words.file, one.name]];
  const remove = act(async () => {
    await send("DELETE", `/v1/documents/${id}`);
    say(words.removed);
    go("documents", { collection: one.collection });
  });
  const read = (version) => act(async () => {
    const { text } = await get(`/v1/versions/${encodeURIComponent(version.version_id)}/text`);
    shown.replaceChildren(h("h2", { tabindex: -1 }, words.textOf(dated(version, words))),
      h("div", { class: "stored", tabindex: 0, role: "region", "aria-label": words.textOf(dated(version, words)), lang: languageOf(text) }, text));
    shown.firstChild.focus();
  });
  const compare = async (old, now) => {
    const diff = await get(query(`/v1/documents/${id}/diff`, { old, new: now }));
    if (signal.aborted) return;
    shown.replaceChildren(h("h2", { tabindex: -1 }, `${dated(diff.old, words)} → ${dated(diff.new, words)}`), ...comparison(diff, words).flat());
  };
  const asked = [parameters.get("old"), parameters.get("new")];
  if (asked[0] && asked[1]) await compare(...asked);
  return [
    h("p", {}, h("a", { href: query("#/documents", { collection: one.collection }) }, `← ${words.back}`)),
    h("h2", {}, `${one.work} ${one.part}`.trim()),
    h("dl", {}, facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    table(words.versionsOf, [
      [words.force, (it) => validity(it, words)],
      [words.state, (it) => statusTag(it.status, words)],
      [words.length, (it) => number(it.length), "n"],
      [words.notes, (it) => notes(it, words)],
      [words.actions, (it) => h("button", { type: "button", class: "small", onclick: read(it) }, words.read)],
    ], versions),
    versions.length > 1 ? chooser(versions, asked, words, (old, now) => act(() => compare(old, now))()) : null,
    shown,
    h("div", { class: "bar end" }, decisive(words.remove, words.removeSure, remove)),
  ];
}

function dated(version, words) {
  return version.effective_from ?? words.always;
}

/** How a file was read: how sure text recognition was, and what was lost or repaired. */
function notes(version, words) {
  const { pages, warnings } = version.notes;
  const percent = (share) => Math.round(share * 100);
  const sure = pages.map((page) => page.confidence);
  const mean = sure.reduce((sum, one) => sum + one, 0) / (sure.length || 1);
  const lines = [pages.length ? words.recognised(pages.length, percent(mean), percent(Math.min(...sure))) : "", ...warnings, version.n_facts ? words.facts(version.n_facts) : ""];
  return lines.filter(Boolean).map((line) => h("div", { class: "soft" }, line));
}

function chooser(versions, [old, now], words, compare) {
  const options = versions.map((one) => [one.version_id, `${dated(one, words)} · ${one.name}`]);
  return h("form", { class: "card fields", onsubmit: (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    compare(form.get("old"), form.get("new"));
  } },
  field(words.older, select({ name: "old" }, options, old ?? options.at(-2)[0])),
  field(words.newer, select({ name: "new" }, options, now ?? options.at(-1)[0])),
  h("button", {}, words.compare));
}
