"""Scanned pages are read where Tesseract is installed, and refused with what to install where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ragsvc.errors import UnreadableFile
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.pdf import read_pdf
from ragsvc.loading.recognition import why_unavailable

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
LINES = ("第一条 为了规范医疗机构管理，制定本条例。", "Article 3. The dose is 25 mg twice daily.")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A PDF of one page that is a picture of two lines."""
    picture = Image.new("L", (1600, 700), 255)
    draw = ImageDraw.Draw(picture)
    for at, line in enumerate(LINES):
        draw.text((120, 150 + 160 * at), line, font=ImageFont.truetype(FONT, 48), fill=0)
    path = tmp_path / "scan.pdf"
    picture.save(path, resolution=300)
    return path


@pytest.fixture
def without_tesseract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine without it."""
    monkeypatch.setenv("PATH", "")
    why_unavailable.cache_clear()
    yield
    why_unavailable.cache_clear()


@pytest.mark.skipif(bool(why_unavailable()), reason=f"needs Tesseract: {why_unavailable()}")
@pytest.mark.skipif(not Path(FONT).exists(), reason=f"needs a Chinese font: {FONT}")
def test_a_scan_is_read_with_its_confidence(scan: Path, parser: ParserProcess) -> None:
    """Chinese and English come out, the page block has the confidence, and a warning names the pages."""
    document = load_file(scan, parser=parser)
    assert "规范医疗机构管理，制定本条例。" in document.text
    assert "The dose is 25 mg twice daily." in document.text
    page = next(block for block in document.blocks if block.kind == "page")
    assert page.page == 1
    assert page.confidence is not None
    assert 0.5 < page.confidence <= 1
    assert document.warnings[0] == f"pages read by text recognition: 1 (confidence {page.confidence:.2f})"


@pytest.mark.usefixtures("without_tesseract")
def test_a_scan_is_refused_where_nothing_can_read_it(scan: Path) -> None:
    """The reason says what to install."""
    with pytest.raises(UnreadableFile, match=r"is a scan.*install Tesseract.*tesseract-ocr-chi-sim"):
        read_pdf(scan.read_bytes(), "scan.pdf", DEFAULT_LIMITS)
