"""Searches while things change: each sees one generation, and what was removed is never seen again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from ragsvc.errors import NotFound
from ragsvc.records import ARMS, Arm, SearchRequest, SearchResult
from tests.crash.homes import CYCLES, LEASE_2018, LEASE_2024, PRIVACY, Home, made_law

OpenHome = Callable[..., Home]
STAMP = re.compile(r"第(\d+)号版本")
CYCLE_COUNT = 6


def stamped(folder: Path, title: str, stamp: int) -> Path:
    """A law whose articles say which edition they are."""
    path = folder / f"{title}-{stamp}.txt"
    articles = [f"本条属于第{stamp}号版本，共{n}款，供查验使用。" for n in range(1, 4)]
    path.write_text(made_law(title, date(2000 + stamp, 3, 1), *articles))
    return path


def search(home: Home, question: str, *arms: Arm, k: int = 10) -> SearchResult:
    return home.searcher.search(SearchRequest(question=question, collections=("law",), k=k, arms=arms or ARMS))


@contextmanager
def in_threads(*jobs: Callable[[threading.Event], None]) -> Iterator[list[BaseException]]:
    """Run these until the block ends; what they raise is in the list."""
    stop, raised = threading.Event(), []

    def guarded(job: Callable[[threading.Event], None]) -> None:
        try:
            job(stop)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield raised
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_every_result_belongs_to_one_generation(open_home: OpenHome, tmp_path: Path) -> None:
    """While two laws are amended together and rolled back, no answer mixes editions or shows one not in force."""
    home = open_home()
    titles = ("青禾市甲条例", "青禾市乙条例")
    home.ingest(*(stamped(tmp_path, title, 0) for title in titles))
    mixed: list[object] = []
    counts = {"searches": 0, "editions": set()}

    def read(question: str, *arms: Arm) -> Callable[[threading.Event], None]:
        def run(stop: threading.Event) -> None:
            while not stop.is_set():
                result = search(home, question, *arms)
                stamps = {stamp for passage in result.passages for stamp in STAMP.findall(passage.text)}
                works = {passage.work for passage in result.passages}
                if len(stamps) != 1 or works != set(titles):
                    mixed.append((result.index_generation, stamps, works))
                counts["searches"] += 1
                counts["editions"] |= stamps

        return run

    both = "青禾市甲条例第二条，青禾市乙条例第二条"
    with in_threads(read("版本查验", "lexical"), read("版本查验", "dense"), read(both, "address")) as raised:
        for stamp in range(1, CYCLE_COUNT + 1):
            home.ingest(*(stamped(tmp_path, title, stamp) for title in titles))
            if stamp % 2 == 0:
                with_stamp = home.generation_ids()
                home.changes.switch(with_stamp[1])
    assert raised == []
    assert mixed == []
    assert len(counts["editions"]) > 1
    assert home.damage() == []


def test_a_removed_document_is_never_seen_again(open_home: OpenHome, tmp_path: Path) -> None:
    """A search that begins after the removal does not show it, whatever is ingested at the same time."""
    home = open_home()
    title = "青禾市甲条例"
    home.ingest(LEASE_2018, stamped(tmp_path, title, 0))
    state = {"removed": 0, "again": 0}
    seen: list[object] = []

    def read(*arms: Arm) -> Callable[[threading.Event], None]:
        def run(stop: threading.Event) -> None:
            while not stop.is_set():
                removed, again = state["removed"], state["again"]
                result = search(home, f"版本查验 {title}第二条", *arms)
                is_there = any(passage.work == title for passage in result.passages)
                # Removed before this search began, and not ingested again before it ended.
                if removed > again and state["again"] == again and is_there:
                    seen.append((removed, again, result.index_generation))

        return run

    with in_threads(read("lexical"), read("dense"), read("address")) as raised:
        for stamp in range(1, CYCLE_COUNT + 1):
            home.remove(title)
            state["removed"] = stamp
            home.ingest(stamped(tmp_path, "青禾市乙条例", stamp))
            state["again"] = stamp
            home.ingest(stamped(tmp_path, title, stamp))
    assert raised == []
    assert seen == []


def test_something_removed_while_a_generation_is_written_does_not_spoil_it(
    open_home: OpenHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal between reading columns and texts: the generation is whole, and what was removed is not found."""
    home = open_home()
    home.ingest(LEASE_2018)
    home.ingest(PRIVACY)
    from ragsvc.indexing import folder as module

    real = module.write_generation

    def remove_first(*args: object, **named: object) -> object:
        home.remove("青禾市住房租赁条例")
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_generation", remove_first)
    monkeypatch.setattr(module.GenerationFolder, "_is_usable", lambda *_: False)  # all texts are read, not only new
    home.ingest(CYCLES)
    assert home.damage() == []
    found = {passage.work for passage in search(home, "住房租赁押金", "lexical").passages}
    assert found <= {"青禾市电动自行车管理办法"}


def test_a_removed_document_stays_gone(open_home: OpenHome) -> None:
    """After a rollback, a rebuild and the way back it is in no arm, no cache and no list, and cannot be cited."""
    home = open_home()
    work = "青禾市住房租赁条例"
    home.ingest(LEASE_2018)
    home.ingest(CYCLES)
    question = f"押金退还，{work}第五条"
    for arms in (("lexical",), ("dense",), ("address",)):
        assert any(passage.work == work for passage in search(home, question, *arms).passages)
    [version] = home.remove(work)

    def check() -> None:
        for arms in (("lexical",), ("dense",), ("address",), ()):
            result = search(home, question, *arms, k=50)
            assert not any(passage.work == work for passage in result.passages)
        assert work not in {document.work for document in home.inventory.documents("law")}
        with pytest.raises(NotFound):
            home.catalogue.version_text(version)

    check()
    newest, oldest = home.generation_ids()
    for generation in (oldest, newest):
        home.changes.switch(generation)
        check()
    home.pipeline.rebuild()
    check()
    again = open_home()
    assert again.rows() == home.rows()
    home.ingest(LEASE_2018)
    assert search(home, question, "lexical").passages[0].work == work


def test_a_rebuild_embeds_nothing_and_answers_the_same(open_home: OpenHome) -> None:
    """The index comes from the catalogue alone: no call to the embedder, and every answer as before."""
    home = open_home()
    for path in (LEASE_2018, CYCLES, LEASE_2024, PRIVACY):
        home.ingest(path)
    before = home.state()
    home.embedder.texts.clear()
    home.pipeline.rebuild()
    assert home.embedder.texts == []
    assert home.state() == before
    assert home.damage() == []


def test_going_back_and_forth_loses_nothing(open_home: OpenHome) -> None:
    """Back to an older generation its state is there again; back to the newer one, that one's."""
    home = open_home()
    home.ingest(LEASE_2018)
    old = home.state()
    home.ingest(LEASE_2024, CYCLES)
    new = home.state()
    newest, oldest = home.generation_ids()
    home.changes.switch(oldest)
    assert home.state() == old
    home.changes.switch(newest)
    assert home.state() == new
