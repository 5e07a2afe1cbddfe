"""Releases an answer sentence by sentence, with every citation proven first.

A mark is proven when its passage holds what it closes: the words between quotation marks, exactly; else a sentence
that shares enough of its content. The citation's quote is that place, read again from the stored version. The marks
of the answer, in order, are the markers of its citations, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Literal

from ragsvc.citing.alignment import Word, words_of
from ragsvc.citing.amounts import numbers, unfound_numbers
from ragsvc.citing.cells import cells_of
from ragsvc.citing.claims import SearchableText, content, is_quotation, quoted_ranges, squeeze, works_named
from ragsvc.citing.defusing import defuse
from ragsvc.citing.differences import MISQUOTE_COVERAGE, MISQUOTE_WORDS, Comparison, claim_words, compare
from ragsvc.citing.marks import Mark, find_marks
from ragsvc.citing.rules import ReleaseRules, repeats
from ragsvc.citing.sentences import Sentence, split_sentences
from ragsvc.errors import RagsvcError
from ragsvc.records import Citation, CitationChecked, GroundedSentence, Passage, TextReleased

ReadText = Callable[[str, int, int], str]
"""``(version_id, start, end)`` -> the stored text of that range."""

LEAST_SHARED = 2
LEAST_SHARE = 0.15
"""Support = at least this many pairs of Han characters or words in common, and this share of those in the claim.

