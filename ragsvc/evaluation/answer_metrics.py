"""What is measured of one answer. Pure functions, no model: the same answer always has the same figures.

Citation recall and precision are ALCE's (Gao et al. 2023, arXiv 2305.14627, section 3): a statement is recalled when
the passages that it cites entail it together; a citation of such a statement is precise unless it neither supports the
statement alone nor is needed by the others. Entailment by a model is replaced by ``entails``, which a reader can check.
ROUGE-L is Lin's (2004) F1 over Han characters and Latin words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from ragsvc.citing.amounts import numbers, unfound_numbers, without_list_signs
from ragsvc.citing.claims import SearchableText, content, is_quotation, quoted_ranges, squeeze
from ragsvc.citing.sentences import MARK, split_sentences
from ragsvc.records import Answer, Passage

ENTAILED_SHARE = 0.5
"""Of a statement's content that stands in the passages. The answer checker asks for .15 before it releases a mark: a
statement that only just passed there does not count as entailed here."""
LEAST_CONTENT = 3
"""Pairs of characters or words, under which a sentence states nothing; twice as many where no stop ends it."""

_MARK = re.compile(MARK)
_NUMBER = re.compile(r"\d{1,3}")
_TOKEN = re.compile(r"[\u3400-\u9fff]|[A-Za-z]+|\d+(?:\.\d+)?")
_OWN_WORDS = re.compile(
    r"以下为原文摘录，非生成内容：|Extracts from the sources, nothing is generated:"
    r"|所检索的资料中没有。|None in what was searched\."
    r"|（(?:本回答没有可核实的引用|有 \d+ [处句]|未在所引原文中找到：|与原文不符：|计算：|以下略|模型|资料超出)[^）]*）"
    r"|\((?:Nothing in this answer rests|\d+ (?:citation marks could|sentences that)|not found in the sources:"
    r"|differs from the source:|worked out:|the article goes on|The model reached|The content filter of"
    r"|The sources exceed)[^)]*\)"
)
"""What the service says around an answer: intro of extracts, empty parts of a report, notes of all kinds."""
_ENDS = '。！？；.!?;”’"」』）)'


class CitationFigures(Struct, frozen=True):
    """Counts of one answer; ratios of sums over answers are micro averages."""

    n_statements: int
    n_recalled: int
    n_citations: int
    n_precise: int

    @property
    def recall(self) -> float | None:
        """Share of the statements that their citations entail; None without statements."""
        return self.n_recalled / self.n_statements if self.n_statements else None

    @property
    def precision(self) -> float | None:
        """Share of the citations that are precise; None without citations."""
        return self.n_precise / self.n_citations if self.n_citations else None


def own_text(answer: str) -> str:
    """Return an answer without marks and without what the service itself says around it."""
    return _OWN_WORDS.sub("", _MARK.sub("", answer)).strip()


def measure_citations(answer: Answer, question: str) -> CitationFigures:
    """Count the statements and the citations of one answer by ALCE's rules."""
    asked = content(question)
    n_statements = n_recalled = n_citations = n_precise = 0
    text = _OWN_WORDS.sub("", answer.answer)
    for start, end in split_sentences(text):
        sentence = text[start:end]
        statement = _MARK.sub("", sentence)
        cited = _cited(sentence, answer.passages)
        words = content(statement)
        is_heading = len(words) < LEAST_CONTENT or (len(words) < 2 * LEAST_CONTENT and statement[-1] not in _ENDS)
        if not cited and (is_heading or words <= asked):  # or it is the question said again
            continue
        n_statements += 1
        n_citations += len(cited)
        if entails(cited, statement):
            n_recalled += 1
            n_precise += sum(_is_needed(at, cited, statement) for at in range(len(cited)))
    return CitationFigures(n_statements, n_recalled, n_citations, n_precise)


def _cited(sentence: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages that the marks of a sentence name, each once; marks out of range were never released."""
    named = [int(number) for mark in _MARK.findall(sentence) for number in _NUMBER.findall(mark)]
    return [passages[number - 1] for number in dict.fromkeys(named) if 1 <= number <= len(passages)]


def _is_needed(at: int, cited: Sequence[Passage], statement: str) -> bool:
    """Whether a citation supports the statement alone, or the others do not support it without this one."""
    others = [passage for n, passage in enumerate(cited) if n != at]
    return entails([cited[at]], statement) or not entails(others, statement)


def entails(passages: Sequence[Passage], statement: str) -> bool:
    """Whether the passages together state what the statement does.

    They hold every quotation of it, every figure of it, and ``ENTAILED_SHARE`` of its content; names and locators of
    the passages count as stated.
    """
    if not passages:
        return False
    text = "\n".join(f"{p.work}\n{p.title}\n{p.locator}\n{p.text}" for p in passages)
    searchable = SearchableText.of(text)
    quoted = [statement[a:b] for a, b in quoted_ranges(statement) if is_quotation(statement[a:b])]
    if not all(searchable.find(quotation) for quotation in quoted):
        return False
    known = frozenset((n.value, n.unit) for n in numbers(text))
    if unfound_numbers(numbers(without_list_signs(statement)), known):
        return False
    wanted = content(statement)
    return len(wanted & content(text)) >= ENTAILED_SHARE * len(wanted)


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of tokens, in [0, 1]."""
    ours, theirs = _TOKEN.findall(text.lower()), _TOKEN.findall(reference.lower())
    common = longest_common(ours, theirs)
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the length of the longest common subsequence; bits of one integer stand for ``a`` (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for at, token in enumerate(a):
        places[token] = places.get(token, 0) | 1 << at
    every = (1 << len(a)) - 1
    rows = every
    for token in b:
        matched = rows & places.get(token, 0)
        rows = ((rows + matched) | (rows - matched)) & every
    return len(a) - rows.bit_count()


def article_key(work: str, locator: str) -> str:
    """Return how a labelled set writes an article, without white space: 中华人民共和国民法典第五十四条."""
    return squeeze(f"{work}{locator}")
