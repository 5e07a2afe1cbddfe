"""A LangChain retriever: passages of a home that is open here, or of a service elsewhere.

    RagsvcRetriever(service=open_service("indexes"), collections=("law",))
    RagsvcRetriever(base_url="https://rag.example", api_key="rsk_…", collections=("law",))

Each document is a passage: its text, and as ``metadata`` all other fields of ``records.Passage`` as JSON has them
(dates as YYYY-MM-DD), so that ``GET /v1/versions/{version_id}/text?start=&end=`` checks what is quoted from it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import msgspec
from anyio import to_thread
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, SecretStr, model_validator

from ragsvc.errors import InvalidInput, UpstreamFailed, UpstreamTimeout
from ragsvc.records import SearchRequest
from ragsvc.wiring import Service


class RagsvcRetriever(BaseRetriever):
    """Finds passages. Either ``service`` or ``base_url`` says where.

    Raises (from ``invoke``):
        InvalidInput, NotFound: of a home that is open here, the search cannot be done.
        UpstreamTimeout, UpstreamFailed: the service elsewhere did not answer, or refused.
    """

    service: Any = None
    """A home that is open in this process: ``ragsvc.open_service``."""
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    timeout_s: float = Field(30.0, gt=0)
    collections: tuple[str, ...] = ()
    """Where to look; none = everywhere that the home or the key allows."""
    k: int = Field(6, ge=1, le=100)
    as_of: date | None = None
    """The day whose law is asked for; None = today."""

    @model_validator(mode="after")
    def _check_place(self) -> RagsvcRetriever:
        if bool(self.base_url) == isinstance(self.service, Service):
            raise InvalidInput("give either service=open_service(…) or base_url='https://…'")
        return self

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        if self.service is not None:
            return self._search_here(query)
        try:
            with httpx.Client(timeout=self.timeout_s) as client:
                return self._read(client.post(**self._request(query)))
        except httpx.HTTPError as error:
            raise self._failed(error) from None

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self.service is not None:
            return await to_thread.run_sync(self._search_here, query)
        try:
            async with httpx.AsyncClient(timeout=self.timeout_s) as client:
                return self._read(await client.post(**self._request(query)))
        except httpx.HTTPError as error:
            raise self._failed(error) from None

    def _search_here(self, query: str) -> list[Document]:
        request = SearchRequest(question=query, collections=self.collections, as_of=self.as_of, k=self.k)
        # By way of JSON, so that metadata is the same wherever the passage was found.
        found = msgspec.json.encode(self.service.search(request).passages)
        return [_document(passage) for passage in msgspec.json.decode(found)]

    def _request(self, query: str) -> dict[str, Any]:
        body: dict[str, Any] = {"question": query, "collections": list(self.collections), "top_k": self.k}
        if self.as_of:
            body["as_of"] = self.as_of.isoformat()
        key = self.api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return {"url": self.base_url.rstrip("/") + "/v1/search", "json": body, "headers": headers}

    def _read(self, response: httpx.Response) -> list[Document]:
        try:
            body = response.json()
            if response.is_success:
                return [_document(hit) for hit in body["hits"]]
            said = body["detail"]
        except (ValueError, KeyError, TypeError):
            said = "what it sent is no answer of ragsvc"
        raise UpstreamFailed(f"{self.base_url} answered {response.status_code}: {said}")

    def _failed(self, error: httpx.HTTPError) -> UpstreamFailed:
        if isinstance(error, httpx.TimeoutException):
            return UpstreamTimeout(f"{self.base_url} did not answer within {self.timeout_s:g} s")
        return UpstreamFailed(f"{self.base_url} cannot be reached: {error}")


def _document(passage: dict[str, Any]) -> Document:
    return Document(page_content=passage.pop("text"), id=passage["chunk_id"], metadata=passage)
