"""Puts the first hits of a search into a better order by how each word of the question is met in each passage.

The token vectors of a static encoder are compared one by one, as kernel-pooling rankers do (K-NRM, Xiong et al.
2017, https://arxiv.org/abs/1706.06613): what the mean of the vectors and BM25 do not see is how near to each other
the words stand, the longest run in common, the title. Each feature is standardised among the hits of the question;
a linear head adds them up. numpy only.

A folder of weights holds ``head.toml`` (``Head``) and ``idf.npy``, float16 of shape (tokens,), made by ``ragsvc train
interaction``; ``weights/`` has the one that ships.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ragsvc.errors import InvalidInput
from ragsvc.protocols import Embedder, FloatArray
from ragsvc.records import Passage

SHIPPED = "interaction"
AUTO = "auto"
HEAD = "head.toml"
IDF = "idf.npy"
FEATURES = (
    "run", "window_idf", "window_norm", "lead", "soft", "weakest", "near", "length", "title", "cosine", "words",
    "no_words",
)  # fmt: skip
FIRST = 20
"""Hits that are read. Thirty gain .002 nDCG@10 more (mean of nine sets) and cost half again the time."""
MAX_CHARS = 1_500
"""Of a passage; reading twice as much gains only on pages of filings (.06 instead of .04), at twice the time."""
MAX_TOKENS = 512
BLOCK = 40
"""Tokens; a window is two neighbouring blocks."""
_NEAR = 0.7
"""A token whose cosine with a word of the question is above it, speaks of the same."""
_CLIP = 5.0
_SHIPPED_FOLDER = Path(__file__).with_name("weights") / "interaction-zh-en"

Ids = NDArray[np.int64]


@runtime_checkable
class TokenVectors(Protocol):
    """What is needed of the encoder."""

    @property
    def embedder_id(self) -> str: ...

    @property
    def table(self) -> FloatArray:
        """Token vectors, shape (tokens, dim)."""
        ...

    def token_ids(self, texts: Sequence[str]) -> list[Ids]:
        """Return the rows of ``table`` that each text is made of."""
        ...


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the features are worth."""

    encoder: str
    """``embedder_id`` whose token vectors it reads."""
    fused: float
    """Of the score that the hit came with."""
    weights: dict[str, float]
    """Of each of ``FEATURES``, standardised."""


