"""LangChain's usual stack over the same documents and questions. Argument: folder of the labelled set.

Recursive splitter, FAISS store and rank_bm25 under an ensemble, as LangChain's guides put them together, and given
what it needs to be comparable: our encoder, the title before each text, Chinese tokens (jieba; and those of our own
keyword index), ids to merge by, and as many candidates an arm as ragsvc takes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import jieba
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_text_splitters import RecursiveCharacterTextSplitter

from ragsvc.embedding import open_embedder
from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.indexing.tokens import tokenize
from ragsvc.retrieval.searcher import CANDIDATES
from tests.bench.parts import Figures, finish
from tests.bench.questions import K, measure

ID = "document"
TOKENS: dict[str, Callable[[str], list[str]]] = {"jieba": jieba.lcut, "our tokens": tokenize}


class OurEmbeddings(Embeddings):
    """The encoder that ragsvc ships, behind LangChain's interface."""

    def __init__(self) -> None:
        self._embedder = open_embedder()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed_passages(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._embedder.embed_queries([text])[0].tolist()
        return vector


def measure_langchain(labelled: LabelledSet) -> Figures:
    """Index once for the store and once for each tokenizer; measure an ensemble with each."""
    embeddings = OurEmbeddings()
    embeddings.embed_query("预热")
    jieba.initialize()
    started = time.perf_counter()
    pieces = _split(labelled)
    store = FAISS.from_documents(pieces, embeddings)
    dense_s = time.perf_counter() - started
    dense = store.as_retriever(search_kwargs={"k": CANDIDATES})
    figures: Figures = {"n_pieces": len(pieces), "store_s": round(dense_s, 2)}
    for name, tokens in TOKENS.items():
        started = time.perf_counter()
        lexical = BM25Retriever.from_documents(pieces, preprocess_func=tokens, k=CANDIDATES)
        index_s = dense_s + time.perf_counter() - started
        ensemble = EnsembleRetriever(retrievers=[lexical, dense], weights=[0.5, 0.5], id_key=ID)
        figures[name] = {"index_s": round(index_s, 2), **measure(_searching(ensemble), labelled)}
    return figures


def _split(labelled: LabelledSet) -> list[Document]:
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    texts, metadata = [], []
    for document in labelled.documents():
        texts.append(f"{document.title}\n{document.text}")
        metadata.append({ID: document.name})
    return splitter.create_documents(texts, metadata)


def _searching(retriever: BaseRetriever) -> Callable[[str], list[str]]:
    def search(question: str) -> list[str]:
        return [document.metadata[ID] for document in retriever.invoke(question)[:K]]

    return search


if __name__ == "__main__":
    finish(measure_langchain(LabelledSet(Path(sys.argv[1]))))
