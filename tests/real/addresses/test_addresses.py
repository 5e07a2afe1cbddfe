"""Addresses over real laws, and as lawyers wrote them in real answers."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.names import normal_name
from ragsvc.domains.law.numerals import number, numeral
from ragsvc.records import Address, DocumentFacts
from tests.real.addresses.conftest import LawHome

GRAMMAR = LawGrammar()
WIDE = str.maketrans("0123456789-", "０１２３４５６７８９-")
PHRASINGS = (
    "{title}第{chinese}条{of}",
    "《{title}》{n}条{of}",
    "《{short}》第{chinese}条{of}",
    "{short}第 {n} 条{of}",
    "请问{short}第{wide}条{of}是怎么规定的？",
    "我想知道根据{short}{n}条{of}的规定该怎么办",
    "违反了《{short}》第{chinese}条{of}第一款会怎样",
    "看看{short}的第{n}条{of}",
    "{short}第{n}条{of}第1款",
    "公司说{title}里面第{chinese}条{of}不适用",
)


def _question(title: str, article: str, phrasing: str) -> str:
    n, _, of = article.partition("-")
    return phrasing.format(
        title=title,
        short=title.replace("中华人民共和国", ""),
        n=n,
        wide=n.translate(WIDE),
        chinese=numeral(int(n)),
        of=f"之{numeral(int(of))}" if of else "",
    )


def test_a_thousand_addresses_in_ten_phrasings_are_resolved(laws: LawHome) -> None:
    """At least 99 % of random articles of random works come back, and nothing else with them."""
    rng = random.Random(7)
    titles = sorted(title for title, articles in laws.articles.items() if articles)
    wrong = []
    for i in range(1000):
        title = rng.choice(titles)
        article = rng.choice(laws.articles[title])
        question = _question(title, article, PHRASINGS[i % len(PHRASINGS)])
        found = laws.resolve(question)
        got = {(hit.chunk.version.work, hit.chunk.address) for hit in found.hits}
        if got != {(title, article)}:
            wrong.append((question, got, found.missing))
    assert len(wrong) <= 10, wrong


def test_every_work_is_found_by_its_own_name_alone(laws: LawHome) -> None:
    """Neither in 《》 nor unmarked does the name of one work lead to another."""
    stored = laws.catalogue.work_name_keys(laws.snapshot.where)
    wrong = []
    for work in laws.catalogue.work_titles(laws.snapshot.where):
        short = work.title.replace("中华人民共和国", "")
        for question in (f"《{work.title}》第一条", f"{work.title}第一条", f"请问按照{short}第一条"):
            (address,) = GRAMMAR.find(question)
            key = GRAMMAR.stored_key(address, stored)
            if key is None or stored[key] != [work.ordinal]:
                wrong.append((question, address, key))
    assert not wrong


def test_an_article_past_the_last_is_missing(laws: LawHome) -> None:
    """第九千条 exists nowhere: the work's last article is offered and nothing served."""
    for title in sorted(laws.articles)[::10]:
        found = laws.resolve(f"《{title}》第九千条")
        assert found.hits == ()
        assert [(m.reason, m.work) for m in found.missing] == [("no such article", title)]


# --- citations that lawyers wrote ---

CITATION = re.compile(
    r"《([^《》]{2,60}|[^《》]*《[^》]*》[^》]*)》[^《》。第]{0,6}第\s*([零〇一二三四五六七八九十百千0-9]+)\s*条"
)
REALLY_NOT_THERE = {
    # no work of this name is in the set, or it is no statute of this state
    "物权法", "担保法", "侵权责任法", "民法总则", "瑞士民法", "民法", "司法解释", "110接处警工作规范",
    "新担保司法解释理解与适用", "全国法院民商事审判工作会议纪要", "全国民事审判工作会议纪要",
    "最高人民法院对最高人民法院《全国民事审判工作会议纪要", "关于审理劳动争议案件若干问题的意见",
    "关于审理保理合同纠纷案件若干问题的审判委员会纪要", "关于个人所得税法修改后有关优惠政策衔接问题的通知",
    "山东省企业工资支付规定", "上海市信访条例", "城市房地产中介管理规定",
    "最高人民法院关于执行〈中华人民共和国行政诉讼法〉若干问题的解释",
    "国务院办公厅关于做好政府信息依申请公开工作的意见",
}  # fmt: skip
ARTICLE_NOT_THERE = {("关于民事侵权精神损害赔偿责任若干问题的解释", "10")}  # twelve articles in 2001, six today


@pytest.fixture(scope="module")
def stard_book(shared_data: Path) -> dict[str, set[str]]:
    """Law -> articles, as the titles of the labelled set name them."""
    book: dict[str, set[str]] = {}
    with gzip.open(shared_data / "retrieval" / "stard" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            found = re.fullmatch(
                r"(.*?)第([零〇一二三四五六七八九十百千]+)条(?:之([一二三四五六七八九十]+))?", json.loads(line)["title"]
            )
            if found:
                of = f"-{number(found[3])}" if found[3] else ""
                book.setdefault(found[1], set()).add(f"{number(found[2])}{of}")
    return book


def test_citations_by_lawyers_are_resolved(shared_data: Path, stard_book: dict[str, set[str]]) -> None:
    """At least 97 % lead to the article, or to a work that really is not in the set; the misses are listed."""
    stored: dict[str, set[str]] = {}
    for law in stard_book:
        for key in GRAMMAR.name_keys(DocumentFacts(title=law)):
            stored.setdefault(key, set()).add(law)
    outcome: Counter[str] = Counter()
    misses = []
    for line in (shared_data / "retrieval" / "stard" / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)["metadata"].get("answer") or ""
        found = GRAMMAR.find(answer)
        for citation in CITATION.finditer(answer):
            name, article = citation[1], str(number(citation[2]))
            address = next((a for a in found if a.start <= citation.start(2) < a.end), None)
            verdict = _verdict(address, name, article, stored, stard_book)
            outcome[verdict] += 1
            if verdict == "wrong":
                misses.append((citation[0], address))
    assert outcome.total() > 390
    assert outcome["wrong"] <= 0.03 * outcome.total(), misses
    assert outcome["right"] > 0.9 * outcome.total(), outcome


def _verdict(
    address: Address | None, name: str, article: str, stored: dict[str, set[str]], book: dict[str, set[str]]
) -> str:
    if address is None or address.article != article:
        return "wrong"
    key = GRAMMAR.stored_key(address, stored)
    if key is None:
        return "not here" if name.strip() in REALLY_NOT_THERE else "wrong"
    if any(article in book[law] for law in stored[key]):
        same = normal_name(name) in {normal_name(law) for law in stored[key]}
        return "right" if same or key in GRAMMAR.work_keys(name) else "wrong"
    return "not here" if (name, article) in ARTICLE_NOT_THERE else "wrong"


@pytest.mark.parametrize("name", ["toyhom", "fintruthqa", "covidqa", "medquad", "policyqa"])
def test_other_questions_name_no_article(shared_data: Path, name: str) -> None:
    """Patients, investors and readers of papers cite no law: at most one question in 200 does."""
    lines = (shared_data / "retrieval" / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["text"] for line in lines]
    with_article = [q for q in questions if any(a.article for a in GRAMMAR.find(q))]
    assert len(with_article) <= len(questions) / 200, with_article
