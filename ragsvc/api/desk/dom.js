// Building blocks of the views. Text is only ever set as text.
import { visible } from "/page/source.js";

/** Make an element. `on…` attributes are listeners, true and false set or leave out, the rest is set as it is. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((one) => one != null && one !== false).map((one) => (one instanceof Node ? one : visible(String(one)))));
  return element;
}

/** A table; `columns` are [heading, cell of a row, class?]. On a narrow screen each row is a card. */
export function table(caption, columns, rows) {
  const head = h("tr", { role: "row" }, columns.map(([name, , kind]) => h("th", { scope: "col", role: "columnheader", class: kind }, name)));
  const body = rows.map((row) => h("tr", { role: "row" }, columns.map(([name, cell, kind]) =>
    h("td", { role: "cell", class: kind, "data-column": name }, cell(row)))));
  return h("div", { class: "table" }, h("table", { role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, body)));
}

/** A labelled control. */
export function field(label, control, kind = "") {
  return h("label", { class: kind }, h("span", {}, label), control);
}

export function select(attributes, options, chosen = "") {
  return h("select", attributes, options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}

export function tick(label, attributes) {
  return h("label", { class: "tick" }, h("input", { type: "checkbox", ...attributes }), label);
}

/** A button that acts at its second click: what it does cannot be undone. */
export function decisive(label, question, act) {
  const button = h("button", { type: "button", class: "small danger" }, label);
  const calm = () => { button.textContent = label; delete button.dataset.asked; };
  button.addEventListener("click", () => {
    if (button.dataset.asked) { calm(); act(); return; }
    button.dataset.asked = "yes";
    button.textContent = question;
  });
  button.addEventListener("blur", calm);
  button.addEventListener("keydown", (event) => { if (event.key === "Escape") calm(); });
  return button;
}

export function number(n) {
  return Number(n).toLocaleString();
}

export function moment(seconds) {
  return seconds ? new Date(seconds * 1000).toLocaleString("sv").slice(0, 16) : "";
}

/** From when until when a version holds, and how that is known. */
export function validity(one, words) {
  const days = [one.effective_from && words.from(one.effective_from), one.effective_to && words.until(one.effective_to)].filter(Boolean);
  const how = { inferred: words.inferred, given: words.given }[one.validity_source];
  return [days.join(" · ") || words.always, " ", how && days.length ? h("span", { class: "tag note" }, how) : null];
}

export function statusTag(status, words) {
  const kind = { done: "good", "in force": "good", failed: "bad", repealed: "bad", running: "note", queued: "note", future: "note" }[status] ?? "";
  return h("span", { class: `tag ${kind}` }, words.statuses[status] ?? status);
}

/** Links to the page before and after. */
export function pager(words, { offset, limit, count, go }) {
  const button = (label, to, isThere) => (isThere ? h("button", { type: "button", class: "small", onclick: () => go(to) }, label) : null);
  return h("div", { class: "bar end" }, button(words.before, Math.max(0, offset - limit), offset > 0), button(words.after, offset + limit, count === limit));
}
