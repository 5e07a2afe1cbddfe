from __future__ import annotations

import re

import pytest

from ragsvc.model_catalogue import EmbeddingCard, find_embedding_model, list_embedding_models

CARDS = list_embedding_models()
QWEN = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_entry_has_what_a_choice_needs(card: EmbeddingCard) -> None:
    """Dimension, source and a way to call it; a licence, or a note that there is none to be found."""
    assert card.dim, card.name
    assert card.source, card.name
    assert card.licence or "licence" in card.note, card.name
    if card.family == "transformers":
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", card.model), card.model
        assert (card.batch, card.request_tokens, card.dim_is_settable) == (None, None, False)
    else:
        assert card.kind == "api" or card.family == "ollama"
        assert card.pooling in ("", "mean")


def test_the_encoders_of_the_published_systems_are_listed() -> None:
    """Text2Vec, RoBERTa-wwm and ChatLaw-Text2Vec, and what is used today."""
    repositories = {card.model for card in CARDS}
    assert repositories >= {
        "shibing624/text2vec-base-chinese", "GanymedeNil/text2vec-large-chinese", "hfl/chinese-roberta-wwm-ext",
        "chestnutlzj/ChatLaw-Text2Vec", "BAAI/bge-small-zh-v1.5", "BAAI/bge-large-zh-v1.5", "BAAI/bge-m3",
        "BAAI/bge-base-en-v1.5", "moka-ai/m3e-base", "thenlper/gte-large-zh", "intfloat/multilingual-e5-base",
        "Qwen/Qwen3-Embedding-0.6B", "sentence-transformers/all-MiniLM-L6-v2", "google/embeddinggemma-300m",
        "text-embedding-3-small", "embedding-3", "text-embedding-v4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "pooling", "query_prefix", "passage_prefix", "max_tokens"),
    [
        ("text2vec-base-chinese", "mean", "", "", 128),
        ("bge-large-zh-v1.5", "cls", "为这个句子生成表示以用于检索相关文章：", "", 512),
        ("bge-base-en-v1.5", "cls", "Represent this sentence for searching relevant passages: ", "", 512),
        ("bge-m3", "cls", "", "", 8192),
        ("multilingual-e5-base", "mean", "query: ", "passage: ", 512),
        ("qwen3-embedding-8b", "last_token", QWEN, "", 32768),
        ("modernbert-embed-base", "mean", "search_query: ", "search_document: ", 8192),
        ("embeddinggemma-300m", "mean", "task: search result | query: ", "title: none | text: ", 2048),
    ],
)
def test_facts_that_make_the_vectors_right(
    name: str, pooling: str, query_prefix: str, passage_prefix: str, max_tokens: int
) -> None:
    """Pooling, prefixes to the character, and length are those of the model's own card."""
    card = find_embedding_model(name)
    found = (card.pooling, card.query_prefix, card.passage_prefix, card.max_tokens)
    assert found == (pooling, query_prefix, passage_prefix, max_tokens)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("hf:BAAI/bge-base-zh-v1.5", "bge-base-zh-v1.5"),
        ("http://127.0.0.1:8080/v1#BAAI/bge-base-zh-v1.5", "bge-base-zh-v1.5"),
        ("https://host.example/v1#baai/bge-base-zh-v1.5", "bge-base-zh-v1.5"),
        ("ollama:bge-m3", "bge-m3"),
        ("ollama:bge-m3:latest", "bge-m3"),
        ("ollama:qwen3-embedding:0.6b", "qwen3-embedding-0.6b"),
        ("ollama:nomic-embed-text", "nomic-embed-text"),
        ("openai:text-embedding-3-small", "text-embedding-3-small"),
    ],
)
def test_a_listed_model_keeps_its_facts_wherever_it_runs(name: str, listed: str) -> None:
    """An endpoint states no prefix and no length: they come from the catalogue, the way to call it from the name."""
    card, known = find_embedding_model(name), find_embedding_model(listed)
    assert card.name == name
    for field in ("dim", "max_tokens", "pooling", "query_prefix", "passage_prefix", "licence", "languages"):
        assert getattr(card, field) == getattr(known, field), field
    assert card.batch is None or card.family != "transformers"
    assert card.family == {"hf": "transformers", "ol": "ollama", "ht": "openai", "op": "openai"}[name[:2]]


def test_a_model_that_is_not_listed_has_no_facts() -> None:
    """Nothing is guessed for a name that only looks alike."""
    for name in ("ollama:bge-m3-turbo", "hf:someone/bge-m3", "http://127.0.0.1/v1#bge"):
        card = find_embedding_model(name)
        assert (card.dim, card.query_prefix, card.pooling) == (None, "", "")
