"""What flows between the stages: frozen records, no behaviour beyond what follows from their fields.

Source -> LoadedDocument -> Chunk -> Hit -> Passage -> Citation -> Answer. Offsets count Unicode code
points of the stored version text, half-open: ``text[start:end]``.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

BlockKind = Literal["title", "heading", "paragraph", "list", "table", "page", "footnote"]
ChunkKind = Literal["front", "contents", "heading", "article", "paragraph", "section", "table", "annex", "passage"]
ValiditySource = Literal["stated", "inferred", "given", "unknown"]


class Block(Struct, frozen=True, kw_only=True):
    """One structural element that the file format itself states; ``level`` counts from 1 for headings."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None
    confidence: float | None = None
    """Of a page that was read by text recognition: mean confidence in its characters, 0 to 1."""


class Fact(Struct, frozen=True, kw_only=True):
    """A figure that the file itself tags (inline XBRL); ``text[start:end]`` is how it is printed."""

    start: int
    end: int
    concept: str
    """Qualified name, e.g. us-gaap:Revenues."""
    value: str
    """Decimal, scaled and signed: "-47660000"."""
    unit: str
    """e.g. USD, shares, USD/shares; empty for a pure number."""
    period_start: date | None
    """First day of a duration; None for an instant."""
    period_end: date | None
    """Last day of a duration, or the instant."""
    dimensions: tuple[tuple[str, str], ...] = ()
    """(axis, member) where the figure is of a part: a segment, a class of shares."""


class LoadedDocument(Struct, frozen=True, kw_only=True):
    """A file as text. ``text`` is what is stored and cited; ``blocks`` are in order and may be empty (plain text)."""

    name: str
    text: str
    media_type: str
    source_sha256: str
    blocks: tuple[Block, ...] = ()
    title: str = ""
    """The title that the format states (HTML <title>, Word core properties), often empty or wrong."""
    warnings: tuple[str, ...] = ()
    """What was lost or repaired in reading, fit to show to a librarian."""
    facts: tuple[Fact, ...] = ()
    """Figures that the format tags, in text order."""


class DocumentFacts(Struct, frozen=True, kw_only=True):
    """What a domain pack recognises about a document: which work it is (part of) and from when it holds."""

    title: str
    """Official title of the work, e.g. 中华人民共和国民法典."""
    part: str = ""
    """Which part of the work this document is, e.g. 合同编; empty for a whole work."""
    kind: str = ""
    """Kind of source, e.g. 法律, 行政法规, 司法解释, regulation, guideline, filing."""
    issuer: str = ""
    number: str = ""
    """Official number, e.g. 法释〔2020〕17号; with the title it names the work."""
    promulgated: date | None = None
    effective_from: date | None = None
    """First day in force; None = always was."""
    effective_to: date | None = None
    """First day no longer in force; None = open."""
    validity_source: ValiditySource = "unknown"
    language: str = ""
    """BCP 47 primary tag of the text: zh, en."""
    aliases: tuple[str, ...] = ()
    """Other names under which people cite the work."""


class Chunk(Struct, frozen=True, kw_only=True):
    """A range of a version's text. The leaves tile the text exactly; a parent is a range over leaves."""

    kind: ChunkKind
    start: int
    end: int
    locator: str = ""
    """As a person writes it: 第五百七十七条, Article 17(1)(b), 10-K Item 7."""
    address: str = ""
    """Canonical key inside its work, for exact look-up: "577", "133-1", "577.1" (article.paragraph)."""
    heading_path: tuple[str, ...] = ()
    is_leaf: bool = True
    parent: int | None = None
    """Position, in the same list, of the parent that covers this leaf."""

    @property
    def is_searchable(self) -> bool:
        """Headings live on in every heading path and contents repeat them: neither is a search result."""
        return self.is_leaf and self.kind not in ("heading", "contents")


class Address(Struct, frozen=True, kw_only=True):
    """A place in a work that a text names: ``text[start:end]`` of the question is the mention.

    ``work`` is the name as written, or empty when only an article is named ("第五百条").
    ``article`` is canonical ("577", "133-1"); ``paragraph`` and ``item`` count from 1 as the mention says.
    An address without article names the whole work.
    """

    work: str
    article: str = ""
    paragraph: str = ""
    item: str = ""
    edition: str = ""
    """Year of the edition that the mention asks for: 2018 in 公司法（2018修正）."""
    left: str = ""
    """Where nothing marks the beginning of the name: the text that ends with it, of which ``work`` is a guess."""
    start: int = 0
    end: int = 0


