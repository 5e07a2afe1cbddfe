"""What two texts of one law say differently."""

from __future__ import annotations

from ragsvc.pipelines.version_diff import Place, WordChange, diff_places, places_of
from ragsvc.records import Chunk
from ragsvc.store.identity import letters


def articles(*texts: str) -> list[Place]:
    return [
        Place(address=str(n), locator=f"第{n}条", heading_path=(), start=n, end=n + 1, text=f"第{n}条 {text}")
        for n, text in enumerate(texts, start=1)
    ]


DEPOSIT = "押金不得超过两个月租金，出租人应当在合同终止后十五日内退还。"
NOTICE = "出租人解除合同的，应当提前三十日书面通知承租人，并说明理由。"
REPAIR = "房屋需要维修的，承租人可以请求出租人在合理期限内维修。"


def test_what_is_the_same_is_counted_only() -> None:
    """Other spaces and quotation marks are no change."""
    found = diff_places(articles(DEPOSIT, "称“甲方”。"), articles(DEPOSIT.replace("，", "， "), "称「甲方」。"))
    assert (found.unchanged, found.changed, found.renumbered) == (2, (), ())


def test_changed_words_are_named() -> None:
    """Old and new beside each other."""
    found = diff_places(articles(DEPOSIT, NOTICE), articles(DEPOSIT, NOTICE.replace("三十日", "六十日")))
    [change] = found.changed
    assert (change.old.address, change.words) == ("2", (WordChange("三", "六"),))
    assert found.unchanged == 1


def test_an_insert_renumbers_what_follows() -> None:
    """The same text under another number is renumbered; nearly the same is renumbered and changed."""
    old = articles(DEPOSIT, NOTICE, REPAIR)
    new = articles(
        DEPOSIT, "承租人死亡的，共同居住人可以按照原合同继续承租。", NOTICE, REPAIR.replace("合理期限", "七日")
    )
    found = diff_places(old, new)
    assert [place.address for place in found.added] == ["2"]
    assert [(c.old.address, c.new.address, bool(c.words)) for c in found.renumbered] == [
        ("2", "3", False),
        ("3", "4", True),
    ]
    assert found.repealed == found.changed == ()


def test_what_is_gone_is_repealed() -> None:
    """And what moved up is renumbered."""
    found = diff_places(articles(DEPOSIT, NOTICE, REPAIR), articles(DEPOSIT, REPAIR))
    assert [place.text for place in found.repealed] == [f"第2条 {NOTICE}"]
    assert [(c.old.address, c.new.address) for c in found.renumbered] == [("3", "2")]


def test_an_article_rewritten_in_its_place_is_changed() -> None:
    """However little of it is left, where its neighbours stayed."""
    found = diff_places(articles(DEPOSIT, NOTICE, REPAIR), articles(DEPOSIT, "本条由省级人民政府另行规定。", REPAIR))
    assert [change.old.address for change in found.changed] == ["2"]
    assert found.added == found.repealed == ()


def test_an_article_that_got_more_paragraphs_is_found_again() -> None:
    """A short article that stands whole in a long new one was renumbered and changed."""
    long = (
        REPAIR
        + "出租人未履行维修义务的，承租人可以自行维修，维修费用由出租人负担。因维修影响使用的，应当相应减少租金。" * 3
    )
    found = diff_places(articles(DEPOSIT, REPAIR), articles(DEPOSIT, NOTICE, long))
    assert [(c.old.address, c.new.address) for c in found.renumbered] == [("2", "3")]
    assert [place.address for place in found.added] == ["2"]


def test_a_changed_number_is_a_change() -> None:
    """A decimal point, a sign or a bound is not punctuation."""
    for old, new in (("1.5 mg", "15 mg"), ("-5 °C", "5 °C"), ("≥3", "3"), ("INR >3", "INR 3"), ("5 %", "5 ‰")):
        assert letters(old) != letters(new), (old, new)
    assert letters("> 引文：**甲**") == letters("引文: 甲")


def test_a_text_without_articles_is_compared_by_paragraph() -> None:
    """Each under its heading; what moved along with new text before it is as it was."""
    texts = ["Take one tablet daily.\n\nDo not exceed 4 g.\n", "New.\n\nTake one tablet daily.\n\nDo not exceed 3 g.\n"]
    old, new = (
        places_of(text, [Chunk(kind="passage", start=0, end=len(text), heading_path=("Dosage",))]) for text in texts
    )
    found = diff_places(old, new)
    assert [place.text for place in found.added] == ["New."]
    assert [(c.words[0].old, c.words[0].new) for c in found.changed] == [("4", "3")]
    assert found.unchanged == 1


def test_articles_hide_what_they_hold() -> None:
    """An article is one place, its paragraphs are not compared again; the head of a statute is not compared."""
    text = "某法\n第一条 甲。\n乙。\n"
    chunks = [
        Chunk(kind="front", start=0, end=3),
        Chunk(kind="article", start=3, end=13, address="1", locator="第一条", is_leaf=False),
        Chunk(kind="paragraph", start=3, end=10, address="1.1", parent=1),
        Chunk(kind="paragraph", start=10, end=13, address="1.2", parent=1),
    ]
    assert [place.address for place in places_of(text, chunks)] == ["1"]
