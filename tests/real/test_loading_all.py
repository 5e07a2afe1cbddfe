"""Every file of the real corpora goes in, and an independent extractor finds hardly a character more.

A few files of each format by default; all of them with ``RAGSVC_TEST_ALL_FILES=1``, with a table per format:
``RAGSVC_TEST_ALL_FILES=1 pytest -s tests/real/test_loading_all.py``.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from ragsvc.loading import ParserProcess, iter_files, load_file
from ragsvc.loading.limits import LoadingLimits
from tests.real.independent import lost_characters

SAMPLE = 2
"""Files of each folder and format, the smallest and the one in the middle."""
RECOVERED = 0.99
ALL_FILES = 798


class Row(Struct):
    """Of one format."""

    files: int = 0
    pages: int = 0
    seconds: float = 0.0
    expected: int = 0
    lost: int = 0
    tables: int = 0


def chosen(files: list[Path], take_all: bool) -> Iterator[Path]:
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        groups.setdefault((path.parts[path.parts.index("corpora") + 1], path.suffix), []).append(path)
    for group in groups.values():
        by_size = sorted(group, key=lambda path: path.stat().st_size)
        yield from group if take_all or len(group) <= SAMPLE else (by_size[0], by_size[len(group) // 2])


def test_every_file_goes_in_whole(shared_data: Path) -> None:
    """No file is refused, and of each format at least 99 % of the characters are there."""
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext to compare PDFs with (Debian: poppler-utils)")
    take_all = os.environ.get("RAGSVC_TEST_ALL_FILES") == "1"
    files = list(iter_files([shared_data / "corpora"]))
    assert len(files) == ALL_FILES
    rows: dict[str, Row] = {}
    worst: list[tuple[float, str]] = []
    with ParserProcess(LoadingLimits(seconds=600.0)) as parser:
        for path in chosen(files, take_all):
            start = time.perf_counter()
            document = load_file(path, parser=parser)
            row = rows.setdefault(path.suffix, Row())
            row.seconds += time.perf_counter() - start
            lost, expected = lost_characters(path, document.text)
            row.files += 1
            row.pages += sum(block.kind == "page" for block in document.blocks)
            row.tables += sum(block.kind == "table" for block in document.blocks)
            row.expected += expected
            row.lost += lost
            worst.append((lost / expected, path.name))
    print("\nformat  files  pages  pages/s  recovered  tables  files/s")  # noqa: T201
    for name, row in rows.items():
        share = 1 - row.lost / row.expected
        speed = f"{row.pages / row.seconds:7.1f}" if row.pages else "      -"
        print(  # noqa: T201
            f"{name:6} {row.files:6} {row.pages:6} {speed}  {share:9.4%} {row.tables:7} {row.files / row.seconds:8.1f}"
        )
    print("\n".join(f"{share:.3%} lost  {name}" for share, name in sorted(worst, reverse=True)[:5]))  # noqa: T201
    for name, row in rows.items():
        assert 1 - row.lost / row.expected >= RECOVERED, name
