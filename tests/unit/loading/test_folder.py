"""The walk over a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import iter_files


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")


def test_the_order_is_stable_and_what_is_no_document_is_passed_over(tmp_path: Path) -> None:
    """Files come by path; hidden ones and those that describe the corpus do not come at all."""
    make(tmp_path, "b.md", "a/2.md", "a/1.md", "a/.hidden.md", ".git/x.md", "README.md", "a/corpus.toml", "c.bin")
    found = [path.relative_to(tmp_path).as_posix() for path in iter_files([tmp_path])]
    assert found == ["a/1.md", "a/2.md", "b.md", "c.bin"]


def test_a_file_named_outright_is_taken_and_taken_once(tmp_path: Path) -> None:
    """Naming a README or naming a file twice, once by its folder, gives it once."""
    make(tmp_path, "README.md", "a.md")
    assert list(iter_files([tmp_path / "README.md", tmp_path / "a.md", tmp_path])) == [
        tmp_path / "README.md",
        tmp_path / "a.md",
    ]


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    """A link to a file inside counts as that file; links to outside files or folders are not followed."""
    make(tmp_path, "in/a.md", "out/secret.md")
    (tmp_path / "in/link.md").symlink_to(tmp_path / "out/secret.md")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    (tmp_path / "in/again.md").symlink_to(tmp_path / "in/a.md")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    assert [path.resolve() for path in iter_files([tmp_path / "in"])] == [(tmp_path / "in/a.md").resolve()]


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """A typing error on the command line is said, not skipped."""
    with pytest.raises(UnreadableFile, match="does not exist"):
        list(iter_files([tmp_path / "missing"]))