class InteractionReranker:
    """Reads hits of both arms. Safe to use from several threads."""

    def __init__(self, vectors: TokenVectors, idf: FloatArray, head: Head, name: str = SHIPPED) -> None:
        """Take the parts; ``open_interaction`` reads them from a folder.

        Raises:
            InvalidInput: they do not belong together.
        """
        if head.encoder != vectors.embedder_id:
            raise InvalidInput(
                f"The reranker {name} reads the token vectors of the encoder {head.encoder}, but the encoder here is "
                f"{vectors.embedder_id}: set rerank to nothing, or fit a reranker with 'ragsvc train interaction'."
            )
        if set(head.weights) != set(FEATURES) or idf.shape != (len(vectors.table),):
            raise InvalidInput(
                f"The reranker {name} has weights for {', '.join(head.weights)} and {idf.shape} token frequencies; "
                f"expected {', '.join(FEATURES)} and {(len(vectors.table),)}: fit it again."
            )
        self._vectors = vectors
        self._idf: FloatArray = idf.astype(np.float32)
        self._norms: FloatArray = np.maximum(np.linalg.norm(vectors.table, axis=1), 1e-9)
        self._fused = head.fused
        self._weights = np.array([head.weights[feature] for feature in FEATURES], np.float32)
        digest = hashlib.sha256(msgspec.json.encode(head, order="sorted") + self._idf.tobytes())
        self.reranker_id = f"{name}-{digest.hexdigest()[:12]}"

    def order(self, question: str, hits: Sequence[Passage]) -> list[int]:
        """Return the places of the hits, the best first; equal ones as they came."""
        return np.argsort(-self.score(question, hits), kind="stable").tolist() if hits else []

    def score(self, question: str, hits: Sequence[Passage]) -> FloatArray:
        """Return an array of shape (len(hits),); more is better, and only among these hits."""
        fused = np.array([hit.scores.fused or 0.0 for hit in hits], np.float32)
        scores: FloatArray = self._fused * fused + standardised(self.features(question, hits)) @ self._weights
        return scores

    def features(self, question: str, hits: Sequence[Passage]) -> FloatArray:
        """Return an array of shape (len(hits), len(FEATURES)), not standardised."""
        n = len(hits)
        above = [" ".join([hit.title, *hit.heading_path, hit.locator]).strip() for hit in hits]
        ids = self._vectors.token_ids([question, *above, *(hit.text[:MAX_CHARS] for hit in hits)])
        asked, titles, texts = ids[0], ids[1 : n + 1], ids[n + 1 :]
        lexical = np.array([hit.scores.lexical or 0.0 for hit in hits], np.float32)
        found = dict.fromkeys(FEATURES, np.zeros(n, np.float32))
        found["words"], found["no_words"] = lexical / max(float(lexical.max()), 1e-6), lexical == 0
        if len(asked):
            bodies = [np.concatenate(pair)[:MAX_TOKENS] for pair in zip(titles, texts, strict=True)]
            found |= self._matches(asked, _Texts(bodies))
            found["title"] = self._title(asked, _Texts(titles))
        return np.stack([found[name] for name in FEATURES], axis=1).astype(np.float32)

    def _matches(self, asked: Ids, bodies: _Texts) -> dict[str, FloatArray]:
        words = np.unique(asked)
        idf, norm = _shares(self._idf[words]), _shares(self._norms[words])
        met = self._cosines(words, bodies)
        best = np.maximum.reduceat(met[:, bodies.place], bodies.blocks, axis=1)  # words x blocks
        windows = best.copy()
        windows[:, :-1] = np.where(bodies.follows[1:], np.maximum(best[:, :-1], best[:, 1:]), best[:, :-1])
        whole = np.maximum.reduceat(best, bodies.first_blocks, axis=1)  # words x bodies
        weak = max(1, len(words) // 3)
        window_idf = idf @ windows
        return {
            "run": longest_run(asked, bodies) / np.float32(max(1, len(asked) - 1) ** 0.5),
            "window_idf": np.maximum.reduceat(window_idf, bodies.first_blocks),
            "window_norm": np.maximum.reduceat(norm @ windows, bodies.first_blocks),
            "lead": window_idf[bodies.first_blocks],
            "soft": norm @ whole,
            "weakest": np.partition(whole, weak - 1, axis=0)[:weak].mean(axis=0),
            "near": np.log1p(bodies.sums((met.max(axis=0) > _NEAR)[bodies.place] * self._idf[bodies.flat])),
            "length": np.log1p(bodies.lengths, dtype=np.float32),
            "cosine": self._cosine(asked, bodies),
        }

    def _title(self, asked: Ids, titles: _Texts) -> FloatArray:
        """Return which share of the title's words, by weight, the question speaks of."""
        best = self._cosines(np.unique(asked), titles).max(axis=0)[titles.place]
        idf = self._idf[titles.flat]
        share: FloatArray = np.divide(titles.sums(best * idf), np.maximum(titles.sums(idf), 1e-6))
        return share

    def _cosines(self, words: Ids, texts: _Texts) -> FloatArray:
        """Return an array of shape (len(words), len(texts.known))."""
        table, norms = self._vectors.table, self._norms
        cosines: FloatArray = np.divide(table[words], norms[words, None]) @ table[texts.known].T
        cosines /= norms[texts.known]
        return cosines

    def _cosine(self, asked: Ids, bodies: _Texts) -> FloatArray:
        vectors = bodies.sums(self._vectors.table[bodies.flat])
        vector = self._vectors.table[asked].sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
        cosine: FloatArray = vectors @ vector / np.maximum(lengths, 1e-9)
        return cosine


class _Texts:
    """The tokens of several texts in one array. An empty text gets one token, so that each has a place in the sums."""

    def __init__(self, texts: Sequence[Ids]) -> None:
        filled = [ids if len(ids) else np.zeros(1, np.int64) for ids in texts]
        self.flat: Ids = np.concatenate(filled)
        self.lengths: Ids = np.array([len(ids) for ids in filled])
        self.starts: Ids = np.cumsum(self.lengths) - self.lengths
        self.known, self.place = np.unique(self.flat, return_inverse=True)
        """The different tokens, and where among them each of ``flat`` is."""
        per_text = -(-self.lengths // BLOCK)
        self.first_blocks: Ids = np.cumsum(per_text) - per_text
        self.blocks: Ids = np.concatenate(
            [start + np.arange(0, length, BLOCK) for start, length in zip(self.starts, self.lengths, strict=True)]
        )
        """Where in ``flat`` each block begins."""
        self.follows: NDArray[np.bool_] = np.ones(len(self.blocks), bool)
        """Whether a block follows another of its text."""
        self.follows[self.first_blocks] = False

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sums over the tokens of each text."""
        found: FloatArray = np.add.reduceat(values, self.starts, axis=0)
        return found


def standardised(features: FloatArray) -> FloatArray:
    """Return the features with mean 0 and spread 1 among the hits; outliers are drawn in."""
    spread = np.maximum(features.std(axis=0), 1e-3)
    found: FloatArray = np.clip((features - features.mean(axis=0)) / spread, -_CLIP, _CLIP)
    return found


def longest_run(asked: Ids, texts: _Texts) -> FloatArray:
    """Return for each text how many pairs of neighbours in the question follow each other at most."""
    base = 1 << 32
    pairs = np.append(texts.flat[:-1] * base + texts.flat[1:], -1)
    met = np.isin(pairs, np.unique(asked[:-1] * base + asked[1:]))
    met[texts.starts + texts.lengths - 1] = False  # the neighbour of a last token is another text's
    count = np.cumsum(met)
    runs: Ids = count - np.maximum.accumulate(np.where(met, 0, count))
    longest: Ids = np.maximum.reduceat(runs, texts.starts)
    return longest.astype(np.float32)


def _shares(values: FloatArray) -> FloatArray:
    shares: FloatArray = values / max(float(values.sum()), 1e-6)
    return shares


def token_vectors(embedder: Embedder, name: str = SHIPPED) -> TokenVectors:
    """Return the encoder as one with token vectors.

    Raises:
        InvalidInput: it has none.
    """
    if not isinstance(embedder, TokenVectors):
        raise InvalidInput(
            f"The reranker {name} reads token vectors, which only a static encoder has, not {embedder.embedder_id}: "
            "set rerank to nothing, or embedder to the encoder that it was fitted for."
        )
    return embedder


def open_reranker(setting: str, embedder: Embedder) -> InteractionReranker | None:
    """Open what the setting ``rerank`` means: ``auto`` is the one that ships, where ``embedder`` is what it reads.

    Raises:
        InvalidInput: as ``open_interaction``.
    """
    if setting == AUTO:
        setting = SHIPPED if _read_head(_SHIPPED_FOLDER).encoder == embedder.embedder_id else ""
    return open_interaction(setting, embedder) if setting else None


def open_interaction(name: str, embedder: Embedder) -> InteractionReranker:
    """Open the reranker that ships (``interaction``) or the folder that ``ragsvc train interaction`` wrote.

    Raises:
        InvalidInput: there is none, it cannot be read, or it was fitted for another encoder.
    """
    folder = _SHIPPED_FOLDER if name == SHIPPED else Path(name).expanduser()
    try:
        head = _read_head(folder)
        idf: FloatArray = np.load(folder / IDF, allow_pickle=False)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise InvalidInput(
            f"rerank is {name!r}, but {folder.absolute()} cannot be read as a reranker ({error}): write {AUTO!r}, "
            f"{SHIPPED!r}, or a folder that 'ragsvc train interaction' wrote, or nothing."
        ) from error
    return InteractionReranker(token_vectors(embedder, name), idf, head, name if name == SHIPPED else folder.name)


def _read_head(folder: Path) -> Head:
    return msgspec.convert(tomllib.loads((folder / HEAD).read_text("utf-8")), Head)
