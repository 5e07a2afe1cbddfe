"""When no answer is given, and what is said then."""

import random
from datetime import date
from math import log10

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.records import MissingAddress, SearchResult
from ragsvc.retrieval.abstention import (
    AbstentionModel,
    fit_abstention,
    parse_abstention,
    render_abstention,
    say_missing,
    say_why,
    why_abstain,
)
from tests.doubles import make_passage

PASSAGES = (make_passage("甲。"),)
STRICT = AbstentionModel(
    intercept=-5, cosine=10, log_size=0, threshold=0.5, embedder_id="e", auroc=1, false_refusals=0, declined=1,
    n_answerable=10, n_unanswerable=10,
)  # fmt: skip
GONE = MissingAddress(
    mention="民法典第1300条", reason="no such article", work="中华人民共和国民法典", nearest=("第一千二百六十条",)
)


def found(cosine: float | None = 0.9, **fields: object) -> SearchResult:
    return SearchResult(passages=PASSAGES, top_cosine=cosine, n_searched=10, **fields)  # type: ignore[arg-type]


def test_weak_signals_abstain_only_with_a_fitted_model() -> None:
    """Below the threshold no answer; without a model any passage is answered from; without passages nothing is."""
    assert why_abstain(found(0.9), STRICT) is None
    assert why_abstain(found(0.1), STRICT) == "weak"
    assert why_abstain(found(None), STRICT) == "weak"
    assert why_abstain(found(0.1), None) is None
    assert why_abstain(SearchResult(passages=()), None) == "nothing"


def test_addresses_come_first() -> None:
    """What is named and there is answered from however weak the signals; what is named and not there never is."""
    assert why_abstain(found(0.0, addressed=1), STRICT) is None
    assert why_abstain(found(0.0, addressed=1, missing=(GONE,)), STRICT) is None
    assert why_abstain(found(0.9, missing=(GONE,)), None) == "missing"
    place = MissingAddress(mention="《合同法》第一百零七条", reason="no such work")
    assert why_abstain(found(0.9, missing=(place,)), None) == "missing"


def test_a_repealed_law_named_in_passing_does_not_end_the_matter() -> None:
    """“根据婚姻法……” names no place: the signals decide."""
    law = MissingAddress(mention="婚姻法", reason="no such work")
    assert why_abstain(found(0.9, missing=(law,)), STRICT) is None
    assert why_abstain(found(0.1, missing=(law,)), STRICT) == "weak"


def test_a_refusal_says_what_is_missing_what_there_is_and_where_it_looked() -> None:
    """The reader learns why, gets the nearest place that exists, and knows the collections and the day."""
    text, reason = say_why("missing", found(missing=(GONE,)), ("laws",), date(2024, 5, 1), "zh")
    assert text == (
        "问题所指的条文不在所检索的资料中，因此不作回答。\n"
        "“民法典第1300条”：《中华人民共和国民法典》没有这一条。现有的是：第一千二百六十条。\n"
        "检索范围：laws，2024-05-01施行的文本。"
    )
    assert "没有这一条" in reason
    text, _ = say_why("weak", found(), (), None, "en")
    assert "Closest, perhaps not to the point: 中华人民共和国民法典 第五百七十七条." in text
    assert "Searched: all collections, as in force today." in text


@pytest.mark.parametrize("reason", ["no such work", "no such article", "not in force"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_has_words_in_both_languages(reason: str, language: str) -> None:
    """Each line names what the question wrote."""
    line = say_missing([MissingAddress(mention="甲法第9条", reason=reason)], language)  # type: ignore[arg-type]
    assert "“甲法第9条”" in line
    assert "{" not in line


def test_fit_separates_and_keeps_false_refusals_within_bounds() -> None:
    """On two clouds of signals the fit ranks well, declines most of the bad, and at most a tenth of the good."""
    chance = random.Random(0)

    def cloud(cosine: float) -> list[SearchResult]:
        sizes = [10 ** chance.uniform(1, 5) for _ in range(300)]
        return [
            SearchResult(passages=(), top_cosine=chance.gauss(cosine + 0.05 * log10(n), 0.07), n_searched=int(n))
            for n in sizes
        ]

    model = fit_abstention(cloud(0.5), cloud(0.2), "e", max_false_refusal=0.10, fitted_on="clouds")
    assert model.auroc > 0.95
    assert model.false_refusals <= 0.10
    assert model.declined > 0.90
    good, bad = cloud(0.5), cloud(0.2)
    assert sum(model.probability(r) < model.threshold for r in good) < 60
    assert sum(model.probability(r) < model.threshold for r in bad) > 240
    few = SearchResult(passages=PASSAGES, top_cosine=0.45, n_searched=20)
    many = SearchResult(passages=PASSAGES, top_cosine=0.45, n_searched=80_000)
    assert model.probability(few) > model.probability(many), "the best of many must be better than the best of few"
    assert parse_abstention(render_abstention({"zh": model, "en": STRICT})) == {"zh": model, "en": STRICT}
    apart = fit_abstention(cloud(0.7), cloud(0.2), "e", max_false_refusal=0.10)
    assert apart.false_refusals < 0.02, "questions are declined that nothing is gained by"
    assert 0.98 < apart.declined < 1.0


def test_bad_data_is_refused() -> None:
    """Too few questions, or a file that is not what a fit wrote."""
    with pytest.raises(InvalidInput, match="at least ten of each"):
        fit_abstention([found()] * 9, [found()] * 20, "e")
    with pytest.raises(InvalidInput, match=r"abstention\.toml"):
        parse_abstention("[zh]\nthreshold = 'high'")
