"""Real statutes, guidelines and filings come out whole: compared with independent extractions of the same files."""

from __future__ import annotations

import re
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree, html
from pypdf import PdfReader

from ragsvc.loading import ParserProcess, iter_files, load_file, read_beir_corpus
from ragsvc.records import LoadedDocument


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess() as process:
        yield process


@pytest.fixture(scope="module")
def corpora(shared_data: Path) -> Path:
    return shared_data / "corpora"


def lost_share(expected: str, found: str) -> float:
    """Share of the visible characters of ``expected`` that ``found`` has fewer of."""
    wanted = Counter(re.sub(r"\s", "", expected))
    return sum((wanted - Counter(re.sub(r"\s", "", found))).values()) / wanted.total()


def check_blocks(document: LoadedDocument) -> None:
    """Blocks lie in the text, in order, and hold no white space around them."""
    starts = [block.start for block in document.blocks]
    assert starts == sorted(starts)
    for block in document.blocks:
        content = document.text[block.start : block.end]
        assert content == content.strip() != ""


def texts(document: LoadedDocument, kind: str) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == kind]


def test_all_text_files_come_unchanged_and_fast(corpora: Path) -> None:
    """Every Markdown and text file is its own text, at well over 1,000 articles a second."""
    files = list(iter_files(corpora / name for name in ("laws_zh_md", "laws_zh_local_txt", "covid_articles_txt")))
    assert len(files) == 534 + 40 + 30
    start = time.perf_counter()
    documents = [load_file(path) for path in files]
    seconds = time.perf_counter() - start
    articles = sum(len(re.findall(r"^第[一二三四五六七八九十百千]+条", document.text, re.M)) for document in documents)
    assert articles / seconds > 1000
    for path, document in zip(files, documents, strict=True):
        assert document.text == path.read_text(encoding="utf-8").replace("\r\n", "\n")
        check_blocks(document)


def test_word_statutes_lose_nothing(corpora: Path, parser: ParserProcess) -> None:
    """All text runs of word/document.xml are in the text; a second copy for old programs is the only exception."""
    files = list(iter_files([corpora / "laws_zh_docx"]))
    assert len(files) == 95
    run = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t"
    for path in files:
        document = load_file(path, parser=parser)
        body = etree.fromstring(zipfile.ZipFile(path).read("word/document.xml"))
        lost = lost_share("".join(node.text or "" for node in body.iter(run)), document.text)
        assert lost < (0.002 if path.name.startswith("人民检察院公益诉讼") else 1e-9), path.name
        check_blocks(document)


def test_numbers_that_word_computes(corpora: Path, parser: ParserProcess) -> None:
    """Two real files number paragraphs with Word's lists; the numbers are in the text."""
    notice = next((corpora / "laws_zh_docx").glob("*修订刑法第十二条*.docx"))
    assert re.search(r"^二、如果当时的法律、司法解释认为是犯罪", load_file(notice, parser=parser).text, re.M)


def test_the_pdf_statute_is_one_paragraph_an_article_paragraph(corpora: Path, parser: ParserProcess) -> None:
    """All 78 articles begin a paragraph, every paragraph ends like one, and no page number is left."""
    document = load_file(corpora / "zh_pdf" / "中华人民共和国民营经济促进法.pdf", parser=parser)
    check_blocks(document)
    paragraphs = texts(document, "paragraph")
    articles = [text for text in paragraphs if re.match(r"第[一二三四五六七八九十]+条 ", text)]
    assert len(articles) == 78
    body = paragraphs[paragraphs.index(articles[0]) :]
    assert [text for text in body if not re.search(r"[。；：]$", text) and not re.match(r"第.+章 ", text)] == []
    assert not re.search(r"－\s*\d+\s*－", document.text)
    assert articles[0].endswith("根据宪法，制定本法。")
    assert [block.page for block in document.blocks if block.kind == "page"] == list(range(1, 22))


@pytest.mark.parametrize(
    ("name", "ends"),
    [("中华人民共和国民营经济促进法", 0.99), ("新冠治疗方案", 0.98), ("原发性肝癌诊疗指南", 0.96)],
)
def test_chinese_pdf_text_agrees_with_another_extractor(
    corpora: Path, parser: ParserProcess, name: str, ends: float
) -> None:
    """Another extractor finds hardly a character more (page numbers apart); paragraphs are joined to their ends."""
    path = corpora / "zh_pdf" / f"{name}.pdf"
    document = load_file(path, parser=parser)
    check_blocks(document)
    other = "\n".join(page.extract_text() for page in PdfReader(path).pages[:30])
    other = re.sub(r"^\s*(?:－\s*\d+\s*－|\d+ / \d+|\d+)\s*$", "", other, flags=re.M)
    assert lost_share(other, document.text) < 0.01
    long = [text for text in texts(document, "paragraph") if len(text) > 60 and re.search(r"[\u4e00-\u9fff]{9}", text)]
    assert sum(bool(re.search(r"[。；：！？）\].\d]$", text)) for text in long) >= ends * len(long)


