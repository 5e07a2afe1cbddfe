"""Whether what was found suffices to answer; if not, what to say instead of an answer.

A named place decides first: what is there is answered from, what is not there is said not to be there. Otherwise a
logistic model of two signals decides: the best cosine, and the size of what was searched, for the best of many is
higher than the best of few (at one rate of false refusals the bound on it is .26 among 30 statute articles and .44
among 58,636). It is fitted per domain, language and embedder on questions whose answer is in the collection and
questions whose answer is not, at several sizes (``fit_abstention``), and kept as data (``abstention.toml``). BM25 per
query term was tried as a third signal: it declined 93.4 % instead of 92.6 % on the full collection, and its scale
follows the collection.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct

from ragsvc.errors import InvalidInput
from ragsvc.records import MissingAddress, Passage, SearchResult

Language = Literal["zh", "en"]
Cause = Literal["missing", "nothing", "weak"]

_NAMES_A_PLACE = re.compile(r"\d|[一二三四五六七八九十百千零〇]+\s*[条條]|§")
_MOST_OFFERED = 3
ENOUGH_DECLINED = 0.99
"""Share of the unanswerable questions; a threshold that declines more only costs answers."""


class AbstentionModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """P(answerable) = 1 / (1 + exp(-(intercept + cosine * top_cosine + log_size * log10(n_searched))))."""

    intercept: float
    cosine: float
    log_size: float
    threshold: float
    """Below this probability no answer is given."""
    embedder_id: str
    """The cosines of another embedder mean something else."""
    auroc: float
    false_refusals: float
    """Share of the answerable questions of the fit that are declined."""
    declined: float
    """Share of the unanswerable ones that are declined."""
    n_answerable: int
    n_unanswerable: int
    fitted_on: str = ""
    """The data, and the command that repeats the fit."""
    let_through_at_most: float = 1.0
    """Share of outside questions that are answered, at most: the upper 95 % bound from ``n_bound`` that the fit did
    not see (``evaluation.selective``); without any, nothing is promised."""
    n_bound: int = 0

    def probability(self, result: SearchResult) -> float:
        """Return the probability that ``result`` holds the answer."""
        cosine, log_size = _signals(result)
        z = self.intercept + self.cosine * cosine + self.log_size * log_size
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, z))))


def why_abstain(result: SearchResult, model: AbstentionModel | None) -> Cause | None:
    """Return why not to answer from ``result``, or None to answer. Without a fitted model weak hits are answered from.

    A work that is not there does not end the matter when no place in it was named: people cite repealed laws.
    """
    if result.addressed:
        return None
    if any(m.reason != "no such work" or _NAMES_A_PLACE.search(m.mention) for m in result.missing):
        return "missing"
    if not result.passages:
        return "nothing"
    return "weak" if model is not None and model.probability(result) < model.threshold else None


def fit_abstention(
    answerable: Sequence[SearchResult],
    unanswerable: Sequence[SearchResult],
    embedder_id: str,
    max_false_refusal: float = 0.10,
    fitted_on: str = "",
) -> AbstentionModel:
    """Fit the model and its threshold.

    It declines at most ``max_false_refusal`` of the answerable questions; fewer, where fewer are enough to decline
    ``ENOUGH_DECLINED`` of the others.

    Raises:
        InvalidInput: fewer than ten questions of either kind.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    if min(len(answerable), len(unanswerable)) < 10:
        raise InvalidInput(
            f"{len(answerable)} answerable and {len(unanswerable)} unanswerable questions were given; "
            "a threshold needs at least ten of each"
        )
    signals = np.array([_signals(result) for result in (*answerable, *unanswerable)])
    labels = np.array([1] * len(answerable) + [0] * len(unanswerable))
    mean, scale = signals.mean(axis=0), signals.std(axis=0)
    scale[scale == 0] = 1
    regression = LogisticRegression(class_weight="balanced").fit((signals - mean) / scale, labels)
    weights = regression.coef_[0] / scale
    intercept = float(regression.intercept_[0] - weights @ mean)
    chances = 1 / (1 + np.exp(-(signals @ weights + intercept)))
    good, bad = np.sort(chances[labels == 1]), chances[labels == 0]
    enough = np.quantile(bad, ENOUGH_DECLINED, method="higher")
    threshold = float(min(good[int(max_false_refusal * len(good))], enough))
    return AbstentionModel(
        intercept=intercept,
        cosine=float(weights[0]),
        log_size=float(weights[1]),
        threshold=threshold,
        embedder_id=embedder_id,
        auroc=float(roc_auc_score(labels, chances)),
        false_refusals=float((good < threshold).mean()),
        declined=float((bad < threshold).mean()),
        n_answerable=len(good),
        n_unanswerable=len(bad),
        fitted_on=fitted_on,
    )


