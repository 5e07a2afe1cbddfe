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

NO_DOCUMENT = Filters(documents=("-",))
SIZES = (30, 300, 3000)
"""Documents in the random parts of the collection that the model is fitted on beside the whole."""


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
    declined_in_small: float
    """As the two above, over random parts of the collection of ``SIZES`` documents."""
    false_refusals_in_small: float


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
        runs = _Runs(IndexedSet(labelled, service, options.domain), options.seed)
        answerable = [runs.at_size(query, size) for size in SIZES for query in queries]
        unanswerable = [runs.at_size(query, size) for size in SIZES for query in foreign]
        full = [runs.whole(query) for query in queries], [runs.whole(query) for query in foreign]
        without_gold = [runs.without_gold(query) for query in queries]
        embedder_id = service.embedder.embedder_id
    model = fit_abstention([*answerable, *full[0]], [*unanswerable, *full[1]], embedder_id, fitted_on=fitted_on)
    return AbstentionReport(
        model=model,
        auroc_outside=_auroc(model, *full),
        auroc_without_gold=_auroc(model, full[0], without_gold),
        declined_without_gold=_declined(model, without_gold),
        declined_outside=_declined(model, full[1]),
        false_refusals=_declined(model, full[0]),
        declined_in_small=_declined(model, unanswerable),
        false_refusals_in_small=_declined(model, answerable),
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


class _Runs:
    """Searches the whole of a set, random parts of it that hold the answer, and what is left without it."""

    def __init__(self, indexed: IndexedSet, seed: int) -> None:
        indexed.ingest()
        service = indexed.service
        embedder = service.embedder
        self._indexed = indexed
        self._catalogue = LeavingOut(service.database)
        self._searcher = Searcher(
            self._catalogue,
            lambda generation_id: service.generations.open(generation_id, embedder.embedder_id),
            embedder,
            find_pack,
        )
        self._everything = self._catalogue.versions_of([])
        self._chance = np.random.default_rng(seed)

    def whole(self, query: Query) -> SearchResult:
        return self._search(query, frozenset())

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
        request = SearchRequest(question=query.question(), collections=(COLLECTION,), arms=("dense",))
        return self._searcher.search(request)


def _auroc(model: AbstentionModel, good: Sequence[SearchResult], bad: Sequence[SearchResult]) -> float:
    """How often an answerable question scores above an unanswerable one, ties counted half."""
    above = np.array([[model.probability(a) for a in good]]).T - np.array([model.probability(b) for b in bad])
    return round(float((above > 0).mean() + (above == 0).mean() / 2), 4)


def _declined(model: AbstentionModel, results: Sequence[SearchResult]) -> float:
    if not results:
        return 0.0
    return round(float(np.mean([model.probability(result) < model.threshold for result in results])), 4)
