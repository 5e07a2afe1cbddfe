import { get, post } from "./api.js";
import { decisive, h, moment, number, table } from "./dom.js";

export async function index({ words, act, say, again }) {
  const { generations } = await get("/v1/index");
  if (!generations.length) return [h("p", { class: "empty" }, words.noGenerations)];
  const damage = h("ul", { class: "list code" });
  const verify = act(async () => {
    say(words.verifying);
    const found = (await post("/v1/index/verify")).damage;
    damage.replaceChildren(...found.map((one) => h("li", {}, one)));
    say(found.length ? words.damaged(found.length) : words.sound, found.length > 0);
  });
  const rollback = (one) => act(async () => {
    await post("/v1/index/rollback", { generation: one.generation_id });
    await again();
    say(words.rolledBack);
  });
  return [table(words.views.index[0], [
    [words.generation, (one) => [h("span", { class: "code" }, one.generation_id), " ", one.is_current ? h("span", { class: "tag good" }, words.current) : null]],
    [words.created, (one) => moment(one.created_at)],
    [words.chunks, (one) => number(one.n_chunks), "n"],
    [words.embedder, (one) => h("span", { class: "code" }, one.embedder_id)],
    [words.actions, (one) => (one.is_current ? "" : decisive(words.rollback, words.rollbackSure, rollback(one)))],
  ], generations), h("div", { class: "bar" }, h("button", { type: "button", onclick: verify }, words.verify)), damage];
}