class IndexFilter(Struct, frozen=True):
    """What a search may return, as catalogue ordinals; applied before the search, never after it."""

    collections: frozenset[int]
    excluded_versions: frozenset[int]


class ScoredChunk(Struct, frozen=True):
    """A chunk (catalogue ordinal) and how well it matched; higher is better, the scale is the arm's own."""

    chunk: int
    score: float


class Filters(Struct, frozen=True, kw_only=True):
    """Narrows a search. Empty means no restriction; values inside one field are alternatives."""

    works: tuple[str, ...] = ()
    """Names of works, resolved like an address."""
    kinds: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Document ids."""


class Scores(Struct, frozen=True, kw_only=True):
    """What each arm said of a passage; None when the arm did not return it.

    ``dense`` is a cosine in [-1, 1]; ``lexical`` is BM25, unbounded; ``fused`` is in [0, 1].
    """

    lexical: float | None = None
    dense: float | None = None
    fused: float | None = None


class Passage(Struct, frozen=True, kw_only=True):
    """A chunk as a reader sees it, with everything needed to find and check it: ``version.text[start:end] == text``."""

    collection: str
    work: str
    title: str
    locator: str
    heading_path: tuple[str, ...]
    document_id: str
    version_id: str
    chunk_id: str
    start: int
    end: int
    text: str
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    url: str | None
    score: float
    scores: Scores


class Citation(Struct, frozen=True, kw_only=True):
    """A quotation that was checked: ``version.text[start:end] == quote``."""

    marker: str
    """As it stands in the answer: "[1]"."""
    collection: str
    work: str
    title: str
    locator: str
    document_id: str
    version_id: str
    quote: str
    start: int
    end: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    url: str | None
    score: float


Arm = Literal["address", "lexical", "dense"]
ARMS: tuple[Arm, ...] = ("address", "lexical", "dense")


class SearchRequest(Struct, frozen=True, kw_only=True):
    """One retrieval. ``as_of`` None means today in the collection's time zone."""

    question: str
    collections: tuple[str, ...]
    as_of: date | None = None
    k: int = 10
    arms: tuple[Arm, ...] = ARMS
    filters: Filters = Filters()


class MissingAddress(Struct, frozen=True, kw_only=True):
    """A place that the question names and that is not there. No near match is ever served as it."""

    mention: str
    """As the question writes it."""
    reason: Literal["no such work", "no such article", "not in force"]
    work: str = ""
    """Official title, when the work itself is known."""
    nearest: tuple[str, ...] = ()
    """Names that do exist, to offer to the reader."""


class SearchResult(Struct, frozen=True, kw_only=True):
    """Passages, best first, and the signals that abstention looks at."""

    passages: tuple[Passage, ...]
    missing: tuple[MissingAddress, ...] = ()
    addressed: int = 0
    """How many of the first passages were resolved from an address in the question."""
    top_cosine: float | None = None
    n_searched: int = 0
    """Chunks that the search could have returned: the best cosine of many is higher than that of few."""
    index_generation: str = ""
    timings_ms: dict[str, float] = {}


class Image(Struct, frozen=True):
    """A picture that goes with a question: decoded, bounded and written anew, so that it holds pixels and no more."""

    media_type: Literal["image/jpeg", "image/png"]
    data: bytes


class Turn(Struct, frozen=True):
    """What was said before the question. There is no system turn: only the service itself writes those."""

    role: Literal["user", "assistant"]
    content: str


class AskRequest(Struct, frozen=True, kw_only=True):
    """One question. ``model`` and ``strategy`` None mean the collection's default, then the service's."""

    question: str
    collections: tuple[str, ...]
    history: tuple[Turn, ...] = ()
    """The conversation before the question, oldest first."""
    as_of: date | None = None
    k: int = 6
    filters: Filters = Filters()
    model: str | None = None
    strategy: str | None = None
    language: str | None = None
    images: tuple[Image, ...] = ()
    """What the question is asked about, for a model that sees."""


class Tool(Struct, frozen=True, kw_only=True):
    """What a model may have run for it: a function of one text, which gives a text."""

    name: str
    description: str
    parameter: str
    """What the text is."""


