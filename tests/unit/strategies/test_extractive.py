"""The answer that needs no model: verbatim, cited, honest about it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ragsvc.citing import AnswerChecker, SentenceCutter
from ragsvc.records import SearchResult, TableFrame
from ragsvc.strategies.extractive import ARTICLE_CHARS, compose
from tests.doubles import StoredTexts, WordEmbedder, make_passage

BREACH = make_passage("第五百七十七条 当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。")
WILL = make_passage(
    "第一千一百三十四条　自书遗嘱由遗嘱人亲笔书写，签名，注明年、月、日。", locator="第一千一百三十四条", score=0.5
)


def extract(question: str, *passages: object, addressed: int = 0, language: str = "zh") -> str:
    result = SearchResult(passages=passages, addressed=addressed)  # type: ignore[arg-type]
    return compose(question, result, language, WordEmbedder())  # type: ignore[arg-type]


def test_it_reads_as_a_lawyer_quotes() -> None:
    """It says what it is, names law and article once, quotes word for word and cites."""
    assert extract("不履行合同义务有什么违约责任？", BREACH, WILL) == (
        "以下为原文摘录，非生成内容：\n\n"
        "《中华人民共和国民法典》第五百七十七条：“当事人一方不履行合同义务的，应当承担赔偿损失等违约责任。”[1]"
    )


def test_passages_that_score_alike_are_quoted_in_order() -> None:
    """Near the best score up to three passages are quoted, in the order of their numbers; a far one is not."""
    near = [
        make_passage("应当赔偿损失。", locator=f"第{i}条", score=score) for i, score in enumerate((0.9, 0.5, 1.0), 1)
    ]
    answer = extract("赔偿损失", *near)
    assert answer.index("[1]") < answer.index("[3]")
    assert "[2]" not in answer


def test_a_title_inside_a_title() -> None:
    """Inside 《》 a further title stands in 〈〉, and the checker still knows the work."""
    work = "关于适用《中华人民共和国民法典》合同编的解释"
    answer = extract("赔偿损失", make_passage("应当赔偿损失。", work=work, title=work, locator="第一条"))
    assert "《关于适用〈中华人民共和国民法典〉合同编的解释》第一条：“应当赔偿损失。”[1]" in answer


def test_english() -> None:
    """An English answer has English wording."""
    passage = make_passage("The controller shall erase personal data.", work="GDPR", title="GDPR", locator="Article 17")
    assert extract("erase personal data?", passage, language="en") == (
        "Extracts from the sources, nothing is generated:\n\n"
        "GDPR, Article 17: “The controller shall erase personal data.”[1]"
    )


def test_a_named_article_is_quoted_whole_and_alone() -> None:
    """An address decides what is quoted, not the wording; what was found besides is left to the passages."""
    article = make_passage("第五百八十五条 " + "当事人可以约定违约金。" * 60, locator="第五百八十五条")
    answer = extract("第585条", article, BREACH, addressed=1)
    assert article.text.removeprefix("第五百八十五条 ") in answer
    assert "[2]" not in answer


def test_a_very_long_article_is_bounded_in_whole_sentences() -> None:
    """Past the bound the quotation stops after a sentence and says so."""
    article = make_passage("当事人可以约定违约金。" * 400, locator="")
    answer = extract("违约金", article, addressed=1)
    assert "违约金。”[1]（以下略）" in answer
    assert len(answer) < ARTICLE_CHARS + 100


def test_only_the_sentences_that_answer_are_taken_from_a_long_passage() -> None:
    """From a page of text the sentences near the question are quoted; a list keeps what introduces it."""
    filler = "本院每日开放，来访者请在前台登记后入内等候叫号。" * 20
    text = f"{filler}遗嘱有下列形式：\n（一）自书遗嘱；\n（二）代书遗嘱。\n{filler}"
    answer = extract("遗嘱有哪些形式", make_passage(text, locator=""))
    assert "“遗嘱有下列形式：\n（一）自书遗嘱；\n（二）代书遗嘱。”[1]" in answer
    assert "前台登记" not in answer


PAGE = """FINANCIAL CONDITION
The company opened an office in the second quarter of the year and moved its staff there
in the third quarter, as was planned by the committee in the year before that one.
Capital expenditure for the year was lower than in the year before, because several
projects were completed early and a further one was put off.
Operating
Margin
The committee meets four times a year and keeps minutes of what it decides in these
meetings, which members can read in the office at any time of the day.
Capital expenditure for the year was lower than in the year before, because several
projects were completed early and a further one was put off.
"""


def test_the_lines_of_a_page_are_no_sentences() -> None:
    """Of a PDF's page whole sentences are quoted, each once; a heading or the label of a cell alone says nothing."""
    page = make_passage(PAGE, locator="page 3", work="Acme 10K", title="Acme 10K")
    answer = extract("what was the capital expenditure", page, language="en")
    assert answer.count("Capital expenditure for the year") == 1
    assert "because several\nprojects were completed early and a further one was put off.”[1]" in answer
    assert "Margin" not in answer


