"""Whatever files are called and whatever they are, each is read once or refused, and nothing is waited for."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, iter_files, load_file
from ragsvc.pipelines.sources import file_sources

RESERVED = ("CON.md", "nul.txt", "LPT1.md", "aux", "com1.txt")


@pytest.mark.parametrize("name", [*RESERVED, "..md", "a;b$(c).md", "-rf.md", "a\nb.md", "100%.md", "法" * 84 + ".md"])
def test_a_name_on_disk_is_only_a_name(name: str, tmp_path: Path, parser: ParserProcess) -> None:
    """Device names, option-like and odd names, and a name of 255 bytes are read like any other."""
    (tmp_path / name).write_text("第一条 内容。\n", "utf-8")
    [found] = file_sources([tmp_path / name], parser, tmp_path / "out")
    assert found.load().text == "第一条 内容。\n"


def test_one_byte_more_than_the_file_system_takes_is_a_refusal(tmp_path: Path) -> None:
    """A name of 256 bytes cannot be opened; the reason says so."""
    with pytest.raises(UnreadableFile, match="cannot be opened: File name too long"):
        load_file(tmp_path / ("a" * 253 + ".md"))


def test_names_that_differ_in_composition_are_two_files(tmp_path: Path, parser: ParserProcess) -> None:
    """é in one code point and in two: neither file hides the other, and each keeps its text."""
    names = [unicodedata.normalize(form, "décret.md") for form in ("NFC", "NFD")]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(f"# Text {number}\n", "utf-8")
    found = file_sources([tmp_path], parser, tmp_path / "out")
    assert {source.name: source.load().text for source in found} == {
        name: f"# Text {number}\n" for number, name in enumerate(names)
    }


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path, parser: ParserProcess) -> None:
    """Its content is read under each name, with one hash: what is stored twice costs nothing twice."""
    (tmp_path / "one.md").write_text("# One\n", "utf-8")
    os.link(tmp_path / "one.md", tmp_path / "two.md")
    found = file_sources([tmp_path], parser, tmp_path / "out")
    assert [source.name for source in found] == ["one.md", "two.md"]
    assert len({source.sha256() for source in found}) == 1


def test_a_link_whose_target_is_gone_or_a_circle_is_passed_over_or_refused(
    tmp_path: Path, parser: ParserProcess
) -> None:
    """Neither stops the others."""
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing.md")
    (tmp_path / "ring.md").symlink_to(tmp_path / "ring.md")
    (tmp_path / "good.md").write_text("# Good\n", "utf-8")
    texts = []
    for source in file_sources([tmp_path], parser, tmp_path / "out"):
        assert isinstance(source.sha256(), str)
        try:
            texts.append(source.load().text)
        except UnreadableFile as error:
            assert error.name in ("gone.md", "ring.md")
    assert texts == ["# Good\n"]


@pytest.mark.timeout(60)
def test_a_pipe_and_a_device_in_a_folder_are_refused_and_never_waited_for(
    tmp_path: Path, parser: ParserProcess
) -> None:
    """Nobody writes into the pipe; a link to a device leads out of the folder."""
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    assert list(iter_files([tmp_path])) == [tmp_path / "pipe.md"]
    for path in (tmp_path / "pipe.md", tmp_path / "zero.md"):
        [source] = file_sources([path], parser, tmp_path / "out")
        assert source.sha256() == ""
        with pytest.raises(UnreadableFile, match="not a regular file"):
            source.load()
