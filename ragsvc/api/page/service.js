// Talks to the service. Knows nothing of the page.

/** A problem+json answer, or a failure to get any. */
export class Problem extends Error {
  constructor(status, detail, passages) {
    super(detail);
    this.status = status;
    this.passages = passages ?? [];
  }
}

let key = "";
export function setKey(value) { key = value.trim(); }
export function hasKey() { return key !== ""; }

function headers(extra) {
  return key ? { ...extra, Authorization: `Bearer ${key}` } : extra;
}

async function checked(response) {
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(response.status, body.detail ?? response.statusText, body.passages);
}

async function getJson(url) {
  return (await checked(await fetch(url, { headers: headers({}) }))).json();
}

export async function collections() {
  return (await getJson("/v1/collections")).collections;
}

export function versionText(id, start, end) {
  const range = end === undefined ? `?start=${start}` : `?start=${start}&end=${end}`;
  return getJson(`/v1/versions/${encodeURIComponent(id)}/text${range}`);
}

/** Ask, and call `on(name, data)` for each event: passages, token, citation, done, error. Without streams: JSON. */
export async function ask(body, on, signal) {
  const stream = typeof ReadableStream === "function" && "getReader" in ReadableStream.prototype;
  const response = await checked(await fetch("/v1/ask", {
    method: "POST", signal, headers: headers({ "Content-Type": "application/json" }),
    body: JSON.stringify({ ...body, stream }),
  }));
  if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) {
    const answer = await response.json();
    on("passages", { passages: answer.passages });
    answer.citations.forEach((citation) => on("citation", citation));
    on("token", { text: answer.answer });
    on("done", answer);
    return;
  }
  await readEvents(response.body, on);
}

/** Server-sent events as our service writes them: one `event:` and one `data:` line each; comments are heartbeats. */
async function readEvents(body, on) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  let last = "";
  for (;;) {
    const { done, value } = await reader.read();
    buffer += decoder.decode(value ?? new Uint8Array(), { stream: !done });
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const event = parseEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event) { last = event.name; on(event.name, event.data); }
    }
    if (done) break;
  }
  if (last !== "done" && last !== "error") throw new Problem(0, "cut");
}

function parseEvent(block) {
  let name = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  return data ? { name, data: JSON.parse(data) } : null;
}
