"""MedlinePlus's one file of health topics becomes a document for each of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ragsvc.chunking.structure import StructureChunker
from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file, take_apart
from ragsvc.loading.archives import unpack
from ragsvc.pipelines.sources import Wanted, file_sources

SAMPLE = Path(__file__).parent / "samples" / "topics_medlineplus.xml"


def test_each_topic_is_a_document(tmp_path: Path, parser: ParserProcess) -> None:
    """Title, other names and summary with its headings and lists; links to others and their words are left out."""
    found = take_apart(SAMPLE, tmp_path, parser=parser)
    assert [(member.name, member.url) for member in found.members] == [
        ("medlineplus.gov/samplefever.xml", "https://medlineplus.gov/samplefever.html"),
        ("medlineplus.gov/spanish/samplefever.xml", "https://medlineplus.gov/spanish/samplefever.html"),
        ("topics_medlineplus.xml/90003.xml", ""),
    ]
    english, spanish, other = [load_file(Path(m.path), name=m.name, parser=parser) for m in found.members]
    assert [(block.kind, english.text[block.start : block.end]) for block in english.blocks] == [
        ("title", "Sample Fever"),
        ("paragraph", "Also called: Specimen fever; SF; Fever of samples"),
        ("heading", "What is sample fever?"),
        ("paragraph", "Sample fever is made up. R&D goes on."),
        ("list", "Rest for 2 days"),
        ("list", "Drink <1 litre"),
        ("heading", "Who gets it?"),
        ("paragraph", "Nobody."),
    ]
    assert (english.title, english.language) == ("Sample Fever", "en")
    assert (spanish.text, spanish.language) == ("Fiebre de muestra\n\nLa fiebre de muestra es inventada.", "es")
    assert StructureChunker().describe(spanish).language == "es"
    assert other.text == "Elsewhere\n\nNot escaped, and from nowhere."


def test_in_an_archive_each_source_has_its_own_address(tmp_path: Path, parser: ParserProcess) -> None:
    """The address of a topic's page goes before that of the archive; names do not depend on the day of the file."""
    packed = tmp_path / "mplus_topics_compressed_2026-01-02.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(SAMPLE, "mplus_topics_2026-01-02.xml")
    wanted = Wanted(urls={str(packed): "https://medlineplus.gov/all.zip"})
    sources = file_sources([packed], parser, tmp_path / "out", wanted)
    assert [(source.name, source.url) for source in sources][::2] == [
        ("medlineplus.gov/samplefever.xml", "https://medlineplus.gov/samplefever.html"),
        (f"{packed.name}/mplus_topics_2026-01-02.xml/90003.xml", "https://medlineplus.gov/all.zip"),
    ]


def test_limits_hold_for_topics(tmp_path: Path) -> None:
    """More topics than an archive may have members are refused, and so is damage."""
    with pytest.raises(UnreadableFile, match="3 files or more; at most 2"):
        unpack(SAMPLE.read_bytes(), "topics.xml", tmp_path, LoadingLimits(zip_entries=2))
    with pytest.raises(UnreadableFile, match="damaged XML"):
        unpack(SAMPLE.read_bytes()[:900], "topics.xml", tmp_path, LoadingLimits())