class ToolCall(Struct, frozen=True, kw_only=True):
    """What a model asked a tool."""

    name: str
    argument: str
    call_id: str = ""
    """As the model's service numbers its calls; empty where it does not."""


class Message(Struct, frozen=True):
    """One turn of a conversation with a chat model; ``tool`` is what a tool gave."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    """What the assistant asked tools; ``content`` is then what it thought."""
    call_id: str = ""
    """Of a tool's message: the call that it answers."""
    tools: tuple[Tool, ...] = ()
    """Of the system message: what the model may have run for it."""
    references: tuple[str, ...] = ()
    """Of the last message: sources, for a model whose own form has a place for them; others do not read these."""


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens as the model's server counts them; None where it does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class TextPiece(Struct, frozen=True, kw_only=True):
    """A piece of a chat model's stream. The last piece carries usage and the finish reason."""

    text: str = ""
    reasoning: str = ""
    """What the model thinks before it answers, where its service shows that; never part of the answer."""
    finish_reason: str | None = None
    """In OpenAI's words, whatever the service says: stop, length, content_filter, tool_calls; else its own."""
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model asks tools, instead of or after a text; comes whole."""


class ModelFailure(Struct, frozen=True, kw_only=True):
    """A model that was asked first and did not answer, so that the next one of the chain was."""

    model: str
    reason: str
    """As its error says it; never with a credential."""


class Step(Struct, frozen=True):
    """What one role of a strategy was given and what it gave: unchecked, and no part of the answer."""

    name: str
    given: str
    gave: str


class Clarification(Struct, frozen=True, kw_only=True):
    """A question back, instead of an answer: put what the reader says to it, with this, into ``history``."""

    question: str
    number: int
    """How many questions were asked back in this conversation, this one included."""
    most: int
    """How many the strategy asks at most."""


class GroundedSentence(Struct, frozen=True, kw_only=True):
    """A sentence of an answer, ``answer[start:end]``, and what it rests on."""

    start: int
    end: int
    support: Literal["cited", "retrieved", "none"]
    """A place that it cites; a passage that was found though it does not cite it; nothing that was found."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a question gets. When ``abstained``, ``reason`` says what is missing and no model was asked to answer."""

    answer_id: str
    answer: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    abstained: bool
    reason: str | None
    disclaimer: str
    model: str
    strategy: str
    index_generation: str
    timings_ms: dict[str, float]
    usage: Usage
    finish_reason: str | None = None
    """Why the model stopped (see ``TextPiece``); None when no model was called or it did not say."""
    reasoning: str = ""
    """What the model thought before it answered: unchecked, and no part of the answer."""
    fallbacks: tuple[ModelFailure, ...] = ()
    """The models that failed before ``model`` answered, in the order they were asked."""
    n_passages_dropped: int = 0
    """Passages, from the tail, that did not fit the model's window and were not shown to it."""
    steps: tuple[Step, ...] = ()
    """What the roles of the strategy did before the answer was written, in order."""
    clarify: Clarification | None = None
    """Set when the strategy asks back: ``answer`` is then that question."""
    grounding: tuple[GroundedSentence, ...] = ()
    """The model's sentences that were released, in order."""


class PassagesFound(Struct, frozen=True):
    """First event of an answer: what the answer will rest on."""

    passages: tuple[Passage, ...]


class PassagesDropped(Struct, frozen=True):
    """What a strategy says when ``n`` passages, from the tail, did not fit the model's window."""

    n: int


class Declined(Struct, frozen=True):
    """What a strategy says when its own search does not suffice to answer; nothing follows it."""

    result: SearchResult
    cause: Literal["missing", "nothing", "weak"]


class TextReleased(Struct, frozen=True):
    """Text that passed its checks. All of these joined equal ``Answer.answer``."""

    text: str


class CitationChecked(Struct, frozen=True):
    """A citation that was proven; comes before the text that carries its marker."""

    citation: Citation


class AnswerDone(Struct, frozen=True):
    """Last event of an answer that worked."""

    answer: Answer


class ClarifyAsked(Struct, frozen=True):
    """Last event of an answer that is a question back."""

    answer: Answer


class AnswerFailed(Struct, frozen=True):
    """Last event of an answer whose model failed; the passages came before it."""

    error: str
    """Class name in ``errors.py``: UpstreamFailed or UpstreamTimeout."""
    message: str


AnswerEvent = PassagesFound | TextReleased | CitationChecked | AnswerDone | ClarifyAsked | AnswerFailed