Of 2,225 sentences of lawyers' answers (STARD) the articles named for the question support 68 %, an article drawn by
lot 1.1 %; a share of .10 gives 78 % and 2.8 %, .25 gives 52 % and 0.2 % (tests/real/test_citing_statutes.py).
"""

_NOTES = {
    "zh": {
        "unfound": "（未在所引原文中找到：{}）",
        "differs": "（与原文不符：{}）",
        "instead": "“{}”，原文为“{}”",
        "left_out": "（有 {} 句与所引原文不符或在其中找不到依据，已略去。）",
        "worked_out": "（计算：{}）",
        "refused": "（有 {} 句超出本服务可以提供的内容，已略去。）",
        "withheld": "（有 {} 处引用标记无法核实，已移去。）",
        "uncited": "（本回答没有可核实的引用。）",
    },
    "en": {
        "unfound": " (not found in the sources: {})",
        "differs": " (differs from the source: {})",
        "instead": "“{}”, the source says “{}”",
        "left_out": "({} sentences that differ from the sources or are not borne out by them were left out.)",
        "worked_out": " (worked out: {})",
        "refused": "({} sentences that this service does not give were left out.)",
        "withheld": "({} citation marks could not be verified and were removed.)",
        "uncited": "(Nothing in this answer rests on a verified citation.)",
    },
}

_TITLE_SIGNS = str.maketrans("", "", "《》〈〉<>")


class AnswerChecker:
    """Checks one answer, sentence by sentence as a ``SentenceCutter`` gives them; events come in the order to be sent.

    Blocks while it reads stored text. ``text`` is all that was released, ``withheld`` counts marks taken out,
    ``unfound`` lists what was not found or differs and ``grounding`` says what each sentence rests on. A sentence with
    something unfound is marked or left out, as the rules say. Nothing released is an image, a link or markup.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        question: str,
        language: Literal["zh", "en"],
        read_text: ReadText,
        rules: ReleaseRules | None = None,
    ) -> None:
        self._rules = rules or ReleaseRules()
        self._language = language
        self._released: list[str] = []
        self.discard(0)
        self._question = question
        self._notes = _NOTES[language]
        self._joint = "；" if language == "zh" else "; "
        self._read_text = read_text
        self.use(passages)

    def use(self, passages: Sequence[Passage]) -> None:
        """From here on, marks count in ``passages``."""
        self._sources = [_Source(passage) for passage in passages]
        asked = numbers(self._question)
        known = [key for source in self._sources for key in source.number_keys]
        self._known_numbers = frozenset((*known, *((n.value, n.unit) for n in asked)))
        self._known_names = [_name_key(self._question)] + [_name_key(s.names_and_text) for s in self._sources]

    def discard(self, n_released: int) -> None:
        """Forget a draft of which nothing was sent: all but the first ``n_released`` texts."""
        del self._released[n_released:]
        self.citations: list[Citation] = []
        self.withheld = self._n_left_out = self._n_refused = 0
        self.unfound: list[str] = []
        self.grounding: list[GroundedSentence] = []

    @property
    def n_released(self) -> int:
        """How many texts were released."""
        return len(self._released)

    @property
    def text(self) -> str:
        return "".join(self._released)

    def release(self, text: str) -> TextReleased:
        """Release text of our own, which claims nothing."""
        text = self._defused(text)
        self._released.append(text)
        return TextReleased(text)

    def check(self, sentences: Iterable[Sentence]) -> list[CitationChecked | TextReleased]:
        """Take the next sentences of the answer; return what may go out, each citation before its mark."""
        return [event for sentence in sentences for event in self._check(sentence)]

    def finish(self, sentences: Iterable[Sentence]) -> list[CitationChecked | TextReleased]:
        """As ``check`` for the last sentences, with a closing note when marks were taken out or none held."""
        events = self.check(sentences)
        notes = []
        if self.withheld:
            notes.append(self._notes["withheld"].format(self.withheld))
        if self._n_left_out:
            notes.append(self._notes["left_out"].format(self._n_left_out))
        if self._n_refused:
            notes.append(self._notes["refused"].format(self._n_refused))
        if not self.citations:
            notes.append(self._notes["uncited"])
        if notes:
            start = "\n\n" if self.text.strip() else ""
            events.append(self.release(start + "".join(notes)))
        return events

    def _check(self, sentence: Sentence) -> list[CitationChecked | TextReleased]:
        if sentence.is_code:
            return [self.release(sentence.text)]
        text = sentence.text
        events: list[CitationChecked | TextReleased] = []
        parts: list[str] = []
        done = 0
        marks = find_marks(text, self._literal_ranges(text))
        for mark in marks:
            proven = self._prove(mark)
            before = text[done : mark.start]
            parts.append(before if proven else before.rstrip(" \t"))
            parts += [citation.marker for citation in proven]
            events += [CitationChecked(citation) for citation in proven]
            done = mark.end
        parts.append(text[done:])
        released = self._defused("".join(parts))
        claim = _without(text, ((m.start, m.end) for m in marks))
        if self._is_refused(claim):
            self._n_refused += 1
            return []
        note, has_fault = self._judge(claim, [event.citation for event in events if isinstance(event, CitationChecked)])
        if has_fault and self._rules.leaves_out:
            self._n_left_out += 1
            return []
        body = released.rstrip()
        if any(map(str.isalnum, claim)):
            self._ground(claim, len(body), is_cited=bool(events), has_fault=has_fault)
        released = body + note + released[len(body) :]
        self.citations += [event.citation for event in events if isinstance(event, CitationChecked)]
        return [*events, self.release(released)] if released else events

    def _defused(self, text: str) -> str:
        known = "\n".join(source.names_and_text for source in self._sources)
        return defuse(text, self._language, known, self._released[-1] if self._released else "")

    def _is_refused(self, claim: str) -> bool:
        """Whether a sentence says in its own words what is not given, or repeats what was not meant to be read."""
        if self._rules.refuses(_without(claim, quoted_ranges(claim))):
            return True
        return repeats(claim, self._rules.hidden, [source.searchable.squeezed for source in self._sources])

    def _judge(self, claim: str, cited: Sequence[Citation]) -> tuple[str, bool]:
        """Return a note on what stands in no source, or otherwise in one that the claim repeats; and whether it does.

        A figure that follows from others of the sentence is no fault: the note then shows how.
        """
        unfound, worked_out = self._find_unfound(claim, cited)
        if unfound:
            self.unfound += unfound
            return self._notes["unfound"].format(self._joint.join(unfound)), True
        if found := self._misquoted(claim):
            self.unfound += [difference.claim or difference.source for difference in found.differences]
            said = [self._notes["instead"].format(d.claim or "–", d.source or "–") for d in found.differences]
            return self._notes["differs"].format(self._joint.join(said)), True
        return (self._notes["worked_out"].format(self._joint.join(worked_out)) if worked_out else ""), False

    def _misquoted(self, claim: str) -> Comparison | None:
        """Lay the claim along the source that it all but repeats; None when there is none, or when one says it."""
        words = claim_words(claim)
        if len(words) < MISQUOTE_WORDS:
            return None
        compared = [found for s in self._sources if (found := compare(claim, words, s.passage.text, s.words))]
        if any(found.is_supported for found in compared):
            return None
        return next((found for found in compared if found.is_misquoted(MISQUOTE_WORDS, MISQUOTE_COVERAGE)), None)

    def _ground(self, claim: str, length: int, *, is_cited: bool, has_fault: bool) -> None:
        """Note what the sentence rests on that is released next."""
        support: Literal["cited", "retrieved", "none"] = "none"
        if not has_fault and is_cited:
            support = "cited"
        elif not has_fault and any(source.support(claim, self._known_names) for source in self._sources):
            support = "retrieved"
        start = len(self.text)
        self.grounding.append(GroundedSentence(start=start, end=start + length, support=support))

    def _literal_ranges(self, text: str) -> list[tuple[int, int]]:
        """A bracketed number inside a quotation that a source holds as it stands is the source's, not a mark."""
        return [(a, b) for a, b in quoted_ranges(text) if any(s.searchable.find(text[a:b]) for s in self._sources)]

    def _prove(self, mark: Mark) -> list[Citation]:
        proven = []
        for number in mark.numbers:
            source = self._sources[number - 1] if 1 <= number <= len(self._sources) else None
            place = source.support(mark.claim, self._known_names) if source else None
            citation = prove_place(source.passage, number, place, self._read_text) if source and place else None
            if citation:
                proven.append(citation)
            else:
                self.withheld += 1
        return proven

    def _find_unfound(self, text: str, cited: Sequence[Citation]) -> tuple[list[str], list[str]]:
        """Return what is not in the sources, as written, and the calculations that the other figures follow from."""
        quotations = [text[a:b] for a, b in quoted_ranges(text) if is_quotation(text[a:b])]
        lost = [f"“{q}”" for q in quotations if not self._is_known(q)]
        lost += [f"《{name}》" for name in works_named(text) if not _holds(self._known_names, name)]
        sources = [self._sources[int(citation.marker.strip("[]")) - 1] for citation in cited]
        proven = frozenset(key for source in sources for key in source.number_keys)
        said = numbers(text)
        wanting = [
            n for n in said if unfound_numbers([n], proven if self._rules.needs_citation(n) else self._known_numbers)
        ]
        operands = [n for n in said if n not in wanting and not unfound_numbers([n], proven)]
        worked_out = []
        for number in wanting:
            if shown := self._rules.work_out(text, number, operands):
                worked_out.append(shown)
            else:
                lost.append(number.written)
        return list(dict.fromkeys(lost)), list(dict.fromkeys(worked_out))

    def _is_known(self, quotation: str) -> bool:
        asked = SearchableText.of(self._question)
        return any(source.find(quotation) for source in (asked, *(s.searchable for s in self._sources)))


