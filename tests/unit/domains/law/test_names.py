"""What works are called: normal forms, short forms, the table of aliases."""

from __future__ import annotations

import pytest

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.names import name_table, normal_name, query_keys, short_names, split_edition
from ragsvc.records import DocumentFacts

GRAMMAR = LawGrammar()


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("《中华人民共和国民法典》", "民法典"),
        (" 民 法 典 ", "民法典"),
        ("最高人民法院关于适用《中华人民共和国民法典》物权编的解释（一）", "最高人民法院关于适用民法典物权编的解释一"),
        ("公司法解释(3)", "公司法解释三"),
        ("刑法修正案（十一）", "刑法修正案十一"),
        ("法释[2020]17号", "法释〔2020〕17号"),
        ("法释（2020）17号", "法释〔2020〕17号"),
        ("ＧＤＰＲ", "gdpr"),
        ("Regulation (EU) 2016/679", "regulationeu2016/679"),
    ],
)
def test_the_normal_form_forgets_what_does_not_tell_works_apart(name: str, normal: str) -> None:
    """Width, case, spaces, brackets and the state's name are dropped; numbers stay."""
    assert normal_name(name) == normal
    assert normal_name(normal) == normal


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (
            "最高人民法院关于审理民间借贷案件适用法律若干问题的规定",
            {"民间借贷司法解释", "民间借贷解释", "民间借贷规定", "关于审理民间借贷案件适用法律若干问题的规定"},
        ),
        (
            "最高人民法院关于适用《中华人民共和国公司法》若干问题的规定（三）",
            {"公司法解释三", "公司法司法解释三", "公司法规定三"},
        ),
        (
            "最高人民法院关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）",
            {"婚姻家庭编解释一", "民法典婚姻家庭编司法解释一", "婚姻家庭编的解释"},
        ),
        (
            "最高人民法院关于审理建设工程施工合同纠纷案件适用法律问题的解释（一）",
            {"建设工程施工合同解释一", "建设工程施工合同司法解释一", "建设工程施工合同纠纷解释一"},
        ),
        ("最高人民法院关于民事诉讼证据的若干规定", {"民事诉讼证据规定", "民事诉讼证据的若干规定"}),
        ("人民检察院刑事诉讼规则（试行）", {"人民检察院刑事诉讼规则"}),
        ("国务院关于职工工作时间的规定", {"关于职工工作时间的规定", "职工工作时间规定"}),
        (
            "REGULATION (EU) 2016/679 OF THE EUROPEAN PARLIAMENT AND OF THE COUNCIL of 27 April 2016 on the protection "
            "of natural persons and repealing Directive 95/46/EC (General Data Protection Regulation)",
            {"REGULATION (EU) 2016/679", "General Data Protection Regulation"},
        ),
    ],
)
def test_short_names_follow_from_a_title(title: str, expected: set[str]) -> None:
    """The forms that lawyers write are made from the official title, without a table."""
    assert expected <= set(short_names(title))


@pytest.mark.parametrize(
    "title", ["中华人民共和国民法典", "中华人民共和国全国人民代表大会组织法", "工伤保险条例", "最高"]
)
def test_a_plain_title_has_no_short_name(title: str) -> None:
    """The name of a body inside a title is no issuer: 组织法 alone could be any."""
    assert short_names(title) == []


