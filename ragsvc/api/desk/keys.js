// Keys and the origins whose pages may use tickets of them.
import { get, hasKey, post, send, useKey } from "./api.js";
import { decisive, field, h, moment, table, tick } from "./dom.js";

const SCOPES = ["ask", "ingest", "admin"];

export async function keys(desk) {
  const { words, act, say, again } = desk;
  const { keys: found } = await get("/v1/keys");
  const secret = h("div", { id: "secret", role: "status" });
  const reveal = (made) => secret.replaceChildren(h("div", { class: "card" }, h("p", {}, words.secretOnce),
    h("p", { class: "code" }, made.secret),
    h("button", { type: "button", class: "small", onclick: act(async () => { await navigator.clipboard.writeText(made.secret); say(words.copied); }) }, words.copy)));
  const make = act(async () => {
    const form = new FormData(desk.form);
    const split = (name, by) => String(form.get(name)).split(by).map((one) => one.trim()).filter(Boolean);
    const days = Number(form.get("days"));
    const made = await post("/v1/keys", {
      name: form.get("name").trim(), scopes: form.getAll("scope"), collections: split("collections", /[\s,，、]+/), origins: split("origins", "\n"), ...(days ? { days } : {}),
    });
    if (!hasKey()) useKey(made.secret); // from the first key on, every request needs one: this one
    await again();
    document.getElementById("secret").replaceWith(secret);
    reveal(made);
  });
  const rotate = (one) => act(async () => reveal(await post(`/v1/keys/${one.key_id}/rotate`)));
  const revoke = (one) => act(async () => { await send("DELETE", `/v1/keys/${one.key_id}`); await again(); });
  desk.form = h("form", { class: "card fields", "aria-labelledby": "new-key", onsubmit: (event) => { event.preventDefault(); make(); } },
    h("h2", { id: "new-key", class: "whole" }, words.newKey),
    field(words.keyName, h("input", { name: "name", required: true, maxlength: 200 })),
    h("fieldset", { class: "field" }, h("legend", {}, words.scopes), SCOPES.map((one) => tick(words.scope[one], { name: "scope", value: one, checked: one === (found.length ? "ask" : "admin") }))),
    field(words.forCollections, h("input", { name: "collections" })),
    field(words.days, h("input", { name: "days", type: "number", min: 1, max: 36500 })),
    field(words.origins, h("textarea", { name: "origins", rows: 2, placeholder: "https://portal.example" }), "wide"),
    h("button", { class: "primary" }, words.create));
  const list = found.length ? table(words.views.keys[0], [
    [words.keyName, (one) => [one.name, h("div", { class: "soft code" }, one.key_id)]],
    [words.scopes, (one) => one.scopes.map((scope) => words.scope[scope]).join(" · ")],
    [words.collection, (one) => one.collections.join(" · ") || words.all],
    [words.state, (one) => [state(one, words), one.expires_at ? h("div", { class: "soft" }, words.expires(moment(one.expires_at))) : null]],
    [words.origins.replace(/[（(].*/, ""), (one) => (one.revoked_at ? one.origins.join(" ") : origins(one, desk))],
    [words.actions, (one) => (one.revoked_at ? "" : h("div", { class: "bar" }, decisive(words.rotate, words.rotateSure, rotate(one)), decisive(words.revoke, words.revokeSure, revoke(one))))],
  ], found) : h("p", { class: "empty" }, words.noKeys);
  return [secret, list, desk.form];
}

function state(one, words) {
  if (one.revoked_at) return h("span", { class: "tag bad" }, words.revoked);
  const isOver = one.expires_at && one.expires_at * 1000 < Date.now();
  return h("span", { class: `tag ${isOver ? "bad" : "good"}` }, isOver ? words.expired : words.valid);
}

function origins(one, { words, act, say }) {
  const text = h("textarea", { rows: Math.max(1, one.origins.length), "aria-label": `${words.origins} ${one.name}` });
  text.value = one.origins.join("\n");
  const save = act(async () => {
    await send("PUT", `/v1/keys/${one.key_id}/origins`, { origins: text.value.split("\n").map((line) => line.trim()).filter(Boolean) });
    say(words.saved);
  });
  const button = h("button", { type: "button", class: "small", onclick: save, hidden: true }, words.saveOrigins);
  text.addEventListener("input", () => { button.hidden = false; });
  return [text, button];
}
