"""Archives and messages give their members to an ingest; a bad one gives its reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess
from ragsvc.pipelines.sources import Wanted, file_sources


def test_an_archive_is_its_members(tmp_path: Path) -> None:
    """Two texts in a zip are two sources, beside a plain file; each loads under the archive's name and its own."""
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "plain.md").write_text("# 甲法\n\n第一条 甲。\n", "utf-8")
    with zipfile.ZipFile(inside / "two.zip", "w") as archive:
        archive.writestr("a.md", "# 乙法\n\n第一条 乙。\n")
        archive.writestr("folder/b.txt", "丙法\n第一条 丙。\n")
    unpacked = tmp_path / "out"
    unpacked.mkdir()
    with ParserProcess() as parser:
        sources = file_sources([inside], parser, unpacked)
        texts = {source.name: source.load().text for source in sources}
    assert len(texts) == 3
    assert sum("two.zip" in name for name in texts) == 2
    assert {text.split("第一条 ")[1].strip() for text in texts.values()} == {"甲。", "乙。", "丙。"}
    assert len({source.sha256() for source in sources}) == 3


def test_a_damaged_archive_says_why_when_it_is_loaded(tmp_path: Path) -> None:
    """It does not stop the others: it is one source, which cannot be read."""
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + b"\x00" * 100)
    with ParserProcess() as parser:
        [source] = file_sources([tmp_path / "bad.zip"], parser, tmp_path)
        with pytest.raises(UnreadableFile, match=r"bad\.zip"):
            source.load()


def test_members_of_two_archives_stay_apart(tmp_path: Path) -> None:
    """Each archive's text comes under its own name, though both call their first member alike."""
    for name in ("one", "two"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("a.md", f"# {name}\n\nText of {name}.\n")
    with ParserProcess() as parser:
        sources = file_sources([tmp_path / "one.zip", tmp_path / "two.zip"], parser, tmp_path / "out")
        texts = {source.name: source.load().text for source in sources}
    assert {name: "Text of one" in text for name, text in texts.items()} == {
        "one.zip/a.md": True,
        "two.zip/a.md": False,
    }


def test_only_what_is_wanted(tmp_path: Path) -> None:
    """Patterns choose among names, also inside archives; the address of a file goes with all that is in it."""
    archive_path = tmp_path / "laws.zip"
    with zipfile.ZipFile(archive_path, "w") as archive:
        for name in ("repo/laws/a.md", "repo/laws/old/b.md", "repo/scripts/c.md", "repo/laws/d.txt"):
            archive.writestr(name, f"# {name}\n\ntext\n")
    wanted = Wanted(include=("*/laws/*.md",), urls={str(archive_path): "https://example.org/laws.zip"})
    with ParserProcess() as parser:
        sources = file_sources([archive_path], parser, tmp_path / "out", wanted)
    assert [source.name for source in sources] == ["laws.zip/repo/laws/a.md", "laws.zip/repo/laws/old/b.md"]
    assert {source.url for source in sources} == {"https://example.org/laws.zip"}
