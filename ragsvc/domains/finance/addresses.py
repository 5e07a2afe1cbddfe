"""Places in filings and reports: 10-K Item 7, Part II Item 5, 第三节, 第十节 七、, and a cell: 利润表 净利润 2023年."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragsvc.citing.cells import row_cells
from ragsvc.domains.finance.tables import columns_of
from ragsvc.domains.sections import SectionGrammar, heading_key
from ragsvc.records import Address, Chunk

_PARTS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_ITEM = re.compile(
    r"(?:\bpart\s{1,2}(?P<part>i{1,3}|iv)\b[,.:\s—–-]{0,4})?\bitems?\s{0,2}(?P<item>\d{1,2}(?:\.\d\d)?[A-C]?)(?![A-Za-z0-9])(?!\s?%)",
    re.IGNORECASE,
)
_PART_HEADING = re.compile(r"PART\s+(IV|I{1,3})\b", re.IGNORECASE)
_N = "[一二三四五六七八九十]{1,3}"
_SECTION = re.compile(rf"第(?P<section>{_N})节(?:[^。\n]{{0,12}}?(?P<sub>{_N})、)?")
_SUB = re.compile(rf"(?P<sub>{_N})、")
_FORM = re.compile(r"\s*(?:form\s+)?(?:10-[KQ]|8-K|20-F|6-K)\s*$", re.IGNORECASE)
_PERIOD = re.compile(r"(?:19|20)\d\d|本期|上期|期末|期初|本年|上年")
_HAN = {char: n for n, char in enumerate("一二三四五六七八九十", 1)}


class FinanceGrammar(SectionGrammar):
    """Items of forms, sections of annual reports, other headings, and cells of tables."""

    def section_key(self, heading: Chunk) -> str:
        """Return the key of the section under a heading: p2.item5, s10.7, or the heading itself."""
        title = heading.locator
        if item := re.match(_ITEM, title):
            parts = [p for above in heading.heading_path if (p := _PART_HEADING.match(above))]
            part = f"p{_PARTS[parts[-1][1].casefold()]}." if parts else ""
            return f"{part}item{item['item'].casefold()}"
        if section := _SECTION.match(title):
            return f"s{_number(section['section'])}"
        above = next((s for name in reversed(heading.heading_path) if (s := _SECTION.match(name))), None)
        if above and (sub := _SUB.match(title)):
            return f"s{_number(above['section'])}.{_number(sub['sub'])}"
        return self.key_of(title)

    def table_key(self, table: Chunk) -> str:
        """Return the key of a table: the heading it stands under."""
        return f"table:{heading_key(table.locator)}" if table.locator else ""

    def find(self, text: str) -> list[Address]:
        """Return the items, sections, headings and cells that ``text`` names."""
        return [*self._items(text), *self._sections(text)] or list(self._cells(text)) or super().find(text)

    def _items(self, text: str) -> Iterator[Address]:
        for match in _ITEM.finditer(text):
            left = text[max(0, match.start() - 120) : match.start()]
            left = "" if _FORM.fullmatch(left) else left  # 10-K Item 7: nothing but the form, no work is named
            item = f"item{match['item'].casefold()}"
            in_parts = tuple(f"p{n}.{item}" for n in range(1, 5))
            if match["part"]:
                yield self._place(left, in_parts[_PARTS[match["part"].casefold()] - 1], match.span(), (item,))
            else:
                yield self._place(left, item, match.span(), in_parts)

    def _sections(self, text: str) -> Iterator[Address]:
        for match in _SECTION.finditer(text):
            key = f"s{_number(match['section'])}" + (f".{_number(match['sub'])}" if match["sub"] else "")
            left = text[max(0, match.start() - 120) : match.start()]
            yield self._place(left, key, (match.start(), match.end()), ())

    def _cells(self, text: str) -> Iterator[Address]:
        tokens = [token for token in re.split(r"\s*[,，›>|]\s*", text.strip()) if token]
        if len(tokens) < 3:
            tokens = text.split()
        if not 3 <= len(tokens) <= 4 or not _PERIOD.search(tokens[-1]) or len(text) > 200:
            return
        *work, table, row, column = tokens
        place = self._place("".join(work), f"table:{heading_key(table)}", (0, len(text)), ())
        yield Address(
            work=place.work, left=place.left, article=place.article, paragraph=row, item=column, unit="section",
            is_certain=False, start=0, end=len(text),
        )  # fmt: skip

    def _place(self, left: str, key: str, span: tuple[int, int], others: tuple[str, ...]) -> Address:
        left = left.rstrip(" ,，的:：’'s" if left.rstrip().endswith(("’s", "'s")) else " ,，的:：").rstrip("’'")
        work = left
        if left.endswith("》") and "《" in left:
            work, left = left[left.rindex("《") + 1 : -1], ""
        return Address(
            work=work, left=left, article=key, others=others, unit="section", is_certain=False,
            start=span[0], end=span[1],
        )  # fmt: skip

    def find_part(self, article: str, address: Address) -> tuple[int, int] | None:
        """Return the range of a section, or of the one row of a table that has this label and such a column."""
        if not address.article.startswith("table:") or not address.paragraph:
            return super().find_part(article, address)
        columns = [heading_key(column) for column in columns_of(article)]
        if not any(heading_key(address.item) and heading_key(address.item) in column for column in columns[1:]):
            return None
        found = []
        for line in re.finditer(r"[^\n]+", article):
            row = row_cells(line[0])
            if row and heading_key(row[0]) == heading_key(address.paragraph):
                found.append((line.start(), line.start() + len(line[0].rstrip())))
        return found[0] if len(found) == 1 else None

    def part_locator(self, article: str, address: Address) -> str:
        """Return the heading, for a cell with the labels of row and column."""
        return " ".join(filter(None, (article, address.paragraph, address.item)))


def _number(written: str) -> int:
    """十 = 10, 十一 = 11, 二十 = 20."""
    if "十" not in written:
        return _HAN[written[-1]]
    tens, _, ones = written.partition("十")
    return 10 * (_HAN[tens] if tens else 1) + (_HAN[ones] if ones else 0)
