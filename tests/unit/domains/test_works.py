"""Parts of one work share its dates."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from ragsvc.domains.works import inherit_validity
from ragsvc.records import DocumentFacts

PASSED = date(2020, 5, 28)
STATED = DocumentFacts(
    title="民法典", part="附则", promulgated=PASSED, effective_from=date(2021, 1, 1), validity_source="stated"
)
SILENT = DocumentFacts(
    title="民法典", part="婚姻家庭编", promulgated=PASSED, effective_from=PASSED, validity_source="inferred"
)


def test_a_part_that_is_silent_takes_the_date_of_one_that_states_it() -> None:
    """The last book says when the whole code takes effect."""
    inherited = inherit_validity(SILENT, [SILENT, STATED])
    assert (inherited.part, inherited.effective_from, inherited.validity_source) == (
        "婚姻家庭编",
        date(2021, 1, 1),
        "stated",
    )


def test_only_parts_of_the_same_act_count() -> None:
    """Another work, another promulgation, or a sibling that does not know either: nothing is taken."""
    assert inherit_validity(SILENT, [replace(STATED, title="刑法")]) == SILENT
    assert inherit_validity(SILENT, [replace(STATED, promulgated=date(2024, 1, 1))]) == SILENT
    assert inherit_validity(SILENT, [SILENT]) == SILENT


def test_a_stated_or_given_date_stays() -> None:
    """What a text states itself, or a librarian gave, is not overwritten; a whole work has no siblings."""
    given = replace(SILENT, validity_source="given")
    whole = replace(SILENT, part="")
    assert given == inherit_validity(given, [STATED])
    assert whole == inherit_validity(whole, [STATED])
