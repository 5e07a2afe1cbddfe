// The service's interface as the desk uses it. The key stays in this tab, and goes with it.
import { Problem, getJson, hasKey, readEvents, request, setKey } from "/page/service.js";

const KEPT = "ragsvc-desk-key";

export { Problem, getJson as get, hasKey };

export function useKey(key) {
  setKey(key);
  if (key) sessionStorage.setItem(KEPT, key);
  else sessionStorage.removeItem(KEPT);
}

setKey(sessionStorage.getItem(KEPT) ?? "");

export async function send(method, path, body) {
  const init = body === undefined ? { method } : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await request(path, init);
  return response.status === 204 ? null : response.json();
}

export const post = (path, body = {}) => send("POST", path, body);

export function query(path, values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value != null);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** Send files; returns the job that reads them. */
export async function upload(fields, files) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  for (const file of files) form.append("file", file, file.name);
  return (await request("/v1/documents", { method: "POST", body: form })).json();
}

/** Call `on` with a job each time it moves, until it has ended; a connection that is lost is opened again. */
export async function follow(id, on, signal) {
  for (;;) {
    try {
      const response = await request(`/v1/jobs/${encodeURIComponent(id)}/events`, { signal });
      let failure = null;
      await readEvents(response.body, (name, data) => {
        if (name === "error") failure = new Problem(data.status, data.detail);
        else on(data);
      });
      if (failure) throw failure;
      return;
    } catch (error) {
      if (error.name === "AbortError" || signal?.aborted) return;
      if (error.status !== 0) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
    }
  }
}
