"""Addresses against a catalogue: what is there is found exactly, what is not is said to be missing."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.errors import NotFound
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument
from ragsvc.retrieval.addresses import AddressResolver, Resolution
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.changes import Changes
from ragsvc.store.database import Database
from ragsvc.store.staging import StagedDocument, Staging

GRAMMAR = LawGrammar()
TODAY = date(2026, 1, 1)


def law(title: str, *articles: str, start: date | None = None, issued: date | None = None) -> StagedDocument:
    """A law of one article a text; ``第三条`` and so on are put before them."""
    text, chunks = "", []
    for n, article in enumerate(articles, start=1):
        begin = len(text)
        text += f"第{'零一二三四五六七八九'[n]}条　{article}\n"
        locator = f"第{'零一二三四五六七八九'[n]}条"
        chunks.append(Chunk(kind="article", start=begin, end=len(text), locator=locator, address=str(n)))
    facts = DocumentFacts(title=title, kind="法律", promulgated=issued, effective_from=start)
    keys = GRAMMAR.name_keys(facts)
    return StagedDocument(
        document=LoadedDocument(
            name=title, text=text, media_type="text/plain", source_sha256=hashlib.sha256(text.encode()).hexdigest()
        ),
        facts=facts,
        chunks=tuple(chunks),
        windows=((),) * len(chunks),
        work_key=keys[0],
        name_keys=tuple(keys),
        document_key="",
        chunked_by="test",
    )


LAWS = (
    law("中华人民共和国民法典", "为了保护民事主体。", "民法调整。\n平等主体之间。", "受法律保护。"),
    law("中华人民共和国劳动合同法", "为了完善。", "适用本法：\n（一）企业；\n（二）个体经济组织。"),
    law("中华人民共和国公司法", "旧一。", "旧二。", "旧三。", start=date(2018, 10, 26), issued=date(2018, 10, 26)),
    law("中华人民共和国公司法", "新一。", "新二。", start=date(2024, 7, 1), issued=date(2023, 12, 29)),
    law("最高人民法院关于审理民间借贷案件适用法律若干问题的规定", "本规定所称。"),
    law("最高人民法院关于审理劳动争议案件适用法律若干问题的解释（一）", "甲。"),
    law("最高人民法院关于办理劳动争议案件适用法律问题的解释（一）", "乙。"),
)


class Home:
    """A small catalogue and its resolver."""

    def __init__(self, folder: Path, laws: tuple[StagedDocument, ...]) -> None:
        self.database = Database(folder / "catalogue.sqlite")
        staging = Staging(self.database, "job", "none")
        self.collection = staging.open_collection("law", "law", "Asia/Shanghai")
        staging.stage(self.collection, laws, {})
        staging.commit("generation", 0)
        self.catalogue = Catalogue(self.database)
        self.resolver = AddressResolver(self.catalogue, GRAMMAR)

    def resolve(self, question: str, day: date = TODAY) -> Resolution:
        return self.resolver.resolve(question, self.catalogue.snapshot(["law"], day), day=day)

    def texts(self, question: str, day: date = TODAY) -> list[str]:
        """The cited ranges, read back from the versions."""
        hits = self.resolve(question, day).hits
        return [self.catalogue.version_text(h.chunk.version.version_id, h.start, h.end).text.strip() for h in hits]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, LAWS)


def test_articles_come_in_the_order_of_mention(home: Home) -> None:
    """Two laws in one question: each article once, as the question names them."""
    texts = home.texts("劳动合同法第一条和民法典第三条，还有《民法典》第3条")
    assert texts == ["第一条　为了完善。", "第三条　受法律保护。"]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("民法典第二条第二款", "平等主体之间。"),
        ("劳动合同法第二条第（二）项", "（二）个体经济组织。"),
        ("劳动合同法第二条第一款第一项", "（一）企业；"),
    ],
)
def test_a_paragraph_or_item_is_its_own_range(home: Home, question: str, text: str) -> None:
    """The range holds just what was asked for, and is a range of the stored text."""
    assert home.texts(question) == [text]


def test_an_alias_reaches_the_work(home: Home) -> None:
    """民间借贷司法解释 is the official title's short form."""
    assert home.texts("民间借贷司法解释第一条") == ["第一条　本规定所称。"]


def test_the_version_of_the_day_is_found(home: Home) -> None:
    """The day before, the day itself, long after."""
    assert home.texts("公司法第一条", date(2024, 6, 30)) == ["第一条　旧一。"]
    assert home.texts("公司法第一条", date(2024, 7, 1)) == ["第一条　新一。"]
    assert home.texts("公司法第一条", date(2030, 1, 1)) == ["第一条　新一。"]


def test_an_article_that_is_not_in_force_is_not_served(home: Home) -> None:
    """Article 3 went with the old version; before the first version nothing held."""
    (missing,) = home.resolve("公司法第三条").missing
    assert (missing.mention, missing.reason, missing.work) == ("公司法第三条", "not in force", "中华人民共和国公司法")
    (missing,) = home.resolve("公司法第一条", date(2000, 1, 1)).missing
    assert missing.reason == "not in force"
    assert home.texts("公司法第三条") == []