def prove_place(passage: Passage, number: int, place: tuple[int, int], read_text: ReadText) -> Citation | None:
    """Return the citation of ``passage.text[place]`` as [number], if the stored version has these words there."""
    quote = passage.text[slice(*place)]
    start, end = passage.start + place[0], passage.start + place[1]
    try:
        if read_text(passage.version_id, start, end) != quote:
            return None
    except RagsvcError:  # the version was removed since it was found
        return None
    shared = {name: getattr(passage, name) for name in Citation.__struct_fields__ if hasattr(passage, name)}
    cells = cells_of(quote, passage.frame) if passage.frame else ()
    found = {"marker": f"[{number}]", "quote": quote, "start": start, "end": end, "cells": cells}
    return Citation(**shared | found)


class _Source:
    """A passage, prepared to be searched once something cites it."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage

    @cached_property
    def searchable(self) -> SearchableText:
        return SearchableText.of(self.passage.text)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        return words_of(self.passage.text)

    @cached_property
    def number_keys(self) -> frozenset[tuple[str, str]]:
        return frozenset((n.value, n.unit) for n in numbers(self.names_and_text))

    @cached_property
    def names_and_text(self) -> str:
        return f"{self._names}\n{self.passage.text}"

    @cached_property
    def _names(self) -> str:
        p = self.passage
        dates = (day.isoformat() for day in (p.effective_from, p.effective_to) if day)
        frame = (p.frame.described(language) for language in ("zh", "en")) if p.frame else ()
        return "\n".join((p.work, p.title, p.locator, *p.heading_path, *dates, *frame))

    @cached_property
    def _sentences(self) -> list[tuple[tuple[int, int], frozenset[str]]]:
        text = self.passage.text
        return [(place, content(text[slice(*place)])) for place in split_sentences(text)]

    @cached_property
    def _articles(self) -> frozenset[str]:
        return _articles(self.names_and_text)

    def support(self, claim: str, known_names: Sequence[str]) -> tuple[int, int] | None:
        """Return the place in the passage that supports ``claim``, or None.

        A claim that names a work needs a source that knows it, one that names articles needs one of them to be here,
        and one that quotes needs all its quotations here (even short ones when it does nothing but quote); the longest
        is the place. Otherwise it is the sentence that shares most with the claim, the longest of equals.
        """
        in_marks = quoted_ranges(claim)
        is_bare = not content(_without(claim, in_marks)) - content(self._names)
        quoted = [(a, b) for a, b in in_marks if is_bare or is_quotation(claim[a:b])]
        own_words = _without(claim, quoted)
        named = _articles(own_words)
        if (named and not named & self._articles) or not all(_holds(known_names, n) for n in works_named(own_words)):
            return None
        if quoted:
            places = [self.searchable.find(claim[a:b]) for a, b in quoted]
            return None if None in places else max((p for p in places if p), key=lambda p: p[1] - p[0])
        wanted = content(claim)
        best = max(self._sentences, key=lambda s: (len(wanted & s[1]), s[0][1] - s[0][0]), default=None)
        if best is None or len(wanted & best[1]) < max(min(LEAST_SHARED, len(wanted)), LEAST_SHARE * len(wanted), 1):
            return None
        return best[0]


def _articles(text: str) -> frozenset[str]:
    return frozenset(n.value for n in numbers(text) if n.unit == "article")


def _holds(known: Iterable[str], name: str) -> bool:
    return any(_name_key(name) in names for names in known)


def _name_key(text: str) -> str:
    """Inside 《》 a further title stands in 〈〉 or 《》, as the writer likes."""
    return squeeze(text).translate(_TITLE_SIGNS)


def _without(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    for start, end in ranges:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
