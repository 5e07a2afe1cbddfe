"""Log lines: one per event, readable by machines or people, without what people asked."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from ragsvc.observability.logs import configure


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger; the root logger is put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("ragsvc.test")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json_lines_carry_the_extra_fields(log: logging.Logger) -> None:
    """A line is one JSON object, even when the message has line breaks."""
    stream = io.StringIO()
    configure("INFO", as_json=True, stream=stream)
    log.info("in\ntwo lines", extra={"status": 200, "ms": 4.5})
    log.debug("not shown")
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found["message"] == "in\ntwo lines"
    assert (found["level"], found["logger"], found["status"], found["ms"]) == ("INFO", "ragsvc.test", 200, 4.5)


def test_plain_lines_for_people(log: logging.Logger) -> None:
    """Time, level, logger, message, fields."""
    stream = io.StringIO()
    configure("INFO", as_json=False, stream=stream)
    log.warning("slow", extra={"ms": 900})
    assert stream.getvalue().rstrip()[9:] == "WARNING ragsvc.test: slow ms=900"


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exception_is_told_without_its_message(log: logging.Logger, as_json: bool) -> None:
    """The message may quote the question; type, cause and place are enough to find the fault."""
    stream = io.StringIO()
    configure("INFO", as_json=as_json, stream=stream)
    try:
        try:
            raise KeyError("我的离婚官司")
        except KeyError as error:
            raise ValueError("cannot parse 我的离婚官司") from error
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert "离婚" not in text
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "test_logs.py" in text


def test_other_libraries_log_no_addresses(log: logging.Logger) -> None:
    """An HTTP client's line at INFO would show the whole URL."""
    stream = io.StringIO()
    configure("INFO", as_json=True, stream=stream)
    logging.getLogger("httpx").info("HTTP Request: POST http://model/v1?key=secret")
    assert stream.getvalue() == ""
