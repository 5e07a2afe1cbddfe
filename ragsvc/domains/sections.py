"""Sections as addresses: a heading names what stands under it, up to the next heading that is not below it.

Works that are cited by the names of their parts (leaflets, reports, guidelines) have no numbering that a question
could be searched for. So a place is read where a known name of a section stands ("阿司匹林说明书 用法用量"), or
where a work's name and a heading are set apart by a mark ("ankle sprain leaflet, when to see a doctor"); that the
words were meant so is never certain. A heading is matched as a whole: nothing that resembles it is served.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import PurePath

from msgspec import Struct
from msgspec.structs import replace

from ragsvc.records import Address, Chunk, DocumentFacts, LoadedDocument

MAX_SECTION_CHARS = 6_000
"""Of a longer section that is looked up, the paragraphs up to here are shown."""
_NUMBERING = re.compile(
    r"(?:第[一二三四五六七八九十百]+[章节部分篇]|[（(]?[一二三四五六七八九十]{1,3}[)）、.．]|[（(]?\d{1,2}(?:\.\d{1,2}){0,3}[)）、.．]?(?=\D))\s*"
)
_APART = re.compile(r"\s*[,，›>|/：:]\s*")
_BETWEEN = " \t,，、›>|/：:的—–-"
_MARKED = re.compile(r"《(?P<work>[^《》\n]{1,120})》\s*(?:[的,，›>:：]\s*)?(?P<rest>[^\n。？！?!]{1,80})$")
# What may stand before the name of a work in a question.
_LEADING = re.compile(
    r"(?:^|[\s,，。？！?!;；:：“”\"'（(《]|请问|想问|关于|根据|按照?|查看?|看|在|问|说|是|对|the|a|of|in|to|under|see|from|does|do|is|are|what|my)\s*$",
    re.IGNORECASE,
)


def heading_key(heading: str) -> str:
    """Return the form under which headings are compared: without numbering, blanks, marks and case."""
    plain = unicodedata.normalize("NFKC", heading).strip("*#_ \t\n【】[]〔〕").casefold()
    numbered = _NUMBERING.match(plain)
    plain = (plain[numbered.end() :] if numbered else "") or plain
    return "".join(char for char in plain if char.isalnum())


def work_name_key(name: str) -> str:
    """Return the form under which names of works are compared."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def file_aliases(document: LoadedDocument) -> tuple[str, ...]:
    """The name of a file, as people call it: ankle-sprain-leaflet.md is "ankle sprain leaflet"."""
    stem = re.sub(r"[-_+\s]+", " ", PurePath(document.name.rsplit("!", 1)[-1]).stem).strip()
    return (stem,) if len(work_name_key(stem)) > 3 and not stem.isdecimal() else ()


def with_sections(chunks: Sequence[Chunk], length: int, key_of: Callable[[Chunk], str]) -> list[Chunk]:
    """Return the chunks with a parent over each section whose key is one place in the document.

    Args:
        chunks: leaves that tile the text.
        length: of the text.
        key_of: heading -> canonical key of its section; empty for none.
    """
    sections = _unambiguous([found for n in range(len(chunks)) if (found := _section(chunks, n, length, key_of))])
    starts = {section.first: section for section in sections}
    result: list[Chunk] = []
    open_ones: list[tuple[int, int]] = []  # end in the text, position in the result
    for n, chunk in enumerate(chunks):
        while open_ones and open_ones[-1][0] <= chunk.start:
            open_ones.pop()
        if section := starts.get(n):
            open_ones.append((section.end, len(result)))
            result.append(
                Chunk(
                    kind="section",
                    start=chunk.start,
                    end=section.end,
                    locator=chunk.locator,
                    address=section.key,
                    heading_path=chunk.heading_path,
                    is_leaf=False,
                )
            )
        result.append(replace(chunk, parent=open_ones[-1][1] if open_ones else None))
    return result


class _Section(Struct, frozen=True):
    first: int
    end: int
    key: str
    depth: int
    length: int


def _section(chunks: Sequence[Chunk], n: int, length: int, key_of: Callable[[Chunk], str]) -> _Section | None:
    head = chunks[n]
    if head.kind != "heading" or not (key := key_of(head)):
        return None
    depth = len(head.heading_path)
    later = (c for c in chunks[n + 1 :] if c.kind == "heading" and len(c.heading_path) <= depth)
    end = next((c.start for c in later), length)
    if end == head.end or (head.start == 0 and end == length):
        return None
    return _Section(n, end, key, depth, end - head.start)


