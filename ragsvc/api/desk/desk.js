// The desk: which section is shown, in which language, with which key.
import { Problem, hasKey, useKey } from "./api.js";
import { h } from "./dom.js";
import { collections } from "./collections.js";
import { document_, documents } from "./documents.js";
import { declined, feedback } from "./feedback.js";
import { index } from "./generations.js";
import { jobs } from "./jobs.js";
import { keys } from "./keys.js";
import { tryit } from "./tryit.js";
import { upload } from "./upload.js";
import { WORDS } from "./words.js";

const VIEWS = { collections, documents, upload, jobs, index, keys, feedback, declined, tryit };
const HIDDEN = { document: [document_, "documents"] }; // reached from another section
const $ = (id) => document.getElementById(id);
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let shown = null; // what is on the screen: stops what it follows when something else comes

function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const name = path in VIEWS || path in HIDDEN ? path : "collections";
  return { name, section: HIDDEN[name]?.[1] ?? name, show: HIDDEN[name]?.[0] ?? VIEWS[name], parameters: new URLSearchParams(query) };
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

/** Tell of a failure; where a key is needed, ask for it. */
function fail(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof Problem)) throw error;
  const words = WORDS[language];
  const needsKey = error.status === 401;
  if (needsKey) {
    $("gate").hidden = false;
    $("content").replaceChildren();
    say(hasKey() ? words.wrongKey : words.needsKey, hasKey());
    useKey("");
    $("forget").hidden = true;
    $("key").focus();
  } else if (error.status === 0) say(words.unreachable, true);
  else say(error.status === 403 ? `${words.noScope} ${error.message}` : error.status < 500 ? error.message : words.failed, true);
}

function label() {
  const words = WORDS[language];
  document.documentElement.lang = words.htmlLang;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
  const other = language === "zh" ? "en" : "zh";
  Object.assign($("language"), { textContent: words.other, lang: WORDS[other].htmlLang });
}

async function show(isMove) {
  shown?.abort();
  const stop = (shown = new AbortController());
  const words = WORDS[language];
  const { section, show: view, parameters } = place();
  label();
  const [title, lead] = words.views[section];
  document.title = `${title} · ${words.brand}`;
  $("heading").textContent = title;
  $("lead").textContent = lead;
  $("sections").replaceChildren(...Object.keys(VIEWS).map((name) =>
    h("a", { href: `#/${name}`, "aria-current": name === section ? "page" : null }, words.views[name][0])));
  $("gate").hidden = true;
  $("forget").hidden = !hasKey();
  say(words.loading);
  const desk = {
    words, parameters, say, signal: stop.signal,
    /** Do something that a click asked for; what goes wrong is said. */
    act: (work) => () => work().catch(fail),
    again: () => show(false),
    go: (name, values = {}) => { location.hash = `#/${name}?${new URLSearchParams(values)}`; },
  };
  try {
    const found = await view(desk);
    if (stop.signal.aborted) return;
    if ($("status").textContent === words.loading) say("");
    $("content").replaceChildren(...found.flat(2).filter(Boolean));
    if (isMove) $("heading").focus({ preventScroll: true });
  } catch (error) {
    if (!stop.signal.aborted) fail(error);
  }
}

$("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey($("key").value.trim());
  $("key").value = "";
  show(true);
});
$("forget").addEventListener("click", () => { useKey(""); show(false); });
$("skip").addEventListener("click", (event) => { event.preventDefault(); $("view").focus(); });
$("language").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; show(false); });
window.addEventListener("hashchange", () => show(true));
show(false);
