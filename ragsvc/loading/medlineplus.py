"""MedlinePlus health topics: one XML file of about 2,000 topics, English and Spanish, each a document of its own.

A topic's summary is HTML, escaped. What else the file has of a topic are links to other pages, which are left out.
Format: https://medlineplus.gov/xmldescription.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.html import read_page
from ragsvc.loading.xml_parsing import parse_xml

TOPIC = "health-topic"
SITE = "https://medlineplus.gov/"
"""Other addresses in the file are not shown as sources."""
LANGUAGES = {"English": "en", "Spanish": "es"}
_FILE = re.compile(rb"<health-topics[\s>]")
_READ = ("also-called", "see-reference", "full-summary")


class Topic(NamedTuple):
    """One topic as a file: the name is its address, so that the same topic of a later day is a new version of it."""

    name: str
    url: str
    content: bytes


def is_topics(head: bytes) -> bool:
    """Whether a file that begins like this has health topics."""
    return _FILE.search(head) is not None


def split_topics(content: bytes, name: str) -> Iterator[Topic]:
    """Yield the topics of a file.

    Raises:
        UnreadableFile: not well-formed.
    """
    from lxml import etree

    for number, topic in enumerate(parse_xml(content, name).iter(TOPIC), 1):
        for child in list(topic):
            if child.tag not in _READ:
                topic.remove(child)
        url = topic.get("url", "")
        url = url if url.startswith(SITE) else ""
        stem = url.removeprefix("https://").removesuffix(".html") or f"{name}/{topic.get('id', number)}"
        yield Topic(f"{stem}.xml", url, etree.tostring(topic, encoding="utf-8", xml_declaration=True, with_tail=False))


def read_topic(topic: Any) -> TextAssembly:
    """Return title, other names and summary of a ``health-topic`` element."""
    from lxml import etree

    assembly = TextAssembly()
    assembly.title = " ".join(topic.get("title", "").split())
    assembly.language = LANGUAGES.get(topic.get("language", ""), "")
    assembly.add("title", assembly.title)
    names = [" ".join(found.text.split()) for found in topic.iter("also-called", "see-reference") if found.text]
    if names:
        assembly.add("paragraph", f"Also called: {'; '.join(names)}")
    summary = topic.find("full-summary")
    if summary is not None:
        inner = "".join(etree.tostring(child, encoding="unicode") for child in summary)
        assembly.append(read_page(f"{summary.text or ''}{inner}"))
    return assembly
