from __future__ import annotations

import pickletools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from ragsvc.errors import IndexDamaged, NotFound, SettingsError
from ragsvc.indexing import Generation, open_generation, verify_generation, write_generation
from ragsvc.indexing.dense import GATHER_ROWS
from ragsvc.indexing.manifest import check_files, read_manifest, write_manifest
from ragsvc.records import IndexFilter
from tests.unit.indexing.conftest import DIM, make_contents, make_text, make_vectors

Write = Callable[..., Path]
ALL = IndexFilter(frozenset({0, 1, 2}), frozenset())
QUESTIONS = ["租赁合同的押金不退怎么办", "离婚后抚养费", "工伤赔偿 item17", "股东借款利息担保", "法律3 Act", "item42"]


def answers(generation: Generation, where: IndexFilter = ALL, k: int = 10) -> list[list[int]]:
    """Chunks that both arms return for the questions and for five vectors."""
    queries = np.random.default_rng(7).normal(size=(5, DIM)).astype(np.float32)
    lexical = [generation.search_lexical(question, k, where) for question in QUESTIONS]
    dense = [generation.search_dense(query, k, where) for query in queries]
    return [[hit.chunk for hit in hits] for hits in lexical + dense]


def test_both_arms_find_what_they_should(write: Write) -> None:
    """A word that one chunk holds finds it; a chunk's own vector finds it with cosine 1."""
    generation = open_generation(write("g1", make_contents(range(300))))
    assert generation.search_lexical("item42", 5, ALL)[0].chunk == 42
    best = generation.search_dense(make_vectors([42])[0].astype(np.float32), 5, ALL)
    assert best[0].chunk == 42
    assert best[0].score == pytest.approx(1, abs=2e-3)
    assert [hit.score for hit in best] == sorted((hit.score for hit in best), reverse=True)


@pytest.mark.parametrize("factory", ["Flat", "SQfp16", "SQ8"])
@pytest.mark.parametrize("n_chunks", [300, GATHER_ROWS + 500])
def test_dense_search_is_exact(write: Write, factory: str, n_chunks: int) -> None:
    """Whatever the storage and the size, the hits are those of a full multiplication with the stored vectors."""
    generation = open_generation(write("g1", make_contents(range(n_chunks), faiss_index=factory)))
    vectors = make_vectors(range(n_chunks)).astype(np.float32)
    where = IndexFilter(frozenset({0, 1}), frozenset({0, 3, 4}))
    allowed = [text.collection < 2 and text.version not in (0, 3, 4) for text in map(make_text, range(n_chunks))]
    for query in np.random.default_rng(1).normal(size=(5, DIM)).astype(np.float32):
        scores = np.where(allowed, vectors @ query, -np.inf)
        hits = generation.search_dense(query, 10, where)
        assert [hit.chunk for hit in hits] == np.argsort(-scores)[:10].tolist()
        assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1][:10], abs=1e-4)


def test_a_chunk_scores_as_its_best_window_and_a_little_as_a_whole(write: Write) -> None:
    """Several vectors of one chunk give one hit: the highest of their cosines, to a third the whole chunk's."""
    generation = open_generation(write("g1", make_contents(range(50), windows=8)))
    vectors = make_vectors(range(50), windows=8).astype(np.float32)
    query = np.random.default_rng(3).normal(size=DIM).astype(np.float32)
    wholes = vectors.reshape(50, 8, DIM).mean(axis=1)
    wholes /= np.linalg.norm(wholes, axis=1, keepdims=True)
    best = ((vectors @ query).reshape(50, 8).max(axis=1) + 0.5 * wholes @ query) / 1.5
    hits = generation.search_dense(query, 50, ALL)
    assert [hit.chunk for hit in hits] == np.argsort(-best).tolist()
    assert [hit.score for hit in hits] == pytest.approx(np.sort(best)[::-1], abs=3e-3)
    assert generation.score_dense(query, [hit.chunk for hit in hits]) == pytest.approx([hit.score for hit in hits])
    assert generation.score_dense(query, []) == []


