"""How long a visitor of a portal waits: real pages with the widget, in Chromium, over real statutes and lay questions.

python -m tests.bench.portal [--data ../shared/data] [--files N] [--widgets 50] [--questions 200] [--pause 20]

Every question is asked twice: by one widget alone, one after another, and by many that are open at once, whose visitors
read each answer for a while (``--pause 0``: never, which is what the machine can do at most). Times run from the click
in the page until the first quotation, or nearest passage, is in it, and until the whole answer is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from deploy.demo.site import Site
from ragsvc import open_service
from ragsvc.evaluation.datasets import LabelledSet
from ragsvc.settings import read_settings
from tests.bench.parts import Figures, first_answer, served
from tests.bench.questions import questions

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PORTAL = REPOSITORY / "deploy" / "demo" / "legal_aid"
MOST_MS = 120_000
ASK_ALL = """async ([texts, before_ms, between_ms]) => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const root = document.querySelector("rag-ask").shadowRoot;
  const ask = (text) => new Promise((over) => {
    const started = performance.now();
    let first = null;
    const look = () => {
      const article = root.querySelector("article");
      if (article?.querySelector(".asked")?.textContent !== text) return;
      if (first === null && article.querySelector(".chip, blockquote")) first = performance.now() - started;
      if (!article.querySelector(".tools")) return;
      watcher.disconnect();
      const failed = root.querySelector(".status.error")?.textContent ?? "";
      over({ first, whole: performance.now() - started, failed });
    };
    const watcher = new MutationObserver(look);
    watcher.observe(root, { subtree: true, childList: true, characterData: true });
    root.querySelector(".goes-on button")?.click(); // each question is a conversation of its own
    root.querySelector("textarea").value = text;
    root.querySelector("form").requestSubmit();
  });
  const found = [];
  await wait(before_ms);
  for (const text of texts) {
    if (found.length) await wait(between_ms);
    found.push(await ask(text));
  }
  return found;
}"""


def main() -> None:
    """Measure and print a Markdown table; all figures as JSON on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.portal", description="How long a visitor waits.")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", help="folder of real data")
    parser.add_argument("--files", type=int, default=0, help="statutes to ingest; 0 = all")
    parser.add_argument("--widgets", type=int, default=50, help="open at once")
    parser.add_argument("--questions", type=int, default=200, help="asked in each of the two ways")
    parser.add_argument("--pause", type=float, default=20, help="seconds that each of many reads an answer")
    options = parser.parse_args()
    laws, labelled = options.data / "corpora" / "laws_zh_md", options.data / "retrieval" / "stard"
    chromium = shutil.which("chromium")
    if chromium is None or not laws.is_dir():
        sys.exit(
            f"needs chromium (found {chromium}) and real statutes in {laws.absolute()}; --data names another folder"
        )
    texts = [query.text for query in questions(LabelledSet(labelled))[: options.questions]]
    with tempfile.TemporaryDirectory(prefix="ragsvc-bench-") as folder:
        home = Path(folder, "home")
        n_chunks = _ingest(home, sorted(laws.rglob("*(*.md"))[: options.files or None])
        with served(home) as (process, port):
            first_answer(process, port, "/v1/ask", {"question": texts[0], "collection": "law"})
            site = _portal(home, f"http://127.0.0.1:{port}")
            figures = asyncio.run(_measure(chromium, site, texts, options.widgets, options.pause))
    sys.stderr.write(json.dumps({"chunks": n_chunks, "load": os.getloadavg()[0], **figures}) + "\n")
    sys.stdout.write(to_markdown(figures) + "\n")


def _ingest(home: Path, files: list[Path]) -> int:
    service = open_service(read_settings(home=home))
    report = service.ingest(files, "law", domain="law")
    service.close()
    return report.chunks


def _portal(home: Path, address: str) -> Site:
    """Return a running portal whose key lists its origin; from then on the service needs a key."""
    site = Site(PORTAL, address, ["law"])
    service = open_service(read_settings(home=home))
    site.key, _ = service.access.create_key("portal", ["ask"], ["law"], origins=[site.origin])
    service.close()
    site.start()
    return site


async def _measure(chromium: str, site: Site, texts: list[str], n_widgets: int, pause_s: float) -> Figures:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        alone = await _ask(browser, site, texts, 1, 0)
        together = await _ask(browser, site, texts, n_widgets, pause_s)
        await browser.close()
    return {"1": alone, str(n_widgets): together}


async def _ask(browser: Browser, site: Site, texts: list[str], n_widgets: int, pause_s: float) -> Figures:
    """Open the pages and share the questions out among them; they begin one after another within one pause."""
    context = await browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 800})
    context.set_default_timeout(MOST_MS)
    pages: list[Page] = []
    for _ in range(n_widgets):
        page = await context.new_page()
        await page.goto(f"{site.origin}/zh")
        await page.locator("rag-ask textarea").wait_for()
        pages.append(page)
    between_ms = pause_s * 1000
    work = [(list(islice(texts, n, None, n_widgets)), between_ms * n / n_widgets, between_ms) for n in range(n_widgets)]
    started = time.perf_counter()
    found = await asyncio.gather(*(page.evaluate(ASK_ALL, list(one)) for page, one in zip(pages, work, strict=True)))
    seconds = time.perf_counter() - started
    await context.close()
    return _figures([one for share in found for one in share], seconds)


def _figures(found: list[Figures], seconds: float) -> Figures:
    answered = [one for one in found if not one["failed"]]
    figures: Figures = {"questions": len(found), "failed": len(found) - len(answered)}
    figures["failures"] = sorted({one["failed"] for one in found if one["failed"]})
    figures["per_s"] = round(len(answered) / seconds, 2)
    for name in ("first", "whole"):
        values = [one[name] for one in answered if one[name] is not None]
        for percent in (50, 95):
            figures[f"{name}_p{percent}_ms"] = round(float(np.percentile(values, percent))) if values else None
    return figures


def to_markdown(figures: Figures) -> str:
    """Return the table, and how much longer a visitor waits among many than alone."""
    lines = [
        "| widgets | questions | not answered | first passage p50 / p95, ms | whole answer p50 / p95, ms | answers/s |",
        "|---|---|---|---|---|---|",
    ]
    for n_widgets, one in figures.items():
        times = [f"{one[f'{name}_p50_ms']} / {one[f'{name}_p95_ms']}" for name in ("first", "whole")]
        lines.append(
            f"| {n_widgets} | {one['questions']} | {one['failed']} | {times[0]} | {times[1]} | {one['per_s']} |"
        )
    alone, together = figures.values()
    ratio = together["whole_p50_ms"] / alone["whole_p50_ms"] if together["whole_p50_ms"] else float("inf")
    return "\n".join([*lines, "", f"Whole answer, many to one: {ratio:.1f} times as long at the median."])


if __name__ == "__main__":
    main()
