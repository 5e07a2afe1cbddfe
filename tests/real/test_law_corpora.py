"""Statutes as their publishers write them: all files of the law corpora."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.domains.law.paragraphs import find_paragraph
from ragsvc.domains.works import inherit_validity
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.records import Chunk, DocumentFacts, LoadedDocument

FOLDERS = ("laws_zh_md", "laws_zh_docx", "laws_zh_local_txt", "zh_pdf", "eu_law_html")
CHUNKER = LawChunker()


class Parsed(NamedTuple):
    """One file, described and chunked."""

    path: str
    document: LoadedDocument
    facts: DocumentFacts
    chunks: list[Chunk]

    def texts(self, chunk: Chunk) -> str:
        return self.document.text[chunk.start : chunk.end].strip()

    def at(self, address: str) -> Chunk:
        return next(c for c in self.chunks if c.address == address)


@pytest.fixture(scope="module")
def corpus(shared_data: Path) -> list[Parsed]:
    """Every file of the five folders."""
    root = shared_data / "corpora"
    found: list[Parsed] = []
    with ParserProcess(DEFAULT_LIMITS) as parser:
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                if path.is_file() and path.name != "README.md":
                    document = load_file(path, parser=parser)
                    facts = CHUNKER.describe(document)
                    chunks = CHUNKER.chunk(document, facts)
                    found.append(Parsed(str(path.relative_to(root)), document, facts, chunks))
    return found


def one(corpus: list[Parsed], part_of_path: str) -> Parsed:
    [found] = [parsed for parsed in corpus if part_of_path in parsed.path]
    return found


def test_every_file_is_tiled(corpus: list[Parsed]) -> None:
    """Every code point of all 673 files is in exactly one leaf."""
    faults = {p.path: fault for p in corpus if (fault := tiling_fault(p.chunks, len(p.document.text)))}
    assert faults == {}
    assert len(corpus) == 673


# Looked at one by one: replies, a list of repealed texts and two clinical guidelines, none of which has articles.
WITHOUT_ARTICLES = {
    "最高人民检察院关于以暴力威胁方法阻碍事业编制人员依法执行行政执法职务是否可对侵害人以妨害公务罪论处的批复_20000424.docx",
    "最高人民检察院关于对服刑罪犯暂予监外执行期间在异地又犯罪应由何地检察院受理审查起诉问题的批复_19981126.docx",
    "最高人民检察院关于强迫借贷行为适用法律问题的批复_20140417.docx",
    "最高人民法院+最高人民检察院关于缓刑犯在考验期满后五年内再犯应当判处有期徒刑以上刑罚之罪应否认定为累犯问题的批复_20200117.docx",
    "最高人民法院予以废止的1999年底以前发布的有关司法解释目录（第三批）_20000713.docx",
    "最高人民法院关于产品侵权案件的受害人能否以产品的商标所有人为被告提起民事诉讼的批复_20201229.docx",
    "最高人民法院关于判决宣告后又发现被判刑的犯罪分子的同种漏罪是否实行数罪并罚问题的批复_19930416.docx",
    "最高人民法院关于国家工作人员利用职务上的便利为他人谋取利益离退休后收受财物行为如何处理问题的批复_20000713.docx",
    "最高人民法院关于定期宣判的案件人民陪审员因故不能参加审判时可否由审判员开庭宣判问题的批复_19810804.docx",
    "最高人民法院关于审理出口信用保险合同纠纷案件适用相关法律问题的批复_20130502.docx",
    "最高人民法院关于银行储蓄卡密码被泄露导致存款被他人骗取引起的储蓄合同纠纷应否作为民事案件受理问题的批复_20050725.docx",
    "最高人民法院办公厅关于转发《国务院法制局关于征收企业专用码头货物港务费具体适用规章问题的复函》的通知_19960508.docx",
    "最高人民法院行政审判庭关于如何适用国务院国发〔1994〕41号文件有关问题请示的答复_19970604.docx",
    "原发性肝癌诊疗指南.pdf",
    "新冠治疗方案.pdf",
}


def test_only_texts_without_articles_have_none(corpus: list[Parsed]) -> None:
    """Whatever has articles comes out as articles."""
    without = {Path(p.path).name for p in corpus if not any(c.kind == "article" for c in p.chunks)}
    assert without == WITHOUT_ARTICLES


# 第五十四条 is missing in the file itself.
JUMPS = {("农民专业合作社法(2017-12-27).md", "53", "55")}


def test_article_numbers_follow_each_other(corpus: list[Parsed]) -> None:
    """Within a file the numbers go up by one, or by an insert, with the exceptions listed."""
    jumps: set[tuple[str, str, str]] = set()
    for parsed in corpus:
        addresses = [c.address for c in parsed.chunks if c.kind == "article" and c.address]
        for before, after in itertools.pairwise(addresses):
            first, *inserts = before.split("-")
            expected = {f"{int(first) + 1}", f"{before}-1"}
            if inserts:
                expected.add(f"{first}-{int(inserts[-1]) + 1}")
            if after not in expected:
                jumps.add((Path(parsed.path).name, before, after))
    assert jumps == JUMPS


def test_addresses_are_unique_within_a_document(corpus: list[Parsed]) -> None:
    """An address names one place."""
    doubled = [
        (p.path, address, n)
        for p in corpus
        for address, n in Counter(c.address for c in p.chunks if c.address).items()
        if n > 1
    ]
    assert doubled == []


def test_an_article_starts_at_its_number(corpus: list[Parsed]) -> None:
    """What is quoted begins with the locator, as the file writes it; no mark of Markdown is in locator or path."""
    wrong = []
    for parsed in corpus:
        for chunk in parsed.chunks:
            shown = " ".join([chunk.locator, *chunk.heading_path])
            opening = "".join(parsed.texts(chunk)[:40].split())
            if chunk.kind == "article" and not opening.startswith("".join(chunk.locator.split())):
                wrong.append((parsed.path, chunk.locator, opening))
            if any(mark in shown for mark in ("#", "*", "<!--", "\n")):
                wrong.append((parsed.path, chunk.locator, shown))
    assert wrong == []


def test_the_civil_code_is_one_work_of_1260_articles(corpus: list[Parsed]) -> None:
    """Eight files, one title, each article once; the same in the one Word file."""
    books = [p for p in corpus if "民法典/" in p.path]
    assert len(books) == 8
    assert {"中华人民共和国民法典"} == {p.facts.title for p in books}
    assert {"总则", "物权编", "合同编", "人格权编", "婚姻家庭编", "继承编", "侵权责任编", "附则"} == {
        p.facts.part for p in books
    }
    addresses = [c.address for p in books for c in p.chunks if c.kind == "article"]
    assert {str(n) for n in range(1, 1261)} == set(addresses)
    assert len(addresses) == 1260
    whole = one(corpus, "中华人民共和国民法典_20200528.docx")
    assert (whole.facts.title, whole.facts.part) == ("中华人民共和国民法典", "")
    assert [str(n) for n in range(1, 1261)] == [c.address for c in whole.chunks if c.kind == "article"]
    breach = whole.at("577")
    assert breach.heading_path == ("第三编 合同", "第一分编 通则", "第八章 违约责任")
    assert whole.texts(breach).startswith("第五百七十七条　当事人一方不履行合同义务")


def test_every_book_of_the_civil_code_holds_from_2021(corpus: list[Parsed]) -> None:
    """One file does not state the day; it inherits from the others."""
    books = [p.facts for p in corpus if "民法典/" in p.path]
    assert [f.part for f in books if f.validity_source != "stated"] == ["婚姻家庭编"]
    assert {date(2021, 1, 1)} == {inherit_validity(f, books).effective_from for f in books}


def test_inserted_articles_of_the_criminal_law(corpus: list[Parsed]) -> None:
    """第一百三十三条之一 stands between 133 and 134 under its chapter."""
    law = one(corpus, "laws_zh_md/刑法/刑法.md")
    drunk = law.at("133-1")
    assert drunk.locator == "第一百三十三条之一"
    assert drunk.heading_path == ("第二编 分则", "第二章 危害公共安全罪")
    assert "醉酒驾驶机动车" in law.texts(drunk)
    assert {"133-2", "291-2", "120-6", "388-1"} <= {c.address for c in law.chunks}


def test_judicial_interpretations_without_chapters_and_replies_by_number(corpus: list[Parsed]) -> None:
    """一、 of an arrangement is its Article 1; headings like 十、第一审普通程序 are headings, not articles."""
    arrangement = one(corpus, "相互委托送达民商事司法文书的安排_19990329.docx")
    assert [(c.locator, c.address) for c in arrangement.chunks if c.address in ("1", "10")] == [
        ("一、", "1"),
        ("十、", "10"),
    ]
    procedure = one(corpus, "laws_zh_md/司法解释/最高人民法院关于适用《民事诉讼法》的解释")
    assert [str(n) for n in range(1, 551)] == [c.address for c in procedure.chunks if c.kind == "article"]
    assert sum(c.kind == "heading" for c in procedure.chunks) == 23


def test_the_gdpr_has_its_articles_and_recitals(corpus: list[Parsed]) -> None:
    """99 articles, 173 recitals, paragraphs of long articles, points inside them."""
    gdpr = one(corpus, "gdpr")
    assert [str(n) for n in range(1, 100)] == [c.address for c in gdpr.chunks if c.kind == "article"]
    assert [f"r{n}" for n in range(1, 174)] == [c.address for c in gdpr.chunks if c.address.startswith("r")]
    erasure = gdpr.at("17")
    assert erasure.locator == "Article 17"
    assert erasure.heading_path[:2] == ("Chapter III Rights of the data subject", "Section 3 Rectification and erasure")
    assert erasure.heading_path[2].startswith("Right to erasure")
    article = gdpr.texts(erasure)
    span = find_paragraph(article, "1", "b")
    assert span is not None
    assert article[slice(*span)].startswith("(b) the data subject withdraws consent")
    facts = gdpr.facts
    assert (facts.number, facts.validity_source) == ("(EU) 2016/679", "stated")
    assert (date(2016, 4, 27), date(2018, 5, 25)) == (facts.promulgated, facts.effective_from)
    assert {"GDPR", "General Data Protection Regulation", "Regulation (EU) 2016/679"} <= set(facts.aliases)


# Read by hand in head and last article of each file: (file, promulgated, first day in force, how it is known).
VALIDITY = [
    ("公司法(2018-10-26).md", "2018-10-26", "2018-10-26", "inferred"),  # 第四次修正; last article says 2006
    ("公司法(2023-12-29).md", "2023-12-29", "2024-07-01", "stated"),
    ("中华人民共和国公司法.docx", "2023-12-29", "2024-07-01", "stated"),
    ("反垄断法(2007-08-30).md", "2007-08-30", "2008-08-01", "stated"),
    ("反垄断法(2022-06-24).md", "2022-06-24", "2022-06-24", "inferred"),  # 修正; last article says 2008
    ("慈善法(2016-03-16).md", "2016-03-16", "2016-09-01", "stated"),
    ("慈善法(2023-12-29).md", "2023-12-29", "2023-12-29", "inferred"),  # 修正; last article says 2016
    ("各级人民代表大会常务委员会监督法(2006-08-27).md", "2006-08-27", "2007-01-01", "stated"),
    ("各级人民代表大会常务委员会监督法(2024-11-08).md", "2024-11-08", "2024-11-08", "inferred"),
    ("反洗钱法(2006-10-31).md", "2006-10-31", "2007-01-01", "stated"),
    ("反洗钱法(2024-11-08).md", "2024-11-08", "2025-01-01", "stated"),
    ("国防教育法(2018-04-27).md", "2018-04-27", "2018-04-27", "inferred"),  # 修正, 自公布之日起施行 is of 2001
    ("国防教育法(2024-09-13).md", "2024-09-13", "2024-09-21", "stated"),
    ("反间谍法(2014-11-01).md", "2014-11-01", "2014-11-01", "stated"),  # 自公布之日起施行
    ("反间谍法(2023-04-26).md", "2023-04-26", "2023-07-01", "stated"),
    ("监察法(2018-03-20).md", "2018-03-20", "2018-03-20", "stated"),  # 自公布之日起施行
    ("监察法(2024-12-25).md", "2024-12-25", "2024-12-25", "inferred"),  # 修正
    ("职业教育法(1996-05-15).md", "1996-05-15", "1996-09-01", "stated"),
    ("职业教育法(2022-04-20).md", "2022-04-20", "2022-05-01", "stated"),
    ("保守国家秘密法(2010-04-29).md", "2010-04-29", "2010-10-01", "stated"),
    ("保守国家秘密法(2024-02-27).md", "2024-02-27", "2024-05-01", "stated"),
    ("科学技术普及法(2002-06-29).md", "2002-06-29", "2002-06-29", "stated"),  # 自公布之日起施行
    ("科学技术普及法(2024-12-25).md", "2024-12-25", "2024-12-25", "stated"),  # 修订, 自公布之日起施行
    ("统计法(2009-06-27).md", "2009-06-27", "2010-01-01", "stated"),
    ("统计法(2024-09-13).md", "2024-09-13", "2024-09-13", "inferred"),  # 修正; last article says 2010
    ("中华人民共和国刑事诉讼法.docx", "2012-03-14", "2013-01-01", "stated"),  # in the head's brackets
    ("刑事诉讼法(2018-10-26).md", "2018-10-26", "2018-10-26", "inferred"),
    ("中华人民共和国治安管理处罚法_20250627.docx", "2025-06-27", "2026-01-01", "stated"),
    ("治安管理处罚法(2012-10-26).md", "2012-10-26", "2012-10-26", "inferred"),
    ("中华人民共和国民营经济促进法.pdf", "2025-04-30", "2025-05-20", "stated"),
    ("公安机关适用继续盘问规定(2004-07-12).md", "2004-07-12", "2004-10-01", "stated"),  # 二○○四年十月一日
    (
        "浙江省实施《归侨侨眷权益保护法》办法(2001-06-29).txt",
        "2021-03-26",
        "2021-03-26",
        "inferred",
    ),  # head is later than name
]


@pytest.mark.parametrize(("name", "promulgated", "effective_from", "source"), VALIDITY)
def test_validity_is_as_read_by_hand(
    corpus: list[Parsed], name: str, promulgated: str, effective_from: str, source: str
) -> None:
    """Versions of a law hold from the day their own text gives, never from the day of the first version."""
    [facts] = {p.facts for p in corpus if Path(p.path).name == name}
    assert (date.fromisoformat(promulgated), date.fromisoformat(effective_from), source) == (
        facts.promulgated,
        facts.effective_from,
        facts.validity_source,
    )


def test_no_version_holds_before_it_was_promulgated(corpus: list[Parsed]) -> None:
    """Over all files: the first day in force is not earlier than the promulgation; both are known for every statute."""
    early = [
        p.path
        for p in corpus
        if p.facts.promulgated and p.facts.effective_from and p.facts.effective_from < p.facts.promulgated
    ]
    assert early == []
    unknown = {Path(p.path).name for p in corpus if p.facts.effective_from is None}
    assert {"原发性肝癌诊疗指南.pdf", "新冠治疗方案.pdf"} == unknown


def test_chunking_keeps_up(corpus: list[Parsed]) -> None:
    """At least 5,000 articles per second of processor time for description and chunks together."""
    chosen = [p for p in corpus if p.path.startswith("laws_zh_md")][:200]
    start = time.process_time()
    n_articles = sum(
        sum(c.kind == "article" for c in CHUNKER.chunk(p.document, CHUNKER.describe(p.document))) for p in chosen
    )
    assert n_articles / (time.process_time() - start) >= 5000
