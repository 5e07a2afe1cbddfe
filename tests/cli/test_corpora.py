"""``ragsvc corpora``."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.servers.files import FileServer, cut, ranged

ACT = "# 青禾市{0}办法\n\n第一条 {0}的办理时限为五日。\n"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A publisher that the operator vouches for."""
    with FileServer() as server:
        monkeypatch.setenv("RAGSVC_PRIVATE_HOSTS", f'["{server.authority}"]')
        yield server


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("laws-1/laws/户籍.md", ACT.format("户籍"))
        files.writestr("laws-1/laws/车辆.md", ACT.format("车辆"))
        files.writestr("laws-1/scripts/index.md", "# not a law\n\nnothing\n")
    return packed.getvalue()


def recipe(root: Path, files: str, more: str = "") -> None:
    folder = root / "laws"
    folder.mkdir(parents=True)
    head = 'collection = "laws"\ndomain = "law"\ntitle = "T"\nlicence = "free"\norigin = "O"\nterms = "Say thanks."\n'
    (folder / "corpus.toml").write_text(f"{head}{more}\n{files}", "utf-8")


def test_list(new_cli: Cli) -> None:
    """What is shipped, with licence, terms and addresses; no home is needed."""
    found = {corpus["name"]: corpus for corpus in new_cli("corpora", "list", "--json").json["corpora"]}
    assert found["eu-law"]["licence"].startswith("reuse authorised")
    assert found["edgar"]["files"][0]["url"].startswith("https://www.sec.gov/Archives/edgar/data/")
    assert found["law"]["files"] == []
    shown = new_cli("corpora", "list")
    assert shown.code == 0
    assert "us-code" in shown.stdout


def test_pull(web: FileServer, new_cli: Cli, tmp_path: Path) -> None:
    """A download that breaks off is continued, checked, and ingested: only what the recipe wants, with its address."""
    content = archive()
    url = web.script("/laws.zip", cut(content, 100), ranged(content))
    sha256 = hashlib.sha256(content).hexdigest()
    recipe(tmp_path / "r", f'[[files]]\nurl = "{url}"\nsha256 = "{sha256}"\n', 'include = ["*/laws/*.md"]')
    call = ("corpora", "pull", "laws", "--corpora", tmp_path / "r", "--json")
    first, second = new_cli(*call), new_cli(*call)
    assert first.code == 0, first.stderr
    assert "Say thanks." in first.stderr
    assert (first.json["documents"], first.json["quarantined"]) == (2, [])
    assert second.json["unchanged"] == 2
    assert len(web.asked) == 2
    assert {hit["url"] for hit in new_cli("search", "办理时限", "-c", "laws", "--json").json["hits"]} == {url}


def test_another_collection(new_cli: Cli) -> None:
    """Samples are pulled from their folder; ``--collection`` says where to."""
    assert new_cli("corpora", "pull", "medicine", "-c", "leaflets", "--json").json["documents"] == 2
    [collection] = new_cli("collections", "list", "--json").json["collections"]
    assert (collection["name"], collection["domain"]) == ("leaflets", "medicine")


def test_wrong_bytes(web: FileServer, new_cli: Cli, tmp_path: Path) -> None:
    """Both checksums are named, and nothing goes in."""
    url = web.put("/laws.zip", b"something else")
    recipe(tmp_path / "r", f'[[files]]\nurl = "{url}"\nsha256 = "{"0" * 64}"\n')
    ended = new_cli("corpora", "pull", "laws", "--corpora", tmp_path / "r")
    assert ended.code != 0
    assert hashlib.sha256(b"something else").hexdigest() in ended.stderr
    assert "0" * 64 in ended.stderr


def test_one_of_several_is_missing(web: FileServer, new_cli: Cli, tmp_path: Path) -> None:
    """The others go in, and the one is named."""
    web.put("/a.md", ACT.format("户籍").encode())
    recipe(tmp_path / "r", f'[[files]]\nurl = "{web.url("/")}{{each}}.md"\neach = ["a", "b"]\n')
    ended = new_cli("corpora", "pull", "laws", "--corpora", tmp_path / "r", "--json")
    assert (ended.code, ended.json["documents"]) == (0, 1)
    [missing] = ended.json["quarantined"]
    assert missing["path"] == web.url("/b.md")
    assert "HTTP 404" in missing["reason"]


def test_a_publisher_that_wants_to_know_who_asks(
    web: FileServer, new_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a contact nothing is asked for; with one, it is in the User-Agent."""
    web.put("/a.md", ACT.format("户籍").encode())
    recipe(tmp_path / "r", f'[[files]]\nurl = "{web.url("/a.md")}"\n', "needs_contact = true")
    call = ("corpora", "pull", "laws", "--corpora", tmp_path / "r", "--json")
    refused = new_cli(*call)
    assert refused.code == 2
    assert "RAGSVC_CONTACT" in refused.stderr
    assert web.asked == []
    monkeypatch.setenv("RAGSVC_CONTACT", "librarian@example.org")
    assert new_cli(*call).json["documents"] == 1
    assert "librarian@example.org" in web.seen["/a.md"][0]["user-agent"]
