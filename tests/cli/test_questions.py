"""``ask``, ``search`` and ``lookup``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from ragsvc.records import Answer, Citation, Passage
from tests.cli.conftest import Cli


def fields(record: type[msgspec.Struct]) -> Sequence[str]:
    return record.__struct_fields__


def test_ask(cli: Cli) -> None:
    """The answer as JSON has the fields of the HTTP answer, and the quotation of the text in force today."""
    ended = cli("ask", "押金最多收几个月", "-c", "law", "--json")
    assert ended.code == 0
    answer = ended.json
    assert list(answer) == list(fields(Answer))
    assert answer["abstained"] is False
    [citation] = answer["citations"]
    assert list(citation) == list(fields(Citation))
    assert citation["locator"] == "第五条"
    assert citation["quote"] == "出租人收取押金的，数额不得超过一个月的租金。"
    assert citation["quote"] in answer["answer"]
    assert list(answer["passages"][0]) == list(fields(Passage))


def test_ask_about_a_day(cli: Cli) -> None:
    """``--as-of`` answers with the law of that day, for people too."""
    ended = cli("ask", "押金最多收几个月", "-c", "law", "--as-of", "2020-01-01")
    assert ended.code == 0
    assert "不得超过两个月的租金" in ended.stdout
    assert "in force from 2019-03-01" in ended.stdout
    assert "不构成法律意见" in ended.stderr


def test_ask_abstains(cli: Cli) -> None:
    """A question that the collection cannot answer is declined with a reason, and that is no failure."""
    ended = cli("ask", "怎样炖牛肉", "-c", "law", "--json")
    assert ended.code == 0
    answer = ended.json
    assert answer["abstained"] is True
    assert answer["reason"]
    assert answer["citations"] == []


def test_ask_a_model_that_is_down(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the model cannot be reached, the call fails, names the address, and still shows what was found."""
    monkeypatch.setenv("RAGSVC_MODEL_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAGSVC_MODEL_API_KEY", "secret-of-the-test")
    ended = cli("ask", "押金最多收几个月", "-c", "law", "--model", "openai:any", "--json")
    assert ended.code == 1
    assert "127.0.0.1:9" in ended.stderr
    assert ended.json["passages"][0]["locator"] == "第五条"
    assert "secret-of-the-test" not in ended.stdout + ended.stderr


def test_search(cli: Cli) -> None:
    """Hits come as passages with scores, no more of them than asked for."""
    ended = cli("search", "电动自行车", "-c", "law", "-k", "2", "--json")
    assert ended.code == 0
    hits = ended.json["hits"]
    assert len(hits) == 2
    assert list(hits[0]) == list(fields(Passage))
    assert set(hits[0]["scores"]) == {"lexical", "dense", "fused"}
    assert {hit["work"] for hit in hits} == {"青禾市电动自行车管理办法"}


def test_lookup(cli: Cli) -> None:
    """An article with 之一 is found by its address."""
    ended = cli("lookup", "青禾市住房租赁条例第六条之一", "--json")
    assert ended.code == 0
    [hit] = ended.json["hits"]
    assert hit["locator"] == "第六条之一"
    assert hit["text"].startswith("第六条之一 住房租赁企业收取的押金")


def test_lookup_of_an_article_that_is_not_there(cli: Cli) -> None:
    """What does not exist is exit code 1 and named; nothing else is shown in its place."""
    ended = cli("lookup", "青禾市住房租赁条例第九十九条")
    assert ended.code == 1
    assert ended.stdout == ""
    assert "青禾市住房租赁条例第九十九条: no such article" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ask",), "Missing argument"),
        (("ask", "押金", "--as-of", "yesterday"), "--as-of 'yesterday' is not a date like 2021-01-01"),
        (("ask", "押金", "--no-such-option"), "No such option"),
        (("search", "押金", "-k", "0"), "-k"),
    ],
)
def test_wrong_calls(cli: Cli, words: Sequence[str], message: str) -> None:
    """A call that cannot be understood is exit code 2 and says why."""
    ended = cli(*words)
    assert ended.code == 2
    assert message in ended.stderr
    assert ended.stdout == ""


def test_unknown_collection(cli: Cli) -> None:
    """A collection that does not exist is exit code 1; those that do are offered."""
    ended = cli("ask", "押金", "-c", "nosuch")
    assert ended.code == 1
    assert "'nosuch'" in ended.stderr
    assert "law" in ended.stderr
