"""Asking back: what counts as a question, and whether it was asked before."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from ragsvc.citing.sentences import MARK, split_sentences
from ragsvc.prompting import neutralise
from ragsvc.records import AskRequest

MOST_CHARS = 200
"""Of a question back; a longer text is advice, whatever sign it ends with."""
SAME = 0.75
"""Two questions are one when they share this much of their pairs of characters (or words), as a Jaccard index."""

_ASKS = re.compile(r"[？?]|吗|呢|什么|有没有|是否|多少|几次|多久|怎么样|哪")
"""BianQue's signs of a question (bianque_v1_v2_app.py), without 么, which 那么 and 这么 hold as well."""
_ALTERNATIVES = re.compile(r"(?:^|[：:，,是为]|属于)([^，,。：:？?是为]{1,16}?)[，,]?还是([^，,。？?]{1,16})[？?]?$")
_ALTERNATIVES_EN = re.compile(
    r"\b((?P<article>the|an?|your) [\w-]+|[\w-]+),? or ((?(article)(?:the|an?|your) [\w-]+|[\w-]+))\?$"
)
_YES_OR_NO = re.compile(r"吗[？?]?$|是否|有没有|是不是|能否|可否|有无")
_YES_OR_NO_EN = re.compile(r"(?:do|does|did|is|are|was|were|have|has|had|can|could|will|would|should)\b", re.IGNORECASE)
_ANY_MARK = re.compile(MARK)
_POLITE = re.compile(r"请问|[您你的吗呢么啊]|\b(?:please|could you|can you|tell me|your?|the|a)\b")
_TOKEN = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+")


def read_question(text: str) -> str:
    """Return the question that a model asks, as plain text; empty when it asks none.

    That is the first sentence with a question mark or, of a short text, the whole where it asks by a word.
    """
    plain = neutralise(_ANY_MARK.sub("", text)).strip()
    sentences = [plain[start:end] for start, end in split_sentences(plain)]
    asked = next((s for s in sentences if s.rstrip('”’"」』）)').endswith(("？", "?"))), "")
    if not asked and len(sentences) == 1 and _ASKS.search(plain):
        asked = plain
    return asked if len(asked) <= MOST_CHARS and any(map(str.isalnum, asked)) else ""


def choices_of(question: str) -> tuple[str, ...]:
    """Return the answers that a question names: its two alternatives, else yes and no where it asks for those."""
    plain = question.strip()
    if found := _ALTERNATIVES.search(plain):
        return found[1].strip(), found[2].strip()
    if found := _ALTERNATIVES_EN.search(plain):
        return found[1], found[3]
    if _YES_OR_NO.search(plain):
        return "是", "否"
    return ("Yes", "No") if _YES_OR_NO_EN.match(plain) and " or " not in plain else ()


def questions_asked(request: AskRequest) -> list[str]:
    """Return the questions that were asked back so far, oldest first."""
    turns = [turn.content for turn in request.history if turn.role == "assistant"]
    return [question for turn in turns if len(turn) <= 2 * MOST_CHARS and (question := read_question(turn))]


def last_was_question(request: AskRequest) -> bool:
    """Whether the user's turn is what is said to a question back."""
    last = request.history[-1] if request.history else None
    if last is None or last.role != "assistant" or len(last.content) > 2 * MOST_CHARS:
        return False
    return bool(read_question(last.content))


def is_new(question: str, asked: list[str]) -> bool:
    """Whether a question was not asked yet, be it in slightly other words."""
    new = _pairs(question)
    return all(len(new & old) < SAME * len(new | old) for old in map(_pairs, asked))


def _pairs(text: str) -> frozenset[tuple[str, ...]]:
    tokens = _TOKEN.findall(_POLITE.sub("", unicodedata.normalize("NFKC", text).lower()))
    return frozenset(pairwise(tokens)) if len(tokens) > 1 else frozenset([tuple(tokens)])
