"""The parsing process: ``python -m ragsvc.loading.child LIMITS_AS_JSON``, requests on stdin, replies on stdout.

It parses files that may be hostile, so it confines itself first: memory, time per file, size of what it writes. It
needs no network. Every failure becomes a reply; what kills it outright is noticed by ``process.py``.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import msgspec

from ragsvc.errors import UnreadableFile
from ragsvc.loading.archives import unpack
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.formats import MEDIA_TYPES, Format, detect_format, misnamed, read_bytes
from ragsvc.loading.limits import MIB, LoadingLimits
from ragsvc.loading.text import load_text
from ragsvc.loading.wire import STILL_ALIVE, ParseReply, ParseRequest, frame, read_frame, write_all
from ragsvc.records import LoadedDocument

MAX_WRITTEN_BYTES = 256 * MIB
GRACE_SECONDS = 5.0
"""The parent kills a child that is late. This is for a child whose parent is gone."""


def main(arguments: list[str]) -> None:
    """Answer requests until stdin ends."""
    limits = msgspec.json.decode(arguments[0], type=LoadingLimits)
    requests, replies = _take_pipes()
    _confine(limits)

    def alive() -> None:
        """Begin the time for a file, anew where a part of it took long."""
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + GRACE_SECONDS)
        write_all(replies, STILL_ALIVE)

    write_all(replies, frame(b"ready"))
    while (payload := read_frame(lambda size: os.read(requests, size))) is not None:
        request = msgspec.msgpack.decode(payload, type=ParseRequest)
        alive()
        answer = _answer(request, limits, alive)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_all(replies, answer)


def _take_pipes() -> tuple[int, int]:
    """Move the pipes away from where a library that prints would write into them."""
    requests, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return requests, replies


def _confine(limits: LoadingLimits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN_BYTES, MAX_WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _answer(request: ParseRequest, limits: LoadingLimits, alive: Alive) -> bytes:
    path, name = Path(os.fsdecode(request.path)), request.name
    try:
        if request.into:
            content = read_bytes(path, name, limits)
            return _encoded(ParseReply(unpacked=unpack(content, name, Path(os.fsdecode(request.into)), limits)))
        return _encoded(ParseReply(document=parse(path, name, limits, alive)))
    except UnreadableFile as error:
        return _encoded(ParseReply(refusal=error.reason))
    except MemoryError:
        mebibytes = limits.memory_bytes // MIB
        refusal = f"needs more than the {mebibytes:,} MiB of memory that parsing may take"
        return _encoded(ParseReply(refusal=refusal, spent=True))
    except Exception as error:  # noqa: BLE001 - five libraries, each may raise anything on a damaged file
        return _encoded(ParseReply(refusal=f"cannot be parsed: {type(error).__name__}: {str(error)[:200]}"))


def _encoded(reply: ParseReply) -> bytes:
    return frame(msgspec.msgpack.encode(reply))


Alive = Callable[[], object]
"""What a reader calls after each part that took long."""


def parse(path: Path, name: str, limits: LoadingLimits, alive: Alive = bool) -> LoadedDocument:
    """Return the document in the file, whatever its format.

    Raises:
        UnreadableFile: the file is refused; any other exception means that it is damaged.
    """
    content = read_bytes(path, name, limits)
    file_format = detect_format(name, content)
    warning = misnamed(name, file_format)
    if file_format in ("text", "markdown"):
        return load_text(content, name, file_format)
    if file_format == "archive":
        raise UnreadableFile(name, "is an archive: unpack it, or hand it in where archives are taken apart")
    found = _reader(file_format, alive)(content, name, limits)
    if not found.text:
        raise UnreadableFile(name, "holds no text")
    return LoadedDocument(
        name=name,
        text=found.text,
        media_type=MEDIA_TYPES[file_format],
        source_sha256=hashlib.sha256(content).hexdigest(),
        blocks=tuple(found.blocks),
        title=found.title,
        facts=tuple(found.facts),
        language=found.language,
        warnings=tuple([warning] if warning else []) + tuple(found.warnings),
    )


Reader = Callable[..., TextAssembly]
"""(content, name, limits) -> the text; those of ``_SLOW`` formats take ``alive`` too."""
_READERS: dict[Format, tuple[str, str]] = {
    "html": ("html", "read_html"),
    "docx": ("word", "read_docx"),
    "pdf": ("pdf", "read_pdf"),
    "xlsx": ("spreadsheets", "read_xlsx"),
    "csv": ("spreadsheets", "read_csv"),
    "pptx": ("slides", "read_pptx"),
    "epub": ("pandoc", "read_epub"),
    "odt": ("pandoc", "read_odt"),
    "rtf": ("pandoc", "read_rtf"),
    "mail": ("mail", "read_eml"),
    "outlook": ("mail", "read_msg"),
    "office": ("office", "read_office"),
    "xml": ("xml_documents", "read_xml"),
    "json": ("json_text", "read_json"),
    "picture": ("pictures", "read_picture"),
}
_SLOW: tuple[Format, ...] = ("pdf", "picture")
"""Formats whose readers say that they are alive."""


def _reader(file_format: Format, alive: Alive) -> Reader:
    module, function = _READERS[file_format]
    # Imported when first needed: unstructured alone takes seconds.
    reader: Reader = getattr(import_module(f"ragsvc.loading.{module}"), function)
    return partial(reader, alive=alive) if file_format in _SLOW else reader


if __name__ == "__main__":
    main(sys.argv[1:])
