"""What a domain says and refuses whatever a model writes, read from ``gates.zh.toml`` and ``gates.en.toml`` of a pack.

A rule looks at words only. A sign (嘴歪, "can't breathe") counts where it stands in a clause that neither denies it nor
tells of the past; a name of a disease counts only beside words that make it someone's, now; a question that asks what
something is raises nothing. Where no rule speaks, the weights of ``red_flags.LANGUAGE.tsv`` may:
``domains/red_flags.py`` tells how, and how many emergencies both miss.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from msgspec import Struct, convert

from ragsvc.citing.sentences import split_sentences
from ragsvc.domains.red_flags import Weights, folded, language_of
from ragsvc.prompting import Language
from ragsvc.records import NoticeKind, Passage

Severity = Literal["urgent", "warning", "info"]

_MOST_CHARS = 4_000
"""Of a question: what is read of it for signs."""


class Finding(Struct, frozen=True, kw_only=True):
    """A notice before its places are proven: ``places`` are (number of the passage from 1, start, end in its text)."""

    kind: NoticeKind
    severity: Severity
    topic: str
    text: str
    places: tuple[tuple[int, int, int], ...] = ()


Facts = Mapping[str, tuple[str, str]]
"""Document id -> (kind, issuer) of its work."""

Compare = Callable[[str, Sequence[Passage], Language, Facts], list[Finding]]
"""(what was said, passages, language, facts) -> findings."""


class RedFlag(Struct, frozen=True, forbid_unknown_fields=True):
    """One emergency. ``signs``: each a pattern, or several that must all be met; ``names`` need someone who has it."""

    topic: str
    text: str
    """Key in ``texts``."""
    signs: list[str | list[str]] = []
    names: list[str] = []
    is_always: bool = False
    """Whether it counts in the past as well: who thought of suicide before is asked to seek help too."""


class Context(Struct, frozen=True, forbid_unknown_fields=True):
    """Patterns that tell whether a sign is there now."""

    educational: str
    """A question about the thing itself."""
    person: str
    """Someone who has it: with one of these a question is not only about the thing."""
    now: str
    past: str
    denied: str
    """Right before a sign."""
    denied_after: str
    """Right after it."""
    suspected: str
    """Of ``{name}``: someone seems to have it now."""


class MissingFact(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact about the reader that a source depends on and the question does not state; all fields are patterns."""

    topic: str
    asks: str
    """What the question is about when the fact matters."""
    depends: str
    """In a source: a sentence that holds for some readers only."""
    stated: str
    """In what the reader said."""
    text: str