def test_the_documents_of_another_company_are_left_out() -> None:
    """Where the question names one of the works that were found, the others are not quoted however near they read."""
    texts = ("The inventory of Brightco rose.", "The inventory rose by a half.")
    names = ("Brightco 2022 10K", "Acme 2022 10K")
    found = [make_passage(t, work=n, title=n, locator="page 1") for t, n in zip(texts, names, strict=True)]
    assert "Brightco" not in extract("How did the inventory of Acme change?", *found, language="en")
    assert "Brightco" in extract("How did the inventory change?", *found, language="en")


def test_the_name_of_the_document_does_not_choose_its_sentences() -> None:
    """Words that name the work stand in sentences that answer nothing; the sentence with the figure is quoted."""
    work = "Lindqvist Tools annual report 2023"
    about = make_passage("Lindqvist Tools had two plants in 2023.", work=work, title=work, locator="Business")
    figure = make_passage("Revenue grew by 4.1 percent.", work=work, title=work, locator="Income", score=0.9)
    answer = extract("Lindqvist Tools 2023 revenue", about, figure, language="en")
    assert "“Revenue grew by 4.1 percent.”[2]" in answer


def test_a_further_passage_that_is_far_from_the_question_is_left_out() -> None:
    """Scores rank and do not measure: what shares next to nothing with the question is no second answer."""
    far = make_passage("感谢您的关注，详见公司公告。", locator="第二条", score=0.99)
    answer = extract("不履行合同义务有什么违约责任？", BREACH, far)
    assert "[1]" in answer
    assert "[2]" not in answer


PIECES = st.sampled_from(
    [
        "当事人应当赔偿损失。",
        "“",
        "”",
        "「",
        "」",
        "『",
        '"',
        "`",
        "```\n",
        "[1]",
        "[12]",
        "\n\n",
        "Fees are 4 %. ",
        "《",
        "》",
        "……",
        "（一）",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PIECES, min_size=1, max_size=12).map("".join), min_size=1, max_size=4), st.integers(0, 2))
def test_nothing_that_it_quotes_is_ever_withheld(texts: list[str], addressed: int) -> None:
    """Whatever signs the sources contain, what is quoted with marks that close is proven by the checker."""
    passages = [make_passage(t, locator=f"第{i}条", title=f"法{t[:5]}") for i, t in enumerate(texts, 1)]
    answer = extract("赔偿损失", *passages, addressed=min(addressed, len(passages)))
    cutter, checker = SentenceCutter(), AnswerChecker(passages, "赔偿损失", "zh", StoredTexts(passages).read)
    checker.finish([*cutter.feed(answer), *cutter.finish()])
    assert (checker.withheld, checker.unfound) == (0, [])
    assert checker.text.removesuffix("\n\n（本回答没有可核实的引用。）") == answer


def test_a_row_of_a_table_is_quoted_with_what_holds_for_its_figures() -> None:
    """Only the row that answers; heads, unit and period stand before it; the quote is the stored text, with cells."""
    frame = TableFrame(
        columns=("项目", "2023年", "2022年"), unit="万元", scale=10_000, currency="CNY", period="2023年度"
    )
    table = "| 项目 | 2023年 | 2022年 |\n|---|---|---|\n| 营业收入 | 84,310 | 76,925 |\n| 净利润 | 9,642 | 8,107 |"
    passage = make_passage(table, work="晨川年报", title="晨川年报", locator="主要财务数据", frame=frame)
    answer = extract("2023年净利润是多少", passage)
    assert answer.endswith(
        "《晨川年报》主要财务数据（表头：项目 | 2023年 | 2022年，单位：万元 (CNY)，期间：2023年度）："
        "“| 净利润 | 9,642 | 8,107 |”[1]"
    )
    stored = StoredTexts([passage])
    checker, cutter = AnswerChecker([passage], "2023年净利润是多少", "zh", stored.read), SentenceCutter()
    checker.check(cutter.feed(answer))
    checker.finish(cutter.finish())
    [citation] = checker.citations
    assert (checker.withheld, checker.unfound) == (0, [])
    assert (
        stored.read(citation.version_id, citation.start, citation.end) == citation.quote == "| 净利润 | 9,642 | 8,107 |"
    )
    assert [(c.column, c.value, c.unit, c.currency) for c in citation.cells] == [
        ("2023年", "9,642", "万元", "CNY"),
        ("2022年", "8,107", "万元", "CNY"),
    ]