def test_the_gdpr(corpora: Path, parser: ParserProcess) -> None:
    """99 articles in 11 chapters, 173 recitals, 21 footnotes; nothing of the page's text is missing."""
    path = corpora / "eu_law_html" / "gdpr_32016R0679_en.html"
    document = load_file(path, parser=parser)
    check_blocks(document)
    assert document.title.startswith("REGULATION (EU) 2016/679")
    articles = [text for text in texts(document, "heading") if text.startswith("Article ")]
    assert [int(text.split()[1]) for text in articles] == list(range(1, 100))
    assert articles[16] == "Article 17\nRight to erasure (‘right to be forgotten’)"
    assert sum(text.startswith("CHAPTER ") for text in texts(document, "heading")) == 11
    recitals = [text for text in texts(document, "list") if re.match(r"\(\d+\) ", text)]
    assert [int(text[1:].split(")")[0]) for text in recitals[:173]] == list(range(1, 174))
    assert len(texts(document, "footnote")) == 21
    page = html.fromstring(path.read_bytes())
    etree.strip_elements(page, "script", "style", "title", with_tail=False)
    assert lost_share(page.text_content(), document.text) < 1e-4


def test_filings_in_html(corpora: Path, parser: ParserProcess) -> None:
    """SEC filings: the visible text is there, and the tables have rows with figures."""
    for path in sorted((corpora / "finance_html").glob("10-Q_[GHT]*.html")):
        document = load_file(path, parser=parser)
        check_blocks(document)
        page = html.fromstring(path.read_bytes())
        for hidden in page.xpath('//*[contains(translate(@style, " ", ""), "display:none")] | //title'):
            hidden.drop_tree()
        visible = re.sub("Table of Contents", "", page.text_content(), flags=re.I)  # a link on every page, left out
        assert lost_share(visible, document.text) < 0.002, path.name
        items = [re.match(r"item (\d+[AB]?)", text, re.I) for text in texts(document, "heading")]
        assert {"1", "2", "4", "1A", "6"} <= {item[1] for item in items if item}, path.name
        assert len(document.facts) > 400
        for fact in document.facts[::50]:
            printed = document.text[fact.start : fact.end].replace(",", "")
            assert not re.fullmatch(r"\d+", printed) or fact.value.lstrip("-0.").startswith(printed.strip("0")), fact
        assert any(re.search(r"^Total .*\| \d", table, re.M) for table in texts(document, "table")), path.name


def test_filings_in_pdf(corpora: Path, parser: ParserProcess) -> None:
    """An earnings release: the text agrees with another extractor, and rows of figures stay rows."""
    path = corpora / "finance_pdf" / "ULTABEAUTY_2023Q4_EARNINGS.pdf"
    document = load_file(path, parser=parser)
    check_blocks(document)
    other = "\n".join(page.extract_text() for page in PdfReader(path).pages)
    assert lost_share(other, document.text) < 0.02
    assert any(re.search(r"\d \| .*\d", table) for table in texts(document, "table"))


def test_health_pages_in_xml(corpora: Path, parser: ParserProcess) -> None:
    """Each question of a MedQuAD page is a heading, each answer is under it, word for word."""
    files = list(iter_files([corpora / "medquad_xml"]))
    assert len(files) == 72
    for path in files:
        document = load_file(path, parser=parser)
        check_blocks(document)
        root = etree.parse(path).getroot()
        questions = [" ".join((found.text or "").split()) for found in root.iter("Question")]
        assert texts(document, "heading") == questions, path.name
        said = "".join(found.text or "" for found in root.iter("Question", "Answer", "Focus", "Synonym"))
        assert lost_share(said, document.text) < 1e-9, path.name


def test_a_labelled_set_streams(shared_data: Path) -> None:
    """58,636 statute articles come from the gzip file in a few seconds, each with its id."""
    start = time.perf_counter()
    names = {document.name for document in read_beir_corpus(shared_data / "retrieval" / "stard" / "corpus.jsonl.gz")}
    assert len(names) == 58_636
    assert time.perf_counter() - start < 5
