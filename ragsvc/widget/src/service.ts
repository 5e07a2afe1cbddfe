// Talks to the service, with tickets that the portal gives. Knows nothing of what is shown.
import type { Answer, AnswerEvent, Feedback, Notice, Passage, Question, Version, VersionText } from "./wire";

const FIRST_EVENT_MS = 20_000; // the service sends a sign of life every 15 s: what is silent longer is held back on the way
const RENEW_BEFORE_MS = 20_000;

/** What went wrong: a status of the service, or 0 when nothing (more) came. */
export class Problem extends Error {
  constructor(readonly status: number, detail: string, readonly passages: Passage[] = [], readonly fromPortal = false,
    readonly notices: Notice[] = []) {
    super(detail);
  }
}

export class Service {
  private ticket: Promise<{ text: string; renewAt: number }> | null = null;

  constructor(private readonly base: string, private readonly ticketUrl: string) {}

  /** Ask, and call `on` for each event; the last is done, clarify or error. */
  async ask(question: Question, on: (event: AnswerEvent) => void, signal: AbortSignal): Promise<void> {
    let heard = false;
    const hear = (event: AnswerEvent) => { heard = true; on(event); };
    const impatience = new AbortController();
    const timer = setTimeout(() => heard || impatience.abort(), FIRST_EVENT_MS);
    try {
      const response = await this.post(question, true, AbortSignal.any([signal, impatience.signal]));
      const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
      await (isStream ? readEvents(response, hear) : readWhole(response, hear));
    } catch (error) {
      // Something on the way may let no stream through: then the whole answer at once.
      const isBlocked = impatience.signal.aborted || (error instanceof Problem && error.status === 0 && !error.fromPortal);
      if (signal.aborted || heard || !isBlocked) throw error;
      await readWhole(await this.post(question, false, signal), on);
    } finally {
      clearTimeout(timer);
    }
  }

  versionText(id: string, start: number, end: number): Promise<VersionText> {
    return this.getJson(`/v1/versions/${encodeURIComponent(id)}/text?start=${start}&end=${end}`);
  }

  async versions(documentId: string): Promise<Version[]> {
    return (await this.getJson<{ versions: Version[] }>(`/v1/documents/${encodeURIComponent(documentId)}/versions`)).versions;
  }

  async lookup(citation: string, collection: string): Promise<Passage | undefined> {
    const query = new URLSearchParams({ citation, collection });
    return (await this.getJson<{ hits: Passage[] }>(`/v1/lookup?${query}`)).hits[0];
  }

  /** Say what an answer was worth. */
  async rate(feedback: Feedback): Promise<void> {
    await this.postJson("/v1/feedback", feedback);
  }

  private post(question: Question, stream: boolean, signal: AbortSignal): Promise<Response> {
    return this.postJson("/v1/ask", { ...question, stream }, signal);
  }

  private postJson(path: string, body: object, signal: AbortSignal | null = null): Promise<Response> {
    return this.request(path, { method: "POST", body: JSON.stringify(body), signal, headers: { "Content-Type": "application/json" } });
  }

  private async getJson<T>(path: string): Promise<T> {
    const response = await this.request(path, {});
    return over(() => response.json() as Promise<T>);
  }

  private async request(path: string, init: RequestInit): Promise<Response> {
    const first = await this.send(path, init);
    // A ticket may end before its time (revoked, quota used up): one new one is tried.
    const isSpent = this.ticketUrl && (first.status === 401 || (first.status === 429 && !first.headers.get("Retry-After")?.match(/^\d{3,}/)));
    if (isSpent) this.ticket = null;
    const response = isSpent ? await this.send(path, init) : first;
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; passages?: Passage[]; notices?: Notice[] };
    throw new Problem(response.status, problem.detail ?? response.statusText, problem.passages, false, problem.notices);
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.ticketUrl) headers.set("Authorization", `Bearer ${await this.currentTicket()}`);
    return over(() => fetch(this.base + path, { ...init, headers, credentials: "omit", referrerPolicy: "no-referrer" }));
  }

  private async currentTicket(): Promise<string> {
    const held = await this.ticket?.catch(() => null);
    if (!held || performance.now() >= held.renewAt) this.ticket = fetchTicket(this.ticketUrl);
    return (await this.ticket!).text;
  }
}

/** Get a ticket from the portal's own server, which knows its visitor by the cookies of its own pages. */
async function fetchTicket(url: string): Promise<{ text: string; renewAt: number }> {
  try {
    const response = await fetch(url, { method: "POST", credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!response.ok) throw new Problem(response.status, response.statusText, [], true);
    const { ticket, expires_in_s: seconds } = await response.json();
    return { text: String(ticket), renewAt: performance.now() + Number(seconds) * 1000 - RENEW_BEFORE_MS };
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, "no ticket", [], true);
  }
}

/** Run one step of network work; its failure is a Problem, a cancellation stays an AbortError. */
async function over<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOurs = error instanceof Problem || (error instanceof DOMException && error.name === "AbortError");
    throw isOurs ? error : new Problem(0, "cut");
  }
}

async function readWhole(response: Response, on: (event: AnswerEvent) => void): Promise<void> {
  const data = await over(() => response.json() as Promise<Answer>);
  on({ name: data.clarify ? "clarify" : "done", data });
}

/** Server-sent events as the service writes them: one `event:` and one `data:` line each; comments are signs of life. */
async function readEvents(response: Response, on: (event: AnswerEvent) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let last = "";
  for (;;) {
    const { done, value } = await over(() => reader.read());
    buffer += value ?? "";
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop()!;
    for (const block of blocks) {
      const [, name, data] = block.match(/^event: (\w+)\ndata: (.*)$/s) ?? [];
      if (!name) continue;
      last = name;
      on({ name, data: JSON.parse(data) } as AnswerEvent);
    }
    if (done) break;
  }
  if (!["done", "clarify", "error"].includes(last)) throw new Problem(0, "cut");
}
