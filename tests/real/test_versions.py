"""Several versions of one law, as they are published: linked, ordered, and compared."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from ragsvc.domains.law import PACK
from ragsvc.domains.law.dates import date_in_name
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.pipelines.version_diff import Place, diff_places, places_of
from ragsvc.records import DocumentFacts, LoadedDocument

_DAY = re.compile(r"\(\d{4}-\d\d-\d\d\)\.md$")


@pytest.fixture(scope="module")
def statutes(shared_data: Path) -> dict[str, list[LoadedDocument]]:
    """The files of every law that is there more than once, by the name without its date."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((shared_data / "corpora" / "laws_zh_md").rglob("*.md")):
        if _DAY.search(path.name):
            by_name[_DAY.sub("", path.name)].append(path)
    with ParserProcess(DEFAULT_LIMITS) as parser:
        return {
            name: [load_file(path, parser=parser) for path in paths]
            for name, paths in by_name.items()
            if len({path.name for path in paths}) > 1
        }


def facts_of(document: LoadedDocument) -> DocumentFacts:
    return PACK.chunker.describe(document)


def places(document: LoadedDocument) -> list[Place]:
    return places_of(document.text, PACK.chunker.chunk(document, facts_of(document)))


def test_the_versions_of_a_law_are_linked(statutes: dict[str, list[LoadedDocument]]) -> None:
    """Files of one law are one document; the later promulgation holds later, never on the same day."""
    assert len(statutes) >= 30
    for name, documents in statutes.items():
        facts = [facts_of(document) for document in documents]
        assert len({(PACK.name_keys(one)[0], one.part) for one in facts}) == 1, name
        ordered = sorted(facts, key=lambda one: one.promulgated or pytest.fail(f"{name} has no date"))
        assert [one.promulgated for one in ordered] == sorted(filter(None, (date_in_name(d.name) for d in documents)))
        days = [one.effective_from for one in ordered]
        assert days == sorted(filter(None, days)) and len(set(days)) == len(days), name


# Read beside the decisions of the legislature that made them.
DIFFS = [
    # One article of 132 was rewritten: who coordinates the protection of minors.
    ("未成年人保护法", {"changed": ["第九条"], "renumbered": 0, "repealed": [], "added": []}),
    # The departments of science and technology left the law in two articles; 农村 and 草原 came into two.
    ("农业技术推广法", {"changed": ["第九条", "第十九条", "第二十三条"], "renumbered": 0, "repealed": [], "added": []}),
    # Four articles on administrators of estates came before 第一百九十四条, and the foreign part was written anew.
    ("民事诉讼法", {
        "changed": ["第四十条", "第四十七条", "第一百一十五条", "第一百三十条", "第一百四十条", "第一百八十四条"],
        "renumbered": 97, "repealed": ["第二百七十三条"], "added": 16}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), DIFFS, ids=[name for name, _ in DIFFS])
def test_an_amendment_reads_as_it_was_made(
    statutes: dict[str, list[LoadedDocument]], name: str, expected: dict[str, object]
) -> None:
    """The articles that were changed, repealed, added and renumbered are those, and all others are as they were."""
    old, new = map(places, statutes[name])
    found = diff_places(old, new)
    assert [change.old.locator for change in found.changed] == expected["changed"]
    assert len(found.renumbered) == expected["renumbered"]
    assert [place.locator for place in found.repealed] == expected["repealed"]
    added = [place.locator for place in found.added]
    assert (added if isinstance(expected["added"], list) else len(added)) == expected["added"]
    assert found.unchanged + len(found.changed) + len(found.renumbered) + len(found.repealed) == len(old)


def test_an_inserted_article_moves_the_others(statutes: dict[str, list[LoadedDocument]]) -> None:
    """民事诉讼法 2023: 第一百九十四条 to 第一百九十七条 are new, and what stood there is four numbers further on."""
    found = diff_places(*map(places, statutes["民事诉讼法"]))
    moved = {change.old.locator: change.new.locator for change in found.renumbered if not change.words}
    assert moved["第一百九十四条"] == "第一百九十八条"
    assert [p.locator for p in found.added][:4] == [f"第一百九十{n}条" for n in "四五六七"]
