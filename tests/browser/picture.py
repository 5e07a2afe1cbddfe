"""Takes the README's picture: a question over a folder of statutes, with the source open beside the answer.

python -m tests.browser.picture ../shared/data/corpora/laws_zh_md/民法典 deploy/images/page.png
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from ragsvc import open_service
from ragsvc.settings import Settings
from tests.browser.conftest import CHROMIUM, Served

QUESTION = "口头遗嘱有效吗？"


def take_picture(statutes: Path, target: Path) -> None:
    """Ingest ``statutes`` into a home of its own, ask, open the first citation, and write a PNG of 1280 × 800."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        service = open_service(Settings(home=home))
        service.ingest([statutes], "民法典", domain="law")
        service.close()
        server = Served(home)
        try:
            server.wait()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM,
                    args=["--no-sandbox"],
                )
                page = browser.new_page(locale="zh-CN", viewport={"width": 1280, "height": 800})
                page.goto(server.address)
                page.fill("#question", QUESTION)
                page.click("#send")
                page.click("#answer .chip")
                page.locator("#panel-text mark").first.wait_for()
                page.evaluate("scrollTo(0, 0)")
                picture = Image.open(BytesIO(page.screenshot()))
                picture.quantize(128).save(target, optimize=True)  # a third of the bytes, to the eye the same
                browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]), Path(sys.argv[2]))
