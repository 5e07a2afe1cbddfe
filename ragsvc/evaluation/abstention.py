"""Fits when to decline: on questions that a collection can answer and on questions of other domains.

Half of the questions of each kind fit the model; what is said of it comes from the other half, so that the bound on
what it lets through holds for the very model that is written.

Measured besides: the same questions with every work that answers them taken out of the search. Those stay in the
domain, and related works do answer some of them: a threshold that declines them would decline good questions too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet, Query, read_queries
from ragsvc.evaluation.retrieval import COLLECTION, IndexedSet, RetrievalOptions, open_home
from ragsvc.evaluation.selective import CurvePoint, Promise, area_under, promise, risk_coverage
from ragsvc.prompting import Language, language_of
from ragsvc.records import Filters, IndexFilter, SearchRequest, SearchResult
from ragsvc.retrieval.abstention import (
    AbstentionModel,
    fit_abstention,
    parse_abstention,
    render_abstention,
    why_abstain,
)
from ragsvc.retrieval.searcher import Searcher
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.database import Database
from ragsvc.store.rows import Snapshot
from ragsvc.wiring import Service

NO_DOCUMENT = Filters(documents=("-",))
SIZES = (30, 300, 3000)
"""Documents in the random parts of the collection that the model is fitted on beside the whole."""
MOST_POINTS = 200
"""Of the curve that is kept."""


class Judged(Struct, frozen=True, kw_only=True):
    """A question that the fit did not see."""

    question: str
    score: float
    closest: str
    """The best passage's title and place."""


class OverASet(Struct, frozen=True, kw_only=True):
    """What else a labelled set tells, of questions that the fit did not see: shares, and an area under the ROC curve.

    ``without_gold``: the answerable ones with every work left out that answers them. ``in_small``: over random parts
    of the collection, of ``SIZES`` documents.
    """

    auroc_without_gold: float
    declined_without_gold: float
    declined_in_small: float
    false_refusals_in_small: float


class AbstentionReport(Struct, frozen=True, kw_only=True):
    """A fitted model, and what it does to questions that the fit did not see."""

    model: AbstentionModel
    promise: Promise
    auroc: float
    area: float
    """Under the risk-coverage curve; ``selective.LEAST_AREA`` at the best, .5 for scores that say nothing."""
    curve: list[CurvePoint]
    over_a_set: OverASet | None
    let_through: list[Judged]
    """Questions from outside that would be answered, the surest first."""
    refused: list[Judged]
    """Answerable questions that would be declined, the weakest first."""


class LeavingOut(Catalogue):
    """A catalogue some versions of which no search sees."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.left_out: frozenset[int] = frozenset()

    def snapshot(
        self,
        names: Sequence[str],
        as_of: date | None = None,
        filters: Filters | None = None,
        works_only: Iterable[int] = (),
    ) -> Snapshot:
        """As the catalogue's, less what is left out."""
        snapshot = super().snapshot(names, as_of, filters, works_only)
        excluded = snapshot.where.excluded_versions | self.left_out
        return replace(snapshot, where=IndexFilter(snapshot.where.collections, excluded))

    def versions_of(self, document_ids: Sequence[str]) -> frozenset[int]:
        """Return the ordinals of the versions of these documents; none = of all."""
        nothing = super().snapshot([COLLECTION], filters=NO_DOCUMENT).where.excluded_versions
        if not document_ids:
            return nothing
        these = super().snapshot([COLLECTION], filters=Filters(documents=tuple(document_ids)))
        return nothing - these.where.excluded_versions


