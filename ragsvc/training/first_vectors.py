"""The first vectors of a static table: what tokens occur together, plus a random part that tells them apart.

Latent semantic analysis (Deerwester et al. 1990) of the training pairs, each question read together with its passage:
the everyday word and the word of the statute come close before training starts. Trained from random vectors alone,
the table learns the pairs by heart first. Chinese and Latin tokens rarely meet in one text, so each script gets a
decomposition and all the dimensions of its own, or starts at random: for English the analysis was found to cost
transfer to other sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ragsvc.protocols import FloatArray
from ragsvc.training.batches import EncodedTexts, Ints
from ragsvc.training.config import StaticBase

Group = tuple[Ints, Ints, float]
"""Numbers of questions, of their passages, and the weight of such a pair in the analysis."""
_POWER_STEPS = 2
_OVERSAMPLING = 24
"""Randomised SVD: Halko, Martinsson and Tropp 2011, algorithm 4.4."""
_NO_STRENGTH = 1e-6
"""Squared singular values, against the largest, of directions that are only rounding."""
_MOST_TOKENS = 400
"""Of a text; more would make the long ones say everything."""
_MIN_TOKENS = 4
"""Texts with fewer tokens of a script say nothing about it."""


def first_vectors(
    tokens: Sequence[str], texts: EncodedTexts, groups: Sequence[Group], static: StaticBase, seed: int
) -> FloatArray:
    """Return a table of shape (len(tokens), static.dim), its rows as long as their tokens are rare.

    Args:
        tokens: the vocabulary by id.
        texts: tokenised.
        groups: the pairs, by kind.
        static: which scripts are analysed, and how long the random parts are.
        seed: of the random parts and of the decomposition.
    """
    counts, text_weights = _count(texts, groups, len(tokens))
    chance = np.random.default_rng(seed)
    table = np.zeros((len(tokens), static.dim), np.float32)
    is_han = np.array(["\u3400" <= token[:1] <= "\u9fff" for token in tokens])
    for name, script in (("han", np.flatnonzero(is_han)), ("other", np.flatnonzero(~is_han))):
        if not len(script):
            continue
        part = counts[:, script]
        long_enough = np.asarray(part.sum(axis=1)).ravel() >= _MIN_TOKENS
        rarity = _inverse_document_frequency(part[long_enough])
        random = chance.standard_normal((len(script), static.dim)).astype(np.float32) * rarity[:, None]
        if name in static.lsa_scripts and long_enough.any():
            part.data = 1 + np.log(part.data)
            related = _latent_directions(part[long_enough], rarity, text_weights[long_enough], (static.dim, chance))
            table[script] = _scaled(related * rarity[:, None]) + static.random_share * _scaled(random)
        else:
            table[script] = static.random_norm * _scaled(random)
    return table


def _count(texts: EncodedTexts, groups: Sequence[Group], size: int) -> tuple[Any, FloatArray]:
    """Return a sparse (pair, token) matrix of counts, and the pairs' weights."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    used = [group for group in groups if group[2] and len(group[0])]
    sides = []
    for side in (0, 1):
        numbers = np.concatenate([group[side] for group in used]) if used else np.zeros(0, np.int64)
        ids, lengths = texts.ids(numbers, _MOST_TOKENS)
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        sides.append(csr_matrix((np.ones(len(ids), np.float32), ids, offsets), shape=(len(numbers), size)))
    counts = (sides[0] + sides[1]).tocsr()
    return counts, np.repeat([group[2] for group in used], [len(group[0]) for group in used]).astype(np.float32)


def _inverse_document_frequency(counts: Any) -> FloatArray:
    documents, tokens = counts.shape
    frequency = np.bincount(counts.indices, minlength=tokens)
    rarity: FloatArray = np.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
    return rarity


def _latent_directions(
    counts: Any, rarity: FloatArray, weights: FloatArray, shape: tuple[int, np.random.Generator]
) -> FloatArray:
    """Return the first ``dim`` right singular vectors of the weighted rows at unit length, shape (tokens, dim)."""
    from scipy.sparse import diags

    dim, chance = shape
    rows = counts @ diags(rarity)
    lengths = np.sqrt(np.asarray(rows.power(2).sum(axis=1)).ravel())
    rows = (diags(np.sqrt(weights) / np.maximum(lengths, 1e-9)) @ rows).tocsr().astype(np.float32)
    rank = min(dim + _OVERSAMPLING, *rows.shape)
    columns = rows.T.tocsr()
    basis = columns @ chance.standard_normal((rows.shape[0], rank)).astype(np.float32)
    for _ in range(_POWER_STEPS):
        basis = columns @ (rows @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    projected = rows @ basis
    strengths, rotation = np.linalg.eigh(projected.T @ projected)
    strongest = np.flatnonzero(strengths > _NO_STRENGTH * strengths[-1])[::-1][:dim]
    directions = np.zeros((rows.shape[1], dim), np.float32)
    directions[:, : len(strongest)] = basis @ rotation[:, strongest]
    return directions


def _scaled(vectors: FloatArray) -> FloatArray:
    """Scale to a root-mean-square row length of 1."""
    scaled: FloatArray = vectors / max(float(np.sqrt((vectors**2).sum(axis=1).mean())), 1e-9)
    return scaled
