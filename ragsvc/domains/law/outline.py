"""Which lines of a Chinese statute open something: a chapter, an article, an annex. Reads lines, makes no chunks.

The hard part is to tell an article heading from a cross-reference that happens to start a line
("第十五条的规定适用于…"). Two things decide: what follows the number, and whether the number continues the sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ragsvc.chunking.lines import Line, lines_of
from ragsvc.domains.law.numerals import NUMERAL, number

MarkKind = Literal["front", "contents", "heading", "article", "annex", "colophon"]


class Mark(NamedTuple):
    """Something starts at ``start``. ``level`` orders headings: 编 1, 分编 2, 章 3, 节 4, 一、 5.

    ``stop`` is where the lines of a heading end.
    """

    start: int
    kind: MarkKind
    label: str = ""
    level: int = 0
    address: str = ""
    stop: int = 0


class Candidate(NamedTuple):
    """A line that may be an article heading. ``key`` is (133, 1) for 第一百三十三条之一."""

    line: int
    start: int
    key: tuple[int, ...]
    label: str
    is_firm: bool
    """Set off by white space, as headings are."""


_PREFIX = re.compile(r"[#>*\s]*")
_ARTICLE = re.compile(rf"第\s*({NUMERAL}(?:{NUMERAL}|\s)*)条((?:\s?之\s?{NUMERAL}+)*)\**(?=(\s|[:：]|$)?)")
_NUMBERED = re.compile(r"([一二三四五六七八九十百]+)、")
_REFERENCE = re.compile(
    rf"第\s*{NUMERAL}+\s*[款项条]|的|规定的|之规定|所[列称指述规]|[至到和与或及、]+\s*(?:第\s*{NUMERAL}|[本前][条款])|中(?:的|规定|“)"
    r"|[，。；、）》”,.;)]|修改为|规定[，的]"
)
_REFERENCE_UNSPACED = re.compile(r"规定|[至到和与或及]|以及|中|以外|之外|除外|关于|前款|增加|改为")
_HEADING = re.compile(rf"第\s*({NUMERAL}(?:{NUMERAL}|\s)*)(分编|编|章|节|篇)(\s*)(.*)")
_LEVELS = {"编": 1, "篇": 1, "分编": 2, "章": 3, "节": 4}
_BARE_HEADINGS = frozenset(("总则", "分则", "附则", "序言", "前言", "罚则", "法律责任", "一般规定", "其他规定"))
_ANNEX = re.compile(rf"附\s*(?:(?:[件表录图]|则)\s*(?:{NUMERAL}+|[A-Z])?|(?=[：:]))\s*[：:.、．]?\s*(.*)")
_TITLE_ONLY = re.compile(r"[\u3400-\u9fff〇、，《》〈〉（） \u3000\u2002]{2,40}")
_SENTENCE_MARKS = "。；，：;,:"
_DATE_LINE = re.compile(rf"[（(]?\s*{NUMERAL}{{4}}\s*年\s*{NUMERAL}{{1,3}}\s*月\s*{NUMERAL}{{1,3}}\s*日\s*[）)]?")
_NUMBERED_LEVEL, _UNTITLED_LEVEL = 5, 9


def outline(text: str, *, is_amendment: bool = False, is_act: bool = True) -> list[Mark]:
    """Return what starts where, in text order; empty when the text has no articles.

    ``is_amendment``: the text quotes articles of the law it changes, so only an unbroken sequence is its own.
    ``is_act``: without any 第…条, paragraphs numbered 一、二、 are the articles.
    """
    lines = list(lines_of(text))
    articles = _choose(_candidates(lines, _article), allow_gaps=not is_amendment)
    if not articles and is_act:
        articles = [run for run in _choose(_candidates(lines, _numbered), allow_gaps=False) if len(run) > 1]
    if not articles:
        return []
    main = max(articles, key=len)
    annex_from = _first_annex(lines, after=main[-1].line)
    body_from, contents = _contents(lines, before=min(run[0].line for run in articles))
    heads = {c.line for run in articles for c in run}
    marks = contents if is_amendment else contents + _headings(lines, body_from, annex_from, heads)
    for run in articles:
        addressed = run is main
        marks += [
            Mark(c.start, "article", c.label, address="-".join(map(str, c.key)) if addressed else "") for c in run
        ]
    marks += _annexes(lines, annex_from, heads)
    marks += _colophon(lines, main[-1].line, annex_from)
    first_at: dict[int, Mark] = {}
    for mark in marks:
        first_at.setdefault(mark.start, mark)
    return [first_at[start] for start in sorted(first_at)]


def _opening(line: Line) -> tuple[int, str]:
    """Position and text of a line behind its Markdown marks."""
    skip = _PREFIX.match(line.content).end()  # type: ignore[union-attr]  # matches the empty string too
    return line.content_start + skip, line.content[skip:]


def _article(line: Line, number_of_line: int) -> Candidate | None:
    if "条" not in line.content[:24]:
        return None
    start, content = _opening(line)
    found = _ARTICLE.match(content)
    first = number(found[1]) if found else None
    if not found or not first:
        return None
    inserts = [number(part) for part in found[2].split("之")[1:]]
    rest = content[found.end() :]
    spaced = found[3] is not None
    if _REFERENCE.match(rest.lstrip()) or (not spaced and _REFERENCE_UNSPACED.match(rest)):
        return None
    label = "".join(found[0].rstrip("*").split())
    return Candidate(number_of_line, start, (first, *(n for n in inserts if n)), label, spaced)


def _numbered(line: Line, number_of_line: int) -> Candidate | None:
    start, content = _opening(line)
    found = _NUMBERED.match(content)
    value = number(found[1]) if found else None
    return Candidate(number_of_line, start, (value,), found[0], False) if found and value else None


def _candidates(lines: Sequence[Line], read: Callable[[Line, int], Candidate | None]) -> list[Candidate]:
    found = (read(line, n) for n, line in enumerate(lines) if line.content)
    return [c for c in found if c is not None]


def _choose(candidates: Sequence[Candidate], *, allow_gaps: bool) -> list[list[Candidate]]:
    """Follow the sequence: runs of increasing numbers, a new run where numbering starts again."""
    last_at = {c.key: i for i, c in enumerate(candidates)}
    runs: list[list[Candidate]] = []
    for i, c in enumerate(candidates):
        key = runs[-1][-1].key if runs else None
        follows = any(last_at.get(k, -1) > i for k in _successors(c.key))
        if key is None:
            starts = c.key == (1,) or (c.is_firm and last_at.get((1,), -1) <= i)
            if starts:
                runs.append([c])
        elif c.key in _successors(key):
            runs[-1].append(c)
        elif c.key > key:
            expected_later = any(last_at.get(k, -1) > i for k in _successors(key))
            if allow_gaps and not expected_later and (c.is_firm or follows):
                runs[-1].append(c)
        elif c.key == (1,) and c.is_firm and follows:
            runs.append([c])
    return runs


def _successors(key: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """What may follow 133-1 directly: 134, 133-2, 133-1-1."""
    nexts = [(*key, 1), (*key[:-1], key[-1] + 1)]
    if len(key) > 1:
        nexts.append((key[0] + 1,))
    return tuple(nexts)


def _contents(lines: Sequence[Line], before: int) -> tuple[int, list[Mark]]:
    """Find 目录. Returns the line where the body starts and the mark of the contents."""
    for n in range(before):
        if "".join(lines[n].content.split()).strip("#*") not in ("目录", "目次"):
            continue
        listed = [m for m in range(n + 1, before) if lines[m].content]
        if not listed:
            return n + 1, [Mark(lines[n].content_start, "contents", "目录")]
        first = "".join(lines[listed[0]].content.split()).strip("#*")
        again = [m for m in listed[1:] if "".join(lines[m].content.split()).strip("#*") == first]
        return (again[0] if again else before), [Mark(lines[n].content_start, "contents", "目录")]
    return 0, []


def _headings(lines: Sequence[Line], start: int, stop: int, articles: set[int]) -> list[Mark]:
    """Headings between ``start`` and ``stop``; lines that open an article are none."""
    has_books = any(_is_heading(line, ("编", "篇")) for line in lines[start:stop])
    found = {
        n: heading
        for n in range(start, stop)
        if n not in articles and lines[n].content and not lines[n].content.startswith("# ")  # one # is the title
        if (heading := _heading(lines, n, articles, has_books)) is not None
    }
    marks: list[Mark] = []
    continued = -1
    for n, (level, label) in found.items():
        if n == continued:
            continue
        continued = _continuation(lines, n, found, articles)
        if continued >= 0:
            label += _squeeze(_opening(lines[continued])[1])
        stop = lines[max(n, continued)].end
        marks.append(Mark(lines[n].content_start, "heading", label, level, stop=stop))
    return marks


def _continuation(lines: Sequence[Line], n: int, found: dict[int, tuple[int, str]], articles: set[int]) -> int:
    """The line on which a heading that was broken in two goes on; -1 when it was not."""
    rest = _next_line(lines, n)
    if rest < 0 or rest in articles or (rest in found and _HEADING.match(_opening(lines[rest])[1])):
        return -1
    after = _next_line(lines, rest)
    is_between = after in articles or after in found
    is_title = _TITLE_ONLY.fullmatch(lines[rest].content) and not _is_bare(lines[rest].content)
    return rest if is_between and is_title else -1


def _next_line(lines: Sequence[Line], n: int) -> int:
    return next((m for m in range(n + 1, len(lines)) if lines[m].content), -1)


def _is_bare(content: str) -> bool:
    return "".join(content.split()).strip("#*") in _BARE_HEADINGS


def _is_heading(line: Line, words: tuple[str, ...]) -> bool:
    found = _HEADING.match(_opening(line)[1])
    return bool(found and found[2] in words and _reads_as_title(found[3], found[4]))


def _heading(lines: Sequence[Line], n: int, articles: set[int], has_books: bool) -> tuple[int, str] | None:
    """Level and label of line ``n`` if it is a heading."""
    content = lines[n].content
    title = _opening(lines[n])[1].strip("*")
    marked = content.startswith("##")
    found = _HEADING.match(title)
    if found:
        is_title = marked or _reads_as_title(found[3], found[4])
        label = f"第{''.join(found[1].split())}{found[2]} {_squeeze(found[4])}".strip()
        return (_LEVELS[found[2]], label) if is_title else None
    bare = "".join(title.split())
    if _is_bare(content):
        return (1 if has_books and bare in ("总则", "分则", "附则") else 3), bare
    if marked:
        return (_NUMBERED_LEVEL if _NUMBERED.match(title) else 3 if bare else _UNTITLED_LEVEL), _squeeze(title)
    if _TITLE_ONLY.fullmatch(title) and _opens_articles(lines, n, articles, is_numbered=bool(_NUMBERED.match(title))):
        return (_NUMBERED_LEVEL if _NUMBERED.match(title) else 3), _squeeze(title)
    return None


def _reads_as_title(blank: str, title: str) -> bool:
    """Whether what follows 第三章 is its title and not the rest of a sentence."""
    if title and title[-1] in _SENTENCE_MARKS:
        return False
    if blank or not title:
        return len(title) <= 60
    return len(title) <= 30 and not _REFERENCE.match(title) and not _REFERENCE_UNSPACED.match(title)


def _opens_articles(lines: Sequence[Line], n: int, articles: set[int], *, is_numbered: bool) -> bool:
    """Whether line ``n`` stands between the end of a sentence and an article: 一、管辖, or a number that was lost."""
    if _next_line(lines, n) not in articles:
        return False
    before = next((lines[m].content for m in range(n - 1, -1, -1) if lines[m].content), "")
    return before.endswith(("。", "？", "！", "：")) and (is_numbered or n > min(articles))


def _squeeze(title: str) -> str:
    """总　则 as 总则: blanks between two Chinese characters go, other runs of blanks become one."""
    title = re.sub(r"(?<=[\u3400-\u9fff〇、]) ?\s+ ?(?=[\u3400-\u9fff〇])", "", title.strip("*# \u3000"))
    return " ".join(title.split())


def _annex_label(line: Line) -> str | None:
    _, content = _opening(line)
    found = _ANNEX.match(content)
    if not found or len(content) > 60 or content[-1] in "。；，;," or "".join(content.split()).startswith("附则"):
        return None
    return (
        None if _REFERENCE.match(found[1]) or _REFERENCE_UNSPACED.match(found[1]) else _squeeze(content).rstrip("：:")
    )


def _first_annex(lines: Sequence[Line], after: int) -> int:
    return next((n for n in range(after + 1, len(lines)) if _annex_label(lines[n])), len(lines))


def _annexes(lines: Sequence[Line], start: int, articles: set[int]) -> list[Mark]:
    labels = ((n, _annex_label(lines[n])) for n in range(start, len(lines)) if n not in articles)
    return [Mark(lines[n].content_start, "annex", label, stop=lines[n].end) for n, label in labels if label]


def _colophon(lines: Sequence[Line], last_article: int, stop: int) -> list[Mark]:
    """Signature and date under the last article are nobody's article."""
    tail = [n for n in range(last_article + 1, stop) if lines[n].content]
    first = None
    for n in reversed(tail):
        content = lines[n].content
        if len(content) > 30 or content[-1] in "。；：，":
            break
        if _DATE_LINE.fullmatch(content) or first is not None:
            first = n
        else:
            break
    return [] if first is None else [Mark(lines[first].content_start, "colophon")]
