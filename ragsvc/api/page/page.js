// The page: ask, show the answer as it comes, open what it quotes.
import { closeSource, openSource, sourceItem, sourceName } from "./panel.js";
import { Problem, ask, collections, hasKey, setKey } from "./service.js";
import { languageOf, visible } from "./source.js";
import { WORDS } from "./words.js";

const $ = (id) => document.getElementById(id);
const state = { language: "zh", words: WORDS.zh };
/** What became of the last question. */
const idle = { question: "", asOf: "", history: [], text: "", passages: [], notices: [], citations: [], nMarked: 0, answer: null, error: null, stopper: null };
let turn = { ...idle };

// --- language ---

function speak(language) {
  Object.assign(state, { language, words: WORDS[language] });
  closeSource(false);
  document.documentElement.lang = state.words.htmlLang;
  document.title = state.words.brand;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = state.words[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", state.words[element.dataset.label]);
  $("question").placeholder = state.words.placeholder;
  $("language").textContent = state.words.other;
  $("language").lang = WORDS[other()].htmlLang;
  const everything = $("collection").querySelector("option[value='']");
  if (everything) everything.textContent = state.words.all;
  say("");
  if (!$("result").hidden) label();
}

function other() {
  return state.language === "zh" ? "en" : "zh";
}

// --- asking ---

async function send(event) {
  event.preventDefault();
  if (!$("key-row").hidden) await useKey();
  const question = $("question").value.trim();
  if (!question || turn.stopper || !$("key-row").hidden) return;
  await put(question);
}

async function put(question) {
  // What is said to a question back goes with the conversation that it belongs to.
  const said = turn.answer?.clarify ? [...turn.history, { role: "user", content: turn.question }, { role: "assistant", content: turn.text }] : [];
  begin(question, said);
  const body = { question };
  if (said.length) body.history = said;
  if ($("collection").value) body.collections = [$("collection").value];
  if (turn.asOf) body.as_of = turn.asOf;
  try {
    await ask(body, receive, turn.stopper.signal);
  } catch (error) {
    fail(error);
  } finally {
    turn.stopper = null;
    busy(false);
  }
}

function begin(question, history) {
  closeSource(false);
  turn = { ...idle, question, history, asOf: $("as-of").value, stopper: new AbortController() };
  $("answer").replaceChildren();
  $("answer").lang = languageOf(question);
  $("result").hidden = true;
  say(state.words.searching);
  busy(true);
}

function receive(name, data) {
  if (name === "passages") {
    turn.passages = data.passages;
    say(state.words.writing);
    label();
  } else if (name === "notice") {
    turn.notices = [...turn.notices, data];
    label();
  } else if (name === "citation") {
    turn.citations = [...turn.citations, data];
  } else if (name === "token") {
    write(data.text);
  } else if (name === "done" || name === "clarify") {
    finish(data);
  } else if (name === "error") {
    fail(new Problem(data.status, data.detail, data.passages, data.notices));
  }
}

/** Append text as text, a paragraph per line; the mark of a proven citation becomes a button. */
function write(text) {
  turn.text += text;
  const pieces = text.split(/(\[\d+\]|\n+)/);
  const proven = matchMarks(pieces);
  pieces.forEach((piece, n) => {
    const isBreak = piece.startsWith("\n");
    if (isBreak || !$("answer").lastChild) $("answer").append(Object.assign(document.createElement("p"), { dir: "auto" }));
    if (proven.has(n)) appendChip($("answer").lastChild, chip(proven.get(n)));
    else if (piece && !isBreak) $("answer").lastChild.append(visible(piece));
  });
}

/** A mark may not begin a line: it stays with the character before it, and with other marks. */
function appendChip(paragraph, button) {
  let last = paragraph.lastChild;
  if (last?.className !== "keep") {
    const points = Array.from(last?.data ?? "");
    const keep = Object.assign(document.createElement("span"), { className: "keep", textContent: points.pop() ?? "" });
    if (last) last.data = points.join("");
    paragraph.append(keep);
    last = keep;
  }
  last.append(button);
}

/** Which piece is the mark of which citation. Marks stand in the order of the citations, and behind what they prove:
 * looked for from the end, a bracketed number inside a quotation is not taken for one. */
function matchMarks(pieces) {
  const proven = new Map();
  const waiting = turn.citations.slice(turn.nMarked);
  for (let n = pieces.length - 1; n >= 0 && waiting.length; n -= 1) {
    if (pieces[n] === waiting.at(-1).marker) proven.set(n, waiting.pop());
  }
  turn.nMarked = turn.citations.length;
  return proven;
}

function chip(citation) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.textContent = citation.marker.slice(1, -1);
  button.title = sourceName(citation);
  button.setAttribute("aria-label", `${citation.marker} ${sourceName(citation)}`);
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => openSource(citation, button, turn.passages, state.words));
  return button;
}

function finish(answer) {
  const isWhole = turn.text === answer.answer;
  Object.assign(turn, { answer, passages: answer.passages, citations: answer.citations, notices: answer.notices });
  if (!isWhole) {
    $("answer").replaceChildren();
    Object.assign(turn, { text: "", nMarked: 0 });
    write(answer.answer);
  }
  label();
  $("passages-box").open = answer.abstained;
  say(state.words.done);
}