class Advice(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for and not given."""

    topic: str
    asks: str
    gives: str
    """In a sentence of an answer, which is then left out."""
    text: str


class Calculation(Struct, frozen=True, forbid_unknown_fields=True):
    """A figure that follows from two others."""

    topic: str
    name: dict[Language, str]
    asks: str
    """In a question that asks for it."""
    words: str
    """In a sentence that gives it."""
    formula: str
    """Of ``{new}`` and ``{old}``, for ``strategies.calculator``."""
    shown: str
    """The same as it is shown."""
    unit: str
    """Of what comes out; empty = that of the figures."""


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A ``gates.LANGUAGE.toml``."""

    scope: str = ""
    texts: dict[str, str] = {}
    context: Context | None = None
    red_flags: list[RedFlag] = []
    unforeseen: RedFlag | None = None
    """What the weights raise."""
    missing_facts: list[MissingFact] = []
    advice: list[Advice] = []
    cited_units: list[str] = []
    calculations: list[Calculation] = []


class Gates:
    """The gates of one domain; the data files of both languages, and for law the comparison of norms.

    Args:
        package_file: ``__file__`` of a pack; beside it lie the files. One that is not there says nothing.
        compare: more findings, from what was said and the passages.
    """

    def __init__(self, package_file: str = "", compare: Compare | None = None) -> None:
        self._folder = Path(package_file).parent if package_file else None
        self._compare = compare

    @cached_property
    def _tables(self) -> dict[Language, _Table]:
        return {"zh": self._read("zh"), "en": self._read("en")}

    def _read(self, language: Language) -> _Table:
        path = self._folder / f"gates.{language}.toml" if self._folder else None
        return convert(tomllib.loads(path.read_text("utf-8")), _Table) if path and path.exists() else _Table()

    @cached_property
    def _weights(self) -> dict[Language, Weights]:
        paths = {language: self._folder / f"red_flags.{language}.tsv" for language in self._tables if self._folder}
        return {language: Weights.read(path) for language, path in paths.items() if path.exists()}

    def scope(self, language: Language) -> str:
        """Return what questions of this domain are about, as part of a sentence; empty = anything."""
        return self._tables[language].scope

    @property
    def cited_units(self) -> frozenset[str]:
        """Units (of ``citing.amounts``) of figures that an answer gives only with a citation that holds them."""
        return frozenset(unit for table in self._tables.values() for unit in table.cited_units)

    @property
    def calculations(self) -> list[Calculation]:
        """What may be worked out."""
        return [one for table in self._tables.values() for one in table.calculations]

    @property
    def compares(self) -> bool:
        """Whether the passages are compared with each other, by the facts of their works."""
        return self._compare is not None

    def refuses(self, claim: str) -> bool:
        """Whether a sentence of an answer gives what this domain does not give."""
        text = folded(claim)
        return any(_found(one.gives, text) for table in self._tables.values() for one in table.advice)

    def of_question(self, question: str, language: Language) -> list[Finding]:
        """Return what the question alone raises; patterns of both languages are looked for."""
        text = folded(question[:_MOST_CHARS])
        flags, texts = list(self._foreseen(text)), self._tables[language].texts
        unforeseen = self._tables[language].unforeseen
        if unforeseen and not flags and self._weigh(text) > 0:
            flags = [unforeseen]
        found: dict[str, Finding] = {}
        for flag in flags:
            said = texts[flag.text]
            found.setdefault(said, Finding(kind="red_flag", severity="urgent", topic=flag.topic, text=said))
        for table in self._tables.values():
            for one in table.advice:
                said = next((same.text for same in self._tables[language].advice if same.topic == one.topic), one.text)
                if said not in found and _found(one.asks, text):
                    found[said] = Finding(kind="advice", severity="warning", topic=one.topic, text=said)
        return list(found.values())

    def foresees(self, question: str) -> bool:
        """Whether a pattern, not a weight, finds an emergency in it."""
        return any(self._foreseen(folded(question[:_MOST_CHARS])))

    def _foreseen(self, text: str) -> Iterator[RedFlag]:
        for table in self._tables.values():
            if context := table.context:
                yield from (flag for flag in table.red_flags if _is_raised(flag, text, context))

    def _weigh(self, text: str) -> float:
        weights = self._weights.get(language_of(text))
        return weights.score(text) if weights else 0.0

    def of_passages(
        self, said: str, passages: Sequence[Passage], language: Language, facts: Facts | None = None
    ) -> list[Finding]:
        """Return what the passages raise for someone who ``said`` this, the question last."""
        text = folded(said)
        found = []
        for one in self._tables[language].missing_facts:
            asks = any(_found(same.asks, text) for same in self._same(one.topic))
            stated = any(_found(same.stated, text) for same in self._same(one.topic))
            places = _sentences_with([same.depends for same in self._same(one.topic)], passages) if asks else ()
            if places and not stated:
                found.append(
                    Finding(kind="missing_fact", severity="info", topic=one.topic, text=one.text, places=places)
                )
        return [*found, *(self._compare(said, passages, language, facts or {}) if self._compare else ())]

    def _same(self, topic: str) -> list[MissingFact]:
        return [one for table in self._tables.values() for one in table.missing_facts if one.topic == topic]


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _found(pattern: str, text: str) -> re.Match[str] | None:
    return _pattern(pattern).search(text) if pattern else None


_CLAUSE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s|$)")


def _is_raised(flag: RedFlag, text: str, context: Context) -> bool:
    is_about_someone = _found(context.person, text) is not None
    if _found(context.educational, text) and not is_about_someone:
        return False
    for sign in flag.signs:
        parts = [sign] if isinstance(sign, str) else sign
        if all(any(_stands(match, text, context, flag) for match in _pattern(p).finditer(text)) for p in parts):
            return True
    named = (context.suspected.replace("{name}", f"(?:{name})") for name in flag.names)
    return any(_stands(match, text, context, flag) for name in named for match in _pattern(name).finditer(text))


def _stands(match: re.Match[str], text: str, context: Context, flag: RedFlag) -> bool:
    """Whether what was found is said of now and not denied."""
    before, after = text[: match.start()], text[match.end() :]
    if re.search(f"(?:{context.denied})$", before, re.IGNORECASE) or re.match(
        context.denied_after, after, re.IGNORECASE
    ):
        return False
    if flag.is_always:
        return True
    ends = [end.end() for end in _CLAUSE_END.finditer(before)]
    stop = _CLAUSE_END.search(after)
    sentence = before[ends[-1] if ends else 0 :] + match[0] + (after[: stop.start()] if stop else after)
    return _found(context.past, sentence) is None or _found(context.now, sentence) is not None


def _sentences_with(patterns: Iterable[str], passages: Sequence[Passage]) -> tuple[tuple[int, int, int], ...]:
    """The first sentence of each passage that one of the patterns finds, of at most two passages."""
    wanted = list(patterns)
    places = []
    for number, passage in enumerate(passages, 1):
        for start, end in split_sentences(passage.text):
            if any(_found(pattern, passage.text[start:end]) for pattern in wanted):
                places.append((number, start, end))
                break
    return tuple(places[:2])