@pytest.mark.parametrize(
    ("alias", "title"),
    [
        ("民诉法", "中华人民共和国民事诉讼法"),
        ("刑诉法", "中华人民共和国刑事诉讼法"),
        ("行诉法", "中华人民共和国行政诉讼法"),
        ("劳合法", "中华人民共和国劳动合同法"),
        ("消法", "中华人民共和国消费者权益保护法"),
        ("消保法", "中华人民共和国消费者权益保护法"),
        ("道交法", "中华人民共和国道路交通安全法"),
        ("交强险条例", "机动车交通事故责任强制保险条例"),
        ("工伤条例", "工伤保险条例"),
        ("个保法", "中华人民共和国个人信息保护法"),
        ("网安法", "中华人民共和国网络安全法"),
        ("治安处罚法", "中华人民共和国治安管理处罚法"),
        ("未保法", "中华人民共和国未成年人保护法"),
        ("妇女权益保护法", "中华人民共和国妇女权益保障法"),
        ("民间借贷司法解释", "最高人民法院关于审理民间借贷案件适用法律若干问题的规定"),
        ("婚姻家庭编解释（一）", "最高人民法院关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）"),
        ("物权编解释", "最高人民法院关于适用《中华人民共和国民法典》物权编的解释（一）"),
        ("担保制度解释", "最高人民法院关于适用《中华人民共和国民法典》有关担保制度的解释"),
        ("人身损害赔偿解释", "最高人民法院关于审理人身损害赔偿案件适用法律若干问题的解释"),
        ("精神损害赔偿解释", "最高人民法院关于确定民事侵权精神损害赔偿责任若干问题的解释"),
        ("建设工程施工合同解释(一)", "最高人民法院关于审理建设工程施工合同纠纷案件适用法律问题的解释（一）"),
        ("买卖合同司法解释", "最高人民法院关于审理买卖合同纠纷案件适用法律问题的解释"),
        ("城镇房屋租赁合同司法解释", "最高人民法院关于审理城镇房屋租赁合同纠纷案件具体应用法律若干问题的解释"),
        ("公司法解释三", "最高人民法院关于适用《中华人民共和国公司法》若干问题的规定（三）"),
        ("民诉法司法解释", "最高人民法院关于适用《中华人民共和国民事诉讼法》的解释"),
        ("破产法解释三", "最高人民法院关于适用《中华人民共和国企业破产法》若干问题的规定（三）"),
        ("最高人民法院关于适用婚姻家庭编的解释（一）", "最高人民法院关于适用《民法典》婚姻家庭编的解释（一）"),
        ("GDPR", "Regulation (EU) 2016/679 of the European Parliament and of the Council"),
        ("通用数据保护条例", "Regulation (EU) 2016/679 of the European Parliament and of the Council"),
        ("法释〔2020〕17号", "最高人民法院关于审理民间借贷案件适用法律若干问题的规定"),
    ],
)
def test_a_common_name_reaches_the_work(alias: str, title: str) -> None:
    """A key that a name is looked up under is among those that the work is stored under."""
    stored = GRAMMAR.name_keys(DocumentFacts(title=title, number="法释〔2020〕17号" if "民间" in title else ""))
    assert set(query_keys(alias)) & set(stored)


@pytest.mark.parametrize(
    ("name", "successor"), [("合同法", "民法典"), ("物权法", "民法典"), ("婚姻法", "民法典"), ("执业医师法", "医师法")]
)
def test_a_repealed_law_is_not_its_successor(name: str, successor: str) -> None:
    """The law that took its place may be offered, and is never looked up in its stead."""
    assert successor not in query_keys(name)
    assert GRAMMAR.successor_keys(name) == [successor]


def test_no_alias_is_the_name_of_another_work() -> None:
    """An alias that is itself a title of the table would hide that work behind another."""
    table = name_table()
    titles = {title for targets in table.titles.values() for title in targets}
    assert not titles & table.titles.keys()
    assert not table.successors.keys() & table.titles.keys()
    assert all(len(targets) == 1 for targets in table.titles.values())


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("公司法（2018年修正）", ("公司法", "2018")),
        ("民事诉讼法(2021修正)", ("民事诉讼法", "2021")),
        ("宪法修正案（1988年）", ("宪法修正案（1988年）", "")),
        ("公司法", ("公司法", "")),
    ],
)
def test_the_year_of_an_edition_is_split_off(name: str, split: tuple[str, str]) -> None:
    """Only a year that says 修正, 修订, 修改 or 版 is an edition."""
    assert split_edition(name) == split


def test_the_identity_of_a_work_is_its_title_without_edition() -> None:
    """Two editions are versions of one work; the order's number that published a law is not its own."""
    one = GRAMMAR.name_keys(DocumentFacts(title="中华人民共和国公司法（2018修正）", number="主席令第15号"))
    other = GRAMMAR.name_keys(DocumentFacts(title="中华人民共和国公司法"))
    assert one[0] == other[0] == "公司法"
    assert not any("15" in key for key in one)
