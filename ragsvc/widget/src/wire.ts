// What the service sends and takes: the part of its interface that the widget uses.

export interface Source {
  collection: string;
  work: string;
  title: string;
  locator: string;
  document_id: string;
  version_id: string;
  start: number; // code points, half-open
  end: number;
  effective_from: string | null;
  effective_to: string | null;
  validity_source: "stated" | "inferred" | "given" | "unknown";
  url: string | null;
}

export type Status = "in force" | "future" | "superseded" | "repealed";

export interface Citation extends Source {
  marker: string;
  quote: string;
}

export interface Passage extends Source {
  heading_path: string[];
  text: string;
  status?: Status; // of its version today, whatever day was asked for
  confidence?: number | null; // where text recognition read it
}

/** What the service itself says beside an answer. */
export interface Notice {
  kind: string;
  severity: "urgent" | "warning" | "info";
  topic: string;
  language: string;
  text: string;
  citations: Citation[];
}

export interface Answer {
  answer_id: string;
  answer: string;
  citations: Citation[];
  passages: Passage[];
  abstained: boolean;
  reason: string | null;
  disclaimer: string;
  model: string;
  index_generation: string;
  notices?: Notice[];
  clarify?: { question: string; number: number; most: number; choices?: string[] } | null;
}

export const REASONS = ["wrong_citation", "outdated", "not_answered", "unclear", "harmful", "other"] as const;

export interface Feedback {
  answer_id: string;
  rating: "up" | "down";
  reason?: (typeof REASONS)[number];
  comment?: string;
  question?: string;
}

export interface Turn {
  role: "user" | "assistant";
  content: string;
}

export interface Question {
  question: string;
  collections: string[];
  as_of?: string;
  language?: string;
  history?: Turn[];
}

export interface VersionText {
  text: string;
  start: number;
  end: number;
  length: number;
}

export interface Version {
  version_id: string;
  effective_from: string | null;
  effective_to: string | null;
}

export type AnswerEvent =
  | { name: "passages"; data: { passages: Passage[] } }
  | { name: "notice"; data: Notice }
  | { name: "token"; data: { text: string } }
  | { name: "citation"; data: Citation }
  | { name: "done" | "clarify"; data: Answer }
  | { name: "error"; data: { status: number; detail: string; passages?: Passage[]; notices?: Notice[] } };
