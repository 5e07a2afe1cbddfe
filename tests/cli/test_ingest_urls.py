"""``ragsvc ingest`` with addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.servers.files import FileServer

ORDINANCE = "# {0}\n\n第一条 {1}\n"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A site that the operator vouches for."""
    with FileServer() as server:
        monkeypatch.setenv("RAGSVC_PRIVATE_HOSTS", f'["{server.authority}"]')
        yield server


def test_a_page_is_found_under_its_address(web: FileServer, new_cli: Cli) -> None:
    """The document's url is where it came from; again it is unchanged, changed it is a new version."""
    page = web.put("/tenancy", ORDINANCE.format("青禾市住房条例", "押金最多收一个月。").encode(), "text/markdown")
    call = ("ingest", page, "-c", "law", "--domain", "law", "--json")
    first = new_cli(*call)
    assert (first.code, first.json["documents"], first.json["quarantined"]) == (0, 1, [])
    [hit] = new_cli("search", "押金最多收几个月", "-k", "1", "--json").json["hits"]
    assert hit["url"] == page
    assert new_cli(*call).json["unchanged"] == 1
    web.put("/tenancy", ORDINANCE.format("青禾市住房条例", "押金最多收两个月。").encode(), "text/markdown")
    changed = new_cli(*call).json
    assert (changed["documents"], changed["unchanged"]) == (1, 0)


def test_a_site_by_its_sitemap(web: FileServer, new_cli: Cli) -> None:
    """Every page that can be read goes in; the others are named with their reasons; a second run changes nothing."""
    pages = [
        web.put(
            f"/{number}", ORDINANCE.format(f"青禾市条例{number}", f"办公时间为{number}时。").encode(), "text/markdown"
        )
        for number in "89"
    ]
    listed = "".join(f"<url><loc>{page}</loc></url>" for page in (*pages, web.url("/gone"), "http://10.0.0.1/x"))
    url = web.put("/sitemap.xml", f"<urlset>{listed}</urlset>".encode(), "application/xml")
    call = ("ingest", url, "-c", "site", "--domain", "law", "--json")
    first, second = new_cli(*call), new_cli(*call)
    assert (first.code, first.json["documents"], second.json["unchanged"]) == (0, 2, 2)
    reasons = {item["path"]: item["reason"] for item in first.json["quarantined"]}
    assert "HTTP 404" in reasons[web.url("/gone")]
    assert "another host" in reasons["http://10.0.0.1/x"]


def test_an_address_inside_is_left_out(web: FileServer, new_cli: Cli) -> None:
    """What the operator does not vouch for is refused with the setting's name, and nothing else is an error."""
    ended = new_cli("ingest", "http://127.0.0.1:8080/admin", "file:///etc/passwd", "-c", "law", "--json")
    assert ended.code == 1
    reasons = [item["reason"] for item in ended.json["quarantined"]]
    assert "private_hosts" in reasons[0]
    assert "begins with 'file'" in reasons[1]
    assert web.asked == []
