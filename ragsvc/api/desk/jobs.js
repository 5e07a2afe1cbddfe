import { follow, get, send } from "./api.js";
import { decisive, h, moment, statusTag, table } from "./dom.js";
import { report } from "./report.js";

export async function jobs(desk) {
  const { words, act, signal } = desk;
  const { jobs: found } = await get("/v1/jobs?limit=100");
  if (!found.length) return [h("p", { class: "empty" }, words.noJobs)];
  const list = h("div", {});
  const shown = h("div", { "aria-live": "polite" });
  const details = (one) => {
    shown.replaceChildren(h("h2", { tabindex: -1 }, `${one.collection} · ${moment(one.created_at)}`), ...report(one.job, words).flat());
    shown.firstChild.focus();
  };
  const put = () => list.replaceChildren(table(words.views.jobs[0], [
    [words.created, (one) => moment(one.created_at)],
    [words.collection, (one) => one.collection],
    [words.state, (one) => statusTag(one.job.status, words)],
    [words.files, (one) => words.progress(one.job.done, one.job.total), "n"],
    [words.quarantined("").replace(/[（(].*/, ""), (one) => one.job.result?.quarantined?.length || "", "n"],
    [words.actions, (one) => h("div", { class: "bar" }, one.job.result || one.job.error
      ? h("button", { type: "button", class: "small", onclick: () => details(one) }, words.details)
      : ["queued", "running"].includes(one.job.status) && decisive(words.cancelJob, words.cancelSure, act(() => send("DELETE", `/v1/jobs/${one.job.id}`))))],
  ], found));
  put();
  for (const one of found.filter(({ job }) => ["queued", "running"].includes(job.status))) {
    act(() => follow(one.job.id, (job) => { one.job = job; put(); }, signal))();
  }
  return [list, shown];
}