def test_an_edition_holds_only_for_itself(home: Home) -> None:
    """公司法（2018修正） is not answered with the text of 2023, and no edition of 1999 is here."""
    assert home.texts("《公司法（2023年修订）》第一条") == ["第一条　新一。"]
    assert home.resolve("《公司法（2018修正）》第一条").missing[0].reason == "not in force"
    assert home.texts("《公司法（2018修正）》第一条", date(2020, 1, 1)) == ["第一条　旧一。"]
    missing = home.resolve("公司法（1999修正）第一条").missing[0]
    assert (missing.reason, missing.nearest) == ("no such work", ("中华人民共和国公司法",))


def test_an_article_that_does_not_exist_is_said_not_to(home: Home) -> None:
    """The last article is offered, never served."""
    found = home.resolve("民法典第五千条")
    assert found.hits == ()
    (missing,) = found.missing
    assert (missing.mention, missing.reason, missing.nearest) == ("民法典第五千条", "no such article", ("第三条",))


def test_a_paragraph_that_does_not_exist_is_said_not_to(home: Home) -> None:
    """The article is offered in its stead."""
    (missing,) = home.resolve("民法典第二条第五款").missing
    assert (missing.reason, missing.nearest) == ("no such article", ("第二条",))


@pytest.mark.parametrize(
    ("question", "mention"),
    [
        ("请问合同法第一条", "合同法第一条"),
        ("《德国民法典》第1条", "《德国民法典》第1条"),
        ("德国民法典第1条", "德国民法典第1条"),
        ("根据外星人管理条例第3条", "外星人管理条例第3条"),
    ],
)
def test_a_work_that_is_not_here_is_said_not_to_be(home: Home, question: str, mention: str) -> None:
    """Neither a name that it ends with nor one that is like it is served."""
    found = home.resolve(question)
    assert found.hits == ()
    assert [(m.mention, m.reason) for m in found.missing] == [(mention, "no such work")]


def test_a_repealed_law_offers_its_successor_first(home: Home) -> None:
    """Who asks for the 合同法 is told that there is a 民法典, and of names that are like it."""
    assert home.resolve("合同法第一条").missing[0].nearest == ("中华人民共和国民法典", "中华人民共和国劳动合同法")


def test_a_missing_place_is_reported_once(home: Home) -> None:
    """The same mention twice is one gap."""
    assert len(home.resolve("合同法第一条，合同法第一条").missing) == 1


def test_a_bare_article_needs_one_work(home: Home) -> None:
    """第一条 alone is no address among several works, and one where only one can be meant."""
    assert home.resolve("第一条说什么").hits == ()
    assert home.resolve("第一条说什么").missing == ()
    snapshot = home.catalogue.snapshot(["law"], TODAY)
    (only,) = home.resolver.find_works(["民法典"], snapshot)
    found = home.resolver.resolve("第一条说什么", snapshot, works_only=[only.ordinal])
    assert [hit.chunk.version.work for hit in found.hits] == ["中华人民共和国民法典"]


def test_a_bare_article_is_enough_in_a_collection_of_one_work(tmp_path: Path) -> None:
    """Where there is one work, it is the one that is meant."""
    home = Home(tmp_path, LAWS[:1])
    assert home.texts("第三条说什么") == ["第三条　受法律保护。"]


def test_a_work_outside_the_filter_is_not_found(home: Home) -> None:
    """With a filter on works, another work's article is not here."""
    snapshot = home.catalogue.snapshot(["law"], TODAY)
    (only,) = home.resolver.find_works(["民法典"], snapshot)
    found = home.resolver.resolve("劳动合同法第一条", snapshot, works_only=[only.ordinal])
    assert found.hits == ()
    assert found.missing[0].reason == "no such work"


def test_a_name_that_two_works_share_gives_both(home: Home) -> None:
    """劳动争议案件解释一 follows from two titles: neither is preferred in silence."""
    assert sorted(home.texts("劳动争议案件解释一第一条")) == ["第一条　乙。", "第一条　甲。"]


def test_a_removed_work_is_gone_at_once(home: Home) -> None:
    """Its name leads nowhere any more, without another ingest."""
    before = home.resolve("劳动合同法第一条").hits
    Changes(home.database).remove_document(before[0].chunk.version.document_id)
    after = home.resolve("劳动合同法第一条")
    assert after.hits == ()
    assert after.missing[0].reason == "no such work"


def test_works_are_named_with_or_without_an_article(home: Home) -> None:
    """A law alone is no hit and nothing missing, but others may use that it was named."""
    found = home.resolve("《劳动合同法》里试用期多久")
    assert (found.hits, found.missing) == ((), ())
    assert [work.title for work in found.works] == ["中华人民共和国劳动合同法"]


def test_a_filter_on_an_unknown_work_is_an_error(home: Home) -> None:
    """The message says what was asked and what there is."""
    with pytest.raises(NotFound, match=r"'德国民法典'.*中华人民共和国民法典"):
        home.resolver.find_works(["德国民法典"], home.catalogue.snapshot(["law"], TODAY))


def test_a_question_without_address_costs_no_look_up(home: Home) -> None:
    """Most questions name no place."""
    assert home.resolve("邻居装修太吵怎么办？") == Resolution()
