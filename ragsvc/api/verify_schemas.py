"""Bodies of ``POST /v1/verify``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct, field

from ragsvc.api.schemas import AsOf, Citation, CollectionNames, Name, Request
from ragsvc.citing.differences import DifferenceKind
from ragsvc.pipelines.verify import Status
from ragsvc.security.input_limits import QUESTION_PATTERN

MAX_TEXT_CHARS = 50_000


class VerifyRequest(Request):
    """A text. ``collection`` is shorthand for one of ``collections``; none = all that the key may read."""

    text: Annotated[
        str,
        Meta(
            description="In Chinese or English; a longer text is sent in parts.",
            extra_json_schema={"minLength": 1, "maxLength": MAX_TEXT_CHARS, "pattern": QUESTION_PATTERN},
        ),
    ]
    collections: CollectionNames = field(default_factory=list)
    collection: Name | None = None
    as_of: AsOf = None


class Difference(Struct):
    """What the claim has and what the source has in its place, each as written; one of them may be empty."""

    kind: DifferenceKind
    claim: str
    source: str


class VerifiedClaim(Struct):
    """A sentence, ``text`` at ``[start, end)`` of the text sent, and what the sources say of it.

    SUPPORTED: a source says it, in nearly these words. CONTRADICTED: the source that it names or repeats says
    otherwise, see ``differences``. WRONG ARTICLE: the words are those of ``citation``, not of the place named.
    SUPERSEDED: an earlier version said so. NOT FOUND: the law or article named is not here. UNVERIFIED: there is
    nothing to compare it with, or it is a paraphrase.
    """

    text: str
    start: int
    end: int
    status: Status
    citation: Citation | None
    """What it was compared with; its marker is empty, its score is the share of equal words."""
    quote: str
    note: str
    differences: list[Difference]


class Verification(Struct):
    """All claims of a text, in order."""

    claims: list[VerifiedClaim]
    as_of: date
    index_generation: str
