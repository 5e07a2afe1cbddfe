// What a job did: counts, what it left out and why, what it amended.
import { h, number } from "./dom.js";

/** The report of a job that has ended; `retry(names)` brings files in again, where they are still at hand. */
export function report(job, words, retry = null) {
  const { result } = job;
  if (!result) return job.error ? [h("p", { class: "status error" }, job.error)] : [];
  const counted = Object.entries(words.report).filter(([key]) => result[key] !== undefined);
  return [
    job.error ? h("p", { class: "status error" }, job.error) : null,
    h("ul", { class: "counts" }, counted.map(([key, label]) => h("li", {}, h("b", {}, number(result[key])), ` ${label}`))),
    ...quarantine(result.quarantined ?? [], words, retry),
    ...named(words.duplicates, result.duplicates, (one) => [one.path, " ", h("span", { class: "soft" }, words.sameAs(one.of))]),
    ...named(words.inferredDates, result.inferred, (one) => [one.title, " ", h("span", { class: "soft" }, `${one.effective_from ?? words.always} · ${one.path}`)]),
    ...amendments(result.amendments ?? [], words),
  ].filter(Boolean);
}

function named(title, found, line) {
  return found?.length ? [h("h3", {}, title(found.length)), h("ul", { class: "list" }, found.map((one) => h("li", {}, line(one))))] : [];
}

function quarantine(files, words, retry) {
  if (!files.length) return [];
  const button = (label, names, name) => h("button", { type: "button", class: "small", "aria-label": name, onclick: () => retry(names) }, label);
  const lines = files.map((one) => h("li", {}, h("strong", {}, one.path), ": ", one.reason, " ",
    retry?.has(one.path) ? button(words.retry, [one.path], words.retryFile(one.path)) : null));
  const again = files.map((one) => one.path).filter((name) => retry?.has(name));
  return [h("h3", {}, words.quarantined(files.length)), h("ul", { class: "list" }, lines),
    again.length > 1 ? button(words.retryAll, again) : null, again.length ? null : h("p", { class: "soft" }, words.chooseAgain)];
}

function amendments(found, words) {
  if (!found.length) return [];
  const address = (one) => `#/document?${new URLSearchParams({ id: one.document_id, old: one.superseded_version_id, new: one.version_id })}`;
  const places = (one) => [["added", one.added], ["changed", one.changed], ["repealed", one.repealed],
    ["renumbered", one.renumbered.map((it) => `${it.old} → ${it.new}`)]].filter(([, names]) => names.length);
  return [h("h3", {}, words.amendments(found.length)), found.map((one) => h("div", { class: "card" },
    h("p", {}, h("strong", {}, one.title), " ", h("span", { class: "soft" }, one.superseded_from ? words.from(one.superseded_from) : ""), " ",
      h("a", { href: address(one) }, words.seeDiff)),
    h("ul", { class: "list" }, places(one).map(([kind, names]) => h("li", {}, `${words.counts[kind]} ${names.length}: ${names.slice(0, 20).join(words.htmlLang === "en" ? ", " : "、")}${names.length > 20 ? " …" : ""}`))),
    one.answers.length ? h("details", {}, h("summary", {}, words.touched(one.answers.length)), h("ul", { class: "list" }, one.answers.map((it) =>
      h("li", {}, `${it.locator} ${it.marker} — ${words.became[it.became]}: “${it.quote}” `, h("span", { class: "code" }, it.answer_id))))) : null))];
}
