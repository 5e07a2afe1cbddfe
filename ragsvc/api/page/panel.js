// Sources: as an item of a list, and opened beside the answer at the quoted words.
import { hasKey, versionText } from "./service.js";
import { languageOf, render, visible } from "./source.js";
import { make, validity } from "./validity.js";

const AROUND = 1200; // code points shown before and after an article
const $ = (id) => document.getElementById(id);
const isNarrow = window.matchMedia("(max-width: 60rem)");
let shown = null;

export function sourceName(source) {
  return [source.title, source.locator].filter(Boolean).join(" ");
}

/** An item of a list of sources; its title opens it. `texts` are quoted below it. */
export function sourceItem(source, { texts, marker, passages, words }) {
  const item = document.createElement("li");
  if (marker) item.append(make("span", "number", marker));
  const button = make("button", "open");
  button.type = "button";
  button.title = source.title;
  button.setAttribute("aria-haspopup", "dialog");
  button.append(make("span", "work", visible(source.title)), " ", make("span", "locator", source.locator));
  button.addEventListener("click", () => openSource(source, button, passages, words));
  const dates = make("p", "validity");
  dates.append(...validity(source, words));
  const body = make("div");
  body.append(button, dates);
  for (const text of texts) {
    const quote = make("blockquote", "", visible(text.trim().replace(/\n{2,}/g, "\n")));
    Object.assign(quote, { dir: "auto", lang: languageOf(text) });
    body.append(quote);
  }
  item.append(body);
  return item;
}

/** Open the article that holds `source`, at its quotation if it is a citation. */
export async function openSource(source, opener, passages, words) {
  const holds = (one) => one.version_id === source.version_id && one.start <= source.start && source.end <= one.end;
  const article = passages.find(holds) ?? source;
  shown?.opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-expanded", "true");
  shown = { source, article, opener, words };
  $("panel-title").textContent = visible(source.title);
  $("panel-title").title = source.title;
  $("panel-title").lang = languageOf(source.title);
  $("panel-locator").textContent = source.locator;
  $("panel-path").textContent = (article.heading_path ?? []).join(" › ");
  $("panel-validity").replaceChildren(...validity(source, words));
  $("panel-link").href = `/v1/versions/${encodeURIComponent(source.version_id)}/text`;
  $("panel-link").hidden = hasKey(); // a link cannot carry the key
  $("panel-origin").hidden = !/^https?:\/\//i.test(source.url ?? "");
  if (!$("panel-origin").hidden) $("panel-origin").href = source.url;
  $("panel").hidden = false;
  document.body.classList.add("with-panel");
  cover();
  $("panel-title").focus({ preventScroll: true });
  await show(AROUND);
}

/** Show the article with so many code points on each side of it. */
async function show(around) {
  const { source, article, words } = shown;
  const mine = (shown = { ...shown, around });
  $("more").hidden = true;
  if (around === AROUND) $("panel-text").textContent = words.loading;
  try {
    const { length } = await versionText(source.version_id, 0, 0);
    const start = Math.max(0, article.start - around);
    const end = Math.min(length, article.end + around);
    const { text } = await versionText(source.version_id, start, end);
    if (shown !== mine) return; // another was opened meanwhile
    const place = render($("panel-text"), text, start, article, "quote" in source ? source : null);
    $("more").hidden = start === 0 && end === length;
    reveal(place);
  } catch (error) {
    if (shown === mine) $("panel-text").textContent = words[error.message] ?? words.problems[error.status] ?? words.failed;
  }
}

function reveal(place) {
  const box = $("panel-text");
  const gap = place.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTop += gap - box.clientHeight / 4;
}

export function closeSource(returnFocus = true) {
  if (!shown) return;
  const { opener } = shown;
  shown = null;
  $("panel").hidden = true;
  document.body.classList.remove("with-panel");
  cover();
  opener.setAttribute("aria-expanded", "false");
  if (returnFocus) (opener.isConnected ? opener : $("question")).focus();
}

/** Where the panel covers the page, the page behind it is out of reach. */
function cover() {
  const isModal = shown !== null && isNarrow.matches;
  $("front").inert = isModal;
  $("panel").setAttribute("aria-modal", String(isModal));
}

isNarrow.addEventListener("change", cover);
$("close").addEventListener("click", () => closeSource());
$("more").addEventListener("click", () => { $("panel-title").focus({ preventScroll: true }); show(shown.around * 4); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) closeSource(); });
