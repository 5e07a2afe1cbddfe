r"""Plain text and Markdown, read in this process: what is stored is the file's own text, code point for code point.

Only the encoding and the line ends are changed (all become ``\n``; a byte order mark goes).
"""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Iterator

from ragsvc.errors import UnreadableFile
from ragsvc.loading.formats import MEDIA_TYPES, Format
from ragsvc.records import Block, BlockKind, LoadedDocument

# UTF-32 before UTF-16: the mark of the one begins with the mark of the other.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LOOKED_AT = 10_000
_IN_COMMON_BLOCKS = re.compile(r"[\t\n\r\x20-\u024f\u2010-\u2033\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_LIST = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_COMMENT = re.compile(r" {0,3}<!--.*-->[ \t]*$")


def load_text(content: bytes, name: str, file_format: Format) -> LoadedDocument:
    """Return a text or Markdown file as a document; plain text has no blocks.

    Raises:
        UnreadableFile: binary, undecodable, or nothing but white space.
    """
    text, warnings = decode(content, name)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UnreadableFile(name, "holds no text, only white space")
    lost = text.count("\ufffd")
    if lost:
        warnings += (f"{lost} characters were already lost when the file was made (U+FFFD)",)
    return LoadedDocument(
        name=name,
        text=text,
        media_type=MEDIA_TYPES[file_format],
        source_sha256=hashlib.sha256(content).hexdigest(),
        blocks=tuple(markdown_blocks(text)) if file_format == "markdown" else (),
        warnings=warnings,
    )


def decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and a warning when the encoding had to be inferred.

    The order is fixed: byte order mark, UTF-8, GB18030, Windows-1252. The last two accept almost any bytes, so
    their result is taken only if it reads as text of that origin: common Chinese characters, or Latin text with a
    few accents and typographic quotes.

    Raises:
        UnreadableFile: binary, or in none of these encodings.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                text = content[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableFile(name, f"is marked as {encoding} but byte {error.start:,} is not") from error
            return _refuse_binary(text, name), ()
    if b"\x00" in content:
        for encoding in ("utf-16-le", "utf-16-be"):
            text = content.decode(encoding, "replace")
            if len(content) % 2 == 0 and _reads_as_utf16(text):
                return _refuse_binary(text, name), (f"has no byte order mark; was read as {encoding}",)
        raise UnreadableFile(name, "is binary (it holds NUL bytes), or UTF-16 without a byte order mark")
    try:
        return _refuse_binary(content.decode("utf-8"), name), ()
    except UnicodeDecodeError as error:
        bad = error.start
    for encoding, is_plausible in (("gb18030", _reads_as_chinese), ("cp1252", _reads_as_latin)):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if is_plausible(text):
            return _refuse_binary(text, name), (f"is not UTF-8; was read as {encoding}",)
    raise UnreadableFile(
        name, f"is not UTF-8 (byte {bad:,}), and reads neither as GB18030 nor as Windows-1252: save it as UTF-8"
    )


def _refuse_binary(text: str, name: str) -> str:
    controls = len(_CONTROL.findall(text))
    if "\x00" in text or controls > 1 + len(text) // 1000:
        raise UnreadableFile(name, f"is binary: {controls:,} of {len(text):,} characters are control codes")
    return text


def _reads_as_utf16(text: str) -> bool:
    """Whether nearly all characters are of blocks in common use; in the other byte order they fall all over.

    Binary data can fall into a common block, but sooner or later on a place where no character is.
    """
    if "\x00" in text or any(unicodedata.category(character) == "Cn" for character in text[:_LOOKED_AT]):
        return False
    return len(_IN_COMMON_BLOCKS.findall(text)) >= 0.97 * len(text)


def _reads_as_chinese(text: str) -> bool:
    foreign = [char for char in text if char > "\x7f"]
    common = "".join(foreign).encode("gb2312", "ignore")
    # GB2312, two bytes a character, holds the 6,763 characters in common use; text from elsewhere misses it widely.
    return len(common) // 2 >= 0.9 * len(foreign)


def _reads_as_latin(text: str) -> bool:
    return sum(char > "\x7f" for char in text) <= 0.3 * len(text)


def markdown_blocks(text: str) -> Iterator[Block]:
    """Yield headings (without their marks), tables, list items and paragraphs, in order.

    Not a full CommonMark reader: inline marks stay in the text, since what is cited must be what the file says.
    HTML comments on a line of their own are no block.
    """
    start, end, kind = 0, 0, None  # the open block of several lines
    fence = ""
    position = 0
    for line in text.split("\n"):
        line_start, position = position, position + len(line) + 1
        is_fence = _FENCE.match(line)
        if fence:
            end = line_start + len(line)
            if is_fence and is_fence[1].startswith(fence):
                fence = ""
            continue
        heading = _HEADING.match(line)
        line_kind = _line_kind(line)
        continues = line_kind == kind or (line_kind == "paragraph" and kind == "list")
        if kind and (heading or line_kind == "list" or not continues):
            yield Block(kind=kind, start=start, end=end)
            kind = None
        if heading and heading[2]:
            at = line_start + heading.start(2)
            yield Block(kind="heading", start=at, end=at + len(heading[2]), level=len(heading[1]))
        elif line_kind and not heading:
            if kind is None:
                kind, start = line_kind, line_start + len(line) - len(line.lstrip())
            end = line_start + len(line.rstrip())
            fence = is_fence[1] if is_fence else ""
    if kind:
        yield Block(kind=kind, start=start, end=end)


def _line_kind(line: str) -> BlockKind | None:
    if not line.strip() or _COMMENT.match(line):
        return None
    if line.lstrip().startswith("|"):
        return "table"
    return "list" if _LIST.match(line) else "paragraph"
