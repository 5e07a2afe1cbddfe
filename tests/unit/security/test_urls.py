"""The guard of addresses that somebody else chose."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.errors import InvalidInput
from ragsvc.security.urls import UrlPolicy, check_addresses, check_url, is_public, is_url

ANY = UrlPolicy()


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTP://Example.ORG:80/a?b=c#d", "http://example.org/a?b=c"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://例え.jp/法律.md?词=一", "https://xn--r8jz45g.jp/%E6%B3%95%E5%BE%8B.md?%E8%AF%8D=%E4%B8%80"),
        ("https://example.org/a%20b", "https://example.org/a%20b"),
        ("http://93.184.216.34/", "http://93.184.216.34/"),
        ("http://[2606:4700:0:0::1]/", "http://[2606:4700::1]/"),
        ("http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"),
    ],
)
def test_an_address_is_written_in_one_way(url: str, written: str) -> None:
    """Case, default ports, trailing dots and fragments make no difference; digits in disguise come to light."""
    assert check_url(url, ANY).url == written


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("file:///etc/passwd", "begins with 'file'"),
        ("gopher://example.org/1", "begins with 'gopher'"),
        ("data:text/html,<p>", "begins with 'data'"),
        ("javascript:alert(1)", "begins with 'javascript'"),
        ("ftp://example.org/a", "begins with 'ftp'"),
        ("//example.org/a", "begins with 'no scheme'"),
        ("http://127.1/", "number as host"),
        ("http://2130706433/", "number as host"),
        ("http://0x7f000001/", "number as host"),
        ("http://0x7f.0.0.1/", "number as host"),
        ("http://0177.0.0.1/", "number as host"),
        ("http://127.0.0.1.1/", "number as host"),
        ("http://1.1.1.999/", "number as host"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://[::1", "cannot be read"),
        ("http://[v1.x]/", "IPv6|cannot be read"),
        ("http://ex%61mple.org/", "percent-encoding in its host"),
        ("http://user@example.org/", "user name or password"),
        ("http://example.org:secret@127.0.0.1/", "user name or password"),
        ("http://example.org\\@127.0.0.1/", r"U\+005C"),
        ("http://example.org/a b", r"U\+0020"),
        ("http://example.org/a\r\nHost: x", r"U\+000D"),
        ("http://example.org/\ud800", r"U\+D800"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:99999/", "cannot be read"),
        ("http:///etc/passwd", "no domain name"),
        ("http://a..b/", "no domain name"),
        ("http://xn--\u200d.example/", "no domain name"),
        ("http://example.org/" + "a" * 2_000, "the limit is 2,000"),
    ],
)
def test_what_is_no_plain_address_is_refused(url: str, complaint: str) -> None:
    """Schemes that are no web, hidden numbers, credentials, zones, other ports; a password is not repeated."""
    with pytest.raises(InvalidInput, match=complaint) as error:
        check_url(url, ANY)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:db8::1",
        "2001:0:a::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_inside_is_refused(address: str) -> None:
    """Also when it is one of several that a name has, and when IPv4 hides in IPv6."""
    target = check_url("https://example.org/", ANY)
    with pytest.raises(InvalidInput, match=r"not of the public network.*private_hosts"):
        check_addresses(target, ["93.184.216.34", address], ANY)


def test_public_addresses_are_returned_in_order() -> None:
    """Each once, and nothing else can be connected to."""
    target = check_url("https://example.org/", ANY)
    found = check_addresses(target, ["2606:4700::1", "93.184.216.34", "2606:4700::1", "64:ff9b::808:808"], ANY)
    assert found == ["2606:4700::1", "93.184.216.34", "64:ff9b::808:808"]
    with pytest.raises(InvalidInput, match="has no address"):
        check_addresses(target, [], ANY)


def test_the_operator_vouches_for_hosts_of_his_own() -> None:
    """A listed host may be inside; only a listed port beside those of the web; other hosts stay refused."""
    policy = UrlPolicy(private_hosts=("Wiki.intra", "127.0.0.1:9000", "[fd00::1]:9000"))
    assert check_addresses(check_url("http://wiki.intra/", policy), ["10.0.0.7"], policy) == ["10.0.0.7"]
    assert check_addresses(check_url("http://127.0.0.1:9000/", policy), ["127.0.0.1"], policy) == ["127.0.0.1"]
    assert check_addresses(check_url("http://[fd00::1]:9000/", policy), ["fd00::1"], policy) == ["fd00::1"]
    for url, complaint in (("http://wiki.intra:9000/", "port 9000"), ("http://127.0.0.1:9001/", "port 9001")):
        with pytest.raises(InvalidInput, match=complaint):
            check_url(url, policy)
    for url, address in (("http://127.0.0.1/", "127.0.0.1"), ("http://evil.intra/", "10.0.0.7")):
        with pytest.raises(InvalidInput, match="public network"):
            check_addresses(check_url(url, policy), [address], policy)


def test_a_list_of_hosts_is_the_only_way() -> None:
    """Neither a subdomain nor a longer name passes for a listed host."""
    policy = UrlPolicy(schemes=("https",), hosts=("pictures.example",))
    assert check_url("https://pictures.example/a", policy).host == "pictures.example"
    for url in ("https://a.pictures.example/", "https://pictures.example.evil.org/", "http://pictures.example/"):
        with pytest.raises(InvalidInput):
            check_url(url, policy)


@given(st.ip_addresses(v=4))
def test_no_disguise_of_a_private_address_passes(address: ipaddress.IPv4Address) -> None:
    """However IPv4 is wrapped into IPv6, it is judged as what it is, or refused."""
    mapped = ipaddress.ip_address(f"::ffff:{address}")
    translated = ipaddress.ip_address(int(ipaddress.ip_address("64:ff9b::")) | int(address))
    six_to_four = ipaddress.ip_address(int(ipaddress.ip_address("2002::")) | int(address) << 80)
    assert is_public(mapped) == is_public(translated) == is_public(address)
    assert not is_public(six_to_four)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    """No text crashes the guard, and what passes is a plain address that passes again, as the same."""
    for url in (text, f"http://{text}"):
        try:
            target = check_url(url, ANY)
        except InvalidInput:
            continue
        assert target.url.isascii()
        assert check_url(target.url, ANY) == target


def test_a_path_is_no_address() -> None:
    """What ingest takes for a file and what for an address."""
    assert [is_url(text) for text in ("https://a.org", "FILE:///etc", "gopher://x")] == [True, True, True]
    assert [is_url(text) for text in ("laws/a.md", "C:\\laws", "/x", "http:", "data:,x")] == [False] * 5
