"""Answers without a model: quotes the sentences of the passages that answer, word for word, and says so."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

import numpy as np
from anyio import to_thread

from ragsvc.citing.cells import row_cells
from ragsvc.citing.claims import content, quoted_ranges, squeeze
from ragsvc.citing.sentences import QUOTES, split_sentences
from ragsvc.prompting import Language
from ragsvc.protocols import Embedder, FloatArray
from ragsvc.records import Passage, PassagesFound, SearchResult, TextPiece
from ragsvc.strategies.conversation import standing_question
from ragsvc.strategies.task import Task

WHOLE_CHARS = 400
"""A passage up to this length is quoted whole: an article is rarely right without its conditions."""
ARTICLE_CHARS = 1_500
"""Most of an article that the question names which is quoted, in whole sentences."""
MOST_PASSAGES = 3
LEAST_SCORE = 0.85
"""A further passage is quoted when its score is at least this share of the best one.

On the 128 dev questions of STARD whose laws were there, 2.0 passages a question hold an article that lawyers named
for 54 % of them; the first passage alone does for 45 %, the first three for 57 %.
"""
LEAST_RELEVANCE = 0.7
"""Of a long passage the sentences are quoted that are at least this near to the question, compared with the nearest."""
LEAST_NEARNESS = 0.7
"""A further passage is quoted when its nearest sentence is at least this near, compared with the nearest of all."""
LEAST_CONTENT = 3
"""Words or pairs of characters that say something, under which a piece of a long passage says nothing by itself."""
_FULL_LINE, _LINES_OF_A_PAGE = 0.6, 5
_STOPS = tuple("。！？；：.!?;:”")
_PROPER = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]|\d+[A-Z])[A-Za-z0-9&.-]*(?<![.-])")
"""A name, or the first word of a sentence."""
_MEANING = 0.55
"""Weight of the cosine in the relevance of a sentence; the rest is the share of the question's words in it."""

_INTRO = {
    "zh": "以下为原文摘录，非生成内容：",
    "en": "Extracts from the sources, nothing is generated:",
}
_GOES_ON = {"zh": "（以下略）", "en": " (the article goes on)"}
_LIST_ITEM = re.compile(r"[（(]?(?:[一二三四五六七八九十]{1,3}|\d{1,3}|[a-z]|[ivx]{1,5})[)）、.]|[-•·*]\s")
_UNFIT_IN_A_NAME = re.compile(rf"[\s`\[\]［］【】{''.join({*QUOTES, *QUOTES.values()})}]+")
_INNER_TITLE = str.maketrans("《》", "〈〉")
_HAN = re.compile(r"[\u3400-\u9fff]")

Range = tuple[int, int]


async def stream(task: Task) -> AsyncGenerator[TextPiece | PassagesFound, None]:
    """Quote from the passages found."""
    arguments = (standing_question(task.request), task.result, task.language, task.embedder)
    yield TextPiece(text=await to_thread.run_sync(compose, *arguments, limiter=task.limiter), finish_reason="stop")


def compose(question: str, result: SearchResult, language: Language, embedder: Embedder) -> str:
    """Return the answer: for places that the question names these, otherwise the sentences that answer best."""
    if result.addressed:
        chosen = [(n, [_body(p.text, p.locator)]) for n, p in enumerate(result.passages[: result.addressed], 1)]
    else:
        chosen = _choose(question, result.passages, embedder)
    lines = [_quote(result.passages[n - 1], n, ranges, language) for n, ranges in chosen]
    return "\n\n".join([_INTRO[language], *filter(None, lines)])


def quote_beginning(passage: Passage, number: int, language: Language) -> str:
    """Return 《title》locator：“…”[n] with the passage up to ``WHOLE_CHARS``, in whole sentences where one fits."""
    start, end = _body(passage.text, passage.locator)
    stops = [start + b for _, b in split_sentences(passage.text[start:end]) if b <= WHOLE_CHARS]
    stop = end if end - start <= WHOLE_CHARS else stops[-1] if stops else start + WHOLE_CHARS
    quoted = _quote(passage, number, [(start, stop)], language)
    return quoted + (_GOES_ON[language] if quoted and stop < end else "")


