"""From a question to passages, over a real catalogue and real index generations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from msgspec import Struct

from ragsvc.domains.pack import DomainPack, find_pack
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.indexing import GenerationFolder
from ragsvc.pipelines.ingest import IngestPipeline, IngestRequest
from ragsvc.pipelines.sources import Source
from ragsvc.records import Filters, LoadedDocument, Passage, SearchRequest, SearchResult
from ragsvc.retrieval.interaction import InteractionReranker
from ragsvc.retrieval.searcher import Searcher
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from tests.doubles import WordEmbedder

LEASE = """住房租赁条例

（2019年1月1日公布，自2019年3月1日起施行）

第一章　押金

第一条　出租人收取押金不得超过一个月租金。
租赁期满，出租人应当退还押金。
第二条　承租人应当爱护房屋。
第二章　附则
第三条　本条例自2019年3月1日起施行。
"""
AMENDED = LEASE.replace("2019", "2024").replace("一个月", "两个月")
LABOUR = """劳动保护条例

（2020年1月1日公布，自2020年3月1日起施行）

第一条　用人单位应当支付加班工资。
第二条　劳动者因工负伤的，用人单位应当垫付医疗费。
"""
LEAFLET = "Aspirin\n\nAspirin relieves pain and lowers fever.\n\nDo not give aspirin to children.\n"


class Home(Struct, kw_only=True):
    """A small home and ways to use it."""

    database: Database
    searcher: Searcher
    folder: GenerationFolder
    ingest: Callable[..., None]

    def search(self, question: str, **fields: object) -> SearchResult:
        fields = {"collections": ("law",), "as_of": date(2026, 1, 1)} | fields
        return self.searcher.search(SearchRequest(question=question, **fields))  # type: ignore[arg-type]


def source(name: str, text: str) -> Source:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    document = LoadedDocument(name=name, text=text, media_type="text/plain", source_sha256=sha256)
    return Source(name=name, sha256=lambda: sha256, load=lambda: document)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    database = Database(tmp_path / "catalogue.sqlite")
    folder = GenerationFolder(tmp_path / "generations")
    embedder = WordEmbedder()
    pipeline = IngestPipeline(tmp_path, database, embedder, folder)

    def ingest(collection: str, pack: DomainPack, **texts: str) -> None:
        request = IngestRequest(collection=collection, pack=pack, time_zone="Asia/Shanghai")
        report = pipeline.run([source(f"{name}.txt", text) for name, text in texts.items()], request, lambda *_: True)
        assert report.quarantined == []

    searcher = Searcher(Catalogue(database), lambda name: folder.open(name, embedder.embedder_id), embedder, find_pack)
    yield Home(database=database, searcher=searcher, folder=folder, ingest=ingest)
    database.close()


@pytest.fixture
def laws(home: Home) -> Home:
    home.ingest("law", find_pack("law"), lease=LEASE, amended=AMENDED, labour=LABOUR)
    return home


def test_passages_are_ranges_of_their_versions(laws: Home) -> None:
    """Every passage is ``version.text[start:end]``, with its work, locator, dates and scores."""
    result = laws.search("出租人收取押金可以超过一个月租金吗")
    catalogue = Catalogue(laws.database)
    for passage in result.passages:
        assert catalogue.version_text(passage.version_id, passage.start, passage.end).text == passage.text
    first = result.passages[0]
    assert (first.work, first.locator) == ("住房租赁条例", "第一条")
    assert "两个月" in first.text
    assert first.effective_from == date(2024, 3, 1)
    assert first.score == first.scores.fused
    assert first.scores.lexical
    assert first.scores.dense
    assert [p.score for p in result.passages] == sorted((p.score for p in result.passages), reverse=True)


def test_signals_of_an_off_topic_question_are_weaker(laws: Home) -> None:
    """The best cosine falls when the collection does not hold the answer; both say how much was searched."""
    on, off = laws.search("押金最多收几个月租金"), laws.search("青霉素过敏怎么治疗")
    assert on.top_cosine is not None
    assert on.n_searched == off.n_searched > 0
    assert (off.top_cosine or 0) < on.top_cosine


def test_addresses_come_first_with_full_score(laws: Home) -> None:
    """The named article is first whatever the words say, once, and is counted."""
    result = laws.search("押金和租金怎么收，见《劳动保护条例》第二条")
    assert result.addressed == 1
    assert (result.passages[0].work, result.passages[0].locator) == ("劳动保护条例", "第二条")
    assert result.passages[0].score == 1.0
    assert len({(p.version_id, p.start) for p in result.passages}) == len(result.passages)
    assert "住房租赁条例" in {passage.work for passage in result.passages}


def test_a_named_paragraph_is_served_alone(laws: Home) -> None:
    """第二款 gives that paragraph; the whole article may still be found by its words."""
    first = laws.search("住房租赁条例第一条第二款").passages[0]
    assert first.text.strip() == "租赁期满，出租人应当退还押金。"
    assert Catalogue(laws.database).version_text(first.version_id, first.start, first.end).text == first.text


def test_what_is_not_there_is_said_to_be_missing(laws: Home) -> None:
    """An article that does not exist is reported, and nothing is served as it."""
    result = laws.search("住房租赁条例第九十条", arms=("address",))
    assert result.passages == ()
    assert [(m.reason, m.work) for m in result.missing] == [("no such article", "住房租赁条例")]


@pytest.mark.parametrize(
    ("day", "amount"), [(date(2024, 2, 29), "一个月"), (date(2024, 3, 1), "两个月"), (date(2025, 1, 1), "两个月")]
)
@pytest.mark.parametrize("arms", [("address",), ("lexical",), ("dense",), ("address", "lexical", "dense")])
def test_the_law_of_the_day(laws: Home, day: date, amount: str, arms: tuple[str, ...]) -> None:
    """The day before an amendment the old text, on the day and after it the new one, from every arm."""
    result = laws.search("住房租赁条例第一条押金", as_of=day, arms=arms)
    texts = [p.text for p in result.passages if p.work == "住房租赁条例" and p.locator == "第一条"]
    assert len(texts) == 1
    assert amount in texts[0]


@pytest.mark.parametrize("arm", ["lexical", "dense"])
def test_each_arm_can_run_alone(laws: Home, arm: str) -> None:
    """One arm gives its own score and not the other's, and is timed."""
    result = laws.search("加班工资", arms=(arm,))
    first = result.passages[0]
    assert first.locator == "第一条"
    assert first.work == "劳动保护条例"
    assert (first.scores.lexical is not None, first.scores.dense is not None) == (arm == "lexical", arm == "dense")
    assert arm in result.timings_ms
    assert result.missing == ()


