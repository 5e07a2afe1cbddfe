"""Old Office files (.doc, .xls, .ppt) and OpenDocument's tables and slides, converted by LibreOffice where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ragsvc.errors import UnreadableFile
from ragsvc.loading.assembly import TextAssembly
from ragsvc.loading.limits import LoadingLimits
from ragsvc.loading.slides import read_pptx
from ragsvc.loading.spreadsheets import read_xlsx
from ragsvc.loading.word import read_docx

_READERS = {"docx": read_docx, "xlsx": read_xlsx, "pptx": read_pptx}
_STREAMS = (("WordDocument", "docx"), ("Workbook", "xlsx"), ("Book", "xlsx"), ("PowerPoint Document", "pptx"))
_PARTS = ((b"opendocument.spreadsheet", "xlsx"), (b"opendocument.presentation", "pptx"), (b"xl/workbook.bin", "xlsx"))

_SETTINGS = (
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    # Whatever is fetched all the same goes to a proxy that nobody is.
    ("Inet/Settings", "ooInetProxyType", "2"),
    ("Inet/Settings", "ooInetNoProxy", ""),
    *(("Inet/Settings", f"ooInet{kind}ProxyName", "127.0.0.1") for kind in ("HTTP", "HTTPS", "FTP")),
    *(("Inet/Settings", f"ooInet{kind}ProxyPort", "1") for kind in ("HTTP", "HTTPS", "FTP")),
)
_OFFLINE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    + "".join(
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>"
        for path, name, value in _SETTINGS
    )
    + "</oor:items>"
)
"""A profile in which pictures, styles and documents at addresses are not fetched: LibreOffice does so otherwise."""


def read_office(content: bytes, name: str, limits: LoadingLimits) -> TextAssembly:
    """Return the text of an old Office file, through its modern form.

    Raises:
        UnreadableFile: no LibreOffice, a password, no such document, or LibreOffice cannot read it.
    """
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableFile(name, "is protected by a password: save it without one")
    target = _target(content)
    if target is None:
        raise UnreadableFile(name, "is an OLE container that holds no Word, Excel or PowerPoint document")
    program = shutil.which("soffice")
    if program is None:
        raise UnreadableFile(
            name, f"needs LibreOffice to be read (Debian: libreoffice-writer-nogui), or save it as .{target}"
        )
    with tempfile.TemporaryDirectory(prefix="ragsvc-office-") as folder:
        source = Path(folder, "document")  # a name of ours: it is an argument of a program
        source.write_bytes(content)
        settings = Path(folder, "profile", "user", "registrymodifications.xcu")
        settings.parent.mkdir(parents=True)
        settings.write_text(_OFFLINE, "utf-8")
        command = [program, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile"]
        command += ["--convert-to", target, "--outdir", folder, str(source)]
        environment = os.environ | {"HOME": folder}
        try:
            done = subprocess.run(command, capture_output=True, timeout=limits.seconds, check=False, env=environment)
        except subprocess.TimeoutExpired as error:
            raise UnreadableFile(name, f"was not converted within {limits.seconds:g} seconds") from error
        converted = source.with_suffix(f".{target}")
        if not converted.is_file():
            complaint = done.stderr.decode("utf-8", "replace").strip()[:200]
            raise UnreadableFile(name, f"LibreOffice could not convert it: {complaint or done.returncode}")
        return _READERS[target](converted.read_bytes(), name, limits)


def _target(content: bytes) -> str | None:
    for stream, target in _STREAMS:
        if f"{stream}\x00".encode("utf-16-le") in content:
            return target
    return next((target for part, target in _PARTS if part in content), None)