def _choose(question: str, passages: Sequence[Passage], embedder: Embedder) -> list[tuple[int, list[Range]]]:
    """Return the numbers of the passages that answer, in order, each with the ranges to quote."""
    enough = LEAST_SCORE * max((p.score for p in passages), default=0.0)
    near = [(n, p) for n, p in enumerate(passages, 1) if p.score >= enough][:MOST_PASSAGES]
    near = _of_the_named(question, near)
    judged = [(n, p, units, _relevance(question, p, units, embedder)) for n, p in near if (units := _units(p))]
    best = max((float(relevance.max()) for *_, relevance in judged), default=0.0)
    chosen: list[tuple[int, list[Range]]] = []
    for n, passage, units, relevance in judged:
        if chosen and relevance.max() < _bar(best, LEAST_NEARNESS):
            continue
        bar = _bar(float(relevance.max()), LEAST_RELEVANCE)
        kept = {
            squeeze(passage.text[slice(*unit)]): unit  # what a page repeats is quoted once
            for unit, value in zip(reversed(units), reversed(relevance), strict=True)
            if value >= bar
        }
        chosen.append((n, _joined(sorted(kept.values()), passage.text)))
    return chosen


def _of_the_named(question: str, near: list[tuple[int, Passage]]) -> list[tuple[int, Passage]]:
    """Keep, where the question names whose documents are meant, only those: a figure of another company is none."""
    asked = set(_PROPER.findall(question))
    titles = [set(_PROPER.findall(passage.work or passage.title)) for _, passage in near]
    telling = asked & set.union(*titles) - set.intersection(*titles) if titles else set()
    of_it = [one for one, title in zip(near, titles, strict=True) if title & telling]
    return of_it or near


def _relevance(question: str, passage: Passage, units: list[Range], embedder: Embedder) -> FloatArray:
    """Return how near each unit is to the question: in meaning, and in words.

    Words that name the work say which document is meant, not which of its sentences.
    """
    texts = [passage.text[slice(*unit)] for unit in units]
    cosines = embedder.embed_passages(texts) @ embedder.embed_queries([question])[0]
    asked = content(question)
    asked = asked - content(passage.work or passage.title) or asked
    shares = np.array([len(asked & content(unit)) / max(len(asked), 1) for unit in texts])
    relevance: FloatArray = _MEANING * cosines + (1 - _MEANING) * shares
    return relevance


def _bar(best: float, share: float) -> float:
    return best - (1 - share) * abs(best)


def _units(passage: Passage) -> list[Range]:
    """Return what can be quoted by itself: a short passage whole, else sentences, a list with what introduces it."""
    if passage.frame:
        return _rows(passage.text)
    start, end = _body(passage.text, passage.locator)
    if end - start <= WHOLE_CHARS:
        return [(start, end)] if end > start else []
    text, width = passage.text, _wrapped_at(passage.text[start:end])
    units: list[Range] = []
    for a, b in split_sentences(text[start:end]):
        first, last = a + start, b + start
        is_item = _LIST_ITEM.match(text, first) is not None
        goes_on = is_item if not units else is_item or _is_broken(text, units[-1][1], first, width)
        if units and goes_on and last - units[-1][0] <= (WHOLE_CHARS if is_item else ARTICLE_CHARS):
            units[-1] = (units[-1][0], last)
        else:
            units.append((first, last))
    return [unit for unit in units if len(content(text[slice(*unit)])) >= LEAST_CONTENT] or units


def _wrapped_at(text: str) -> float:
    """Return the length from which a line without a stop goes on in the next: pages of a PDF keep their lines."""
    lengths = sorted(len(line) for line in text.splitlines() if line.strip())
    return _FULL_LINE * lengths[int(0.9 * len(lengths))] if len(lengths) >= _LINES_OF_A_PAGE else float("inf")


