"""An application over a scripted service, with and without keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ragsvc.api.app import create_app
from ragsvc.security.api_keys import hash_key, make_key
from tests.api.scripted_service import ScriptedService

LOCAL = "http://127.0.0.1"


@pytest.fixture
def service(tmp_path: Path) -> ScriptedService:
    return ScriptedService(tmp_path)


@pytest.fixture
def app(service: ScriptedService) -> Litestar:
    return create_app(service, service.settings)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
        yield client


def new_key(service: ScriptedService, *scopes: str, collections: tuple[str, ...] = ()) -> dict[str, str]:
    """Make a key and return the header that presents it."""
    key = make_key()
    service.keys.add(hash_key(key), name="test", scopes=scopes, collections=collections)
    return {"Authorization": f"Bearer {key}"}