def test_k_is_a_limit_for_addresses_too(laws: Home) -> None:
    """At most k passages come back, and ``addressed`` does not count beyond them."""
    result = laws.search("住房租赁条例第一条、第二条，劳动保护条例第一条", k=2)
    assert len(result.passages) == 2
    assert result.addressed == 2


def test_removed_documents_are_gone_at_once(laws: Home) -> None:
    """After a removal no arm returns the document, although the generation still holds it."""
    before = laws.search("加班工资")
    document = next(p.document_id for p in before.passages if p.work == "劳动保护条例")
    Changes(laws.database).remove_document(document)
    for arms in (("address",), ("lexical",), ("dense",)):
        after = laws.search("劳动保护条例第一条 加班工资", arms=arms)
        assert all(p.work != "劳动保护条例" for p in after.passages)
        assert after.index_generation == before.index_generation


def test_filters_narrow_every_arm(laws: Home) -> None:
    """A work by name, its document, or a kind: nothing else comes back."""
    named = laws.search("押金 加班工资", filters=Filters(works=("劳动保护条例",)))
    assert {p.work for p in named.passages} == {"劳动保护条例"}
    document = named.passages[0].document_id
    by_document = laws.search("押金 加班工资", filters=Filters(documents=(document,)))
    assert {p.document_id for p in by_document.passages} == {document}
    assert laws.search("押金", filters=Filters(kinds=("no such kind",))).passages == ()
    outside = laws.search("住房租赁条例第一条", filters=Filters(works=("劳动保护条例",)), arms=("address",))
    assert outside.passages == ()


def test_unknown_names_are_not_found(laws: Home) -> None:
    """A collection or a work that does not exist is an error that names it."""
    with pytest.raises(NotFound, match="elsewhere"):
        laws.search("押金", collections=("elsewhere",))
    with pytest.raises(NotFound, match="海商条例"):
        laws.search("押金", filters=Filters(works=("海商条例",)))


def test_collections_of_several_domains_are_searched_together(laws: Home) -> None:
    """Each domain's grammar reads its own collections; a work of a domain without one is found by its title."""
    laws.ingest("drugs", find_pack("medicine"), leaflet=LEAFLET)
    both = laws.search("aspirin children 押金", collections=("law", "drugs"), k=20)
    assert {p.collection for p in both.passages} == {"law", "drugs"}
    assert {p.collection for p in laws.search("aspirin 押金", k=20).passages} == {"law"}
    title = next(p.work for p in both.passages if p.collection == "drugs")
    one = laws.search("押金 aspirin", collections=("law", "drugs"), filters=Filters(works=(title,)))
    assert {p.collection for p in one.passages} == {"drugs"}