@pytest.mark.parametrize(
    "where",
    [
        IndexFilter(frozenset({1}), frozenset()),
        IndexFilter(frozenset({0, 2}), frozenset(range(0, 30, 2))),
        IndexFilter(frozenset({0, 1, 2}), frozenset(range(29))),
        IndexFilter(frozenset({0, 1, 2}), frozenset({5, 999})),
    ],
)
def test_filters_hold_in_both_arms_and_cost_no_hits(write: Write, where: IndexFilter) -> None:
    """Nothing outside the filter comes back, and as many hits as there are allowed chunks do."""
    generation = open_generation(write("g1", make_contents(range(300))))
    texts = map(make_text, range(300))
    allowed = {t.chunk for t in texts if t.collection in where.collections and t.version not in where.excluded_versions}
    assert {hit.chunk for hit in generation.search_lexical("法律", 300, where)} == allowed
    assert {hit.chunk for hit in generation.search_dense(np.ones(DIM, np.float32), 300, where)} == allowed


def test_a_filter_does_not_change_scores(write: Write) -> None:
    """The same chunk has the same BM25 score whatever else is filtered out."""
    generation = open_generation(write("g1", make_contents(range(300))))
    some = IndexFilter(frozenset({0, 1}), frozenset({1, 3}))
    everything = {hit.chunk: hit.score for hit in generation.search_lexical(QUESTIONS[0], 300, ALL)}
    filtered = generation.search_lexical(QUESTIONS[0], 20, some)
    assert filtered
    assert all(hit.score == pytest.approx(everything[hit.chunk], abs=2e-4) for hit in filtered)


