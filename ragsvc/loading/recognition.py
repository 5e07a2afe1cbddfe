"""Text recognition by Tesseract, a program of its own that may not be installed: Chinese and English, with confidence.

Its output is its TSV: one row a word, with the box in pixels and a confidence of 0 to 100.
Format: https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html#tsv-output-currently-available-in-305-dev-in-master-branch-on-github
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from functools import cache
from io import BytesIO, StringIO
from itertools import groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from ragsvc.loading.pdf_lines import CELL_GAP, CELL_MARK, Line, join_lines, tidy

if TYPE_CHECKING:
    from PIL.Image import Image

LANGUAGES = ("chi_sim", "eng")
DPI = 300
"""Resolution at which a page is shown to Tesseract; it is trained for about this."""
PAGE_SECONDS = 90.0
_INSTALL = "install Tesseract with its data for Chinese and English (Debian: tesseract-ocr, tesseract-ocr-chi-sim)"
_WORD_LEVEL = "5"
_SPACE = 0.5
"""White space between Chinese characters that is one, in multiples of the font size."""


class Recognised(Struct, frozen=True):
    """What was read on one page; ``confidence`` is the mean over its characters, 0 to 1."""

    lines: list[Line]
    confidence: float


class _Word(Struct):
    text: str
    line: tuple[str, ...]
    left: float
    top: float
    right: float
    height: float
    confidence: float


@cache
def why_unavailable() -> str:
    """Return what to install before pictures can be read; empty when everything is there."""
    program = shutil.which("tesseract")
    if program is None:
        return f"no text recognition is installed: {_INSTALL}"
    listed = subprocess.run(
        [program, "--list-langs"], capture_output=True, text=True, timeout=PAGE_SECONDS, check=False
    )
    missing = [language for language in LANGUAGES if language not in listed.stdout.split()]
    return f"Tesseract is installed without {' and '.join(missing)}: {_INSTALL}" if missing else ""


def recognise(picture: Image, page: int, scale: float) -> Recognised:
    """Return the lines in a picture, top to bottom as Tesseract orders them.

    Args:
        picture: of one page.
        page: its number.
        scale: PDF points per pixel.

    Raises:
        subprocess.SubprocessError: Tesseract failed, or took more than ``PAGE_SECONDS``.
    """
    buffer = BytesIO()
    picture.convert("L").save(buffer, "PPM")
    command = ["tesseract", "stdin", "stdout", "-l", "+".join(LANGUAGES), "--dpi", str(round(72 / scale)), "tsv"]
    output = subprocess.run(command, input=buffer.getvalue(), capture_output=True, timeout=PAGE_SECONDS, check=True)
    words = list(_words(output.stdout.decode("utf-8", "replace")))
    lines = [_line(list(group), page, scale, picture.height) for _, group in groupby(words, key=lambda word: word.line)]
    if lines:  # heights vary with the letters of a line; the layout wants the size of the type
        size = median(line.size for line in lines)
        for line in lines:
            if 0.6 * size < line.size < 1.5 * size:
                line.size = size
    weight = sum(len(word.text) for word in words)
    confidence = sum(word.confidence * len(word.text) for word in words) / weight if weight else 0.0
    return Recognised(lines, round(confidence / 100, 3))


def _words(table: str) -> list[_Word]:
    return [
        _Word(
            text=row["text"].strip(),
            line=(row["block_num"], row["par_num"], row["line_num"]),
            left=float(row["left"]),
            top=float(row["top"]),
            right=float(row["left"]) + float(row["width"]),
            height=float(row["height"]),
            confidence=max(0.0, float(row["conf"])),
        )
        for row in csv.DictReader(StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
        if row["level"] == _WORD_LEVEL and row["text"] and row["text"].strip()
    ]


def _line(words: list[_Word], page: int, scale: float, height: int) -> Line:
    size = max(word.height for word in words)
    text = words[0].text
    for before, word in pairwise(words):
        gap = word.left - before.right
        if gap > CELL_GAP * size:
            text += CELL_MARK + word.text
        else:
            text = f"{text} {word.text}" if gap > _SPACE * size else join_lines(text, word.text)
    bottom = max(word.top + word.height for word in words)
    return Line(
        text=tidy(text),
        page=page,
        left=words[0].left * scale,
        right=max(word.right for word in words) * scale,
        bottom=(height - bottom) * scale,
        size=size * scale,
    )
