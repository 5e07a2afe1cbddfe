"""The wire: a checked quotation, and what the service says beside an answer."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from ragsvc.records import NoticeKind, ValiditySource


class Cell(Struct):
    """A figure of a table as printed; it is to be multiplied with ``scale``."""

    row: str
    column: str
    value: str
    unit: str
    scale: int | None
    currency: str
    period: str


class Citation(Struct):
    """A checked quotation: ``quote`` stands in the version's text at ``[start, end)``, in Unicode code points."""

    marker: str
    collection: str
    work: str
    title: str
    locator: str
    document_id: str
    version_id: str
    quote: str
    start: int
    end: int
    effective_from: date | None
    effective_to: date | None
    validity_source: ValiditySource
    url: str | None
    score: float
    cells: list[Cell] = []


class Notice(Struct):
    """What the service itself says beside the answer, whatever the model writes: data of a ``notice`` event as well.

    ``red_flag`` (seek help now) is always ``urgent``: show it before all else. ``citations`` are the places that it is
    about, proven like those of the answer; their markers count in ``passages``.
    """

    kind: NoticeKind
    severity: Literal["urgent", "warning", "info"]
    topic: str
    """Name of the rule, for programs: stroke, suicide, age."""
    language: Literal["zh", "en"]
    text: str
    citations: list[Citation]
