"""Damage: bits, slices and tokens that mean something to a parser, also inside the members of a zip."""

from __future__ import annotations

import io
import zipfile
from random import Random

TOKENS = (
    b"<", b">", b"&", b"&#0;", b"&#xD800;", b"]]>", b"<![CDATA[", b"<!--", b"<!DOCTYPE a [", b'<!ENTITY x "y">',
    b"&x;", b"</w:p>", b"<w:tbl>", b"<table>", b"<tr>", b"</td>", b"\x00", b"\xff", b"\xed\xa0\x80",
    b"\xef\xbf\xbe", b"\xf4\x90", b"-1", b"0", b"99999999999999999999", b"1e999", b"NaN", b"endobj", b"stream",
    b"<<", b">>", b"[", b"]", b"R", b"\r", b"\n\n", b"{", b"}", b'"', b"\\u0", b"\\par", b"--", b"PK\x03\x04",
    b"=", b";", "第一条 ".encode(), "【".encode(),
)  # fmt: skip
MAX_CHANGES = 6
MAX_SLICE = 400


def mutated(content: bytes, seed: int) -> bytes:
    """Return the content with up to six changes; of a zip, every other time, changes inside one member."""
    random = Random(seed)
    if content.startswith(b"PK") and random.random() < 0.7:
        return _with_a_mutated_member(content, random)
    return _changed(content, random)


def _changed(content: bytes, random: Random) -> bytes:
    data = bytearray(content)
    for _ in range(random.randint(1, MAX_CHANGES)):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.randint(1, MAX_SLICE))
        change = random.randrange(6)
        if change == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif change == 1 and at < len(data):
            data[at] = random.randrange(256)
        elif change == 2:
            del data[at:end]
        elif change == 3:
            data[at:at] = data[at:end] * random.randint(1, 5)
        elif change == 4:
            data[at:at] = random.choice(TOKENS) * random.choice((1, 1, 1, 50))
        else:
            other = random.randrange(len(data) + 1)
            data[at:end] = data[other : other + end - at]
    return bytes(data)


def _with_a_mutated_member(content: bytes, random: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen = random.choice([name for name in members if members[name]])
    members[chosen] = _changed(members[chosen], random)
    if random.random() < 0.1:
        members.pop(random.choice(list(members)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, inner in members.items():
            archive.writestr(name, inner)
    return buffer.getvalue()