@pytest.mark.parametrize("max_fetched", [10_000, 12])
def test_sieving_finds_what_a_filtered_query_finds(
    write: Write, max_fetched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where most is allowed hits are sieved, else the query is filtered: the same hits with the same scores."""
    directory = write("g1", make_contents(range(300)))
    where = IndexFilter(frozenset({0, 1, 2}), frozenset(range(0, 30, 3)))
    filtering = "ragsvc.indexing.generation.SIEVE_SHARE"
    monkeypatch.setattr(filtering, 2)
    filtered = [open_generation(directory).search_lexical(question, 10, where) for question in QUESTIONS]
    monkeypatch.setattr(filtering, 0)
    monkeypatch.setattr("ragsvc.indexing.lexical.MAX_FETCHED", max_fetched)
    assert [open_generation(directory).search_lexical(question, 10, where) for question in QUESTIONS] == filtered
    assert all(filtered)


def test_questions_without_terms_or_vector_find_nothing(write: Write) -> None:
    """Punctuation, unknown words, a zero vector and an empty filter are answered with no hit."""
    generation = open_generation(write("g1", make_contents(range(30))))
    assert generation.search_lexical("？！", 5, ALL) == []
    assert generation.search_lexical("zebra", 5, ALL) == []
    assert generation.search_dense(np.zeros(DIM, np.float32), 5, ALL) == []
    nothing = IndexFilter(frozenset({9}), frozenset())
    assert answers(generation, nothing) == [[]] * 11


def test_query_syntax_is_only_text(write: Write) -> None:
    """Operators of a query language are searched as words."""
    generation = open_generation(write("g1", make_contents(range(30))))
    hits = generation.search_lexical('+item7 -item8 AND text:"item9" * ~ ( [ /x/', 5, ALL)
    assert {hit.chunk for hit in hits} == {7, 8, 9}


def test_what_a_search_may_return_is_counted(write: Write) -> None:
    """All chunks, or those that a filter leaves."""
    generation = open_generation(write("g1", make_contents(range(30))))
    assert generation.count(ALL) == 30
    assert generation.count(IndexFilter(frozenset(), frozenset())) == 0


def test_an_empty_generation_opens(write: Write) -> None:
    """After the last document is gone the index is empty, not broken."""
    first = write("g1", make_contents(range(10)))
    empty = open_generation(write("g2", make_contents([], removed_versions=[0]), previous=first))
    assert answers(empty) == [[]] * 11


def test_increments_answer_like_a_rebuild(write: Write) -> None:
    """Three generations on top of each other give the answers and scores of one written from nothing."""
    path = write("g1", make_contents(range(100)))
    path = write("g2", make_contents(range(200), added=range(100, 200)), previous=path)
    path = write("g3", make_contents(range(300), added=range(200, 300)), previous=path)
    grown, rebuilt = open_generation(path), open_generation(write("r", make_contents(range(300))))
    assert answers(grown) == answers(rebuilt)
    for question in QUESTIONS:
        assert grown.search_lexical(question, 50, ALL) == rebuilt.search_lexical(question, 50, ALL)


def test_removed_versions_are_gone_from_both_arms(write: Write) -> None:
    """What a generation was told to drop comes back from neither arm, whatever the filter."""
    first = write("g1", make_contents(range(100)))
    kept = [chunk for chunk in range(100) if chunk // 10 not in (3, 4)]
    second = open_generation(write("g2", make_contents(kept, added=[], removed_versions=[3, 4]), previous=first))
    assert {chunk for hits in answers(second, k=100) for chunk in hits} == set(kept)
    assert second.search_lexical("item35", 5, ALL) == []


def test_an_older_generation_is_untouched_by_the_next(write: Write) -> None:
    """Segments are shared by hard links, and the old generation's hashes and answers stay what they were."""
    first = write("g1", make_contents(range(100)))
    reader = open_generation(first)
    before = answers(reader)
    second = write("g2", make_contents(range(20, 120), added=range(100, 120), removed_versions=[0, 1]), previous=first)
    shared = [p.name for p in (first / "lexical").iterdir() if (second / "lexical" / p.name).exists()]
    assert any((first / "lexical" / name).samefile(second / "lexical" / name) for name in shared)
    assert not (first / "lexical/meta.json").samefile(second / "lexical/meta.json")
    assert verify_generation(first) == verify_generation(second) == []
    assert answers(reader) == answers(open_generation(first)) == before


def test_copies_serve_where_links_fail(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links costs space, nothing else."""
    first = write("g1", make_contents(range(50)))

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    second = write("g2", make_contents(range(60), added=range(50, 60)), previous=first)
    assert answers(open_generation(second)) == answers(open_generation(write("r", make_contents(range(60)))))


def test_a_rebuild_gives_the_same_vector_files(write: Write) -> None:
    """The same stored vectors give the same faiss file, byte for byte."""
    one, other = (write(name, make_contents(range(100), faiss_index="SQ8")) for name in ("a", "b"))
    assert (one / "vectors.faiss").read_bytes() == (other / "vectors.faiss").read_bytes()


FILES = ["manifest.json", "vectors.faiss", "vectors.npy", "chunk.npy", "version.npy", "vector_position.npy"]
SEGMENTS = ["lexical/meta.json", "lexical/*.idx", "lexical/*.fast", "lexical/*.term"]


@pytest.mark.parametrize("pattern", FILES + SEGMENTS)
@pytest.mark.parametrize("damage", ["flipped bit", "truncated", "missing", "emptied"])
def test_damage_is_refused_and_named(write: Write, pattern: str, damage: str) -> None:
    """A flipped bit, a cut, a lost or an emptied file: the generation is not opened and the error names the file."""
    directory = write("g1", make_contents(range(60)))
    path = next(directory.glob(pattern))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"flipped bit": bytes(data), "truncated": data[:-1], "emptied": b""}[damage])
    assert [error.path for error in verify_generation(directory)] == [str(path)]
    with pytest.raises(IndexDamaged, match="index rebuild") as caught:
        open_generation(directory)
    assert caught.value.path == str(path)


def test_flipped_bits_of_the_manifest_are_noticed(write: Write) -> None:
    """A flipped bit in every fifth byte of the manifest, one at a time: each is refused."""
    path = write("g1", make_contents(range(10))) / "manifest.json"
    data = path.read_bytes()
    for at in range(0, len(data), 5):
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :])
        with pytest.raises(IndexDamaged):
            read_manifest(path.parent)


def test_files_of_another_generation_are_refused(write: Write) -> None:
    """A file, a manifest or a whole directory from elsewhere is found out."""
    first, other = write("g1", make_contents(range(60))), write("g2", make_contents(range(60, 120)))
    shutil.copy(other / "vectors.faiss", first / "vectors.faiss")
    assert [error.path for error in verify_generation(first)] == [str(first / "vectors.faiss")]
    shutil.copy(other / "manifest.json", first / "manifest.json")
    with pytest.raises(IndexDamaged, match="g2"):
        open_generation(first)
    moved = other.rename(other.with_name("g3"))
    with pytest.raises(IndexDamaged, match=r"manifest\.json"):
        open_generation(moved)


def test_vectors_that_do_not_fit_the_rows_are_refused(tmp_path: Path) -> None:
    """One vector more than there are positions is refused by the file's name, even if every hash is right."""
    contents = make_contents(range(60))
    extra = make_vectors(range(61))
    directory = tmp_path / "g1"
    wrong = replace(contents, columns=replace(contents.columns, vectors=extra))
    write_generation(directory, previous=None, contents=wrong)
    assert verify_generation(directory) == []
    with pytest.raises(IndexDamaged) as caught:
        open_generation(directory)
    assert caught.value.path == str(directory / "vector_position.npy")


@pytest.mark.parametrize(("field", "value"), [("format_version", 99), ("tokenizer_version", 99)])
def test_generations_of_other_programs_are_refused(write: Write, field: str, value: int) -> None:
    """Another format or tokenizer is refused with what was found and what to do."""
    directory = write("g1", make_contents(range(10)))
    write_manifest(directory, replace(read_manifest(directory), **{field: value}))
    with pytest.raises(IndexDamaged, match=rf"{value}.*index rebuild"):
        open_generation(directory)


def test_texts_that_do_not_fit_the_columns_are_not_written(write: Write, tmp_path: Path) -> None:
    """A keyword index with other chunks than the columns name never becomes a generation."""
    with pytest.raises(IndexDamaged, match="50 texts for 60 chunks"):
        write("g1", make_contents(range(60), added=range(50)))
    assert not (tmp_path / "g1").exists()


def test_an_unknown_faiss_string_is_refused(write: Write) -> None:
    """The error lists what can be chosen."""
    with pytest.raises(SettingsError, match="Flat, SQfp16, SQ8"):
        write("g1", make_contents(range(10), faiss_index="HNSW32"))


def test_a_missing_generation_is_not_found(tmp_path: Path) -> None:
    """Asking for a generation that is not there says so."""
    with pytest.raises(NotFound, match="no index generation 'g9'"):
        open_generation(tmp_path / "g9")


def test_nothing_is_pickled(write: Write) -> None:
    """No file of a generation can be read as a pickle, and the arrays load with pickles forbidden."""
    directory = write("g1", make_contents(range(60)))
    for path in filter(Path.is_file, directory.rglob("*")):
        data = path.read_bytes()
        with pytest.raises(ValueError, match=r".*"):
            list(pickletools.genops(data))
        assert not data.startswith(b"\x80")
    for path in directory.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_unchanged_files_carry_their_hash_forward(write: Write) -> None:
    """Entries of shared segments are those of the previous manifest, and a full check agrees with them."""
    first = write("g1", make_contents(range(60)))
    second = write("g2", make_contents(range(70), added=range(60, 70)), previous=first)
    old, new = read_manifest(first), read_manifest(second)
    shared = {name for name in old.files if name.endswith((".idx", ".term")) and name in new.files}
    assert shared
    assert all(old.files[name] == new.files[name] for name in shared)
    assert check_files(second, new) == []
    assert new.previous == "g1"


def test_searches_go_on_while_the_next_generation_is_written(write: Write) -> None:
    """Threads that search the old generation get its answers throughout, without an error."""
    first = write("g1", make_contents(range(200)))
    reader = open_generation(first)
    expected = answers(reader)
    stop, wrong = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            try:
                if answers(reader) != expected:
                    wrong.append("other answers")
            except Exception as error:  # noqa: BLE001
                wrong.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    path = first
    for step in range(3):
        chunks = range(200 + 20 * (step + 1))
        path = write(f"n{step}", make_contents(chunks, added=chunks[-20:]), previous=path)
        assert verify_generation(path) == []
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
