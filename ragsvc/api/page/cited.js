// A page for one quotation: answers elsewhere link to it as /page/cited.html#VERSION:START-END, in code points.
import { setKey, versionText } from "./service.js";
import { languageOf, render, visible } from "./source.js";
import { validity } from "./validity.js";
import { WORDS } from "./words.js";

const $ = (id) => document.getElementById(id);
const words = WORDS[navigator.language.startsWith("zh") ? "zh" : "en"];
let around = 1200; // code points shown before and after the quotation

async function show() {
  const [, version, start, end] = location.hash.match(/^#(\w+):(\d{1,9})-(\d{1,9})$/) ?? [];
  $("status").textContent = words.loading;
  $("more").hidden = true;
  try {
    if (!version) throw Object.assign(new Error("no address"), { status: 404 });
    const quote = { start: Number(start), end: Number(end) };
    const whole = await versionText(version, 0, 0);
    const from = Math.max(0, quote.start - around);
    const to = Math.min(whole.length, quote.end + around);
    const { text } = await versionText(version, from, to);
    document.title = $("title").textContent = visible(whole.title);
    $("title").lang = languageOf(whole.title);
    $("validity").replaceChildren(...validity(whole, words));
    const place = render($("text"), text, from, quote, quote);
    $("status").textContent = "";
    $("key-row").hidden = true;
    $("more").hidden = from === 0 && to === whole.length;
    place?.scrollIntoView({ block: "center" });
  } catch (error) {
    $("key-row").hidden = error.status !== 401;
    $("status").textContent = error.status === 401 ? "" : words[error.message] ?? words.problems[error.status] ?? words.failed;
    if (error.status === 401) $("key").focus();
  }
}

document.documentElement.lang = words.htmlLang;
$("brand").textContent = words.brand;
$("key-label").textContent = words.key;
$("use-key").textContent = words.useKey;
$("more").textContent = words.more;
$("key-row").addEventListener("submit", (event) => { event.preventDefault(); setKey($("key").value); void show(); });
$("more").addEventListener("click", () => { around *= 4; void show(); });
window.addEventListener("hashchange", () => void show());
void show();
