"""The LangChain retriever: in a real chain, over a home that is open here and over HTTP, with one set of metadata."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ragsvc.errors import InvalidInput, NotFound, UpstreamFailed, UpstreamTimeout
from ragsvc.langchain_retriever import RagsvcRetriever
from ragsvc.records import Passage
from ragsvc.wiring import Service, open_service

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
QUESTION = "租赁期满后押金多久退还？"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = open_service(tmp_path_factory.mktemp("retriever") / "home")
    home.ingest([CORPORA / "law"], "law", domain="law")
    yield home
    home.close()


def test_a_chain_answers_from_what_was_found(service: Service) -> None:
    """Retriever, prompt, model and parser joined by LangChain's own operator: the model is shown the passages."""
    retriever = RagsvcRetriever(service=service, collections=("law",), k=3)
    shown: list[str] = []

    def join(documents: list[Document]) -> str:
        shown.extend(document.page_content for document in documents)
        return "\n".join(shown)

    prompt = ChatPromptTemplate.from_template("{context}\n\n{question}")
    inputs = {"context": retriever | join, "question": RunnablePassthrough()}
    chain = inputs | prompt | FakeListChatModel(responses=["十日内。"]) | StrOutputParser()
    assert chain.invoke(QUESTION) == "十日内。"
    assert len(shown) == 3
    assert "押金" in shown[0]


def test_metadata_is_the_passage_and_proves_the_text(service: Service) -> None:
    """All fields but the text, dates as text; the range of the version is what the document says."""
    (first, *_) = RagsvcRetriever(service=service, collections=("law",)).invoke(QUESTION)
    assert set(first.metadata) == set(Passage.__struct_fields__) - {"text"}
    place = first.metadata
    stored = service.version_text(place["version_id"], place["start"], place["end"])
    assert stored.text == first.page_content
    assert date.fromisoformat(place["effective_from"])


def test_the_day_decides_which_law_is_found(service: Service) -> None:
    """as_of reaches the search."""
    old = RagsvcRetriever(service=service, collections=("law",), as_of=date(2020, 1, 1)).invoke(QUESTION)
    new = RagsvcRetriever(service=service, collections=("law",), as_of=date(2025, 1, 1)).invoke(QUESTION)
    assert {d.metadata["version_id"] for d in old} != {d.metadata["version_id"] for d in new}


async def test_asynchronously_as_well(service: Service) -> None:
    """The same documents."""
    retriever = RagsvcRetriever(service=service, collections=("law",), k=2)
    assert await retriever.ainvoke(QUESTION) == retriever.invoke(QUESTION)


async def test_a_service_elsewhere_gives_the_same_documents(service: Service, httpserver: HTTPServer) -> None:
    """Over HTTP: the key, the collections, the day and k are sent, and the hits come back as here."""
    here = RagsvcRetriever(service=service, collections=("law",), k=2, as_of=date(2025, 1, 1))
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        hits = [{**d.metadata, "text": d.page_content} for d in here.invoke(QUESTION)]
        return Response(msgspec.json.encode({"hits": hits}), content_type="application/json")

    httpserver.expect_request("/v1/search", method="POST").respond_with_handler(answer)
    there = RagsvcRetriever(
        base_url=httpserver.url_for("/"), api_key="rsk_x", collections=("law",), k=2, as_of=date(2025, 1, 1)
    )
    assert there.invoke(QUESTION) == here.invoke(QUESTION)
    assert await there.ainvoke(QUESTION) == here.invoke(QUESTION)
    assert asked[0].json == {"question": QUESTION, "collections": ["law"], "top_k": 2, "as_of": "2025-01-01"}
    assert asked[0].headers["Authorization"] == "Bearer rsk_x"
    assert "rsk_x" not in repr(there)


def test_what_goes_wrong_is_said(service: Service, httpserver: HTTPServer) -> None:
    """A problem's detail, a body that is no answer, nobody there, no answer in time, neither or both places."""
    httpserver.expect_ordered_request("/v1/search").respond_with_json({"detail": "no collection 'x' here"}, 404)
    httpserver.expect_ordered_request("/v1/search").respond_with_data("<html>")
    there = RagsvcRetriever(base_url=httpserver.url_for(""))
    with pytest.raises(UpstreamFailed, match="404: no collection 'x' here"):
        there.invoke(QUESTION)
    with pytest.raises(UpstreamFailed, match="no answer of ragsvc"):
        there.invoke(QUESTION)
    with pytest.raises(UpstreamFailed, match="cannot be reached"):
        RagsvcRetriever(base_url="http://127.0.0.1:9").invoke(QUESTION)
    with pytest.raises(NotFound):
        RagsvcRetriever(service=service, collections=("nowhere",)).invoke(QUESTION)
    for places in ({}, {"service": service, "base_url": "http://127.0.0.1:9"}):
        with pytest.raises(InvalidInput):
            RagsvcRetriever(**places)


def test_a_service_that_is_silent_is_given_up(httpserver: HTTPServer) -> None:
    """After timeout_s."""
    httpserver.expect_request("/v1/search").respond_with_handler(lambda _: time.sleep(1) or Response("{}"))
    with pytest.raises(UpstreamTimeout, match=r"within 0\.2 s"):
        RagsvcRetriever(base_url=httpserver.url_for(""), timeout_s=0.2).invoke(QUESTION)
