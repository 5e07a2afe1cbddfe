"""What a text says of itself."""

from __future__ import annotations

from datetime import date

import pytest

from ragsvc.domains.law.facts import describe_statute, normal_title
from ragsvc.records import DocumentFacts, LoadedDocument


def facts_of(text: str, name: str = "a.md") -> DocumentFacts:
    return describe_statute(LoadedDocument(name=name, text=text, media_type="text/plain", source_sha256=""))


def test_a_book_of_a_code_is_a_part_of_the_work() -> None:
    """The second title line names the part, the first the work; people cite both."""
    facts = facts_of(
        "# 中华人民共和国民法典\n\n# 合同编\n\n2020年5月28日 第十三届全国人民代表大会第三次会议通过\n\n"
        "第四百六十三条 甲。"
    )
    assert (facts.title, facts.part) == ("中华人民共和国民法典", "合同编")
    assert facts.aliases == ("民法典", "民法典合同编")
    assert (facts.kind, facts.issuer) == ("法律", "全国人民代表大会")


def test_the_title_of_a_judicial_interpretation_is_put_together_from_its_lines() -> None:
    """What stands above it is not part of it; the courts are separated as in the official title."""
    facts = facts_of(
        "中华人民共和国最高人民法院\n中华人民共和国最高人民检察院\n公    告\n"
        "《…》已于2005年4月26日通过，现予公布，自2005年5月13日起施行。\n"
        "2005年5月11日\n最高人民法院    最高人民检察院\n关于办理赌博刑事案件具体应用法律\n"
        "若干问题的解释\n法释〔2005〕3号\n"
        "（2005年4月26日最高人民法院审判委员会第1349次会议通过）\n为依法惩治赌博犯罪活动，解释如下：\n"
        "第一条　甲。\n第二条　乙。"
    )
    assert facts.title == "最高人民法院、最高人民检察院关于办理赌博刑事案件具体应用法律若干问题的解释"
    assert (facts.kind, facts.issuer, facts.number) == ("司法解释", "最高人民法院、最高人民检察院", "法释〔2005〕3号")
    assert (facts.promulgated, facts.effective_from) == (date(2005, 5, 11), date(2005, 5, 13))
    assert "关于办理赌博刑事案件具体应用法律若干问题的解释" in facts.aliases


def test_a_letterhead_is_not_the_title() -> None:
    """The title comes after the number of the letter."""
    facts = facts_of(
        "最高人民检察院\n\n高检发释字〔2021〕2号\n\n人民检察院公益诉讼办案规则\n\n（2020年9月28日通过）\n\n"
        "第一条  甲。\n第二条  乙。"
    )
    assert (facts.title, facts.number) == ("人民检察院公益诉讼办案规则", "高检发释字〔2021〕2号")


def test_the_article_cited_by_a_reply_does_not_date_it() -> None:
    """Dates below the addressee belong to what is asked about."""
    facts = facts_of(
        "最高人民法院\n关于某问题的批复\n1993年4月16日      法复〔1993〕3号\n江西省高级人民法院：\n"
        "你院1999年1月1日通过的请示收悉。"
    )
    assert facts.promulgated == date(1993, 4, 16)


@pytest.mark.parametrize(
    ("title", "head", "kind"),
    [
        ("中华人民共和国宪法", "1982年12月4日 全国人民代表大会公告公布施行", "宪法"),
        ("中华人民共和国刑法修正案（十二）", "2023年12月29日 全国人民代表大会常务委员会通过", "修正案"),
        ("博物馆条例", "2015年2月9日 中华人民共和国国务院令第659号公布", "行政法规"),
        ("人力资源市场暂行条例", "2018年6月29日 中华人民共和国国务院令第700号公布", "行政法规"),
        ("日照市文明行为促进条例", "2018年10月26日 日照市第十八届人民代表大会常务委员会第十三次会议通过", "地方性法规"),
        ("上海市酒类商品产销管理条例", "", "地方性法规"),
        ("药品进口管理办法", "2003年8月18日 海关总署第4号令公布", "部门规章"),
        ("监察法实施条例", "2021年9月20日 国家监察委员会公告第1号", "监察法规"),
        ("全国人民代表大会常务委员会关于惩治骗购外汇犯罪的决定", "1998年12月29日 通过", "决定"),
        ("会议纪要", "", ""),
    ],
)
def test_kinds_are_told_apart(title: str, head: str, kind: str) -> None:
    """The kind follows from title and head; a text that says neither has none."""
    assert facts_of(f"# {title}\n\n{head}\n\n第一条 甲。\n\n第二条 乙。").kind == kind


def test_the_issuer_of_a_local_act_is_its_congress() -> None:
    """The session's number and the date before it are not part of the name."""
    facts = facts_of(
        "# 日照市文明行为促进条例\n\n2018年10月26日 日照市第十八届人民代表大会常务委员会第十三次会议通过\n\n第一条 甲。"
    )
    assert facts.issuer == "日照市人民代表大会常务委员会"


def test_titles_are_written_as_the_official_one() -> None:
    """No blanks, one kind of angle brackets, courts with 、 between."""
    assert (
        normal_title("最高人民法院　最高人民检察院 关于<某法>的解释")
        == "最高人民法院、最高人民检察院关于〈某法〉的解释"
    )


def test_any_text_is_described() -> None:
    """A text that is no statute has a title and nothing else."""
    facts = facts_of("今天天气很好，我们去公园。", name="日记.txt")
    assert (facts.title, facts.kind, facts.validity_source) == ("日记", "", "unknown")
