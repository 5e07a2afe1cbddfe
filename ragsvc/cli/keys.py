"""``ragsvc keys``: API keys of the HTTP service. A key is shown once, when it is made."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table

app = typer.Typer(no_args_is_help=True)
SECONDS_PER_DAY = 86_400


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
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    obj: Context = context.obj
    expires_at = time.time() + days * SECONDS_PER_DAY if days else None
    service = obj.service(may_be_new=True)
    secret, key = service.access.create_key(
        name, tuple(scope or ("ask",)), tuple(collection or ()), expires_at, tuple(origin or ())
    )
    if as_json:
        shown = {"key_id": key.key_id, "scopes": key.scopes, "collections": key.collections, "origins": key.origins}
        print_json({"key": secret, **shown})
    else:
        print(secret)


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the keys, without their secrets."""
    obj: Context = context.obj
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
            bool(k.revoked_at),
        ]
        for k in found
    ]
    print_table(["key", "name", "scopes", "collections", "origins", "revoked"], rows)


@app.command()
def origins(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="Id as 'keys list' shows it.")],
    origin: Annotated[list[str] | None, typer.Argument(help="Like https://portal.example; none = nowhere.")] = None,
) -> None:
    """Say where pages may use tickets of a key: there and nowhere else."""
    obj: Context = context.obj
    obj.service().access.set_origins(key_id, origin or [])


@app.command()
def revoke(context: typer.Context, key_id: Annotated[str, typer.Argument(help="Id as 'keys list' shows it.")]) -> None:
    """Make a key useless from the next request on."""
    obj: Context = context.obj
    obj.service().keys.revoke(key_id)
