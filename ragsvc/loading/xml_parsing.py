"""XML from anybody: no entity is resolved and nothing is fetched."""

from __future__ import annotations

from typing import Any

from ragsvc.errors import UnreadableFile


def parse_xml(content: bytes, name: str) -> Any:
    """Return the root element, parsed without entities, document types or network.

    Raises:
        UnreadableFile: not well-formed, or it declares entities.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableFile(name, f"is damaged XML: {str(error)[:200]}") from error
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and next(declared.iterentities(), None) is not None:
        raise UnreadableFile(name, "declares entities: they are how XML reads files and grows without bound")
    return root