def _unambiguous(sections: Sequence[_Section]) -> list[_Section]:
    """Of sections with one key that which stands highest, or is by far the longest (the others are in contents)."""
    kept = []
    for section in sections:
        same = [other for other in sections if other.key == section.key and other is not section]
        is_highest = all(section.depth < other.depth for other in same)
        if is_highest or all(section.length > 5 * other.length for other in same):
            kept.append(section)
    keys = [section.key for section in kept]
    return [section for section in kept if keys.count(section.key) == 1]


class SectionGrammar:
    """Reads addresses of sections; see ``protocols.AddressGrammar``.

    Args:
        names: canonical key -> the names of such a section, in any language; headings with one of them have that key.
    """

    def __init__(self, names: Mapping[str, Sequence[str]] | None = None) -> None:
        self._keys = {heading_key(name): key for key, known in (names or {}).items() for name in known}
        written = sorted((name for known in (names or {}).values() for name in known), key=len, reverse=True)
        forms = (rf"(?<![A-Za-z]){re.escape(n)}(?![A-Za-z])" if n.isascii() else re.escape(n) for n in written)
        self._known = re.compile("|".join(forms), re.IGNORECASE) if written else None

    def key_of(self, heading: str) -> str:
        """Return the canonical key of a section with this heading."""
        key = heading_key(heading)
        return self._keys.get(key, key)

    def find(self, text: str) -> list[Address]:
        """Return the sections that ``text`` names."""
        found = list(self._find_known(text))
        return found or list(self._find_apart(text))

    def _find_known(self, text: str) -> Iterator[Address]:
        for match in self._known.finditer(text) if self._known else ():
            left = text[max(0, match.start() - 120) : match.start()].rstrip(_BETWEEN)
            is_alone = not text[: match.start()].strip() and not text[match.end() :].strip(" 。？?.")
            if left.endswith("》") and "《" in left:
                work = left[left.rindex("《") + 1 : -1]
                yield self._address(work, "", match[0], (match.start() - 1, match.end()))
            elif left or is_alone:
                yield self._address(left, left, match[0], (max(0, match.start() - 120), match.end()))

    def _find_apart(self, text: str) -> Iterator[Address]:
        text = text.strip()
        if marked := _MARKED.match(text):
            yield self._address(marked["work"], "", marked["rest"], (0, len(text)))
            return
        cuts = list(_APART.finditer(text)) or list(re.finditer(r"\s+(?=[\u3400-\u9fff])", text))
        if cuts and (work := text[: cuts[0].start()]) and len(text) <= 200:
            yield self._address(work, work, text[cuts[-1].end() :].rstrip(" ?？.。"), (0, len(text)))

    def _address(self, work: str, left: str, heading: str, span: tuple[int, int]) -> Address:
        return Address(
            work=work.strip(), left=left, article=self.key_of(heading), unit="section", is_certain=False,
            start=span[0], end=span[1],
        )  # fmt: skip

    def name_keys(self, facts: DocumentFacts) -> list[str]:
        """Return the compared forms of title and aliases."""
        keys = (work_name_key(name) for name in (facts.title, *facts.aliases))
        return list(dict.fromkeys(key for key in keys if key)) or [""]

    def work_keys(self, name: str) -> list[str]:
        """Return the one key of a name."""
        return [work_name_key(name)]

    def stored_key(self, address: Address, stored: Container[str]) -> str | None:
        """Return the key of the longest stored name that the address's text ends in, where a name can begin."""
        if not address.left:
            key = work_name_key(address.work)
            return key if key in stored else None
        left = address.left
        for at in range(len(left)):
            is_inside_word = at and left[at - 1].isascii() and left[at - 1].isalnum() and left[at].isascii()
            if is_inside_word or not left[at].isalnum() or not _LEADING.search(left[:at]):
                continue
            if (key := work_name_key(left[at:])) in stored:
                return key
        return None

    def successor_keys(self, name: str) -> list[str]:
        """Return nothing: these works have no successors."""
        return []

    def find_part(self, article: str, address: Address) -> tuple[int, int] | None:
        """Return the range of the section without white space around it, whole paragraphs of a long one."""
        start = len(article) - len(article.lstrip())
        end = len(article.rstrip())
        if end - start > MAX_SECTION_CHARS:
            stop = article.rfind("\n", start + MAX_SECTION_CHARS // 2, start + MAX_SECTION_CHARS)
            end = stop if stop > 0 else start + MAX_SECTION_CHARS
            end = start + len(article[start:end].rstrip())
        return start, end

    def part_locator(self, article: str, address: Address) -> str:
        """Return the heading."""
        return article
