"""``models check``: the checks that run against a vendor's service run here against each family's strict server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ragsvc.generation.checks import CheckResult, check_model
from ragsvc.generation.options import ChatOptions
from tests.servers.families import FAMILIES, card_of, key_of
from tests.servers.vendor import Reply, VendorServer

GOOD = (
    Reply(pieces=["OK"]),
    Reply(pieces=["APPLE"]),
    Reply(pieces=["第五百七十七条 😀𠮷"]),
    Reply(pieces=["1, 2, ", "3, 4"]),
    Reply(fault="never ends"),
    Reply(pieces=["1, 2, 3"], finish_reason="length"),
)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Iterator[tuple[str, VendorServer]]:
    with FAMILIES[request.param]() as server:
        yield request.param, server


async def outcomes(family: str, server: VendorServer) -> list[CheckResult]:
    options = ChatOptions(api_key=key_of(server))
    return [result async for result in check_model(card_of(family, server), options)]


async def test_a_service_that_behaves_passes_all_checks(family: tuple[str, VendorServer]) -> None:
    """Every check is passed in at most seven small requests for an answer."""
    name, server = family
    server.replies.extend(GOOD)
    found = await outcomes(name, server)
    assert {result.name: (result.outcome, result.detail) for result in found if result.outcome != "ok"} == {}
    assert len(found) == 7
    assert sum("token" not in request.path for request in server.requests) <= 7


async def test_what_a_service_does_wrong_is_named() -> None:
    """An answer in one piece, broken characters, a limit that is not named: each fails its check and no other."""
    with FAMILIES["compatible"]() as server:
        server.replies.extend(
            [
                Reply(pieces=["OK"]),
                Reply(fault="cut"),
                Reply(pieces=["第五百\ufffd"]),
                Reply(pieces=["1, 2, 3"]),
                Reply(fault="never ends"),
                Reply(pieces=["1, 2, 3"], finish_reason="stop"),
            ]
        )
        found = {result.name: result for result in await outcomes("compatible", server)}
    failed = {name: result.detail for name, result in found.items() if result.outcome == "failed"}
    assert failed.keys() == {"takes a conversation", "keeps Unicode", "streams", "says when it was cut"}
    assert "not 'length'" in failed["says when it was cut"]
