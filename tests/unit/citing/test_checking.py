"""What leaves the checker is proven, withheld or marked."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragsvc.citing import AnswerChecker, SentenceCutter
from ragsvc.errors import NotFound
from ragsvc.records import CitationChecked, Passage, TextReleased
from tests.doubles import StoredTexts, make_passage

BREACH = make_passage(
    "第五百七十七条 当事人一方不履行合同义务或者履行合同义务不符合约定的，"
    "应当承担继续履行、采取补救措施或者赔偿损失等违约责任。"
)
PENALTY = make_passage(
    "第五百八十五条 当事人可以约定一方违约时应当根据违约情况向对方支付一定数额的违约金。\n\n"
    "约定的违约金低于造成的损失的，人民法院可以根据当事人的请求予以增加。",
    locator="第五百八十五条",
)
GDPR = make_passage(
    "Article 17\nThe controller shall have the obligation to erase personal data within 30 days. Fees are 4 % [12].",
    locator="Article 17",
    work="GDPR",
    title="GDPR",
    heading_path=(),
)
PASSAGES = (BREACH, PENALTY, GDPR)


def check(text: str, passages: Sequence[Passage] = PASSAGES, question: str = "", language: str = "zh", size: int = 3):  # type: ignore[no-untyped-def]
    cutter = SentenceCutter()
    checker = AnswerChecker(passages, question, language, StoredTexts(passages).read)  # type: ignore[arg-type]
    events = []
    for start in range(0, len(text), size):
        events += checker.check(cutter.feed(text[start : start + size]))
    events += checker.finish(cutter.finish())
    return checker, events


def test_a_paraphrase_is_cited_with_the_sentence_that_supports_it() -> None:
    """The quote is the supporting sentence, with the offsets of the stored version."""
    checker, _ = check("违约金低于损失的，可以请求人民法院增加[2]。")
    (citation,) = checker.citations
    assert citation.quote == "约定的违约金低于造成的损失的，人民法院可以根据当事人的请求予以增加。"
    assert citation.marker == "[2]"
    assert (citation.version_id, citation.start - 7) == (PENALTY.version_id, PENALTY.text.index("约定的违约金"))
    assert checker.text == "违约金低于损失的，可以请求人民法院增加[2]。"


def test_a_quotation_is_cited_with_its_own_words() -> None:
    """Words in quotation marks are found exactly; the quote is these words."""
    checker, _ = check("《民法典》第五百七十七条规定：“应当承担继续履行、采取补救措施或者赔偿损失等违约责任”[1]。")
    assert checker.citations[0].quote == "应当承担继续履行、采取补救措施或者赔偿损失等违约责任"
    assert not checker.unfound


@pytest.mark.parametrize("mark", ["[9]", "[0]", "【7】", "[4-9]"])
def test_marks_out_of_range_are_taken_out(mark: str) -> None:
    """A mark without a passage goes, with the blank before it, and is counted; the text stays."""
    checker, _ = check(f"不履行合同义务应当赔偿损失 {mark}。")
    assert checker.text.startswith("不履行合同义务应当赔偿损失。")
    assert checker.withheld == (6 if mark == "[4-9]" else 1)
    assert not checker.citations


@pytest.mark.parametrize(
    "sentence",
    [
        "今天天气很好，适合去公园散步[1]。",  # shares nothing
        "“当事人一方不履行合同义务的，应当坐牢”[1]。",  # quotes what is not there
        "《合同法》规定不履行合同义务应当赔偿损失[1]。",  # names a work that no source is
        "第五百八十五条规定不履行合同义务应当赔偿损失[1]。",  # names another article than the cited one
    ],
)
def test_what_cannot_be_proven_is_withheld(sentence: str) -> None:
    """No support, a false quotation, a wrong law or a wrong article: the mark does not go out."""
    checker, events = check(sentence)
    assert checker.withheld == 1
    assert "[1]" not in checker.text
    assert not any(isinstance(event, CitationChecked) for event in events)


@pytest.mark.parametrize(
    ("sentence", "lost"),
    [
        ("违约方应当在45日内赔偿损失[1]。", "45日"),
        ("违约金为三万元[2]。", "三万元"),
        ("参见第九百条。", "第九百条"),
        ("《民法典》写道“违约者一律处以重罚并公开道歉”。", "“违约者一律处以重罚并公开道歉”"),
        ("《合同法》另有规定。", "《合同法》"),
    ],
)
def test_what_no_source_says_is_marked(sentence: str, lost: str) -> None:
    """Numbers, quotations and works that stand in no passage are followed by a note that names them."""
    checker, _ = check(sentence)
    assert f"（未在所引原文中找到：{lost}）" in checker.text
    assert checker.unfound == [lost]


def test_the_question_may_be_repeated() -> None:
    """Facts that the asker stated are not claims of the answer."""
    checker, _ = check(
        "您说的8000元和《房屋租赁合同》，属于合同义务[1]。", question="签了《房屋租赁合同》，押金8,000元不退"
    )
    assert not checker.unfound


def test_english_answers_have_english_notes() -> None:
    """Notes come in the language of the answer; equal numbers in another form are found."""
    checker, _ = check(
        "The controller shall erase personal data within thirty days [3]. The fine is 7 %.", language="en"
    )
    assert checker.citations[0].locator == "Article 17"
    assert checker.text.endswith("The fine is 7 %. (not found in the sources: 7 %)")


def test_marks_are_written_alike() -> None:
    """Full-width, joint and ranged marks go out as [n], one for each proven passage."""
    checker, _ = check("一方违约的，应当支付违约金，不履行合同义务的赔偿损失【1，2】。")
    assert [c.marker for c in checker.citations] == ["[1]", "[2]"]
    assert "赔偿损失[1][2]。" in checker.text


def test_code_and_brackets_of_the_source_are_left_alone() -> None:
    """In code, and in a quotation that a source holds with its brackets, a number is no mark."""
    text = "```\nx[9]\n```\n`y[8]` “Fees are 4 % [12].”[3]\n"
    checker, _ = check(text)
    assert checker.text == text
    assert [c.quote for c in checker.citations] == ["Fees are 4 % [12]."]


def test_a_citation_that_the_store_does_not_confirm_is_withheld() -> None:
    """The stored version decides: changed or removed text takes the mark with it."""

    def changed(version_id: str, start: int, end: int) -> str:
        return "甲" * (end - start)

    def removed(version_id: str, start: int, end: int) -> str:
        raise NotFound("no such version")

    for read in (changed, removed):
        checker = AnswerChecker(PASSAGES, "", "zh", read)
        cutter = SentenceCutter()
        checker.finish([*cutter.feed("不履行合同义务应当赔偿损失[1]。"), *cutter.finish()])
        assert (checker.withheld, checker.citations) == (1, [])


def test_an_answer_without_proof_says_so() -> None:
    """When no mark holds, the reader is told, and how many were taken out."""
    checker, _ = check("应当赔偿[9]。")
    assert checker.text == "应当赔偿。\n\n（有 1 处引用标记无法核实，已移去。）（本回答没有可核实的引用。）"


FRAGMENTS = st.sampled_from(
    [
        *(
            "不履行合同义务",
            "应当赔偿损失",
            "违约金",
            "《民法典》",
            "第五百七十七条",
            "30日",
            "erase personal data",
            "4 %",
        ),
        *("[1]", "[2]", "［3］", "【1,2】", "[1-9]", "[9]", "[[1]]", "[", "]", "[1"),
        *("。", "；", ". ", "\n", " ", "\u200b", "“", "”", "「", "」", '"', "《", "》", "`", "```", "\n```\n"),
        BREACH.text[8:40],
        GDPR.text,
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=25).map("".join), st.integers(1, 40))
def test_released_text_and_citations_hold_however_the_stream_is_cut(text: str, size: int) -> None:
    """Joined text is the answer, citations come before their marks, and each is an exact slice, however it is cut."""
    checker, events = check(text, size=size)
    whole, _ = check(text, size=10**6)
    assert (checker.text, checker.citations) == (whole.text, whole.citations)
    assert "".join(e.text for e in events if isinstance(e, TextReleased)) == checker.text
    stored = StoredTexts(PASSAGES)
    announced: list[str] = []
    for event in events:
        if isinstance(event, CitationChecked):
            c = event.citation
            assert stored.read(c.version_id, c.start, c.end) == c.quote != ""
            assert any(p.version_id == c.version_id and c.quote in p.text for p in PASSAGES)
            announced.append(c.marker)
        else:
            assert all(marker in event.text for marker in announced)
            announced.clear()
    assert not announced
