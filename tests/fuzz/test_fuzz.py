"""A bounded share of the fuzzing in every run, with the same examples each time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from ragsvc.errors import UnreadableFile
from ragsvc.loading.recognition import why_unavailable
from tests.fuzz import properties
from tests.fuzz.mutations import mutated
from tests.fuzz.samples import samples, slow_samples


def run(held: properties.Property, n_examples: int) -> None:
    """Check a property for so many examples, which depend on nothing but the strategy."""
    bounded = settings(
        max_examples=n_examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    bounded(given(held.examples)(held.check))()


def test_any_text_is_cut_in_every_domain() -> None:
    """Headings, articles, tables and odd characters in any order, with any blocks."""
    run(properties.TEXTS, 150)


def test_damaged_files_are_documents_or_refused() -> None:
    """Bits, slices and tokens of every format changed: nothing else than a document or its reason comes back."""
    run(properties.FILES, 250)


def test_damaged_books_are_documents_or_refused() -> None:
    """The same for the formats that Pandoc reads."""
    run(properties.SLOW_FILES, 12)


@pytest.mark.parametrize("name", sorted({**samples(), **slow_samples()}))
def test_a_sound_file_is_still_read_after_all_that_damage(name: str) -> None:
    """The same process has read damaged ones before: each sample gives text and chunks all the same."""
    if name == "a.png" and why_unavailable():
        pytest.skip(why_unavailable())
    properties.check_sound(name)


def test_damage_depends_on_the_seed_alone() -> None:
    """A failure can be made again from its name and number."""
    for name, content in samples().items():
        assert mutated(content, 7) == mutated(content, 7), name
        assert any(mutated(content, seed) != content for seed in range(5)), name


def test_a_reader_that_hangs_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself fails where a file takes for ever."""

    def hangs(*_: object, **__: object) -> None:
        raise UnreadableFile("a.md", "was not parsed within 60 seconds")

    monkeypatch.setattr(properties, "take_apart", hangs)
    monkeypatch.setattr(properties, "KEPT", properties.KEPT / "of-tests")
    with pytest.raises(AssertionError):
        properties.check_file(("a.md", 1))