def test_an_empty_home_finds_nothing(home: Home) -> None:
    """Before the first ingest a search is answered, with nothing."""
    result = home.search("押金", collections=())
    assert result.passages == ()
    assert result.index_generation == ""


@pytest.mark.parametrize("fields", [{"k": 0}, {"arms": ()}])
def test_senseless_requests_are_refused(laws: Home, fields: dict[str, object]) -> None:
    """No passages or no arms cannot be meant."""
    with pytest.raises(InvalidInput):
        laws.search("押金", **fields)


def test_a_generation_swept_in_between_is_not_an_error(laws: Home) -> None:
    """If the generation goes away between reading its name and opening it, the new one is searched."""
    searcher, calls = laws.searcher, []
    opened = searcher._open_generation

    def first_time_gone(name: str) -> object:
        calls.append(name)
        if len(calls) == 1:
            raise NotFound("swept")
        return opened(name)

    searcher._open_generation = first_time_gone  # type: ignore[assignment]
    assert laws.search("押金").passages
    assert len(calls) == 2


def test_exact_duplicates_have_a_stable_order(home: Home) -> None:
    """The same text in two works is two passages, in the same order every time."""
    other = LABOUR.replace("劳动保护条例", "劳动保障条例")
    home.ingest("law", find_pack("law"), a=LABOUR, b=other)
    orders = {tuple((p.work, p.text) for p in home.search("加班工资").passages) for _ in range(5)}
    assert len(orders) == 1
    (work, text), (other_work, other_text) = orders.pop()[:2]
    assert text == other_text
    assert {work, other_work} == {"劳动保护条例", "劳动保障条例"}


class LastFirst(InteractionReranker):
    """Turns the hits round."""

    def __init__(self) -> None:
        self.read: list[Passage] = []

    def order(self, question: str, hits: Sequence[Passage]) -> list[int]:
        self.read = list(hits)
        return list(range(len(hits)))[::-1]


def reranked(home: Home) -> tuple[Home, LastFirst]:
    embedder, reranker = WordEmbedder(), LastFirst()
    searcher = Searcher(
        Catalogue(home.database),
        lambda name: home.folder.open(name, embedder.embedder_id),
        embedder,
        find_pack,
        reranker,
    )
    return Home(database=home.database, folder=home.folder, ingest=home.ingest, searcher=searcher), reranker


def test_a_reranker_decides_the_order_and_scores_still_fall(laws: Home) -> None:
    """It reads the hits with their scores; the places keep their fused scores, and what was found is the same."""
    asked = "出租人收取押金可以超过一个月租金吗"
    plain, (home, reranker) = laws.search(asked), reranked(laws)
    result = home.search(asked)
    assert "rerank" in result.timings_ms
    assert "rerank" not in plain.timings_ms
    assert [p.chunk_id for p in reranker.read] == [p.chunk_id for p in plain.passages]
    assert [p.scores for p in reranker.read] == [p.scores for p in plain.passages]
    assert [p.chunk_id for p in result.passages] == [p.chunk_id for p in reversed(plain.passages)]
    assert [p.score for p in result.passages] == [p.score for p in plain.passages]
    assert result.top_cosine == plain.top_cosine


def test_a_reranker_leaves_addresses_and_filters_alone(laws: Home) -> None:
    """The named article stays first with full score; what a filter or the day shuts out is not read."""
    asked = "押金和租金怎么收，见《劳动保护条例》第二条"
    home, reranker = reranked(laws)
    result = home.search(asked)
    assert result.addressed == 1
    assert (result.passages[0].work, result.passages[0].score) == ("劳动保护条例", 1.0)
    home.search(asked, filters=Filters(works=("住房租赁条例",)), as_of=date(2024, 1, 1))
    assert {(p.work, p.effective_from) for p in reranker.read} == {("住房租赁条例", date(2019, 3, 1))}


def test_one_arm_is_not_reranked(laws: Home) -> None:
    """A reranker orders what both arms found; keywords or vectors alone are what was asked for."""
    home, reranker = reranked(laws)
    for arm in ("lexical", "dense"):
        assert "rerank" not in home.search("押金", arms=(arm,)).timings_ms
    assert reranker.read == []
