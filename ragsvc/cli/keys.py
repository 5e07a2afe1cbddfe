"""``ragsvc keys``: API keys of the HTTP service. A key is shown once, when it is made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table
from ragsvc.errors import InvalidInput

if TYPE_CHECKING:
    from ragsvc.wiring import Service

app = typer.Typer(no_args_is_help=True)
SECONDS_PER_DAY = 86_400
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": SECONDS_PER_DAY}

KeyId = Annotated[str, typer.Argument(help="Id as 'keys list' shows it.")]
PerMinute = Annotated[int | None, typer.Option(min=0, help="Requests a minute, 0 = no limit [as the settings say].")]
PerDay = Annotated[int | None, typer.Option(min=0, help="Questions a day, 0 = no limit [as the settings say].")]
TokensPerDay = Annotated[int | None, typer.Option(min=0, help="Tokens a day, 0 = no limit [as the settings say].")]


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scope: Annotated[list[str] | None, typer.Option(help="ask, ingest or admin; may be repeated [ask].")] = None,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only these collections; may be repeated [all].")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires [never].")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin whose pages may use tickets of this key, like https://portal.example; repeatable."),
    ] = None,
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    tokens_per_day: TokensPerDay = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    obj: Context = context.obj
    expires_at = time.time() + days * SECONDS_PER_DAY if days else None
    service = obj.service(may_be_new=True)
    secret, key = service.access.create_key(
        name, tuple(scope or ("ask",)), tuple(collection or ()), expires_at, tuple(origin or ())
    )
    _set_limits(service, key.key_id, per_minute, per_day, tokens_per_day)
    if as_json:
        shown = {"key_id": key.key_id, "scopes": key.scopes, "collections": key.collections, "origins": key.origins}
        print_json({"key": secret, **shown})
    else:
        print(secret)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the keys, without their secrets."""
    obj: Context = context.obj
    from msgspec.structs import astuple

    found = obj.service(may_be_new=True).keys.list()
    if as_json:
        print_json({"keys": found})
        return
    rows = [
        [
            k.key_id,
            k.name,
            " ".join(k.scopes),
            " ".join(k.collections) or "all",
            " ".join(k.origins),
            " ".join("-" if n is None else str(n) for n in astuple(k.limits)),
            bool(k.revoked_at),
        ]
        for k in found
    ]
    print_table(["key", "name", "scopes", "collections", "origins", "minute day tokens", "revoked"], rows)


@app.command()
def origins(
    context: typer.Context,
    key_id: KeyId,
    origin: Annotated[list[str] | None, typer.Argument(help="Like https://portal.example; none = nowhere.")] = None,
) -> None:
    """Say where pages may use tickets of a key: there and nowhere else."""
    obj: Context = context.obj
    obj.service().access.set_origins(key_id, origin or [])


@app.command("set")
def set_(
    context: typer.Context,
    key_id: KeyId,
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    tokens_per_day: TokensPerDay = None,
) -> None:
    """Say how much a key and its tickets may be used; what is not given is as the settings say."""
    obj: Context = context.obj
    _set_limits(obj.service(), key_id, per_minute, per_day, tokens_per_day)


@app.command()
def rotate(
    context: typer.Context,
    key_id: KeyId,
    grace: Annotated[
        str, typer.Option(help="How long the old secret is good, like 30m, 24h, 7d; 0s ends it now.")
    ] = "24h",
    as_json: Json = False,
) -> None:
    """Give a key another secret and show it, this once; all else about the key stays."""
    obj: Context = context.obj
    secret = obj.service().access.rotate_key(key_id, _seconds(grace))
    if as_json:
        print_json({"key": secret, "key_id": key_id})
    else:
        print(secret)


def _seconds(grace: str) -> int:
    number, unit = grace[:-1], grace[-1:]
    if not number.isdecimal() or unit not in SECONDS:
        raise InvalidInput(f"--grace {grace!r} is no time: write it like 30m, 24h or 7d")
    return int(number) * SECONDS[unit]


def _set_limits(service: Service, key_id: str, per_minute: int | None, per_day: int | None, tokens: int | None) -> None:
    from ragsvc.store.rows import KeyLimits

    limits = KeyLimits(requests_per_minute=per_minute, questions_per_day=per_day, tokens_per_day=tokens)
    service.access.set_limits(key_id, limits)


@app.command()
def revoke(context: typer.Context, key_id: KeyId) -> None:
    """Make a key useless from the next request on."""
    obj: Context = context.obj
    obj.service().keys.revoke(key_id)
