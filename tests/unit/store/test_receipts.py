"""Kept answers: each is found by the place it cites, until it is forgotten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ragsvc.errors import NotFound
from ragsvc.records import Answer, Citation, Usage
from ragsvc.store.database import Database
from ragsvc.store.receipts import MAX_RANGES, Receipts


@pytest.fixture
def receipts(tmp_path: Path) -> Receipts:
    return Receipts(Database(tmp_path / "catalogue.sqlite"))


def an_answer(answer_id: str, *places: tuple[str, int, int]) -> Answer:
    citations = tuple(
        Citation(
            marker=f"[{n}]",
            collection="law",
            work="民法典",
            title="民法典 合同编",
            locator=f"第{n}条",
            document_id="d",
            version_id=version_id,
            quote="约" * (end - start),
            start=start,
            end=end,
            effective_from=None,
            effective_to=None,
            validity_source="unknown",
            url=None,
            score=1.0,
        )
        for n, (version_id, start, end) in enumerate(places, start=1)
    )
    return Answer(
        answer_id=answer_id,
        answer="应当承担违约责任[1]。",
        citations=citations,
        passages=(),
        abstained=False,
        reason=None,
        disclaimer="",
        model="extractive",
        strategy="extractive",
        index_generation="g1",
        timings_ms={},
        usage=Usage(prompt_tokens=None, completion_tokens=None),
    )


def test_a_kept_answer_comes_back_as_it_was_given(receipts: Receipts) -> None:
    """With its citations in their order; keeping it again changes nothing."""
    given = an_answer("a1", ("v1", 10, 20), ("v2", 0, 3))
    receipts.keep(given, collections=["law"], as_of=date(2024, 5, 1), key_id="k", question="怎么赔？")
    receipts.keep(an_answer("a1"), collections=[])
    kept = receipts.get("a1")
    assert (kept.answer, kept.question, kept.key_id) == (given.answer, "怎么赔？", "k")
    assert (kept.collections, kept.as_of, kept.index_generation) == (("law",), date(2024, 5, 1), "g1")
    assert [(c.marker, c.version_id, c.start, c.end, c.locator) for c in kept.citations] == [
        ("[1]", "v1", 10, 20, "第1条"),
        ("[2]", "v2", 0, 3, "第2条"),
    ]
    assert kept.citations[0].quote == given.citations[0].quote


def test_a_question_is_not_kept_unasked(receipts: Receipts) -> None:
    """What someone asked may be about themselves."""
    receipts.keep(an_answer("a1"), collections=[])
    assert receipts.get("a1").question is None


def test_what_touches_a_changed_place_is_found(receipts: Receipts) -> None:
    """Half-open on both sides, of that version only, each citation once, the oldest answer first."""
    receipts.keep(an_answer("z", ("v1", 10, 20)), collections=[])
    receipts.keep(an_answer("a", ("v1", 0, 5), ("v1", 18, 30)), collections=[])
    receipts.keep(an_answer("b", ("v2", 10, 20)), collections=[])
    found = receipts.resting_on("v1", [(15, 19), (15, 20)])
    assert [(r.answer_id, r.citation.start) for r in found] == [("z", 10), ("a", 18)]
    assert receipts.resting_on("v1", [(5, 10), (30, 40)]) == []
    assert receipts.resting_on("v1", []) == []


def test_a_wholly_rewritten_text_may_have_any_number_of_changed_places(receipts: Receipts) -> None:
    """More ranges than one statement takes."""
    receipts.keep(an_answer("a", ("v1", 10 * MAX_RANGES + 1, 10 * MAX_RANGES + 2)), collections=[])
    ranges = [(10 * n, 10 * n + 5) for n in range(3 * MAX_RANGES)]
    assert [r.answer_id for r in receipts.resting_on("v1", ranges)] == ["a"]


def test_a_forgotten_answer_is_gone_with_its_citations(receipts: Receipts) -> None:
    """Neither its text nor its places stay behind."""
    receipts.keep(an_answer("a1", ("v1", 10, 20)), collections=[])
    assert receipts.forget("a1")
    assert not receipts.forget("a1")
    assert receipts.resting_on("v1", [(0, 100)]) == []
    with pytest.raises(NotFound, match="a1"):
        receipts.get("a1")
