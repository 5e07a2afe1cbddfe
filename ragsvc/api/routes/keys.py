"""``/v1/keys``: who may use the service. An admin of some collections sees and makes only keys within those."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from litestar import Request, delete, get, post, put
from litestar.params import FromPath

from ragsvc.api import schemas
from ragsvc.api.access import ADMIN, Caller, caller_of, unknown
from ragsvc.api.bodies import read_json
from ragsvc.api.errors import problems
from ragsvc.api.key_schemas import MAX_ORIGINS, Key, Keys, MadeKey, NewKeyRequest, OriginsRequest, RotationRequest
from ragsvc.api.openapi import json_body
from ragsvc.errors import Conflict, InvalidInput, NotFound
from ragsvc.security.input_limits import MAX_COLLECTIONS, MAX_JSON_BYTES, check_name, check_names
from ragsvc.store import rows

if TYPE_CHECKING:
    from ragsvc.wiring import Service

SECONDS_PER_DAY = 86_400


@get("/v1/keys", opt=ADMIN, responses=problems(), summary="List the keys")
async def list_keys(request: Request[Any, Any, Any]) -> Keys:
    """Return the keys without their secrets."""
    service: Service = request.app.state.service
    found = await to_thread.run_sync(service.keys.list)
    caller = caller_of(request)
    return Keys(schemas.out([key for key in found if _is_within(key, caller)], list[Key]))


@post(
    "/v1/keys",
    status_code=201,
    opt=ADMIN,
    operation_class=json_body(NewKeyRequest),
    responses=problems(404, 408, 409, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Make a key",
)
async def create_key(request: Request[Any, Any, Any]) -> MadeKey:
    """Make a key and return its secret, this once. The first key of a home has to be an admin's."""
    service: Service = request.app.state.service
    body = await read_json(request, NewKeyRequest)
    caller = caller_of(request)
    name = check_name(body.name, "name")
    collections = caller.check_collections(check_names(body.collections, "collections", MAX_COLLECTIONS))
    origins = _check_count(body.origins)
    expires_at = time.time() + body.days * SECONDS_PER_DAY if body.days else None
    if not caller.key_id and "admin" not in body.scopes:
        raise Conflict(
            "this home has no key yet, and from the first on every request needs one: make one with the scope 'admin'"
        )

    def make() -> MadeKey:
        secret, key = service.access.create_key(name, body.scopes, collections, expires_at, origins)
        limits = schemas.out(body.limits, rows.KeyLimits)
        service.access.set_limits(key.key_id, limits)
        return MadeKey(secret, schemas.out(_find(service, key.key_id, caller), Key))

    return await to_thread.run_sync(make)


@delete("/v1/keys/{key_id:str}", status_code=204, opt=ADMIN, responses=problems(404), summary="Revoke a key")
async def revoke_key(request: Request[Any, Any, Any], key_id: FromPath[str]) -> None:
    """Make a key and its tickets useless at once, also for an answer that is being written."""
    service: Service = request.app.state.service
    await to_thread.run_sync(_find, service, key_id, caller_of(request))
    await to_thread.run_sync(service.keys.revoke, key_id)


@post(
    "/v1/keys/{key_id:str}/rotate",
    status_code=200,
    opt=ADMIN,
    operation_class=json_body(RotationRequest),
    responses=problems(404, 408, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Give a key another secret",
)
async def rotate_key(request: Request[Any, Any, Any], key_id: FromPath[str]) -> MadeKey:
    """Return another secret, this once; the old one is good for ``grace_s`` seconds more, all else stays."""
    service: Service = request.app.state.service
    body = await read_json(request, RotationRequest)
    caller = caller_of(request)

    def rotate() -> MadeKey:
        _find(service, key_id, caller)
        try:
            secret = service.access.rotate_key(key_id, body.grace_s)
        except NotFound:  # revoked or expired: there is nothing to go on with
            raise unknown("key", key_id) from None
        return MadeKey(secret, schemas.out(_find(service, key_id, caller), Key))

    return await to_thread.run_sync(rotate)


@put(
    "/v1/keys/{key_id:str}/origins",
    status_code=200,
    opt=ADMIN,
    operation_class=json_body(OriginsRequest),
    responses=problems(404, 408, 413, 415),
    request_max_body_size=MAX_JSON_BYTES,
    summary="Say where a key's tickets hold",
)
async def set_origins(request: Request[Any, Any, Any], key_id: FromPath[str]) -> Key:
    """Let pages of these origins, and no others, use tickets of a key; acts at once, on tickets that are out, too."""
    service: Service = request.app.state.service
    body = await read_json(request, OriginsRequest)
    caller = caller_of(request)

    def change() -> Key:
        _find(service, key_id, caller)
        service.access.set_origins(key_id, _check_count(body.origins))
        return schemas.out(_find(service, key_id, caller), Key)

    return await to_thread.run_sync(change)


def _is_within(key: rows.Key, caller: Caller) -> bool:
    """Whether a key reads nothing that the caller may not."""
    return not caller.collections or (bool(key.collections) and set(key.collections) <= set(caller.collections))


def _find(service: Service, key_id: str, caller: Caller) -> rows.Key:
    for key in service.keys.list():
        if key.key_id == key_id and _is_within(key, caller):
            return key
    raise unknown("key", key_id)


def _check_count(origins: list[str]) -> list[str]:
    if len(origins) > MAX_ORIGINS:
        raise InvalidInput(f"origins has {len(origins)} entries; the limit is {MAX_ORIGINS}")
    return origins