def parse_abstention(toml: str) -> dict[Language, AbstentionModel]:
    """Read the models of one domain, a table per language. Raises InvalidInput naming what is wrong."""
    try:
        return msgspec.convert(tomllib.loads(toml), dict[Language, AbstentionModel])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"abstention.toml: {error}; fit it again") from None


def render_abstention(models: Mapping[Language, AbstentionModel]) -> str:
    """Write what ``parse_abstention`` reads."""
    tables = []
    for language, model in models.items():
        values = msgspec.structs.asdict(model)
        lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items()]
        tables.append("\n".join([f"[{language}]", *lines]))
    return "\n\n".join(tables) + "\n"


def _signals(result: SearchResult) -> tuple[float, float]:
    """Best cosine, 0 when nothing was found, and the decimal logarithm of what was searched."""
    return result.top_cosine or 0.0, math.log10(max(result.n_searched, 1))


# --- what is said instead of an answer ---

_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "missing": "问题所指的条文不在所检索的资料中，因此不作回答。",
        "nothing": "在所检索的资料中没有找到相关内容，因此不作回答。",
        "weak": "在所检索的资料中没有找到足以回答该问题的内容，因此不作回答。",
        "no such work": "“{mention}”：所检索的资料中没有这部文件。",
        "no such article": "“{mention}”：{work}没有这一条。",
        "no such section": "“{mention}”：{work}没有这一节。",
        "not in force": "“{mention}”：{work}这一条在所问日期不施行。",
        "offer": "现有的是：{}。",
        "closest": "最接近的内容（未必相关）：{}。",
        "searched": "检索范围：{}，{}施行的文本。",
        "all": "全部资料库",
        "today": "今日",
        "joint": "、",
    },
    "en": {
        "missing": "The place that the question names is not in what was searched, so no answer is given.",
        "nothing": "Nothing on this was found in what was searched, so no answer is given.",
        "weak": "What was found does not suffice to answer this question, so no answer is given.",
        "no such work": "“{mention}”: there is no such work in what was searched.",
        "no such article": "“{mention}”: {work} has no such article.",
        "no such section": "“{mention}”: {work} has no such section.",
        "not in force": "“{mention}”: {work} has no such article in force on the day asked for.",
        "offer": " What there is: {}.",
        "closest": "Closest, perhaps not to the point: {}.",
        "searched": "Searched: {}, as in force {}.",
        "all": "all collections",
        "today": "today",
        "joint": ", ",
    },
}
_INNER_TITLE = str.maketrans("《》", "〈〉")
_A_WORK: dict[Language, str] = {"zh": "该文件", "en": "the work"}


def say_missing(missing: Sequence[MissingAddress], language: Language) -> str:
    """Return a line per place that is not there, with those that are there on offer; empty for none."""
    words = _WORDS[language]
    lines = []
    for place in missing:
        work = _title(place.work, language) if place.work else _A_WORK[language]
        line = words[place.reason].format(mention=place.mention, work=work)
        offered = words["joint"].join(place.nearest[:_MOST_OFFERED])
        lines.append(line + (words["offer"].format(offered) if offered else ""))
    return "\n".join(lines)


def say_why(
    cause: Cause, result: SearchResult, collections: Sequence[str], as_of: date | None, language: Language
) -> tuple[str, str]:
    """Return the text given instead of an answer, and its first line as the reason."""
    words = _WORDS[language]
    missing = say_missing(result.missing, language)
    reason = " ".join(filter(None, (words[cause], missing.replace("\n", " "))))
    names = dict.fromkeys(_name(passage, language) for passage in result.passages)
    closest = words["joint"].join(list(names)[:_MOST_OFFERED])
    day = str(as_of) if as_of else words["today"]
    lines = [
        words[cause],
        missing,
        words["closest"].format(closest) if closest and cause == "weak" else "",
        words["searched"].format(words["joint"].join(collections) or words["all"], day),
    ]
    return "\n".join(filter(None, lines)), reason


def _name(passage: Passage, language: Language) -> str:
    separator = "" if language == "zh" else " "
    return f"{_title(passage.work, language)}{separator}{passage.locator}".strip()


def _title(work: str, language: Language) -> str:
    return f"《{work.translate(_INNER_TITLE)}》" if language == "zh" else work
