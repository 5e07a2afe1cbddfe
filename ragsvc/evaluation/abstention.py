"""Fits when to decline: on questions that a collection can answer and on questions of other domains.

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
from ragsvc.prompting import Language, language_of
from ragsvc.records import Filters, IndexFilter, SearchRequest, SearchResult
from ragsvc.retrieval.abstention import AbstentionModel, fit_abstention, parse_abstention, render_abstention
from ragsvc.retrieval.searcher import Searcher
from ragsvc.store.catalogue import Catalogue
from ragsvc.store.database import Database
from ragsvc.store.rows import Snapshot
from ragsvc.wiring import Service

NO_DOCUMENT = Filters(documents=("-",))


class AbstentionReport(Struct, frozen=True, kw_only=True):
    """A fitted model and what it declines, as shares: of each kind of unanswerable question, of the answerable.

    The areas under the ROC curve are against the answerable questions.
    """

    model: AbstentionModel
    auroc_outside: float
    auroc_without_gold: float
    declined_without_gold: float
    declined_outside: float
    false_refusals: float


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

    def versions_of(self, works: Iterable[int]) -> frozenset[int]:
        """Return the ordinals of all versions of these works: what keeping no work excludes, and keeping them not."""
        nothing = super().snapshot([COLLECTION], filters=NO_DOCUMENT)
        these = super().snapshot([COLLECTION], works_only=works)
        return nothing.where.excluded_versions - these.where.excluded_versions


def evaluate_abstention(
    folder: Path,
    outside: Sequence[Path],
    options: RetrievalOptions,
    *,
    fitted_on: str = "",
) -> AbstentionReport:
    """Fit the model of one domain and the set's language.

    Args:
        folder: a set in BEIR layout; its questions that are not ``train`` are the answerable ones.
        outside: ``queries.jsonl`` files of other domains: questions that this set cannot answer.
        options: domain, embedder, split, home.
        fitted_on: kept in the model: the data and the command that repeats the fit.

    Raises:
        InvalidInput: a file is missing or malformed, or there are too few questions.
    """
    labelled = LabelledSet(folder)
    queries = labelled.select(options.split)
    foreign = [query for path in outside for query in read_queries(path) if query.split != "train"]
    with open_home(options) as service:
        indexed = IndexedSet(labelled, service, options.domain)
        indexed.ingest()
        catalogue = LeavingOut(service.database)
        searcher = _searcher(service, catalogue)

        def search(query: Query) -> SearchResult:
            return searcher.search(SearchRequest(question=query.text, collections=(COLLECTION,)))

        def search_without_gold(query: Query) -> SearchResult:
            gold = [doc for doc, score in labelled.relevance[query.id].items() if score > 0]
            catalogue.left_out = catalogue.versions_of(indexed.works_of(catalogue, gold))
            try:
                return search(query)
            finally:
                catalogue.left_out = frozenset()

        runs = {
            "answerable": [search(query) for query in queries],
            "without gold": [search_without_gold(query) for query in queries],
            "outside": [search(query) for query in foreign],
        }
        model = fit_abstention(runs["answerable"], runs["outside"], service.embedder.embedder_id, fitted_on=fitted_on)
    return AbstentionReport(
        model=model,
        auroc_outside=round(model.auroc, 4),
        auroc_without_gold=_auroc(model, runs["answerable"], runs["without gold"]),
        declined_without_gold=_declined(model, runs["without gold"]),
        declined_outside=_declined(model, runs["outside"]),
        false_refusals=_declined(model, runs["answerable"]),
    )


def write_abstention(domain: str, language: Language, model: AbstentionModel, path: Path) -> None:
    """Put the model into a pack's ``abstention.toml``, beside that of the other language."""
    models = {**parse_abstention(find_pack(domain).abstention), language: model}
    path.write_text(render_abstention(models), encoding="utf-8")


def language_of_set(folder: Path) -> Language:
    """Return the language of most of a set's questions.

    Raises:
        InvalidInput: the set has no question.
    """
    queries = LabelledSet(folder).queries
    if not queries:
        raise InvalidInput(f"{folder / 'queries.jsonl'} holds no question")
    languages = [language_of(query.text) for query in queries]
    return "zh" if 2 * languages.count("zh") >= len(languages) else "en"


def _searcher(service: Service, catalogue: Catalogue) -> Searcher:
    embedder = service.embedder
    return Searcher(
        catalogue,
        lambda generation_id: service.generations.open(generation_id, embedder.embedder_id),
        embedder,
        find_pack,
    )


def _auroc(model: AbstentionModel, good: Sequence[SearchResult], bad: Sequence[SearchResult]) -> float:
    """How often an answerable question scores above an unanswerable one, ties counted half."""
    above = np.array([[model.probability(a) for a in good]]).T - np.array([model.probability(b) for b in bad])
    return round(float((above > 0).mean() + (above == 0).mean() / 2), 4)


def _declined(model: AbstentionModel, results: Sequence[SearchResult]) -> float:
    if not results:
        return 0.0
    return round(float(np.mean([model.probability(result) < model.threshold for result in results])), 4)
