// The page: ask, stream the answer, open what it quotes.
import { Problem, ask, collections, hasKey, setKey, versionText } from "./service.js";
import { render } from "./source.js";
import { WORDS } from "./words.js";

const AROUND = 1200; // code points shown before and after a cited article
const $ = (id) => document.getElementById(id);
const state = { words: WORDS.zh, language: "zh", answer: null, passages: [], citations: [], shown: null, opener: null, stopper: null };

// --- language ---

function speak(language) {
  state.language = language;
  state.words = WORDS[language];
  document.documentElement.lang = state.words.htmlLang;
  document.title = state.words.heading;
  document.querySelectorAll("[data-text]").forEach((e) => { e.textContent = state.words[e.dataset.text]; });
  document.querySelectorAll("[data-label]").forEach((e) => { e.setAttribute("aria-label", state.words[e.dataset.label]); });
  $("question").placeholder = state.words.placeholder;
  $("language").textContent = state.words.other;
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  const everything = $("collection").querySelector("option[value='']");
  if (everything) everything.textContent = state.words.all;
  if (state.answer) finish(state.answer);
}

// --- answering ---

async function send(event) {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question) return;
  reset();
  say(state.words.searching);
  busy(true);
  const body = { question, language: state.language };
  if ($("collection").value) body.collections = [$("collection").value];
  if ($("as-of").value) body.as_of = $("as-of").value;
  state.stopper = new AbortController();
  try {
    await ask(body, receive, state.stopper.signal);
  } catch (error) {
    fail(error);
  } finally {
    busy(false);
  }
}

function receive(name, data) {
  if (name === "passages") {
    state.passages = data.passages;
    $("result").hidden = false;
    say(state.words.writing);
    showPassages();
  } else if (name === "citation") {
    state.citations.push(data);
  } else if (name === "token") {
    write(data.text);
  } else if (name === "done") {
    finish(data);
  } else if (name === "error") {
    fail(new Problem(data.status, data.detail, data.passages));
  }
}

/** Append text as text; a mark of a proven citation becomes a button. */
function write(text) {
  for (const piece of text.split(/(\[\d+\])/)) {
    const citation = state.citations.find((c) => c.marker === piece);
    if (!citation) { $("answer").append(piece); continue; }
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.textContent = piece.slice(1, -1);
    chip.setAttribute("aria-label", `${piece} ${nameOf(citation)}`);
    chip.title = nameOf(citation);
    chip.addEventListener("click", () => openSource(citation, chip));
    $("answer").append(chip);
  }
}

function finish(answer) {
  state.answer = answer;
  state.passages = answer.passages;
  state.citations = answer.citations;
  $("result").hidden = false;
  $("answer").replaceChildren();
  $("answer").classList.toggle("abstained", answer.abstained);
  write(answer.answer);
  $("answer-heading").textContent = answer.abstained ? state.words.abstained : state.words.answer;
  $("disclaimer").textContent = answer.disclaimer;
  $("receipt").textContent = state.words.receipt(answer);
  $("sources-heading").hidden = answer.citations.length === 0;
  $("citations").replaceChildren(...answer.citations.map((c) => sourceItem(c, c.quote, c.marker)));
  showPassages();
  $("passages-box").open = answer.abstained;
  say(state.words.done);
}

function fail(error) {
  if (error.name === "AbortError") { say(state.words.stopped); return; }
  if (error.passages?.length) state.passages = error.passages;
  if (state.passages.length && !state.answer) {
    $("result").hidden = false;
    $("answer-heading").textContent = state.words.abstained;
    $("notice").textContent = state.words.modelFailed;
    $("notice").hidden = false;
    showPassages();
    $("passages-box").open = true;
  }
  const isProblem = error instanceof Problem;
  if (isProblem && error.status === 401) {
    $("key-row").hidden = false;
    $("key").focus();
    say(state.words.needsKey, true);
  } else if (isProblem && error.status === 0) {
    say(state.words.cut, true);
  } else {
    say(isProblem ? `${state.words.failed}: ${error.message}` : state.words.unreachable, true);
  }
}

