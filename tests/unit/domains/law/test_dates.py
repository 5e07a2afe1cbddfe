"""From when a Chinese text holds."""

from __future__ import annotations

from datetime import date

import pytest

from ragsvc.domains.law.dates import date_in_name, validity_of


def effect(head: str, closing: str = "", name: str = "法.md") -> tuple[date | None, date | None, str]:
    found = validity_of(head, closing, name)
    return found.promulgated, found.effective_from, found.source


def test_a_stated_date_after_promulgation_counts() -> None:
    """本法自…起施行 of a new law is its first day."""
    head = "（2023年12月29日第十四届全国人民代表大会常务委员会第七次会议第二次修订）"
    stated = (date(2023, 12, 29), date(2024, 7, 1), "stated")
    assert stated == effect(head, "第二百六十六条 本法自2024年7月1日起施行。")


def test_the_date_of_the_first_version_is_not_the_date_of_an_amended_one() -> None:
    """A last article that is older than the amendment is passed over and the day is inferred."""
    head = "2007年8月30日 通过\n2022年6月24日 《关于修改〈中华人民共和国反垄断法〉的决定》修正"
    inferred = (date(2022, 6, 24), date(2022, 6, 24), "inferred")
    assert inferred == effect(head, "第七十条 本法自2008年8月1日起施行。")


def test_from_publication_means_promulgation_where_the_words_are_the_versions_own() -> None:
    """自公布之日起施行 is a statement in a new or revised text, an inference in an amended one."""
    closing = "第六十条 本法自公布之日起施行。"
    assert (date(2024, 12, 25), date(2024, 12, 25), "stated") == effect("2024年12月25日 第十三次会议修订", closing)
    assert (date(2018, 4, 27), date(2018, 4, 27), "inferred") == effect(
        "2001年1月1日 通过\n2018年4月27日 修正", closing
    )


def test_the_head_may_say_when_the_text_takes_effect() -> None:
    """In a line of its own, in the brackets of a judicial interpretation, or with the publication."""
    assert effect("2020年5月28日 第三次会议通过\n2021年1月1日 施行")[1:] == (date(2021, 1, 1), "stated")
    assert effect("（2012年3月14日第二次修正   自2013年1月1日起施行）")[1:] == (date(2013, 1, 1), "stated")
    assert effect("1988年4月12日 主席团公告第八号公布施行")[1:] == (date(1988, 4, 12), "stated")
    assert effect("1990年3月3日 交通部令第14号发布  自发布之日施行")[1:] == (date(1990, 3, 3), "stated")


def test_the_first_part_to_take_effect_counts() -> None:
    """Where articles take effect on different days the text holds from the first of them."""
    head = "（2020年11月9日通过，第一条、第四条自2020年11月27日起施行，第二条自2021年5月19日起施行）"
    assert effect(head)[1] == date(2020, 11, 27)


def test_dates_of_other_laws_do_not_count() -> None:
    """A date in the body that is not about this text says nothing of it."""
    closing = "第九条 《刑法》自1997年10月1日起施行。以上全国性法律，自2030年7月1日起由特别行政区公布实施。"
    assert effect("1996年1月1日 通过", closing) == (date(1996, 1, 1), date(1996, 1, 1), "inferred")


@pytest.mark.parametrize(
    "written", ["2004年10月1日", "２００４年１０月１日", "二○○四年十月一日", "二〇〇四年十月一日", "2004 年 10 月 1 日"]
)
def test_dates_are_read_in_every_way_of_writing(written: str) -> None:
    """Arabic, full width, Chinese digits, blanks."""
    assert effect("2004年7月12日 发布", f"第四十四条 本规定自{written}起施行。")[1] == date(2004, 10, 1)


def test_a_date_in_the_file_name_is_a_hint_for_the_promulgation() -> None:
    """It counts where the text states none as late; what is inferred from it is called inferred."""
    head = "2004年11月15日 审判委员会第1334次会议通过"
    named = effect(head, "第九条 本解释自公布之日起施行。", "解释(2004-12-30).md")
    assert named == (date(2004, 12, 30), date(2004, 12, 30), "inferred")
    assert effect(head, "", "解释(1999-01-01).md")[0] == date(2004, 11, 15)


def test_a_text_without_any_date_is_unknown() -> None:
    """Nothing is invented."""
    assert effect("某办法", "第一条 甲。") == (None, None, "unknown")


def test_an_impossible_date_is_no_date() -> None:
    """2月30日 is skipped and does not fail."""
    assert effect("2020年2月30日 通过") == (None, None, "unknown")


def test_the_last_day_of_validity_is_included() -> None:
    """有效期至 names the last day in force; the first day no longer in force is the next."""
    found = validity_of("2020年1月1日 公布", "本办法自2020年2月1日起施行，有效期至2025年1月31日。", "办法.txt")
    assert found.until == date(2025, 2, 1)


@pytest.mark.parametrize(
    ("name", "day"),
    [("劳动合同法(2012-12-28).md", date(2012, 12, 28)), ("民法典_20200528.docx", date(2020, 5, 28)), ("总则.md", None),
     ("report_2020.pdf", None), ("法_20201345.docx", None)],
)  # fmt: skip
def test_only_a_whole_date_at_the_end_of_a_name_is_read(name: str, day: date | None) -> None:
    """(YYYY-MM-DD) or _YYYYMMDD before the extension."""
    assert date_in_name(name) == day
