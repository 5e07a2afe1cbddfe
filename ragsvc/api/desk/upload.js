// Files in: dropped or chosen, sent, and followed until they are searchable.
import { follow, get, send, upload as sendFiles } from "./api.js";
import { decisive, field, h, select, statusTag } from "./dom.js";
import { report } from "./report.js";

const DOMAINS = ["general", "law", "medicine", "finance"];
const ENDED = ["done", "failed", "cancelled"];

export async function upload(desk) {
  const { words, parameters } = desk;
  const { collections } = await get("/v1/collections");
  const known = h("datalist", { id: "known" }, collections.map((one) => h("option", { value: one.name })));
  const name = h("input", { name: "collection", list: "known", required: true, maxlength: 200, value: parameters.get("collection") ?? "" });
  const domains = [...new Set([...DOMAINS, ...collections.map((one) => one.domain)])];
  const domain = select({ name: "domain" }, [["", words.none], ...domains.map((one) => [one, one])]);
  const day = h("input", { name: "effective_from", type: "date" });
  const input = h("input", { type: "file", multiple: true, id: "files" });
  const drop = h("label", { class: "drop", for: "files" }, h("strong", {}, words.dropHere), h("span", { class: "soft" }, words.anyFormat), input);
  const jobs = h("div", { id: "jobs" });
  const bring = (files) => desk.act(async () => {
    if (!name.value.trim()) { name.focus(); desk.say(words.needsCollection, true); return; }
    if (!files.length) { desk.say(words.needsFiles, true); return; }
    const fields = { collection: name.value.trim(), domain: domain.value, effective_from: day.value };
    desk.say(words.sending(files.length));
    const job = await sendFiles(fields, files);
    desk.say(words.sent);
    jobs.prepend(card(job, new Map(files.map((one) => [one.name, one])), desk, bring));
  })();
  input.addEventListener("change", () => { bring([...input.files]); input.value = ""; });
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); bring([...event.dataTransfer.files]); });
  return [h("form", { class: "card fields", onsubmit: (event) => event.preventDefault() }, known,
    field(words.newCollection, name), field(words.newDomain, domain), field(words.effectiveFrom, day), drop), jobs];
}

/** One job as it goes on; `files` are kept as long as this page is, so that what was left out can be tried again. */
function card(first, files, desk, bring) {
  const { words } = desk;
  const bar = h("progress", { max: 1, value: 0, "aria-label": words.views.upload[0] });
  const state = h("span", {});
  const count = h("span", { class: "soft" });
  const cancel = decisive(words.cancelJob, words.cancelSure, desk.act(() => send("DELETE", `/v1/jobs/${first.id}`)));
  const outcome = h("div", {});
  const name = [...files.keys()].slice(0, 3).join(", ") + (files.size > 3 ? ` … (${files.size})` : "");
  const box = h("section", { class: "card", "aria-label": name },
    h("h2", {}, name),
    bar, h("div", { class: "bar" }, state, count, cancel), outcome);
  const retry = Object.assign((names) => bring(names.map((one) => files.get(one))), { has: (one) => files.has(one) });
  const put = (job) => {
    const isOver = ENDED.includes(job.status);
    Object.assign(bar, { max: job.total || 1, value: isOver && job.status === "done" ? job.total || 1 : job.done });
    state.replaceChildren(statusTag(job.status, words));
    count.textContent = words.progress(job.done, job.total);
    cancel.hidden = isOver;
    if (!isOver) return;
    desk.say(words.jobDone);
    outcome.replaceChildren(...report(job, words, retry).flat());
  };
  put(first);
  desk.act(() => follow(first.id, put, desk.signal))();
  return box;
}