def evaluate_abstention(
    folder: Path,
    outside: Sequence[Path],
    options: RetrievalOptions,
    *,
    collection: str = "",
    fitted_on: str = "",
) -> AbstentionReport:
    """Fit on half of the questions, measure on the other half.

    Args:
        folder: a set in BEIR layout; its questions that are not ``train`` are the answerable ones. For a collection
            its ``queries.jsonl`` alone is read.
        outside: ``queries.jsonl`` files of other domains: questions that cannot be answered.
        options: domain, embedder, split, home, seed.
        collection: one of the home, that the questions are for; empty = the set's own texts.
        fitted_on: kept in the model: the data and the command that repeats the fit.

    Raises:
        InvalidInput: a file is missing or malformed, or there are too few questions.
        NotFound: no such collection.
    """
    foreign = [query for path in outside for query in read_queries(path) if query.split != "train"]
    with open_home(options) as service:
        runs: _Runs
        if collection:
            service.catalogue.find_collections([collection])
            runs, queries = _Runs(service, collection), _questions(folder, options.split)
        else:
            labelled = LabelledSet(folder)
            runs = _SetRuns(IndexedSet(labelled, service, options.domain), options.seed)
            queries = labelled.select(options.split)
        (seen, unseen), (seen_foreign, unseen_foreign) = _halves(queries, options.seed), _halves(foreign, options.seed)
        fitted = fit_abstention(
            runs.to_fit(seen), runs.to_fit(seen_foreign), service.embedder.embedder_id, fitted_on=fitted_on
        )
        good, bad = ([runs.whole(query) for query in half] for half in (unseen, unseen_foreign))
        rest = runs.over_a_set(fitted, unseen, unseen_foreign, good)
    scores, foreign_scores = ([_score(fitted, result) for result in half] for half in (good, bad))
    promised = promise(scores, foreign_scores, fitted.threshold)
    curve = risk_coverage(scores, foreign_scores)
    judged = [
        [Judged(question=q.text, score=round(s, 4), closest=_closest(r)) for q, s, r in zip(*half, strict=True)]
        for half in ((unseen_foreign, foreign_scores, bad), (unseen, scores, good))
    ]
    return AbstentionReport(
        model=replace(fitted, let_through_at_most=promised.let_through_at_most, n_bound=promised.n_outside),
        promise=promised,
        auroc=_auroc(fitted, good, bad),
        area=area_under(curve),
        curve=curve[:: max(1, len(curve) // MOST_POINTS)],
        over_a_set=rest,
        let_through=sorted((j for j in judged[0] if j.score >= fitted.threshold), key=lambda j: -j.score),
        refused=sorted((j for j in judged[1] if j.score < fitted.threshold), key=lambda j: j.score),
    )


def write_abstention(domain: str, language: Language, model: AbstentionModel, path: Path) -> None:
    """Write the model beside that of the other language: the file's, or that of the domain in a new file."""
    held = path.read_text(encoding="utf-8") if path.exists() else find_pack(domain).abstention
    path.write_text(render_abstention({**parse_abstention(held), language: model}), encoding="utf-8")


def language_of_set(folder: Path) -> Language:
    """Return the language of most of a set's questions.

    Raises:
        InvalidInput: the set has no question.
    """
    queries = read_queries(_queries_file(folder))
    if not queries:
        raise InvalidInput(f"{_queries_file(folder)} holds no question")
    languages = [language_of(query.text) for query in queries]
    return "zh" if 2 * languages.count("zh") >= len(languages) else "en"


class _Runs:
    """Searches a collection."""

    def __init__(self, service: Service, collection: str) -> None:
        self._collection = collection
        self._searcher: Searcher = service.searcher

    def whole(self, query: Query) -> SearchResult:
        request = SearchRequest(question=query.question(), collections=(self._collection,), arms=("dense",))
        return self._searcher.search(request)

    def to_fit(self, queries: Sequence[Query]) -> list[SearchResult]:
        """Return what the model is fitted on."""
        return [self.whole(query) for query in queries]

    def over_a_set(
        self, model: AbstentionModel, unseen: Sequence[Query], foreign: Sequence[Query], whole: Sequence[SearchResult]
    ) -> OverASet | None:
        """Return what else can be measured."""
        return None


class _SetRuns(_Runs):
    """Searches the whole of a set, random parts of it that hold the answer, and what is left without it."""

    def __init__(self, indexed: IndexedSet, seed: int) -> None:
        indexed.ingest()
        service = indexed.service
        super().__init__(service, COLLECTION)
        self._indexed = indexed
        self._catalogue = LeavingOut(service.database)
        self._searcher = Searcher(
            self._catalogue,
            lambda generation_id: service.generations.open(generation_id, service.embedder.embedder_id),
            service.embedder,
            find_pack,
        )
        self._everything = self._catalogue.versions_of([])
        self._chance = np.random.default_rng(seed)

    def to_fit(self, queries: Sequence[Query]) -> list[SearchResult]:
        """Return what is found in parts of each size and in the whole: the model is to know how size counts."""
        parts = [self.at_size(query, size) for size in SIZES for query in queries]
        return [*parts, *(self.whole(query) for query in queries)]

    def over_a_set(
        self, model: AbstentionModel, unseen: Sequence[Query], foreign: Sequence[Query], whole: Sequence[SearchResult]
    ) -> OverASet:
        without_gold = [self.without_gold(query) for query in unseen]
        small, small_foreign = ([self.at_size(q, size) for size in SIZES for q in half] for half in (unseen, foreign))
        return OverASet(
            auroc_without_gold=_auroc(model, whole, without_gold),
            declined_without_gold=_declined(model, without_gold),
            declined_in_small=_declined(model, small_foreign),
            false_refusals_in_small=_declined(model, small),
        )

    def at_size(self, query: Query, size: int) -> SearchResult:
        ordinals = sorted(self._everything)
        part = frozenset(self._chance.choice(ordinals, min(size, len(ordinals)), replace=False).tolist())
        gold = self._indexed.document_ids(self._gold(query))
        kept = part | self._catalogue.versions_of(gold) if gold else part
        return self._search(query, self._everything - kept)

    def without_gold(self, query: Query) -> SearchResult:
        return self._search(query, self._catalogue.versions_of(self._indexed.documents_of_works(self._gold(query))))

    def _gold(self, query: Query) -> list[str]:
        judged = self._indexed.labelled.relevance.get(query.id, {})
        return [document for document, score in judged.items() if score > 0]

    def _search(self, query: Query, left_out: frozenset[int]) -> SearchResult:
        self._catalogue.left_out = left_out
        try:
            return self.whole(query)
        finally:
            self._catalogue.left_out = frozenset()


def _queries_file(place: Path) -> Path:
    return place / "queries.jsonl" if place.is_dir() else place


def _questions(place: Path, split: str | None) -> list[Query]:
    return [q for q in read_queries(_queries_file(place)) if (q.split == split if split else q.split != "train")]


def _halves(queries: Sequence[Query], seed: int) -> tuple[list[Query], list[Query]]:
    """Divide by lot: the fit sees the first half."""
    drawn = [queries[at] for at in np.random.default_rng(seed).permutation(len(queries))]
    return drawn[: (len(drawn) + 1) // 2], drawn[(len(drawn) + 1) // 2 :]


def _score(model: AbstentionModel, result: SearchResult) -> float:
    """Return the probability, but 1 or 0 where what the question names decides."""
    if result.addressed:
        return 1.0
    return 0.0 if why_abstain(result, None) else model.probability(result)


def _closest(result: SearchResult) -> str:
    best = result.passages[0] if result.passages else None
    return f"{best.title} {best.locator}".strip() if best else ""


def _auroc(model: AbstentionModel, good: Sequence[SearchResult], bad: Sequence[SearchResult]) -> float:
    """How often an answerable question scores above an unanswerable one, ties counted half."""
    above = np.array([[_score(model, a) for a in good]]).T - np.array([_score(model, b) for b in bad])
    return round(float((above > 0).mean() + (above == 0).mean() / 2), 4)


def _declined(model: AbstentionModel, results: Sequence[SearchResult]) -> float:
    return round(float(np.mean([_score(model, result) < model.threshold for result in results])), 4)
