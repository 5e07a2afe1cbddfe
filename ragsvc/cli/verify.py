"""``ragsvc verify``: what the sources say of each sentence of a text."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli.output import AsOf, Collections, Context, Json, parse_day, print_json, say
from ragsvc.errors import InvalidInput


def verify(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A text file in UTF-8, or - for what comes on stdin.")],
    collection: Collections = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Compare each sentence of a text with the sources; finds wrong numbers, articles, versions and inventions."""
    text = _read(file)
    obj: Context = context.obj
    day = parse_day(as_of, "--as-of")
    found = obj.service().verifier.verify(text, tuple(collection or ()), day)
    if as_json:
        print_json(found)
        return
    for claim in found.claims:
        print(f"{claim.status}: {claim.text}")
        if claim.citation:
            print(f"   {claim.citation.title} {claim.citation.locator}  [{claim.citation.start}:{claim.citation.end}]")
            print("\n".join(f"   | {line}" for line in claim.quote.splitlines()))
        if claim.note:
            print(f"   {claim.note}")
    counts = Counter(claim.status for claim in found.claims)
    say(f"{len(found.claims)} claims, law of {found.as_of}: " + ", ".join(f"{n} {s}" for s, n in counts.most_common()))


def _read(file: str) -> str:
    """Return the text; what is not UTF-8 would be verified as something else."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}; name a text file, or - for stdin") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: not UTF-8 at byte {error.start}; convert it first") from None