function fail(error) {
  if (error.name === "AbortError") {
    say(state.words.stopped);
    if (!$("result").hidden) label();
    return;
  }
  turn.error = error;
  if (error.passages?.length) turn.passages = error.passages;
  if (error.notices?.length) turn.notices = error.notices;
  if (turn.passages.length || turn.notices.length || turn.text) {
    label();
    $("passages-box").open = true;
  }
  report(error);
}

// --- showing ---

/** Put words to what is there; called again when the language changes. */
function label() {
  const { answer, words } = { answer: turn.answer, words: state.words };
  $("result").hidden = false;
  $("asked").textContent = visible(words.asked(turn.question, turn.asOf));
  $("answer").classList.toggle("abstained", answer?.abstained ?? false);
  $("answer-heading").textContent = heading();
  $("notice").hidden = !turn.error;
  $("notice").textContent = turn.error?.status === 0 ? words.broken : words.modelFailed;
  showNotices();
  $("replies").hidden = !answer?.clarify;
  $("replies").replaceChildren(...[...(answer?.clarify?.choices ?? []), words.unsure].map((reply) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: reply });
    button.addEventListener("click", () => turn.stopper || put(reply));
    return button;
  }));
  $("disclaimer").textContent = answer?.disclaimer ?? "";
  $("disclaimer").lang = languageOf(answer?.disclaimer ?? "");
  $("receipt").textContent = answer ? words.receipt(answer) : "";
  const item = (source, texts, marker) => sourceItem(source, { texts, marker, passages: turn.passages, words });
  $("sources-heading").hidden = turn.citations.length === 0;
  $("citations").replaceChildren(...bySource().map(([marker, cited]) => item(cited[0], quotesOf(cited), marker)));
  $("passages-box").hidden = turn.passages.length === 0;
  $("passages-summary").textContent = (answer?.abstained ? words.nearest : words.passages)(turn.passages.length);
  $("passages").replaceChildren(...turn.passages.map((one) => item(one, [one.text], "")));
}

/** What the service itself says: what is urgent stands before the answer, the rest behind it. */
function showNotices() {
  const urgent = turn.notices.filter((one) => one.severity === "urgent");
  const others = turn.notices.filter((one) => one.severity !== "urgent");
  $("urgent").dataset.title = state.words.urgent;
  for (const [box, found] of [[$("urgent"), urgent], [$("beside"), others]]) {
    box.hidden = found.length === 0;
    const texts = found.map((one) => one.text).join();
    if (box.dataset.shown !== texts) box.replaceChildren(...found.map(noticeItem)); // an alert is read out each time it changes
    box.dataset.shown = texts;
  }
}

function noticeItem(one) {
  const item = Object.assign(document.createElement("p"), { className: one.severity === "urgent" ? "" : `notice ${one.severity}`, dir: "auto", lang: one.language });
  const waiting = [...one.citations];
  for (const piece of one.text.split(/(\[\d+\])/)) {
    const at = waiting.findIndex((cited) => cited.marker === piece);
    item.append(at < 0 ? visible(piece) : chip(waiting.splice(at, 1)[0]));
  }
  item.append(...waiting.map(chip));
  return item;
}

function bySource() {
  const groups = new Map();
  for (const one of turn.citations) groups.set(one.marker, [...(groups.get(one.marker) ?? []), one]);
  return [...groups];
}

/** A quotation that the answer spells out need not stand there twice. */
function quotesOf(citations) {
  return [...new Set(citations.map((one) => one.quote))].filter((quote) => !turn.text.includes(quote));
}

function heading() {
  if (turn.answer?.clarify) return state.words.clarify;
  if (turn.answer) return turn.answer.abstained ? state.words.abstained : state.words.answer;
  const isOver = turn.error || turn.stopper?.signal.aborted;
  if (!isOver) return state.words.answer;
  return turn.text ? state.words.incomplete : state.words.abstained;
}

function report(error) {
  say(describe(error), true);
  if (error.status === 401) {
    $("key-row").hidden = false;
    $("key").focus();
  }
}

function describe(error) {
  const { words } = state;
  if (error.status === 0) return words[error.message];
  if (error.status === 401) return hasKey() ? words.wrongKey : words.needsKey;
  const known = words.problems[error.status] ?? words.failed;
  // What broke inside the service is for its operator, who has the log.
  return error.status < 500 ? `${known}: ${error.message}` : known;
}

function say(text, isError = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
  $("status").classList.toggle("hidden", text === state.words.done); // who sees the answer need not be told
}

function busy(isBusy) {
  $("send").disabled = isBusy;
  $("stop").hidden = !isBusy;
}

// --- start ---

async function useKey() {
  setKey($("key").value);
  if (await listCollections()) {
    $("key-row").hidden = true;
    $("question").focus();
  }
}

async function listCollections() {
  try {
    const found = await collections();
    $("collection").replaceChildren(new Option(state.words.all, ""), ...found.map((one) => new Option(one.name, one.name)));
    say(found.length ? "" : state.words.empty);
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

$("ask").addEventListener("submit", send);
$("stop").addEventListener("click", () => { turn.stopper?.abort(); $("question").focus(); });
$("language").addEventListener("click", () => speak(other()));
$("question").addEventListener("keydown", (event) => {
  // While a Chinese input method composes, Enter belongs to it (keyCode 229: Safari).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $("ask").requestSubmit();
});
speak(navigator.language.startsWith("zh") ? "zh" : "en");
listCollections();
