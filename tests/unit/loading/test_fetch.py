"""What comes from the network: guarded at every hop, connected to what was checked, bounded in bytes and time."""

from __future__ import annotations

import gzip
import io
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput, UnreadableFile, UpstreamFailed, UpstreamTimeout
from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.loading.web_files import WebFile, fetch_file
from ragsvc.security.urls import UrlPolicy
from tests.servers.files import Exchange, FileServer, cut, status

LIMITS = FetchLimits(file_bytes=100_000, seconds=5.0, silence_s=2.0)
ONCE = FetchLimits(file_bytes=100_000, seconds=0.6, silence_s=5.0, attempts=1)
PAGE = b"<!doctype html><html><body><h1>Notice</h1><p>Offices open at nine.</p></body></html>"


@pytest.fixture
def web() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def fetcher(web: FileServer) -> Fetcher:
    """May fetch from the test's own server."""
    return Fetcher(UrlPolicy(private_hosts=(web.authority,)))


async def body(fetcher: Fetcher, url: str, limits: FetchLimits = LIMITS) -> bytes:
    found = io.BytesIO()
    await fetcher.fetch(url, found, limits)
    return found.getvalue()


class Names:
    """A resolver that gives a name other addresses each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0)


async def test_a_body_comes_as_it_is(web: FileServer, fetcher: Fetcher) -> None:
    """Host and query are the address's own, no cookie or credential goes along, nothing is compressed."""
    assert await body(fetcher, web.put("/a?b=c%20d", PAGE)) == PAGE
    [headers] = web.seen["/a?b=c%20d"]
    assert headers["host"] == web.authority
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("ragsvc/")
    assert not {"cookie", "authorization", "referer"} & set(headers)


async def test_the_contact_is_told(web: FileServer) -> None:
    """Sites such as EDGAR see who asks."""
    fetcher = Fetcher(UrlPolicy(private_hosts=(web.authority,)), contact="librarian@example.org")
    await body(fetcher, web.put("/a", PAGE))
    assert web.seen["/a"][0]["user-agent"].endswith("(librarian@example.org)")


async def test_a_private_address_is_not_even_connected_to(web: FileServer) -> None:
    """Neither by number nor by a name of it; the message says which setting would allow it."""
    for url in (f"http://{web.authority}/", f"http://localhost:{web.authority.rpartition(':')[2]}/"):
        with pytest.raises(InvalidInput, match="private_hosts"):
            await body(Fetcher(UrlPolicy()), url)
    names = Names(["127.0.0.1"])
    with pytest.raises(InvalidInput, match=r"'evil\.example' has the address 127\.0\.0\.1"):
        await body(Fetcher(UrlPolicy(), resolve=names), "http://evil.example:8080/")
    assert web.asked == []


async def test_a_name_is_resolved_once(web: FileServer) -> None:
    """DNS rebinding: the connection goes to the address that was judged, whatever the name has a moment later."""
    host, port = web.authority.split(":")
    web.put("/a", PAGE)
    names = Names([host])  # a second question would find no answer left
    fetcher = Fetcher(UrlPolicy(private_hosts=(f"site.example:{port}",)), resolve=names)
    assert await body(fetcher, f"http://site.example:{port}/a") == PAGE
    assert names.asked == ["site.example"]
    assert web.seen["/a"][0]["host"] == f"site.example:{port}"


async def test_each_redirect_is_judged_and_resolved_anew(web: FileServer) -> None:
    """A name that was public at the first hop and is private at the second is refused at the second."""
    _, port = web.authority.split(":")
    web.script("/a", status(302, location=f"http://site.example:{port}/secret"))
    policy = UrlPolicy(private_hosts=(f"first.example:{port}",))
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    with pytest.raises(InvalidInput, match="port"):
        await body(Fetcher(policy, resolve=names), f"http://first.example:{port}/a")
    web.script("/a", status(302, location="http://site.example/secret"))
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    with pytest.raises(InvalidInput, match=r"site\.example.*10\.0\.0\.1"):
        await body(Fetcher(policy, resolve=names), f"http://first.example:{port}/a")
    assert web.asked == ["/a", "/a"]


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "//127.0.0.1/",
        "http://user:pw@example.org/",
        "http://2852039166/",
    ],
)
async def test_a_redirect_to_a_forbidden_place_is_refused(web: FileServer, fetcher: Fetcher, location: str) -> None:
    """The guard sees every hop, not only the first address."""
    with pytest.raises(InvalidInput):
        await body(fetcher, web.script("/a", status(301, location=location)))


