"""A document on its way in: what a file holds, what it states about itself, how it is cut and addressed."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.records.tables import TableFrame

BlockKind = Literal["title", "heading", "paragraph", "list", "table", "page", "footnote"]
ChunkKind = Literal["front", "contents", "heading", "article", "paragraph", "section", "table", "annex", "passage"]
ValiditySource = Literal["stated", "inferred", "given", "unknown"]
VersionStatus = Literal["in force", "future", "superseded", "repealed"]
"""Of a version today: superseded by the next one of its document; repealed or expired with none after it."""


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
    language: str = ""
    """BCP 47 primary tag that the format reliably states; empty = to be told from the text."""


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
    frame: TableFrame | None = None
    """Of a table: what holds for its cells and may stand elsewhere in the text."""

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
    unit: Literal["article", "section"] = "article"
    """What such a place is called where it does not exist."""
    others: tuple[str, ...] = ()
    """Further canonical keys under which the place may be stored ("Item 2" of Part I or of Part II)."""
    is_certain: bool = True
    """False where the words may well name no place (the title of a section): a question is then not told of a miss."""
    start: int = 0
    end: int = 0
