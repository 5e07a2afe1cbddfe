"""What stands in the head of a published XML document and belongs into its text: title, names, numbers, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ragsvc.records import BlockKind

Head = Iterator[tuple[BlockKind, str]]


def _find(root: Any, way: str) -> list[Any]:
    """Elements along ``a/b``, whatever their namespace; ``//`` looks at any depth."""
    steps = re.sub("[^/]+", lambda name: f"*[local-name()='{name[0]}']", way)
    return list(root.xpath(f".{steps}" if way.startswith("/") else f"./{steps}"))


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _texts(root: Any, way: str) -> list[str]:
    """Different texts at ``way``, in order."""
    return list(dict.fromkeys(filter(None, map(_text, _find(root, way)))))


def _medquad(root: Any) -> Head:
    yield from (("title", text) for text in _texts(root, "Focus")[:1])
    synonyms = _texts(root, "//Synonym")
    if synonyms:
        yield "paragraph", f"Synonyms: {'; '.join(synonyms)}"


def _spl(root: Any) -> Head:
    yield from (("title", text) for text in _texts(root, "title")[:1])
    lines = [("Product", _texts(root, "//manufacturedProduct/name"))]
    lines += [("Generic name", _texts(root, "//genericMedicine/name"))]
    lines += [("Active ingredient", _texts(root, "//activeMoiety/name"))]
    lines += [("Labeler", _texts(root, "author/assignedEntity/representedOrganization/name"))]
    lines += [(label, [at for found in _find(root, way) if (at := found.get(key))]) for label, way, key in _SPL_NUMBERS]
    yield "list", "\n".join(f"{label}: {'; '.join(dict.fromkeys(values))}" for label, values in lines if values)


_SPL_NUMBERS = (
    ("Set id", "setId", "root"),
    ("Version", "versionNumber", "value"),
    ("Effective", "effectiveTime", "value"),
)


def _jats(root: Any) -> Head:
    meta = "front/article-meta"
    yield from (("title", text) for text in _texts(root, f"{meta}/title-group/article-title")[:1])
    names = [
        " ".join(filter(None, (" ".join(_texts(name, "given-names")), " ".join(_texts(name, "surname")))))
        for name in _find(root, f"{meta}/contrib-group/contrib/name")
    ]
    if names:
        yield "paragraph", ", ".join(names)
    lines = [("Journal", _texts(root, "front/journal-meta//journal-title")[:1])]
    lines += [("Published", [_date(found) for found in _find(root, f"{meta}/pub-date")[:1]])]
    lines += [(kind.upper(), _ids(root, kind)) for kind in ("doi", "pmid", "pmcid")]
    lines += [("Keywords", _texts(root, f"{meta}/kwd-group/kwd"))]
    yield "list", "\n".join(f"{label}: {'; '.join(values)}" for label, values in lines if values)


def _ids(root: Any, kind: str) -> list[str]:
    return [_text(found) for found in _find(root, "front/article-meta/article-id") if found.get("pub-id-type") == kind]


def _date(published: Any) -> str:
    parts = [_texts(published, name)[:1] for name in ("year", "month", "day")]
    return "-".join(text.zfill(2) for part in parts for text in part)


def _akoma_ntoso(root: Any) -> Head:
    titles = _texts(root, "//docTitle") or _texts(root, "//shortTitle")
    aliases = [found.get("value", "") for found in _find(root, "//FRBRWork/FRBRalias") + _find(root, "//FRBRname")]
    yield from (("title", text) for text in [*titles, *filter(None, aliases)][:1])
    dates = [(found.get("name", "date"), found.get("date", "")) for found in _find(root, "//FRBRExpression/FRBRdate")]
    yield "list", "\n".join(f"{label}: {day}" for label, day in dates[:1] if day)


def _uslm(root: Any) -> Head:
    yield from (("title", text) for text in _texts(root, "meta/title")[:1])
    lines = [("Number", "docNumber"), ("Publication", "docPublicationName"), ("Created", "created")]
    found = [(label, _texts(root, f"meta/{name}")) for label, name in lines]
    yield "list", "\n".join(f"{label}: {values[0]}" for label, values in found if values)


def _other(root: Any) -> Head:
    return iter(())


HEADS: dict[str, Callable[[Any], Head]] = {
    "medquad": _medquad,
    "spl": _spl,
    "jats": _jats,
    "akoma_ntoso": _akoma_ntoso,
    "uslm": _uslm,
    "other": _other,
}