def _is_broken(text: str, end: int, start: int, width: float) -> bool:
    """Whether a sentence was cut between ``end`` and ``start`` by the end of a full line."""
    line = text[text.rfind("\n", 0, end) + 1 : end]
    return text.count("\n", end, start) == 1 and len(line) >= width and line[-1:] not in _STOPS


def _rows(text: str) -> list[Range]:
    """Return the rows of a table that have a label and figures; its head stands beside the quotation."""
    rows: list[Range] = []
    for line in re.finditer(r"[^\n]+", text):
        cells = row_cells(line[0])
        if len(cells) > 1 and cells[0] and any(char.isdecimal() for char in "".join(cells[1:])):
            rows.append((line.start(), line.start() + len(line[0].rstrip())))
    return rows


def _body(text: str, locator: str) -> Range:
    """Return the range of ``text`` without the locator at its head, which the answer names before the quotation."""
    start = len(text) - len(text.lstrip())
    if locator and text.startswith(locator, start):
        rest = text[start + len(locator) :]
        start = len(text) - len(rest.lstrip(" \t\n\u3000:：.、"))
    return start, len(text.rstrip())


def _joined(ranges: Sequence[Range], text: str) -> list[Range]:
    """Join ranges between which there is only white space."""
    joined: list[Range] = []
    for start, end in ranges:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _quote(passage: Passage, number: int, ranges: Sequence[Range], language: Language) -> str:
    """Return 《title》locator：“…”[n], or nothing when there is nothing to quote."""
    quotes = []
    for start, end in ranges:
        stop = _bounded(passage.text, start, end)
        parts = [f"{quoted}[{number}]" for quoted in _in_quotation_marks(passage.text[start:stop])]
        quotes += [*parts[:-1], parts[-1] + (_GOES_ON[language] if stop < end else "")] if parts else []
    return _name(passage, language) + ("" if language == "zh" else " ").join(quotes) if quotes else ""


def _bounded(text: str, start: int, end: int) -> int:
    """Return where to stop so that at most ARTICLE_CHARS are quoted, in whole sentences where one fits."""
    if end - start <= ARTICLE_CHARS:
        return end
    stops = [start + b for _, b in split_sentences(text[start:end]) if b <= ARTICLE_CHARS]
    return stops[-1] if stops else start + ARTICLE_CHARS


def _in_quotation_marks(text: str) -> list[str]:
    """Quote with signs that the text itself does not leave open; where none fits, the sentences for which one does."""
    if not any(char.isalnum() for char in text):
        return []
    for opening, closing in QUOTES.items():
        is_one_line = opening != closing or "\n" not in text  # a straight quotation ends with its line
        if is_one_line and quoted_ranges(f"{opening}{text}{closing}") == [(1, len(text) + 1)]:
            return [f"{opening}{text}{closing}"]
    sentences = split_sentences(text)
    if len(sentences) < 2:
        return []
    return [quoted for start, end in sentences for quoted in _in_quotation_marks(text[start:end])]


def _heads(passage: Passage, language: Language) -> str:
    """What must stand beside rows of a table: labels of its columns, unit and period."""
    said = passage.frame.described(language) if passage.frame else ""
    said = _UNFIT_IN_A_NAME.sub(" ", said).strip()
    return said and (f"（{said}）" if language == "zh" else f" ({said})")


def _name(passage: Passage, language: Language) -> str:
    work = _UNFIT_IN_A_NAME.sub(" ", passage.work or passage.title).strip().translate(_INNER_TITLE)
    locator = _UNFIT_IN_A_NAME.sub(" ", passage.locator).strip()
    heads = _heads(passage, language)
    if _HAN.search(work):
        return f"《{work}》{locator}{heads}{'：' if language == 'zh' else ': '}"
    name = ", ".join(part for part in (work, locator) if part) + heads
    return name + ("：" if language == "zh" else ": ") if name else ""
