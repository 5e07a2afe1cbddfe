// Talks to the service. Knows nothing of the page.

/** A problem+json answer; status 0 when none came: "unreachable", or "cut" in the middle. */
export class Problem extends Error {
  constructor(status, detail, passages = [], notices = []) {
    super(detail);
    Object.assign(this, { status, passages, notices });
  }
}

let key = "";
export function setKey(value) { key = value.trim(); }
export function hasKey() { return key !== ""; }

/** Run one step of network work; its failure is a Problem, a cancellation stays an AbortError. */
async function over(work, detail) {
  try {
    return await work();
  } catch (error) {
    throw error.name === "AbortError" || error instanceof Problem ? error : new Problem(0, detail);
  }
}

export async function request(url, init = {}) {
  const headers = key ? { ...init.headers, Authorization: `Bearer ${key}` } : init.headers;
  const response = await over(() => fetch(url, { ...init, headers }), "unreachable");
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(response.status, body.detail ?? response.statusText, body.passages, body.notices);
}

export async function getJson(url) {
  const response = await request(url);
  return over(() => response.json(), "cut");
}

export async function collections() {
  return (await getJson("/v1/collections")).collections;
}

/** Stored text from code point `start` to `end`, with the `length` of the whole. */
export function versionText(id, start, end) {
  return getJson(`/v1/versions/${encodeURIComponent(id)}/text?start=${start}&end=${end}`);
}

function post(body, signal) {
  return request("/v1/ask", {
    method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
}

/** Ask, and call `on(name, data)` for each event: passages, notice, token, citation, then done, clarify or error. */
export async function ask(body, on, signal) {
  let heard = false;
  const hear = (name, data) => { heard = true; on(name, data); };
  try {
    const response = await post({ ...body, stream: true }, signal);
    const isStream = (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
    await (isStream ? readEvents(response.body, hear) : readWhole(response, hear));
  } catch (error) {
    // Something on the way may let no stream through: then the whole answer at once.
    if (heard || !(error instanceof Problem) || error.status !== 0) throw error;
    await readWhole(await post({ ...body, stream: false }, signal), on);
  }
}

async function readWhole(response, on) {
  const answer = await over(() => response.json(), "cut");
  on("passages", { passages: answer.passages });
  answer.citations.forEach((citation) => on("citation", citation));
  on("token", { text: answer.answer });
  on(answer.clarify ? "clarify" : "done", answer);
}

/** Server-sent events as our service writes them: one `event:` and one `data:` line each; comments are heartbeats. */
export async function readEvents(body, on) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  let last = "";
  for (;;) {
    const { done, value } = await over(() => reader.read(), "cut");
    buffer += decoder.decode(value ?? new Uint8Array(), { stream: !done });
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const event = parseEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event) { last = event.name; on(event.name, event.data); }
    }
    if (done) break;
  }
  if (!["done", "clarify", "error"].includes(last)) throw new Problem(0, "cut");
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
