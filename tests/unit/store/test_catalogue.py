"""What a question may see: validity, supersession, removal, rollback."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from ragsvc.errors import IndexDamaged, InvalidInput, NotFound
from ragsvc.records import Filters
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from ragsvc.store.index_contents import IndexContents
from ragsvc.store.inventory import Inventory
from ragsvc.store.staging import Staging

from .conftest import DIM, EMBEDDER, Ingest, staged

OLD = staged("劳动法", "第一条 旧文", "第二条 不变", effective_from=date(2010, 1, 1))
NEW = staged("劳动法", "第一条 新文", "第二条 不变", effective_from=date(2020, 1, 1))


def texts_at(database: Database, day: date, address: str = "1") -> list[str]:
    """The articles with this address that are in force on a day."""
    catalogue = Catalogue(database)
    where = catalogue.snapshot(["law"], day).where
    works = catalogue.find_works(where, ["劳动法"])
    return [chunk.text for chunk in catalogue.chunks_at([work.ordinal for work in works], address, where)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2009, 12, 31), []),
        (date(2010, 1, 1), ["第一条 旧文\n"]),
        (date(2019, 12, 31), ["第一条 旧文\n"]),
        (date(2020, 1, 1), ["第一条 新文\n"]),
        (date(2030, 1, 1), ["第一条 新文\n"]),
    ],
)
@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_the_version_of_the_day(database: Database, ingest: Ingest, order: tuple, day: date, expected: list) -> None:
    """Each day has one text, whichever version was ingested first; the first day in force counts."""
    ingest("g1", order[0])
    ingest("g2", order[1])
    assert texts_at(database, day) == expected


def test_one_amended_article_is_one_embedding(ingest: Ingest) -> None:
    """Only what is embedded and new is computed; the same bytes again are nothing."""
    assert ingest("g1", OLD) == 2
    assert ingest("g2", NEW) == 1
    assert ingest("g3", NEW) == 0


def test_the_same_text_is_not_stored_twice(database: Database, ingest: Ingest) -> None:
    """A document that is live already is left alone, under whatever name it comes."""
    ingest("g1", OLD)
    ingest("g2", staged("劳动法", "第一条 旧文", "第二条 不变", effective_from=date(2010, 1, 1), name="renamed.txt"))
    [document] = Inventory(database).documents("law")
    assert document.n_versions == 1


def test_removed_is_gone_for_good(database: Database, ingest: Ingest) -> None:
    """A removed document is excluded at once, its text is emptied, and no rollback brings it back."""
    ingest("g1", OLD)
    ingest("g2", staged("合同法", "第一条 合同"))
    version = Inventory(database).documents("law")[0]
    [law] = [d for d in Inventory(database).documents("law") if d.work == "劳动法"]
    Changes(database).remove_document(law.document_id)
    assert texts_at(database, date(2015, 1, 1)) == []
    with pytest.raises(NotFound):
        Catalogue(database).version_text(law.version_id)
    Changes(database).switch("g1")
    assert texts_at(database, date(2015, 1, 1)) == []
    assert Inventory(database).documents("law") == []
    assert version.collection == "law"


def test_rollback_brings_the_old_text_back_into_force(database: Database, ingest: Ingest) -> None:
    """After going back, a version that the newer generation added no longer ends the older one; forward undoes it."""
    ingest("g1", OLD)
    ingest("g2", NEW)
    Changes(database).switch("g1")
    assert texts_at(database, date(2025, 1, 1)) == ["第一条 旧文\n"]
    Changes(database).switch("g2")
    assert texts_at(database, date(2025, 1, 1)) == ["第一条 新文\n"]


def test_going_on_after_a_rollback_gives_the_branch_up(database: Database, ingest: Ingest) -> None:
    """An ingest on top of an older generation removes what only the abandoned newer one held."""
    ingest("g1", OLD)
    ingest("g2", NEW)
    Changes(database).switch("g1")
    ingest("g3", staged("合同法", "第一条 合同"))
    Changes(database).switch("g2")
    assert texts_at(database, date(2025, 1, 1)) == ["第一条 旧文\n"]


def test_rechunked_text_replaces_the_old_chunks(database: Database, ingest: Ingest) -> None:
    """The same text from a newer chunker is the same version id with other chunks."""
    import msgspec

    ingest("g1", OLD)
    ingest("g2", msgspec.structs.replace(OLD, chunked_by="test-2"))
    assert texts_at(database, date(2015, 1, 1)) == ["第一条 旧文\n"]
    Changes(database).switch("g1")
    assert texts_at(database, date(2015, 1, 1)) == ["第一条 旧文\n"]


def test_what_an_abandoned_branch_replaced_is_not_lost(database: Database, ingest: Ingest) -> None:
    """Back before a re-chunking, on from there, back and forth again: the text that it had replaced is still live."""
    import msgspec

    ingest("g1", OLD)
    ingest("g2", msgspec.structs.replace(OLD, chunked_by="test-2"))
    Changes(database).switch("g1")
    ingest("g3", staged("合同法", "第一条 合同"))
    for generation in ("g1", "g3"):
        Changes(database).switch(generation)
        assert texts_at(database, date(2015, 1, 1)) == ["第一条 旧文\n"]


def test_what_is_known_of_a_work_changes_with_the_commit(database: Database, ingest: Ingest) -> None:
    """Kind and names that a new document states of a work that is here already are not there before the commit."""
    import msgspec

    ingest("g1", OLD)
    facts = msgspec.structs.replace(NEW.facts, kind="行政法规")
    newer = msgspec.structs.replace(NEW, facts=facts, name_keys=("劳动法", "新名"))
    staging = Staging(database, "job", EMBEDDER)
    law = staging.open_collection("law", "law", "Asia/Shanghai")
    staging.stage(law, [newer], {text: np.eye(DIM, dtype=np.float32)[0] for (text,) in newer.windows})

    def known() -> tuple[list[str], int]:
        catalogue = Catalogue(database)
        named = catalogue.find_works(catalogue.snapshot([]).where, ["新名"])
        return [document.kind for document in Inventory(database).documents("law")], len(named)

    assert known() == (["法律"], 0)
    staging.commit("g2", 0)
    assert known() == (["行政法规"], 1)


def test_reads_inside_one_read_see_one_state(database: Database, ingest: Ingest) -> None:
    """What is committed meanwhile is seen by the next read, not by the one that has begun."""
    ingest("g1", OLD)
    with database.read():
        before = Catalogue(database).snapshot([])
        ingest("g2", NEW)
        assert Catalogue(database).snapshot([]) == before
    assert Catalogue(database).snapshot([]).generation_id == "g2"


def test_leftovers_of_a_dead_writer_are_never_read(database: Database, ingest: Ingest) -> None:
    """Staged rows are invisible, and the next writer drops them but keeps their vectors."""
    ingest("g1", OLD)
    staging = Staging(database, "dead", EMBEDDER)
    law = staging.open_collection("law", "law", "Asia/Shanghai")
    texts = [text for windows in NEW.windows for text in windows]
    staging.stage(law, [NEW], {text: np.eye(DIM, dtype=np.float32)[0] for text in staging.missing_vectors(texts)})
    assert texts_at(database, date(2025, 1, 1)) == ["第一条 旧文\n"]
    assert ingest("g2", NEW) == 0
    assert texts_at(database, date(2025, 1, 1)) == ["第一条 新文\n"]


def test_filters_narrow_before_the_search(database: Database, ingest: Ingest) -> None:
    """Kinds and documents outside the filter are excluded versions."""
    ingest("g1", OLD, staged("合同法", "第一条 合同"))
    catalogue = Catalogue(database)
    [contract] = [d for d in Inventory(database).documents("law") if d.work == "合同法"]
    day = date(2015, 1, 1)
    assert len(catalogue.snapshot([], day).where.excluded_versions) == 0
    assert len(catalogue.snapshot([], day, Filters(kinds=("规章",))).where.excluded_versions) == 2
    assert len(catalogue.snapshot([], day, Filters(documents=(contract.document_id,))).where.excluded_versions) == 1


def test_citable_text_and_its_limits(database: Database, ingest: Ingest) -> None:
    """Offsets are code points; a range outside the text is an error that names its length."""
    ingest("g1", staged("诗", "𠮷野家", "第二条"))
    [document] = Inventory(database).documents("law")
    catalogue = Catalogue(database)
    assert catalogue.version_text(document.version_id, 0, 2).text == "𠮷野"
    with pytest.raises(InvalidInput, match="of 8 characters"):
        catalogue.version_text(document.version_id, 3, 99)


def test_unknown_collection_names_those_that_exist(database: Database, ingest: Ingest) -> None:
    """The error says what was found."""
    ingest("g1", OLD)
    with pytest.raises(NotFound, match="no collection 'med'; there are: law"):
        Catalogue(database).snapshot(["med"])


def test_a_file_that_is_no_database_is_named(tmp_path) -> None:
    """A damaged catalogue is an error with its path."""
    path = tmp_path / "catalogue.sqlite"
    path.write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite"):
        Database(path)


def test_index_columns_hold_what_is_live(database: Database, ingest: Ingest) -> None:
    """Columns and vectors line up, and a removed version is not in them."""
    ingest("g1", OLD, staged("合同法", "第一条 合同"))
    contents = IndexContents(database, EMBEDDER, DIM)
    columns = contents.columns()
    assert columns.vectors.shape == (3, DIM)
    assert columns.vector_position.tolist() == [0, 1, 2]
    assert [text.text for text in contents.texts(staged_only=False)] == [
        "第一条 旧文\n",
        "第二条 不变\n",
        "第一条 合同\n",
    ]
    Changes(database).remove_document(Inventory(database).documents("law")[0].document_id)
    assert len(contents.columns().chunk) < 3
