"""Reports and filings: headings, passages and tables, each table with what holds for its cells."""

from __future__ import annotations

import re
from bisect import bisect_left

from msgspec.structs import replace

from ragsvc.chunking.structure import StructureChunker
from ragsvc.domains.finance.addresses import FinanceGrammar
from ragsvc.domains.finance.tables import frame_of
from ragsvc.domains.sections import file_aliases, with_sections
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument

_COVER_CHARS = 8_000
_FORM = re.compile(r"\bFORM\s+(?P<form>10-[KQ]|8-K|20-F|6-K)\b", re.IGNORECASE)
_COMPANY = re.compile(r"(?P<name>[^\n|]{3,120}?)\s*\n+\s*\(?\s*Exact name of (?:the )?registrant", re.IGNORECASE)
_ENDED = re.compile(
    r"(?:fiscal year|quarterly period|year|quarter|period|date of report)[^\n]{0,40}?\b(?:ended|reported\)?:?)\s*:?\s*"
    r"(?P<day>[A-Z][a-z]+\s\d{1,2},\s(?P<year>\d{4}))",
    re.IGNORECASE,
)
_LEGAL_FORM = re.compile(r",?\s(?:Inc|Corp|Corporation|Company|Co|Ltd|plc|L\.?P|LLC|N\.?V|S\.?A)\b\.?$", re.IGNORECASE)


class FinanceChunker:
    """Cuts along headings; a table keeps labels of columns, unit, scale, currency and period."""

    def __init__(self, grammar: FinanceGrammar) -> None:
        self._general = StructureChunker()
        self._grammar = grammar

    def describe(self, document: LoadedDocument) -> DocumentFacts:
        """Recognise the language and the title: of a form, the company, the form and the day that it ends with."""
        facts = self._general.describe(document)
        cover = document.text[:_COVER_CHARS]
        form, company = _FORM.search(cover), _COMPANY.search(cover)
        if form is None or company is None:
            return replace(facts, aliases=(*facts.aliases, *file_aliases(document)))
        name, kind, ended = " ".join(company["name"].split()), form["form"].upper(), _ENDED.search(cover)
        title = f"{name} {kind} {ended['day']}" if ended else f"{name} {kind}"
        names = dict.fromkeys((name, _LEGAL_FORM.sub("", name)))
        aliases = [f"{short} {kind}" for short in names]
        if ended:
            for short in names:
                aliases += [f"{short} {kind} {ended['year']}", f"{short} {ended['year']} {kind}"]
        return replace(facts, title=title, kind="filing", aliases=(*aliases, *file_aliases(document)))

    def chunk(self, document: LoadedDocument, facts: DocumentFacts) -> list[Chunk]:
        """Return headings, passages, framed tables that tile the text, and sections over them."""
        chunks = self._general.chunk(document, facts)
        chunks = [self._framed(chunk, document) if chunk.kind == "table" else chunk for chunk in chunks]
        return with_sections(chunks, len(document.text), self._grammar.section_key)

    def _framed(self, table: Chunk, document: LoadedDocument) -> Chunk:
        first = bisect_left(document.facts, table.start, key=lambda fact: fact.start)
        last = bisect_left(document.facts, table.end, key=lambda fact: fact.start)
        frame = frame_of(document.text, table.start, table.end, document.facts[first:last])
        return replace(table, frame=frame, address=self._grammar.table_key(table))
