"""Takes the pictures of the demo portals for the README: start them with ``python -m deploy.demo`` first.

python -m tests.browser.portal_pictures deploy/images [--port 8100]
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM

ANSWER_MS = 120_000
RED_FLAG = "血压超过180，胸痛，呼吸困难，怎么办？"
ANKLE = "Should I put heat on a sprained ankle?"


def main() -> None:
    """Write one picture of the legal-aid site and one of the hospital's, both as they answer."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.portal_pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8100, help="of ragsvc, as given to deploy.demo")
    options = parser.parse_args()
    legal, patients = (f"http://127.0.0.1:{options.port + n}" for n in (1, 2))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = _answered(browser, f"{legal}/zh", "押金最多收几个月？", "提问", day="2023-05-01", width=1280)
        page.locator("rag-ask .chip").first.click()
        page.locator("rag-ask mark").first.wait_for()
        _save(page.screenshot(), options.folder / "portal-legal-aid.png")
        phones = [
            _answered(browser, f"{patients}/zh", RED_FLAG, "提问", width=400),
            _answered(browser, f"{patients}/en", ANKLE, "Ask", width=400, scheme="dark"),
        ]
        for phone in phones:
            phone.locator("rag-ask article").scroll_into_view_if_needed()
            phone.locator("rag-ask article").evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 190)")
        _save(_side_by_side([phone.screenshot() for phone in phones]), options.folder / "portal-patients.png")
        browser.close()


def _answered(
    browser: Browser, address: str, question: str, button: str, *, width: int, day: str = "", scheme: str = "light"
) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_default_timeout(ANSWER_MS)
    page.goto(address)
    if day:
        page.locator("#day").fill(day)
    page.locator("rag-ask textarea").fill(question)
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("rag-ask article .tools").wait_for()
    return page


def _side_by_side(shots: list[bytes]) -> bytes:
    pictures = [Image.open(BytesIO(shot)).convert("RGB") for shot in shots]
    gap = 24
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    whole = Image.new("RGB", (width, pictures[0].height), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width + gap
    target = BytesIO()
    whole.save(target, "PNG")
    return target.getvalue()


def _save(shot: bytes, target: Path) -> None:
    Image.open(BytesIO(shot)).convert("RGB").quantize(128).save(target, optimize=True)  # to the eye the same


if __name__ == "__main__":
    main()