async def test_redirects_are_followed_and_end(web: FileServer, fetcher: Fetcher) -> None:
    """Relative ones too; a circle ends at the limit."""
    web.put("/b/d", PAGE)
    web.script("/b/c", status(307, location="d"))
    assert await body(fetcher, web.script("/a", status(302, location="/b/c"))) == PAGE
    with pytest.raises(UpstreamFailed, match="HTTP 302, a redirect; 5 are followed"):
        await body(fetcher, web.script("/circle", status(302, location="/circle")))
    assert web.asked.count("/circle") == 6


async def test_a_body_over_the_limit_is_not_read_on(web: FileServer, fetcher: Fetcher) -> None:
    """Neither one that says its length, nor an endless one, nor one that grows when it is unpacked."""

    def endless(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.end_headers()
        while True:
            exchange.wfile.write(b"x" * 10_000)

    packed = gzip.compress(b"\0" * 5_000_000)
    urls = (
        web.put("/large", b"x" * 100_001),
        web.script("/endless", endless),
        web.put("/bomb", packed, content_encoding="gzip"),
    )
    for url in urls:
        with pytest.raises(InvalidInput, match="larger than the limit of 100,000 bytes"):
            await body(fetcher, url)


async def test_other_compression_is_refused(web: FileServer, fetcher: Fetcher) -> None:
    """What was not asked for is not unpacked; gzip is, as some servers cannot do without."""
    with pytest.raises(UpstreamFailed, match="compressed"):
        await body(fetcher, web.put("/br", b"x", content_encoding="br"))
    assert await body(fetcher, web.put("/gz", gzip.compress(PAGE), content_encoding="gzip")) == PAGE


async def test_time_is_limited_in_all(web: FileServer, fetcher: Fetcher) -> None:
    """A server that sends a byte now and then, of its head or its body, is left when time is over."""

    def slow_body(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.end_headers()
        for _ in range(50):
            exchange.wfile.write(b"x")
            time.sleep(0.1)

    def slow_head(exchange: Exchange) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 50:
            exchange.wfile.write(bytes([byte]))
            time.sleep(0.1)

    for url in (web.script("/body", slow_body), web.script("/head", slow_head)):
        started = time.monotonic()
        with pytest.raises(UpstreamTimeout, match=r"longer than 0\.6 seconds"):
            await body(fetcher, url, ONCE)
        assert time.monotonic() - started < 2.0


async def test_a_passing_failure_is_tried_again(web: FileServer, fetcher: Fetcher) -> None:
    """A broken connection and 429 get another attempt, the latter when the server says; a half body is taken back."""
    tries = (cut(PAGE, 10), status(429, retry_after="1"), lambda exchange: exchange.answer(PAGE))
    started = time.monotonic()
    assert await body(fetcher, web.script("/a", *tries)) == PAGE
    assert time.monotonic() - started >= 1.0
    assert len(web.asked) == 3


@pytest.mark.parametrize(
    ("answer", "complaint", "asked"),
    [
        (status(404), "answered HTTP 404 Not Found", 1),
        (status(403), "answered HTTP 403 Forbidden", 1),
        (status(503, retry_after="3600"), "come again in 3,600 seconds", 1),
        (status(500), "answered HTTP 500", 2),
        (status(206), "answered HTTP 206", 1),
        (cut(PAGE, 10), "RemoteProtocolError", 2),
    ],
)
async def test_what_fails_for_good_is_an_error(
    web: FileServer, fetcher: Fetcher, answer: object, complaint: str, asked: int
) -> None:
    """The host and the reason are named; only what may pass is asked for again."""
    limits = FetchLimits(file_bytes=100_000, seconds=5.0, attempts=2)
    with pytest.raises(UpstreamFailed, match=complaint):
        await body(fetcher, web.script("/a", answer), limits)  # type: ignore[arg-type]
    assert len(web.asked) == asked


async def test_the_next_address_is_tried(web: FileServer) -> None:
    """A name with one dead address and one that answers is read."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.2", 0))
        host, port = web.authority.split(":")
        web.put("/a", PAGE)
        fetcher = Fetcher(UrlPolicy(private_hosts=(f"two.example:{port}",)), resolve=Names(["127.0.0.2", host]))
        assert await body(fetcher, f"http://two.example:{port}/a") == PAGE


async def test_an_unknown_host_is_named() -> None:
    """Without looking it up again and again."""
    with pytest.raises(UpstreamFailed, match=r"'no-such-host\.invalid' was not found"):
        await body(Fetcher(UrlPolicy()), "https://no-such-host.invalid/")


# --- as files ---


@pytest.fixture
def get(web: FileServer, fetcher: Fetcher, tmp_path: Path) -> object:
    return lambda url: fetch_file(url, tmp_path / "fetched", fetcher, LIMITS)


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/", {"media_type": "text/html; charset=utf-8"}, ".html"),
        ("/laws/%E6%B0%91%E6%B3%95.md", {"media_type": "text/plain"}, "/laws/民法.md"),
        ("/a.php", {"media_type": "text/html"}, "/a.php.html"),
        ("/a.pdf", {"media_type": "text/html"}, "/a.pdf.html"),
        ("/a.htm", {"media_type": "text/html"}, "/a.htm"),
        ("/view?id=3", {"media_type": "application/pdf"}, "/view?id=3.pdf"),
        ("/view.pdf?id=3", {"media_type": "application/octet-stream"}, "/view.pdf?id=3.pdf"),
        ("/dl", {"content_disposition": "attachment; filename*=UTF-8''%E6%B0%91.docx"}, "/dl/民.docx"),
        ("/dl", {"content_disposition": 'attachment; filename="..\\\\..\\\\x/../a.docx"'}, "/dl/a.docx"),
        ("/feed", {"media_type": "application/akn+xml"}, "/feed.xml"),
        ("/note", {"media_type": "text/plain"}, "/note.txt"),
        ("/note", {}, "/note"),
        ("/a%00%E2%80%AEb.md", {}, "/ab.md"),
    ],
)
def test_the_name_says_where_from_and_how_to_read(
    web: FileServer, get: object, path: str, headers: dict[str, str], name: str
) -> None:
    """The content type gives the extension unless it says nothing; what a path or header hides is taken out."""
    found: WebFile = get(web.put(path, PAGE, **headers))  # type: ignore[operator]
    assert found.name == web.authority + name
    assert found.url == web.url(path)
    assert found.path.read_bytes() == PAGE


@pytest.mark.parametrize("media_type", ["video/mp4", "image/svg+xml", "application/javascript", "font/woff2"])
def test_a_type_that_is_not_read_is_refused_before_its_body(web: FileServer, get: object, media_type: str) -> None:
    """A film is no document; nothing of it is loaded."""

    def film(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("content-type", media_type)
        exchange.end_headers()
        while True:
            exchange.wfile.write(b"x" * 100_000)

    with pytest.raises(UnreadableFile, match=f"is of type {media_type.replace('+', '.')}, which is not read"):
        get(web.script("/film", film))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/html; charset=gb2312", "<html><body><p>依法纳税。</p></body></html>".encode("gb18030")),
        ("text/html; charset=big5", "<html><body><p>依法納稅。</p></body></html>".encode("big5")),
        ("text/html; charset=gbk", '<html><meta charset="utf-8"><p>依法纳税。</p></html>'.encode("gb18030")),
        ("text/html; charset=iso-8859-1", "<html><body><p>依法纳税。</p></body></html>".encode()),
        ("text/plain; charset=no-such", "依法纳税。".encode()),
        ("text/plain; charset=utf-8", "依法纳税。".encode("gb18030")),
        ("text/plain; charset=windows-1251", "依法纳税。 Закон".encode("windows-1251", "ignore")),
    ],
)
def test_the_server_knows_the_encoding(
    web: FileServer, get: object, parser: ParserProcess, media_type: str, content: bytes
) -> None:
    """A charset that fits is believed before the page's own; one that is only a default, or wrong, is not."""
    found: WebFile = get(web.put("/a", content, media_type))  # type: ignore[operator]
    text = load_file(found.path, name=found.name, parser=parser).text
    assert any(known in text for known in ("依法纳税。", "依法納稅。", "Закон")), text


def test_a_failure_names_the_address(get: object, web: FileServer) -> None:
    """As the file that could not be read, for the list of what was left out."""
    with pytest.raises(UnreadableFile, match="HTTP 404") as error:
        get(web.url("/missing"))  # type: ignore[operator]
    assert error.value.name == web.url("/missing")