function reset() {
  closeSource();
  Object.assign(state, { answer: null, passages: [], citations: [] });
  for (const id of ["answer", "citations", "passages"]) $(id).replaceChildren();
  for (const id of ["disclaimer", "receipt"]) $(id).textContent = "";
  for (const id of ["result", "notice", "sources-heading", "passages-box"]) $(id).hidden = true;
  $("answer").classList.remove("abstained");
  $("answer-heading").textContent = state.words.answer;
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
}

function busy(isBusy) {
  $("send").disabled = isBusy;
  $("stop").hidden = !isBusy;
}

// --- sources ---

function nameOf(source) {
  return [source.title, source.locator].filter(Boolean).join(" ");
}

function validityOf(source) {
  const line = document.createElement("p");
  line.className = "validity";
  const words = state.words;
  const parts = [];
  if (source.effective_from) parts.push(words.from(source.effective_from));
  if (source.effective_to) parts.push(words.until(source.effective_to));
  line.append(parts.join(" · ") || words.always);
  const note = { inferred: words.inferred, given: words.given }[source.validity_source];
  if (note && parts.length) {
    const span = document.createElement("span");
    span.className = "inferred";
    span.textContent = ` ${note}`;
    line.append(span);
  }
  return line;
}

function sourceItem(source, text, marker = "") {
  const item = document.createElement("li");
  if (marker) {
    const number = document.createElement("span");
    number.className = "number";
    number.textContent = marker;
    item.append(number);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "open";
  button.textContent = nameOf(source);
  button.addEventListener("click", () => openSource(source, button));
  const quote = document.createElement("blockquote");
  quote.textContent = text.trim();
  item.append(button, validityOf(source), quote);
  return item;
}

function showPassages() {
  $("passages-box").hidden = state.passages.length === 0;
  $("passages-summary").textContent = state.words.passages(state.passages.length);
  $("passages").replaceChildren(...state.passages.map((p) => sourceItem(p, p.text)));
}

/** Open the article that holds `source`, at its quotation if it is a citation. */
async function openSource(source, opener, around = AROUND) {
  const holds = (p) => p.version_id === source.version_id && p.start <= source.start && source.end <= p.end;
  const article = state.passages.find(holds) ?? source;
  try {
    const { length } = await versionText(source.version_id, 0, 0);
    const start = Math.max(0, article.start - around);
    const end = Math.min(length, article.end + around);
    const found = await versionText(source.version_id, start, end);
    state.shown = { source, around, isWhole: start === 0 && end === length };
    state.opener?.removeAttribute("aria-expanded");
    state.opener = opener;
    opener.setAttribute("aria-expanded", "true");
    $("panel-title").textContent = source.title;
    $("panel-locator").textContent = source.locator;
    $("panel-validity").replaceChildren(...validityOf(source).childNodes);
    $("panel-link").href = `/v1/versions/${encodeURIComponent(source.version_id)}/text`;
    $("panel-link").hidden = hasKey(); // a link cannot carry the key
    $("more").hidden = state.shown.isWhole;
    $("panel").hidden = false;
    $("layout").classList.add("with-panel");
    const mark = render($("panel-text"), found.text, start, article, "quote" in source ? source : article);
    (mark ?? $("panel-text")).scrollIntoView({ block: "center" });
    $("panel-title").focus({ preventScroll: true });
  } catch (error) {
    fail(error);
  }
}

function closeSource() {
  if ($("panel").hidden) return;
  $("panel").hidden = true;
  $("layout").classList.remove("with-panel");
  state.opener?.removeAttribute("aria-expanded");
  state.opener?.focus();
  state.opener = null;
}

// --- start ---

async function listCollections() {
  try {
    const found = await collections();
    const everything = new Option(state.words.all, "");
    $("collection").replaceChildren(everything, ...found.map((c) => new Option(c.name, c.name)));
    if (!found.length) say(state.words.empty);
  } catch (error) {
    fail(error);
  }
}

$("ask").addEventListener("submit", send);
$("stop").addEventListener("click", () => state.stopper?.abort());
$("close").addEventListener("click", closeSource);
$("more").addEventListener("click", () => openSource(state.shown.source, state.opener, state.shown.around * 4));
$("language").addEventListener("click", () => speak(state.language === "zh" ? "en" : "zh"));
$("key").addEventListener("change", () => { setKey($("key").value); say(""); listCollections(); });
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("ask").requestSubmit(); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeSource(); });
speak(navigator.language.startsWith("zh") ? "zh" : "en");
listCollections();
