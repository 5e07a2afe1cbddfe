"""Which addresses of documents and pictures may be fetched: the one guard for every URL that somebody else chose.

A URL is judged twice, on values alone: as it is written (``check_url``) and by the network addresses that its host
has at this moment (``check_addresses``). Whoever fetches connects to an address that was returned here, never to the
name once more, so that a name which changes its address in between gains nothing. Each redirect is a new URL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import idna
from msgspec import Struct

from ragsvc.errors import InvalidInput

MAX_URL_CHARS = 2_000
DEFAULT_PORTS = {"http": 80, "https": 443}
PORTS = frozenset({80, 443, 8080, 8443})
"""Where the web is served; on other ports of a foreign machine there are mail servers, databases and worse."""

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_LOOKS_LIKE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 as networks with IPv6 alone see it (RFC 6052)."""
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
"""6to4 and Teredo: an IPv4 address is hidden in them, and no web server needs either."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class UrlPolicy(Struct, frozen=True, kw_only=True):
    """What may be fetched."""

    schemes: tuple[str, ...] = ("http", "https")
    hosts: tuple[str, ...] | None = None
    """The only hosts; None = any that the public network has."""
    private_hosts: tuple[str, ...] = ()
    """``host`` or ``host:port`` that the operator vouches for: may have a private address, and any port named here."""


class Target(Struct, frozen=True, kw_only=True):
    """A URL that may be asked for, once its addresses were checked."""

    scheme: str
    host: str
    """Lower-case ASCII name (IDNA 2008), or an IP address without brackets."""
    port: int
    path: str
    """With the query, percent-encoded; begins with a slash."""

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address written in one way."""
        return f"{self.scheme}://{self.authority}{self.path}"


def is_url(text: str) -> bool:
    """Whether ``text`` is meant as an address and not as the path of a file."""
    return _LOOKS_LIKE_URL.match(text) is not None


def check_url(url: str, policy: UrlPolicy) -> Target:
    """Return where a URL leads, if that may be fetched as far as its text can tell.

    Raises:
        InvalidInput: no plain http(s) address: another scheme, a name and password in it, a host in a form that hides
            an IP address, a port where no web is served, or a host that is not on the list.
    """
    shown = _shown(url)
    if len(url) > MAX_URL_CHARS:
        raise InvalidInput(f"address {shown!r} has {len(url):,} characters; the limit is {MAX_URL_CHARS:,}")
    if found := _FORBIDDEN.search(url):
        raise InvalidInput(f"address {shown!r} holds U+{ord(found[0]):04X}, which none does: percent-encode it")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise InvalidInput(f"address {shown!r} cannot be read: {error}") from None
    if parts.scheme not in policy.schemes:
        allowed = " and ".join(f"{scheme}://" for scheme in policy.schemes)
        raise InvalidInput(f"address {shown!r} begins with {parts.scheme[:20] or 'no scheme'!r}; fetched are {allowed}")
    if "@" in parts.netloc:
        raise InvalidInput(f"address {shown!r} holds a user name or password: leave it out")
    host = _plain_host(host, shown, is_bracketed="[" in parts.netloc)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(
        scheme=parts.scheme, host=host, port=port or DEFAULT_PORTS[parts.scheme], path=_percent_encoded(path)
    )
    if policy.hosts is not None and host not in policy.hosts:
        allowed = ", ".join(policy.hosts) or "nowhere"
        raise InvalidInput(f"address {shown!r} is at {host!r}; this service fetches such from {allowed}")
    if target.port not in PORTS and not _is_vouched(target, policy, with_port=True):
        raise InvalidInput(
            f"address {shown!r} is on port {target.port}; fetched is from ports {', '.join(map(str, sorted(PORTS)))}, "
            f"or where setting 'private_hosts' has {f'{host}:{target.port}'!r}"
        )
    return target


def check_addresses(target: Target, addresses: Sequence[str], policy: UrlPolicy) -> list[str]:
    """Return the IP addresses of a target's host to connect to, in order.

    Raises:
        InvalidInput: the host has none, or one of them is not of the public network and the host is not listed.
    """
    if not addresses:
        raise InvalidInput(f"host {target.host!r} has no address")
    found = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    if not _is_vouched(target, policy):
        for address in found:
            if not is_public(address):
                raise InvalidInput(
                    f"host {target.host!r} has the address {address}, which is not of the public network: "
                    f"if documents may come from there, have the operator add {target.host!r} to 'private_hosts'"
                )
    return list(dict.fromkeys(map(str, found)))


def is_public(address: Address) -> bool:
    """Whether an address is of the public network: no loopback, private, link-local, shared or reserved one."""
    if isinstance(address, ipaddress.IPv6Address):
        if inner := address.ipv4_mapped:
            return is_public(inner)
        if address in _TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_UNICAST or any(address in tunnel for tunnel in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast


def _is_vouched(target: Target, policy: UrlPolicy, *, with_port: bool = False) -> bool:
    """Whether the operator's list has the host: with this port, or (unless the port matters) as a whole."""
    listed = {entry.strip().lower() for entry in policy.private_hosts}
    bracketed = f"[{target.host}]" if ":" in target.host else target.host
    return f"{bracketed}:{target.port}" in listed or (not with_port and bool({bracketed, target.host} & listed))


def _plain_host(host: str, shown: str, *, is_bracketed: bool) -> str:
    """Return the host in the one form that is compared and resolved."""
    if "%" in host:
        raise InvalidInput(f"address {shown!r} has a zone or percent-encoding in its host: write the plain name")
    if is_bracketed:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise InvalidInput(f"address {shown!r} has no valid IPv6 address as host") from None
    if not host.isascii():
        try:
            # UTS 46 first: full-width and circled digits, dots of other scripts become what they stand for.
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise InvalidInput(f"address {shown!r} has a host that is no domain name: {error}") from None
    host = host.removesuffix(".")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:  # 127.1, 2130706433, 0x7f.1, 0177.0.0.1: each program reads these in its own way
            raise InvalidInput(f"address {shown!r} has a number as host: write four decimal parts, or a name") from None
    if not _HOST.fullmatch(host) or ".." in host or len(host) > 253:
        raise InvalidInput(f"address {shown!r} has a host that is no domain name")
    return host


def _percent_encoded(path: str) -> str:
    return "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)


def _shown(url: str) -> str:
    """The address for a message, without what may be a password or token in it."""
    before, at, after = url.partition("?")[0].rpartition("@")
    scheme = before.partition("//")[0] + "//" if "//" in before else ""
    shown = f"{scheme}…@{after}" if at else after
    return shown if len(shown) <= 150 else f"{shown[:150]}…"
