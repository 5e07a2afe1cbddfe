"""Numbers are read alike however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.citing.amounts import numbers, unfound_numbers


def keys(text: str) -> list[tuple[str, str]]:
    return [(n.value, n.unit) for n in numbers(text)]


@pytest.mark.parametrize(
    ("texts", "key"),
    [
        (["三十日", "30日", "30 天", "３０日", "30 days", "thirty days"], ("30", "day")),
        (["二万元", "2万元", "20,000元", "20000 元", "￥20,000"], ("20000", "money")),
        (["百分之十", "10%", "10％", "10 percent"], ("10", "%")),
        (["第一百三十三条之一", "第133条之一"], ("133-1", "article")),
        (["第五百七十七条", "577条", "第577条", "Article 577", "Art. 577"], ("577", "article")),
        (["第二款", "第2款"], ("2", "paragraph")),
        (["三个月", "3个月", "3 months", "three months"], ("3", "month")),
        (["二○二一年", "2021年", "二〇二一年"], ("2021", "year")),
        (["一千零五十元", "1050元"], ("1050", "money")),
        (["一亿二千万元", "1.2亿元"], ("120000000", "money")),
        (["15 mg/kg", "15mg/kg", "15毫克/公斤", "15 mg per kg"], ("15", "mg/kg")),
        (["500 mg daily", "500 mg/day", "500 mg per day"], ("500", "mg/day")),
        (["twice daily", "two times a day", "每日两次", "一天2次"], ("2", "times/day")),
        (["$4.2 million", "USD 4,200,000", "4.2mn dollars"], ("4200000", "usd")),
        (["€20 million", "20 000 000 EUR"], ("20000000", "eur")),
        (["三百万元", "300万元", "RMB 3 million"], ("3000000", "money")),
    ],
)
def test_writings_of_one_number(texts: list[str], key: tuple[str, str]) -> None:
    """Chinese, full-width, grouped and spelled-out numbers have one value and unit."""
    assert [keys(text) for text in texts] == [[key]] * len(texts)


@pytest.mark.parametrize(
    "text", ["1. 甲", "（二）乙", "一、丙", "第一，丁", "3个方面", "一方", "两者", "三项权利", "第二年", "同一天"]
)
def test_counting_words_are_no_amounts(text: str) -> None:
    """Signs of a list, orders and counts of the sentence's own things state no fact of a source."""
    assert keys(text) == []


def test_dates_are_three_numbers() -> None:
    """A date matches however it is written."""
    assert set(keys("2021年1月1日")) == set(keys("2021-01-01")) == {("2021", "year"), ("1", "month"), ("1", "day")}


def test_a_unit_must_fit_unless_one_is_unknown() -> None:
    """30 days is not 30 yuan, but a bare 30 may be either."""
    source = frozenset(keys("三十元"))
    assert unfound_numbers(numbers("应在30日内"), source) == ["30日"]
    assert unfound_numbers(numbers("共30"), source) == []
    assert unfound_numbers(numbers("应在30日内"), frozenset(keys("共 30"))) == []


@given(st.text(st.sampled_from("一二十百千万亿〇零第条之年日元%％.,，0123456789 -Article§"), max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    """Any heap of digits and units is read without an error."""
    assert all(n.value for n in numbers(text))


@pytest.mark.parametrize("text", ["应在㎎三十日内，处５万元", "1. 甲\n2. 罚款 20,000元", "dose: 15 mg/kg twice daily"])
def test_a_number_says_where_it_stands(text: str) -> None:
    """Its range in the text is what was read, also where characters have another compatible form."""
    assert [text[n.start : n.end].strip() for n in numbers(text)]
    assert all(n.start < n.end <= len(text) for n in numbers(text))


def test_absurd_lengths_are_read() -> None:
    """Ten thousand digits or numerals in a row are no reason to fail."""
    assert numbers("9" * 10_000 + "元" + "一" * 10_000 + "年" + "万" * 10_000 + "元")
