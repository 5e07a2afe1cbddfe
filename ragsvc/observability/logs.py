"""Log lines on stderr: one JSON object each, or plain text for a person at a terminal.

Lines carry names, numbers and ids. The text of questions, answers and documents, query strings and keys are
never put into them; of an unexpected exception the type and the frames are logged, because its message may
quote what was asked.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

ACCESS = logging.getLogger("ragsvc.access")
FAILURES = logging.getLogger("ragsvc.failures")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """One line, one JSON object: time, level, logger, message, and whatever was passed as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = describe_exception(record.exc_info[1])
        return json.dumps(fields, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """``12:30:01 INFO ragsvc.access: GET /v1/search status=200 ms=4.1``."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{time} {record.levelname} {record.name}: {record.getMessage()}{extra}"
        if record.exc_info and record.exc_info[1]:
            line += "\n" + describe_exception(record.exc_info[1])
        return line.replace("\r", "\\r")


def configure(level: str, *, as_json: bool, stream: TextIO | None = None) -> None:
    """Send this process's log lines to ``stream`` (default: stderr), once, at ``level`` and above."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These log whole URLs with their query strings, or bodies; faiss tells at length which of its builds it loads.
    for name in ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "uvicorn.access", "faiss.loader"):
        logging.getLogger(name).setLevel(logging.WARNING)


def describe_exception(error: BaseException) -> str:
    """Return type and frames of ``error`` and of what caused it, without any message."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        lines += [f"{type(seen).__module__}.{type(seen).__qualname__}"]
        lines += [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(seen.__traceback__)]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(lines)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
