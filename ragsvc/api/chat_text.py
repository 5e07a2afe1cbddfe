"""An answer as one text of Markdown, for front ends that show nothing else of it."""

from __future__ import annotations

import re

from ragsvc import records
from ragsvc.api import schemas
from ragsvc.citing.defusing import defuse

_PUNCTUATION = re.compile(r"([\\`*_\[\]<>~|])")


def is_first(notice: schemas.Notice | records.Notice) -> bool:
    """Say whether a notice stands before the answer."""
    return notice.severity == "urgent"


def beginning(answer: schemas.Answer) -> str:
    """Return what stands before an answer: the urgent notices."""
    return "".join(f"{notice.text}\n\n" for notice in answer.notices if is_first(notice))


def ending(answer: schemas.Answer, address: str) -> str:
    """Return what stands under an answer: notices, its references as links, the disclaimer.

    Args:
        answer: the whole answer.
        address: where its readers reach this service, without a slash at the end.
    """
    references = {citation.marker: _reference(citation, address) for citation in reversed(answer.citations)}
    parts = [
        *(notice.text for notice in answer.notices if not is_first(notice)),
        "  \n".join(reversed(references.values())),  # two spaces: a line of its own in Markdown
        answer.disclaimer,
    ]
    return "".join(f"\n\n{part}" for part in parts if part)


def _reference(citation: schemas.Citation, address: str) -> str:
    """Return marker and name of a source; the name opens the quotation, and nothing of a document is markup in it."""
    name = " ".join(" ".join(dict.fromkeys((citation.title or citation.work, citation.locator))).split())
    text = _PUNCTUATION.sub(r"\\\1", defuse(name, "zh"))
    link = f"{address}/page/cited.html#{citation.version_id}:{citation.start}-{citation.end}"
    return f"{citation.marker} [{text}]({link})"
