"""Whether a question can be understood without what was said before it: by its words alone, in Chinese and English.

A question leans when it points back (该条, 这种情况, "does that apply"), when it begins as a continuation (那…, "what
about"), when it is a word or two, or when nothing is left of it but what may be asked of anything (需要哪些材料, "how
long does it take"). It does not where what it points to stands in it (我老公…他, "a tenant … his"), and a continuation
that has content of its own and shares none with what was said is a new topic (另外，醉酒驾驶怎么处罚).

The words are in ``leaning.toml``. How often they are right: ``tests/unit/strategies/test_leaning.py``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from ragsvc.citing.claims import content

SHORT_HAN, SHORT_WORDS = 6, 4
"""A question of fewer Han characters or words does not stand by itself, unless it asks what something is."""
LEAST_HAN, LEAST_WORDS = 2, 2
"""Of its own, besides what may be asked of anything."""
NEW_TOPIC_HAN, NEW_TOPIC_WORDS = 4, 3
"""Of its own, for a continuation to be about something else."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_CLAUSE_ENDS = re.compile(r"[，,；;。]")


@cache
def _words() -> dict[str, dict[str, re.Pattern[str]]]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        language: {name: re.compile("|".join(parts), re.IGNORECASE) for name, parts in kinds.items()}
        for language, kinds in table.items()
    }


def leans(question: str, before: str = "") -> bool:
    """Whether a question cannot be understood without what was said before it.

    Args:
        question: what was asked.
        before: what was said, to see whether a continuation goes on with it.
    """
    text = question.strip()
    n_han = len(_HAN.findall(text))
    words = _words()["zh" if n_han else "en"]
    if (changed := words["changes"].sub("", text, count=1)) != text:
        return not _own_zh(changed) >= LEAST_HAN if n_han else not _own_en(changed)
    return _leans_zh(text, n_han, before) if n_han else _leans_en(text, before)


def _own_zh(text: str) -> int:
    """Return how many Han characters of a text are about something; a Latin word counts as two."""
    rest = _words()["zh"]["anything"].sub("", text)
    return len(_HAN.findall(rest)) + 2 * len(_WORD.findall(rest))


def _own_en(text: str) -> int:
    """Return how many words of a text are about something."""
    anything = _words()["en"]["anything"]
    return sum(anything.fullmatch(word) is None for word in _WORD.findall(text))


def _leans_zh(text: str, n_han: int, before: str) -> bool:
    words = _words()["zh"]
    n_own = _own_zh(text)
    if words["points"].search(text) or _points_by_pronoun_zh(text) or words["ellipsis"].search(text):
        return True
    if n_own >= LEAST_HAN and words["defines"].search(text):
        return False
    is_name_only = text.rstrip("？? ").endswith("呢") and not words["asks"].search(text)
    if n_own < LEAST_HAN or n_han < SHORT_HAN or is_name_only:
        return True
    return words["goes_on"].match(text) is not None and (n_own < NEW_TOPIC_HAN or shares(text, before))


def _leans_en(text: str, before: str) -> bool:
    words = _words()["en"]
    n_own = _own_en(text)
    if words["points"].search(text) or _points_by_pronoun_en(text):
        return True
    if n_own and words["defines"].search(text):
        return False
    if n_own < LEAST_WORDS or len(_WORD.findall(text)) < SHORT_WORDS:
        return True
    return words["goes_on"].match(text) is not None and (n_own < NEW_TOPIC_WORDS or shares(text, before))


def _points_by_pronoun_zh(text: str) -> bool:
    words = _words()["zh"]
    for pronoun in words["pronoun"].finditer(text):
        ahead = text[: pronoun.start()]
        if pronoun[0] in "他她":
            is_named = words["person"].search(ahead) is not None
        else:  # 其 may follow its noun at once, 它 stands in a clause of its own
            clauses = _CLAUSE_ENDS.split(ahead)
            is_named = any(_own_zh(clause) >= LEAST_HAN for clause in (clauses if pronoun[0] == "其" else clauses[:-1]))
        if not is_named:
            return True
    return False


def _points_by_pronoun_en(text: str) -> bool:
    words = _words()["en"]
    rest = words["empty"].sub(" ", text)
    return any(not words["antecedent"].search(rest[: found.start()]) for found in words["pronoun"].finditer(rest))


def shares(text: str, before: str) -> bool:
    """Whether two texts have words in common besides those that may be asked of anything."""
    return bool(_about(text) & _about(before))


def _about(text: str) -> frozenset[str]:
    words = _words()
    rest = words["zh"]["anything"].sub(" ", text)
    return frozenset(word for word in content(rest) if not words["en"]["anything"].fullmatch(word))
