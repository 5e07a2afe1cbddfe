"""European Union acts in English: recitals, chapters, sections and articles, as the Official Journal prints them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from ragsvc.chunking.lines import Line, lines_of
from ragsvc.chunking.structure import PASSAGE_CHARS_EN, chunks_of, plain_pieces
from ragsvc.domains.law.paragraphs import eu_paragraphs_of
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DATE = rf"(\d{{1,2}})\s+({'|'.join(_MONTHS)})\s+(\d{{4}})"
_TITLE = re.compile(
    r"(REGULATION|DIRECTIVE|DECISION)\s+(?:\((?:EU|EC|EEC|Euratom)\)\s+)?(?:No\s+)?(?:(?:\((EU|EC|EEC)\)\s+)?(?:No\s+)?(\d{2,4}/\d{1,4}(?:/(?:EU|EC|EEC))?))?"
)
_ACT_NUMBER = re.compile(r"\((EU|EC|EEC|Euratom)\)\s+(?:No\s+)?(\d{1,4}/\d{1,4})|(\d{2,4}/\d{1,3}/(?:EU|EC|EEC))")
_SHORT_NAME = re.compile(r"\(([A-Z][A-Za-z ’'-]{5,70}(?:Regulation|Directive|Act|Decision))\)")
_OF = re.compile(rf"\bof\s+{_DATE}", re.I)
_APPLIES = re.compile(
    rf"(?:shall apply|applies|apply|enter into force|enters into force)\s+(?:from|on|as (?:of|from))\s+{_DATE}"
)
_ARTICLE = re.compile(r"Article\s+(\d+[a-z]?)\.?")
_DIVISION = re.compile(r"(PART|TITLE|CHAPTER|SECTION|Section|Chapter|Title|Part)\s+([IVXLC]+|\d+)\b\.?\s*(.*)")
_LEVELS = {"part": 1, "title": 2, "chapter": 3, "section": 4}
_ANNEX = re.compile(r"ANNEX(?:\s+[IVXLC]+|\s+\d+)?")
_RECITAL = re.compile(r"\(?(\d{1,3})\)(?:\s+|$)")
_BLANKS = "#* \t|"


class _Mark(NamedTuple):
    start: int
    kind: str
    label: str = ""
    address: str = ""
    level: int = 0
    title: str = ""


def describe_eu_act(document: LoadedDocument) -> DocumentFacts | None:
    """Return the facts of a European act; None when the text is not one."""
    head = document.text[:6000]
    if not _TITLE.search(head) or not re.search(
        r"EUROPEAN (?:PARLIAMENT|UNION|COMMISSION)|European (?:Parliament|Commission)", head
    ):
        return None
    marks = _outline(list(lines_of(document.text)))
    if not marks:
        return None
    title = _official_title(document.text)
    number = _ACT_NUMBER.search(title)
    kind = title.split(" ", 1)[0].capitalize()
    adopted = _date(_OF.search(title))
    applies = _date(_APPLIES.search(document.text, marks[-1].start - 2000 if len(marks) > 3 else 0))
    valid_from = applies if applies and (adopted is None or applies >= adopted) else adopted
    written = f"({number[1]}) {number[2]}" if number and number[1] else number[3] if number else ""
    return DocumentFacts(
        title=title,
        kind=kind.lower(),
        issuer="European Parliament and Council" if "PARLIAMENT" in title.upper() else "",
        number=written,
        promulgated=adopted,
        effective_from=valid_from,
        validity_source="stated" if applies and valid_from == applies else "inferred" if adopted else "unknown",
        language="en",
        aliases=_aliases(title, kind, written),
    )


def chunk_eu_act(text: str) -> list[Chunk]:
    """Return recitals, headings and articles that tile ``text``; empty when it has no articles."""
    marks = _outline(list(lines_of(text)))
    if not any(mark.kind == "article" for mark in marks):
        return []
    has_front = bool(text[: marks[0].start].strip())
    marks = [_Mark(0, "front"), *marks] if has_front else [marks[0]._replace(start=0), *marks[1:]]
    ends = [mark.start for mark in marks[1:]] + [len(text)]
    chunks: list[Chunk] = []
    headings: list[tuple[int, str]] = []
    for mark, end in zip(marks, ends, strict=True):
        while mark.level and headings and headings[-1][0] >= mark.level:
            headings.pop()
        path = tuple(label for _, label in headings)
        if mark.kind == "heading":
            chunks.append(Chunk(kind="heading", start=mark.start, end=end, locator=mark.label, heading_path=path))
            headings.append((mark.level, mark.label))
        elif mark.kind == "front":
            chunks.extend(chunks_of(plain_pieces(text, mark.start, end), text, PASSAGE_CHARS_EN, (), "front"))
        elif mark.kind == "annex":
            chunks.append(Chunk(kind="annex", start=mark.start, end=end, locator=mark.label))
        elif mark.kind == "article":
            chunks.extend(_article_chunks(text, mark, end, (*path, mark.title) if mark.title else path, len(chunks)))
        else:
            chunks.append(
                Chunk(
                    kind="section",
                    start=mark.start,
                    end=end,
                    locator=mark.label,
                    address=mark.address,
                    heading_path=("Recitals",),
                )
            )
    return chunks


def _article_chunks(text: str, mark: _Mark, end: int, path: tuple[str, ...], position: int) -> list[Chunk]:
    """The article, or, when it is long, the article over its paragraphs; ``position`` is its place in the list."""
    article = Chunk(
        kind="article", start=mark.start, end=end, locator=mark.label, address=mark.address, heading_path=path
    )
    parts = eu_paragraphs_of(text[mark.start : end]) if end - mark.start > PASSAGE_CHARS_EN else []
    if len(parts) < 2:
        return [article]
    chunks = [replace(article, is_leaf=False)]
    if text.startswith("(", mark.start + parts[0].start):  # points under a common opening, which is a leaf of its own
        chunks.append(replace(article, kind="paragraph", end=mark.start + parts[0].start, address="", parent=position))
    else:
        parts[0] = parts[0]._replace(start=0)
    for part in parts:
        chunks.append(
            Chunk(
                kind="paragraph",
                start=mark.start + part.start,
                end=mark.start + part.end,
                locator=f"{mark.label}({part.mark})",
                address=f"{mark.address}.{part.mark}",
                heading_path=path,
                parent=position,
            )
        )
    return chunks


def _outline(lines: Sequence[Line]) -> list[_Mark]:
    """Recitals stand between "Whereas" and the enacting words, articles after them; both count up."""
    marks: list[_Mark] = []
    recital, article, in_recitals, in_body, is_signed = 0, 0, False, False, False
    for n, line in enumerate(lines):
        content = line.content.strip(_BLANKS)
        if not content:
            continue
        if content.rstrip(":").upper() in ("WHEREAS", "WHEREAS THE FOLLOWING"):
            in_recitals = not in_body
        elif re.match(r"HA(?:VE|S) (?:ADOPTED|DECIDED)", content):
            in_recitals, in_body = False, True
            marks.append(_Mark(line.content_start, "front"))
        elif in_recitals:
            found = _RECITAL.match(content)
            if found and int(found[1]) == recital + 1:
                recital += 1
                marks.append(_Mark(line.content_start, "recital", f"Recital {recital}", f"r{recital}"))
        elif article and (content.startswith("Done at ") or _ANNEX.fullmatch(content)):
            is_signed = True
            is_annex = not content.startswith("Done at ")
            marks.append(_Mark(line.content_start, "annex" if is_annex else "front", content if is_annex else ""))
        elif not is_signed:
            mark = _opening(lines, n, content, article)
            if mark:
                marks.append(mark)
                article = int(re.sub(r"\D", "", mark.address)) if mark.kind == "article" else article
    return marks if article else []


def _opening(lines: Sequence[Line], n: int, content: str, article: int) -> _Mark | None:
    """A line that is nothing but ``Article 17`` or ``CHAPTER III``; the title is on the next line."""
    line = lines[n]
    found = _ARTICLE.fullmatch(content)
    if found and int(re.sub(r"\D", "", found[1])) in (article, article + 1):
        return _Mark(line.content_start, "article", f"Article {found[1]}", found[1], title=_title_after(lines, n))
    division = _DIVISION.fullmatch(content)
    if division and (division[3] or _title_after(lines, n)) and len(content) < 120:
        title = division[3] or _title_after(lines, n)
        word = division[1].capitalize()
        return _Mark(line.content_start, "heading", f"{word} {division[2]} {title}", level=_LEVELS[word.lower()])
    return None


def _title_after(lines: Sequence[Line], n: int) -> str:
    """The next line, if it reads as a title."""
    following = next((line.content.strip(_BLANKS) for line in lines[n + 1 : n + 6] if line.content), "")
    is_text = len(following) > 200 or following[-1:] in (".", ";", ":") or re.match(r"\d+\.\s|\(", following)
    return "" if is_text or _ARTICLE.fullmatch(following) or _DIVISION.fullmatch(following) else following


def _official_title(text: str) -> str:
    """The lines from REGULATION (EU) … up to the first note, in one line."""
    start = _TITLE.search(text)
    assert start is not None
    words: list[str] = []
    for line in lines_of(text, start.start(), start.start() + 1500):
        content = line.content.strip(_BLANKS)
        if content.startswith("(Text with") or content.upper().startswith(("THE EUROPEAN", "HAVING REGARD")):
            break
        if content:
            words.append(content)
    return " ".join(words)


def _aliases(title: str, kind: str, number: str) -> tuple[str, ...]:
    """``General Data Protection Regulation`` from the title's brackets, its initials, and kind with number."""
    names: list[str] = []
    for short in _SHORT_NAME.findall(title):
        names += [short, "".join(word[0] for word in re.split(r"[\s-]", short) if word[:1].isupper())]
    if number:
        bare = number.split(") ", 1)[-1]
        names += [f"{kind} {number}", f"{kind} {bare}", bare]
    return tuple(dict.fromkeys(names))


def _date(found: re.Match[str] | None) -> date | None:
    return date(int(found[3]), _MONTHS.index(found[2].capitalize()) + 1, int(found[1])) if found else None
