"""Versions as a librarian sees them: amendments, comparisons, duplicates, looking ahead, a folder that is watched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from ragsvc.records import Answer, Citation, Usage
from ragsvc.store.database import Database
from ragsvc.store.inventory import Inventory
from ragsvc.store.receipts import Receipts
from tests.cli.conftest import Cli

OLD = """# 示例市租赁条例

2018年3月1日 示例市人民代表大会常务委员会通过

第一条 押金不得超过两个月租金，合同终止后十五日内退还。

第二条 出租人解除合同的，应当提前三十日书面通知承租人。

第三条 本条例自2018年6月1日起施行。
"""
NEW = """# 示例市租赁条例

2024年3月1日 示例市人民代表大会常务委员会修订

第一条 押金不得超过一个月租金，合同终止后十五日内退还。

第二条 租赁合同应当自签订之日起三十日内向住房主管部门备案。

第三条 出租人解除合同的，应当提前三十日书面通知承租人。

第四条 本条例自2024年6月1日起施行。
"""


@pytest.fixture
def texts(tmp_path: Path) -> tuple[Path, Path]:
    """The law of 2018 and that of 2024."""
    old, new = tmp_path / "租赁条例(2018-03-01).md", tmp_path / "租赁条例(2024-03-01).md"
    old.write_text(OLD, "utf-8")
    new.write_text(NEW, "utf-8")
    return old, new


def ingest(cli: Cli, *paths: Path) -> tuple[str, ...]:
    return "ingest", *map(str, paths), "-c", "law", "--domain", "law"


def keep_answer(home: Path, answer_id: str, quote: str) -> None:
    database = Database(home / "catalogue.sqlite")
    inventory = Inventory(database)
    [document] = inventory.documents("law")
    [version] = inventory.document_versions(document.document_id)
    text, _ = inventory.content(version)
    start = text.index(quote)
    citation = Citation(
        marker="[1]",
        collection="law",
        work=version.work,
        title=version.title,
        locator="第一条",
        document_id=document.document_id,
        version_id=version.version_id,
        quote=quote,
        start=start,
        end=start + len(quote),
        effective_from=None,
        effective_to=None,
        validity_source="stated",
        url=None,
        score=1.0,
    )
    answer = Answer(
        answer_id=answer_id,
        answer=f"{quote}[1]",
        citations=(citation,),
        passages=(),
        abstained=False,
        reason=None,
        disclaimer="",
        model="extractive",
        strategy="extractive",
        index_generation="g",
        timings_ms={},
        usage=Usage(prompt_tokens=None, completion_tokens=None),
    )
    Receipts(database).keep(answer, collections=["law"])
    database.close()


def test_an_amendment_is_reported(new_cli: Cli, texts: tuple[Path, Path], tmp_path: Path) -> None:
    """A new version says what it changed and which kept answers rested on it; the job says so later as well."""
    old, new = texts
    assert new_cli(*ingest(new_cli, old)).code == 0
    keep_answer(tmp_path / "home", "a-deposit", "押金不得超过两个月租金")
    keep_answer(tmp_path / "home", "a-notice", "应当提前三十日书面通知承租人")
    report = new_cli(*ingest(new_cli, new), "--json").json
    [amendment] = report["amendments"]
    assert amendment["superseded_from"] == "2024-06-01"
    assert amendment["counts"] == {"added": 1, "changed": 1, "repealed": 0, "renumbered": 2, "unchanged": 0}
    assert (amendment["added"], amendment["changed"]) == (["第二条"], ["第一条"])
    assert [(r["old"], r["new"], r["is_changed"]) for r in amendment["renumbered"]] == [
        ("第二条", "第三条", False),
        ("第三条", "第四条", True),
    ]
    assert {(a["answer_id"], a["became"]) for a in amendment["answers"]} == {
        ("a-deposit", "changed"),
        ("a-notice", "renumbered"),
    }
    job = new_cli("jobs", "list", "--json").json["jobs"][0]
    shown = new_cli("jobs", "show", job["job_id"])
    assert shown.json["result"]["amendments"] == report["amendments"]
    assert "added: 第二条" in shown.stderr
    assert "answer a-deposit [1] rested on 第一条, changed" in shown.stderr


def test_two_versions_are_compared(new_cli: Cli, texts: tuple[Path, Path]) -> None:
    """By the document, by two versions, by two days; for people and as one object."""
    new_cli(*ingest(new_cli, *texts))
    [document] = new_cli("documents", "list", "-c", "law", "--json").json["documents"]
    found = new_cli("documents", "diff", document["document_id"], "--json").json
    assert [c["old"]["locator"] for c in found["changed"]] == ["第一条"]
    assert found["changed"][0]["words"] == [{"old": "两", "new": "一"}]
    assert (found["from"]["status"], found["to"]["status"]) == ("superseded", "in force")
    ids = found["from"]["version_id"], found["to"]["version_id"]
    assert new_cli("documents", "diff", *ids, "--json").json == found
    days = ("--as-of", "2025-01-01", "--as-of", "2019-01-01")
    assert new_cli("documents", "diff", document["document_id"], *days, "--json").json == found
    shown = new_cli("documents", "diff", *ids)
    assert "[-两-]{+一+}" in shown.stdout
    assert "第二条 → 第三条" in shown.stdout
    refused = new_cli("documents", "diff", document["document_id"], "--as-of", "2010-01-01", "--as-of", "2019-01-01")
    assert refused.code == 1
    assert "in force on 2010-01-01" in refused.stderr
    assert new_cli("documents", "diff", *ids, *days).code != 0


def test_the_day_decides_which_version_answers(new_cli: Cli, texts: tuple[Path, Path]) -> None:
    """And what was found for a day in the past says that it is superseded today."""
    new_cli(*ingest(new_cli, *texts))
    [then] = new_cli("lookup", "示例市租赁条例第一条", "--as-of", "2020-01-01", "--json").json["hits"]
    [now] = new_cli("lookup", "示例市租赁条例第一条", "--json").json["hits"]
    assert ("两个月" in then["text"], then["status"]) == (True, "superseded")
    assert ("一个月" in now["text"], now["status"]) == (True, "in force")


def test_the_same_law_in_another_format_answers_once(new_cli: Cli, texts: tuple[Path, Path], tmp_path: Path) -> None:
    """It is told as a duplicate; a file of the same name that differs is a correction and goes in."""
    old, _ = texts
    new_cli(*ingest(new_cli, old))
    other = tmp_path / "示例市租赁条例_20180301.html"
    body = "".join(f"<p>{line}</p>" for line in OLD.removeprefix("# ").splitlines() if line)
    other.write_text(f"<html><body>{body}</body></html>", "utf-8")
    report = new_cli(*ingest(new_cli, other), "--json").json
    assert report["duplicates"] == [{"path": other.name, "of": old.name}]
    assert (report["documents"], report["unchanged"]) == (1, 1)
    old.write_text(OLD.replace("十五日", "十日"), "utf-8")
    assert new_cli(*ingest(new_cli, old), "--json").json["duplicates"] == []
    [hit] = new_cli("lookup", "示例市租赁条例第一条", "--json").json["hits"]
    assert "十日" in hit["text"]


def test_an_undated_text_that_leaves_something_out_is_no_copy(new_cli: Cli, tmp_path: Path) -> None:
    """A leaflet that no longer gives a dose may be the newer one; the same leaflet under another name is a copy."""
    whole = "# Exampline tablets\n\n## Indications\n\nFor pain in adults.\n\n## Dosage\n\nChildren: 5 mg daily.\n"
    texts = {"2023.md": whole, "2024.md": whole[: whole.index("## Dosage")], "copy.md": whole + "\n\n"}
    reports = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
        call = ("ingest", tmp_path / name, "-c", "leaflets", "--domain", "medicine", "--json")
        reports.append(new_cli(*map(str, call)).json["duplicates"])
    assert reports == [[], [], [{"path": "copy.md", "of": "2023.md"}]]


def test_a_dry_run_writes_nothing(new_cli: Cli, texts: tuple[Path, Path], tmp_path: Path) -> None:
    """It says what each file is and would change; where there is no home it makes none."""
    old, new = texts
    preview = new_cli(*ingest(new_cli, old), "--dry-run", "--json").json
    assert [d["outcome"] for d in preview["documents"]] == ["new document"]
    assert not (tmp_path / "home").exists()
    new_cli(*ingest(new_cli, old))
    before = new_cli("index", "list", "--json").json, new_cli("jobs", "list", "--json").json
    (tmp_path / "broken.pdf").write_bytes(b"\0")
    call = ingest(new_cli, old, new, tmp_path / "broken.pdf")
    preview = new_cli(*call, "--dry-run", "--json").json
    assert [d["outcome"] for d in preview["documents"]] == ["unchanged", "new version"]
    assert preview["documents"][1]["counts"]["renumbered"] == 2
    assert [bad["path"] for bad in preview["quarantined"]] == ["broken.pdf"]
    assert (new_cli("index", "list", "--json").json, new_cli("jobs", "list", "--json").json) == before
    assert "new version: 示例市租赁条例" in new_cli(*call, "--dry-run").stderr


def test_a_watched_folder(texts: tuple[Path, Path], new_cli: Cli, tmp_path: Path) -> None:
    """What is dropped into it goes in, a changed file goes in again, Ctrl-C ends it cleanly."""
    folder = tmp_path / "drop"
    folder.mkdir()
    command = ["ingest", str(folder), "-c", "law", "--domain", "law", "--watch"]
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "ragsvc", "--home", str(tmp_path / "home"), *command],
            stderr=stderr,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
        )
    try:
        wait_for(log, "watching", 1)
        for n, text in enumerate((OLD, NEW), start=1):
            (folder / "条例.md").write_text(text, "utf-8")
            wait_for(log, r"law: 1 documents", n)
        assert "changed: 第一条" in log.read_text("utf-8")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert "watching ended" in log.read_text("utf-8")
    assert new_cli("documents", "list", "-c", "law", "--json").json["documents"][0]["n_versions"] == 2


def wait_for(log: Path, pattern: str, times: int) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        if len(re.findall(pattern, log.read_text("utf-8"))) >= times:
            return
        time.sleep(0.1)
    raise AssertionError(f"{pattern!r} was not said {times} times: {log.read_text('utf-8')}")
