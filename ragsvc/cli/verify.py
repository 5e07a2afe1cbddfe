"""``ragsvc verify``: what the sources say of each sentence of a text."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from ragsvc.cli.output import AsOf, Collections, Context, Json, parse_day, print_json, read_text, say


def verify(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A text file in UTF-8, or - for what comes on stdin.")],
    collection: Collections = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Compare each sentence of a text with the sources; finds wrong numbers, articles, versions and inventions."""
    text = read_text(file)
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
