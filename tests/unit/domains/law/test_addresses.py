"""Which places a text names: every phrasing that people use, and what only looks like one."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.names import normal_name
from ragsvc.domains.law.numerals import numeral
from ragsvc.records import Address

GRAMMAR = LawGrammar()
GUARANTEE = "最高人民法院关于适用民法典有关担保制度的解释"
FAMILY = "最高人民法院关于适用民法典婚姻家庭编的解释一"
EU = "regulationeu2016/679"


def places(text: str) -> list[str]:
    """Addresses with an article as ``work article paragraph item``, empty parts left out."""
    found = GRAMMAR.find(text)
    return [
        " ".join(part for part in (normal_name(a.work), a.article, a.paragraph, a.item) if part)
        for a in found
        if a.article
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("民法典第五百七十七条", ["民法典 577"]),
        ("《民法典》577条", ["民法典 577"]),
        ("民法典577条", ["民法典 577"]),
        ("《中华人民共和国民法典》第五百七十七条", ["民法典 577"]),
        ("中华人民共和国民法典第577条", ["民法典 577"]),
        ("中国人民共和国民法典第577条", ["民法典 577"]),
        ("民法典第５７７条", ["民法典 577"]),
        ("民法典 第 577 条", ["民法典 577"]),
        ("民法典第 五百 七十七 条", ["民法典 577"]),
        ("民法典第一千二百六十条", ["民法典 1260"]),
        ("民法典第一千零五条", ["民法典 1005"]),
        ("民法典第一千〇五条", ["民法典 1005"]),
        ("民法典第两百条", ["民法典 200"]),
        ("民法典第廿三条", ["民法典 23"]),
        ("民法典的第577条", ["民法典 577"]),
        ("民法典里面第577条", ["民法典 577"]),
        ("民法典规定的第577条", ["民法典 577"]),
        ("民法典合同编第577条", ["民法典 577"]),
        ("《民法典》在合同编第六百五十八条规定了撤销权", ["民法典 658"]),
        ("民法典第一编第二章第十三条", ["民法典 13"]),
        ("“民法典”第577条", ["民法典 577"]),
        ("【民法典】第577条", ["民法典 577"]),
        ("《 劳动合同法 》 第二条", ["劳动合同法 2"]),
        ("《民法典》（以下简称民法典）第577条", ["民法典 577"]),
        ("根据（民法典）第577条", ["民法典 577"]),
        ("请问民法典第三条是什么", ["民法典 3"]),
        ("请问根据劳动合同法第十条要签书面合同吗", ["劳动合同法 10"]),
        ("我被公司开除了劳动合同法第39条怎么说", ["劳动合同法 39"]),
        ("老板不签合同违反劳动合同法第十条吗", ["劳动合同法 10"]),
        ("新公司法第二十三条", ["公司法 23"]),
        ("我国宪法第三十三条", ["宪法 33"]),
        ("民诉法第122条", ["民诉法 122"]),
        ("民间借贷司法解释第二十五条", ["民间借贷司法解释 25"]),
        ("公司法解释（三）第十八条", ["公司法解释三 18"]),
        ("香港基本法第五条", ["香港基本法 5"]),
        ("法释〔2020〕17号第三条", ["法释〔2020〕17号 3"]),
        ("最高人民法院关于适用《中华人民共和国民法典》婚姻家庭编的解释（一）第三十二条", [f"{FAMILY} 32"]),
        ("《最高人民法院关于适用〈中华人民共和国民法典〉有关担保制度的解释》第五条", [f"{GUARANTEE} 5"]),
        ("《最高人民法院关于适用<中华人民共和国民法典>有关担保制度的解释》第五条", [f"{GUARANTEE} 5"]),
        ("《最高人民法院关于适用《民法典》有关担保制度的解释》第五条", [f"{GUARANTEE} 5"]),
        # paragraphs and items
        ("民法典第577条第1款", ["民法典 577 1"]),
        ("《民法典》第五百七十七条第一款第（二）项", ["民法典 577 1 2"]),
        ("劳动合同法第三十九条第（四）项", ["劳动合同法 39 4"]),
        ("劳动合同法第三十九条第四项", ["劳动合同法 39 4"]),
        ("劳动合同法第三十九条（四）项", ["劳动合同法 39 4"]),
        ("劳动合同法第三十九条第㈣项", ["劳动合同法 39 4"]),
        ("《商标法》第64 条第1款", ["商标法 64 1"]),
        ("《商标法》第十条第一款第八项、第九项", ["商标法 10 1 8", "商标法 10 1 9"]),
        ("《商标法》第十三条第一款和第二款", ["商标法 13 1", "商标法 13 2"]),
        ("个人信息保护法第十三条第一款第（二）项第1目", ["个人信息保护法 13 1 2"]),
        # inserted articles
        ("刑法第一百三十三条之一", ["刑法 133-1"]),
        ("刑法133条之一", ["刑法 133-1"]),
        ("刑法第133条之1", ["刑法 133-1"]),
        ("刑法第133-1条", ["刑法 133-1"]),
        ("刑法第133之一条", ["刑法 133-1"]),
        ("刑法第一百二十条之三第一款", ["刑法 120-3 1"]),
        ("民法典第1165条之一般规定", ["民法典 1165"]),
        ("民法典第1165条之规定", ["民法典 1165"]),
        # several articles
        ("民法典第577条、第584条和第585条", ["民法典 577", "民法典 584", "民法典 585"]),
        ("民法典第577、584条", ["民法典 577", "民法典 584"]),
        ("民法典第36、37、38条", ["民法典 36", "民法典 37", "民法典 38"]),
        ("《民法典》第一千零二十一条、一千零二十二条", ["民法典 1021", "民法典 1022"]),
        ("民法典第十条至第十二条", ["民法典 10", "民法典 11", "民法典 12"]),
        ("民法典第10-12条", ["民法典 10", "民法典 11", "民法典 12"]),
        ("民法典第十至十二条", ["民法典 10", "民法典 11", "民法典 12"]),
        ("民法典第一条至第一百条", ["民法典 1", "民法典 100"]),
        ("刑法第264条和治安管理处罚法第四十九条", ["刑法 264", "治安管理处罚法 49"]),
        ("《劳动法》第99条和《劳动合同法》第九十一条", ["劳动法 99", "劳动合同法 91"]),
        # the law named before
        ("《劳动合同法》很重要，该法第十条怎么说，本法第三条呢", ["劳动合同法 10", "劳动合同法 3"]),
        ("劳动合同法怎么规定试用期？按照第十九条呢", ["劳动合同法 19"]),
        ("《商标法》第64条第1款与该法第五十六条", ["商标法 64 1", "商标法 56"]),
        ("兵役法，第六十条", ["兵役法 60"]),
        ("该法第十条", ["10"]),
        ("第五百条", ["500"]),
        ("依据合同法第五十二条", ["合同法 52"]),
        # English
        ("GDPR Art. 17(1)(b)", ["gdpr 17 1 b"]),
        ("Article 17(1)(b) GDPR", ["gdpr 17 1 b"]),
        ("What does Article 17 of the GDPR say?", ["gdpr 17"]),
        ("Article 6 of Regulation (EU) 2016/679", [f"{EU} 6"]),
        ("Directive 95/46/EC Article 3", ["directive95/46/ec 3"]),
        ("Art 5 para 1", ["5 1"]),
        ("Article 5, paragraph 1, point (a) GDPR", ["gdpr 5 1 a"]),
        ("Articles 13 and 14 of the GDPR and Article 6(1)", ["gdpr 13", "gdpr 14", "gdpr 6 1"]),
        ("Articles 12 to 14 GDPR", ["gdpr 12", "gdpr 13", "gdpr 14"]),
        ("Under the GDPR, what does article 17 say?", ["gdpr 17"]),
        ("Article 12a of the Food Act", ["foodact 12a"]),
        ("GDPR第17条", ["gdpr 17"]),
        ("GDPR第17条第1款(b)", ["gdpr 17 1 b"]),
        ("通用数据保护条例第17条(1)(b)", ["通用数据保护条例 17 1 b"]),
    ],
)  # fmt: skip
def test_a_phrasing_names_its_places(text: str, expected: list[str]) -> None:
    """Work, article, paragraph and item come out canonical, in the order of the text."""
    assert places(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "劳动合同第五条约定，合同第六条、第七条",
        "甲公司《租赁合同》第三条",
        "公司规定第三条",
        "第三条路怎么走",
        "我的第一条短信",
        "第一条件是健康",
        "三条建议和5条腿",
        "小区里有3条狗",
        "They told me article after article",
        "art 1001 nights"[:3],
        "",
        "。。。？？",
        "第条",
        "第零条",
    ],
)
def test_what_only_looks_like_an_article_of_a_law_is_none(text: str) -> None:
    """Contracts, threads, messages and counts have articles and numbers too."""
    assert places(text) == []


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("德国民法典第242条", "德国民法典"),
        ("北京市物业管理条例第三条", "北京市物业管理条例"),
        ("养老保险法第三条", "养老保险法"),
        ("旧公司法第16条", "旧公司法"),
        ("美国宪法第一条", "美国宪法"),
    ],
)
def test_a_longer_name_is_not_cut_down_to_a_known_one(text: str, work: str) -> None:
    """What precedes a known name may make it the name of another work."""
    (found,) = GRAMMAR.find(text)
    assert found.work == work
    assert GRAMMAR.stored_key(found, {"民法典", "物业管理条例", "保险法", "公司法", "宪法"}) is None


def test_a_law_alone_is_an_address_without_article() -> None:
    """A name in 《》, or one of the table, names the whole work; a book and a court do not."""
    found = GRAMMAR.find("《劳动合同法》和民法典都看了，《红楼梦》没看，公司法人去了民事诉讼法院")
    assert [(a.work, a.article) for a in found] == [("劳动合同法", ""), ("民法典", "")]


def test_an_edition_is_kept_apart_from_the_name() -> None:
    """公司法（2018年修正） is the 公司法, of 2018; the year of an amendment is part of its title."""
    for text in ("《公司法（2018年修正）》第十六条", "公司法（2018修正）第16条", "《公司法》（2018年）第十六条"):
        (found,) = GRAMMAR.find(text)
        assert (found.work, found.edition, found.article) == ("公司法", "2018", "16")
    (found,) = GRAMMAR.find("《宪法修正案（1988年）》第一条")
    assert (found.work, found.edition) == ("宪法修正案（1988年）", "")


def test_a_mention_is_the_text_it_stands_in() -> None:
    """``text[start:end]`` is name and article as written, without the words that lead to it."""
    text = "请问根据《民法典》第577条第1款、第584条，以及劳动合同法第10条怎么办"
    assert [text[a.start : a.end] for a in GRAMMAR.find(text)] == [
        "《民法典》第577条第1款",
        "第584条",
        "劳动合同法第10条",
    ]


def test_the_articles_of_a_range_share_its_span() -> None:
    """The middle of 第十条至第十二条 stands nowhere else in the text."""
    text = "民法典第十条至第十二条"
    assert {text[a.start : a.end] for a in GRAMMAR.find(text)} == {text}


PHRASINGS = (
    "{law}第{chinese}条",
    "《{law}》{n}条",
    "《中华人民共和国{law}》第{chinese}条",
    "{law}第 {n} 条",
    "请问{law}第{wide}条是怎么规定的？",
    "我想知道，根据{law}第{n}条的规定，该怎么办",
    "违反了《{law}》第{chinese}条第一款",
    "看看{law}的第{n}条",
    "问：{law}{n}条、第3条",
)


@given(
    st.sampled_from(["民法典", "刑法", "劳动合同法", "道路交通安全法实施条例", "担保制度解释", "工伤保险条例"]),
    st.integers(1, 9999),
    st.sampled_from(PHRASINGS),
)  # fmt: skip
def test_every_article_is_read_in_every_phrasing(law: str, n: int, phrasing: str) -> None:
    """Name and number come back whatever the way of writing."""
    wide = str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    found = places(phrasing.format(law=law, n=n, chinese=numeral(n), wide=wide))
    assert found[0].split()[:2] == [normal_name(law), str(n)]


@given(st.text("第条一百之款项（）()《》法典民的、，和至-1２ \nArt.GDPR年案", max_size=60))
def test_any_text_is_read_without_failing(text: str) -> None:
    """Addresses lie inside the text, in order; only those of one list or range share a span."""
    found = GRAMMAR.find(text)
    assert all(0 <= a.start < a.end <= len(text) for a in found)
    spans = list(dict.fromkeys((a.start, a.end) for a in found))
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize(
    "piece",
    ["第", "第一", "第 ", "一", "1、", "第1条", "第1条，", "第1条第1款、", "《", "》", "（", "法", "民法典第", "请问",
     "Art ", "Art 1 ", "A ", " "],
)  # fmt: skip
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    """100,000 characters of anything are read in a second or so; a quadratic pattern would take hours."""
    started = time.monotonic()
    GRAMMAR.find(piece * (100_000 // len(piece)) + "第1条 Art 1")
    assert time.monotonic() - started < 10


def test_a_megabyte_is_read() -> None:
    """10^6 times 第 is no address and no denial of service."""
    started = time.monotonic()
    assert GRAMMAR.find("第" * 1_000_000) == []
    assert time.monotonic() - started < 30


def test_an_open_name_is_found_among_the_stored_ones() -> None:
    """The longest stored name that the text ends in is meant, never one shorter than a name that is known."""
    address = Address(work="小伙伴们济南市养犬管理规定", left="小伙伴们济南市养犬管理规定", article="1")
    assert GRAMMAR.stored_key(address, {"养犬管理规定", "济南市养犬管理规定"}) == "济南市养犬管理规定"
    assert GRAMMAR.stored_key(address, {"养犬管理规定"}) is None
    labour = Address(work="劳动合同法", left="根据劳动合同法", article="1")
    assert GRAMMAR.stored_key(labour, {"合同法"}) is None
    assert GRAMMAR.stored_key(labour, {"合同法", "劳动合同法"}) == "劳动合同法"


@pytest.mark.parametrize(
    ("article", "paragraph", "item", "expected"),
    [
        ("第五百七十七条", "", "", "第五百七十七条"),
        ("第五百七十七条", "1", "", "第五百七十七条第一款"),
        ("第一百三十三条之一", "1", "2", "第一百三十三条之一第一款第（二）项"),
        ("Article 17", "1", "b", "Article 17(1)(b)"),
    ],
)
def test_a_part_is_located_as_people_write_it(article: str, paragraph: str, item: str, expected: str) -> None:
    """The locator of a paragraph or item says which one it is."""
    address = Address(work="", article="1", paragraph=paragraph, item=item)
    assert expected == LawGrammar().part_locator(article, address)
