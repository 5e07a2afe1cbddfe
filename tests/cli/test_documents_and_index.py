"""``ingest``, ``documents``, ``index`` and the empty home."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CORPORA, Cli


def test_empty_home(new_cli: Cli, tmp_path: Path) -> None:
    """A home without anything in it is an error that names its absolute path."""
    ended = new_cli("ask", "押金最多收几个月")
    assert ended.code == 1
    assert str(tmp_path / "home") in ended.stderr
    assert "ragsvc ingest" in ended.stderr


def test_ingest_twice(new_cli: Cli) -> None:
    """The second ingest of the same bytes embeds nothing and adds nothing, and is a success."""
    call = ("ingest", CORPORA / "law", "-c", "law", "--domain", "law", "--json")
    first, second = new_cli(*call), new_cli(*call)
    assert (first.code, second.code) == (0, 0)
    names = {"documents", "chunks", "embedded", "unchanged", "quarantined", "seconds"}
    assert names <= set(first.json)
    assert (first.json["documents"], first.json["unchanged"]) == (4, 0)
    assert first.json["embedded"] > 0
    assert (second.json["documents"], second.json["unchanged"]) == (4, 4)
    assert (second.json["chunks"], second.json["embedded"]) == (0, 0)


def test_ingest_with_a_bad_file(new_cli: Cli, tmp_path: Path) -> None:
    """A bad file is left out and named while the rest goes in; ``--strict`` makes that a failure."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "notice.md").write_text("# 示例通知\n\n第一条 办公时间为每日九时至十七时。\n", "utf-8")
    (folder / "broken.pdf").write_bytes(b"\0\1")
    ended = new_cli("ingest", folder, "-c", "notices", "--json")
    assert ended.code == 0
    assert ended.json["documents"] == 1
    [bad] = ended.json["quarantined"]
    assert bad["path"].endswith("broken.pdf")
    assert bad["reason"]
    assert new_cli("ingest", folder, "-c", "notices", "--strict").code == 1


def test_ingest_of_nothing(new_cli: Cli, tmp_path: Path) -> None:
    """A folder without a readable file is a failure that names it."""
    (tmp_path / "empty").mkdir()
    ended = new_cli("ingest", tmp_path / "empty", "-c", "notices")
    assert ended.code == 1
    assert f"no file that can be read in {tmp_path / 'empty'}" in ended.stderr


def test_ingest_with_a_day(new_cli: Cli, tmp_path: Path) -> None:
    """``--effective-from`` decides from when the text holds: before that day it is not found."""
    notice = tmp_path / "notice.md"
    notice.write_text("# 示例通知\n\n第一条 办公时间为每日九时至十七时。\n", "utf-8")
    call = ("ingest", notice, "-c", "law", "--domain", "law", "--effective-from", "2025-03-01")
    assert new_cli(*call).code == 0
    [document] = new_cli("documents", "list", "-c", "law", "--json").json["documents"]
    assert (document["effective_from"], document["validity_source"]) == ("2025-03-01", "given")
    assert new_cli("search", "办公时间", "--as-of", "2025-02-28", "--json").json["hits"] == []
    assert new_cli("search", "办公时间", "--as-of", "2025-03-01", "--json").json["hits"]


def test_delete_then_rollback(new_cli: Cli) -> None:
    """A deleted document is gone at once, and the generation from before its deletion does not bring it back."""
    new_cli("ingest", CORPORA / "law", "-c", "law", "--domain", "law")
    new_cli("index", "rebuild")
    documents = new_cli("documents", "list", "-c", "law", "--json").json["documents"]
    gone = next(d["document_id"] for d in documents if "电动自行车" in d["work"])
    assert new_cli("documents", "delete", gone).code == 0
    before = [g["generation_id"] for g in new_cli("index", "list", "--json").json["generations"] if g["is_current"]]
    assert new_cli("index", "rollback").code == 0
    after = [g["generation_id"] for g in new_cli("index", "list", "--json").json["generations"] if g["is_current"]]
    assert before != after
    hits = new_cli("search", "驾驶电动自行车应当年满十六周岁", "--json").json["hits"]
    assert gone not in {hit["document_id"] for hit in hits}


def test_rollback_without_an_earlier_generation(cli: Cli) -> None:
    """Where there is nothing to go back to, rollback fails and says so."""
    ended = cli("index", "rollback")
    assert ended.code == 1
    assert "no generation before" in ended.stderr


@pytest.mark.parametrize("pattern", ["*faiss*", "*manifest*"])
def test_verify_names_damage(new_cli: Cli, tmp_path: Path, pattern: str) -> None:
    """One flipped bit in a file of a generation is found, the file named, exit code 1; undamaged it is 0."""
    new_cli("ingest", CORPORA / "law", "-c", "law", "--domain", "law")
    assert new_cli("index", "verify", "--json").json == {"damage": []}
    damaged = next(path for path in (tmp_path / "home" / "generations").rglob(pattern) if path.is_file())
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.chmod(0o644)
    damaged.write_bytes(content)
    ended = new_cli("index", "verify")
    assert ended.code == 1
    assert damaged.name in ended.stdout


def test_keys(new_cli: Cli) -> None:
    """A key's secret is shown when it is made and never again."""
    made = new_cli("keys", "create", "portal", "--scope", "ask", "-c", "law", "--json").json
    listed = new_cli("keys", "list", "--json")
    assert made["key"] not in listed.stdout
    [key] = listed.json["keys"]
    assert (key["key_id"], key["name"], key["collections"]) == (made["key_id"], "portal", ["law"])
    assert new_cli("keys", "revoke", made["key_id"]).code == 0
    assert new_cli("keys", "list", "--json").json["keys"][0]["revoked_at"]
