"""What every verb needs: the service of the chosen home, and one way to print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragsvc.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ragsvc.settings import Settings
    from ragsvc.wiring import Service

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; all else goes to stderr.")]
Collections = Annotated[list[str] | None, typer.Option("--collection", "-c", help="Collection; may be repeated [all].")]
AsOf = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The law of that day [today].")]


class Context:
    """Opens the home when a verb needs it."""

    def __init__(self, home: Path | None) -> None:
        self.home = home

    def settings(self, **overrides: object) -> Settings:
        """Read the settings with this command's options on top."""
        from ragsvc.settings import read_settings

        return read_settings(**{"home": self.home, **overrides})

    def service(self, *, may_be_new: bool = False, **overrides: object) -> Service:
        """Open the service.

        Raises:
            NotFound: the home is empty, and the verb needs something in it.
        """
        settings = self.settings(**overrides)
        if not may_be_new and not (settings.home / "catalogue.sqlite").exists():
            raise NotFound(
                f"nothing in {settings.home.resolve()}: 'ragsvc ingest PATH --collection NAME' fills it; "
                "another folder is chosen by --home or RAGSVC_HOME"
            )
        from ragsvc.wiring import open_service

        return open_service(settings)

    @contextmanager
    def unwritten_service(self) -> Iterator[Service]:
        """Open the service to look only: where there is no home yet, an empty one stands in for it."""
        from ragsvc.wiring import open_service

        settings = self.settings()
        with TemporaryDirectory(prefix="ragsvc-empty-") as empty:
            if not (settings.home / "catalogue.sqlite").exists():
                settings = self.settings(home=Path(empty))
            service = open_service(settings)
            try:
                yield service
            finally:
                service.close()


def parse_day(text: str | None, option: str) -> date | None:
    """Read YYYY-MM-DD.

    Raises:
        InvalidInput: it is no such date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(f"{option} {text!r} is not a date like 2021-01-01") from None


def read_text(file: str) -> str:
    """Return the text of ``file``, or of stdin for -; what is not UTF-8 would be read as something else.

    Raises:
        InvalidInput: there is no such file, or it is not UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}; name a text file, or - for stdin") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: not UTF-8 at byte {error.start}; convert it first") from None


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    import msgspec

    encoded = msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2)
    sys.stdout.write(encoded.decode("utf-8", "replace") + "\n")


def _plain(value: Any) -> Any:
    """Return the Python number that a number of numpy's stands for, which JSON does not know."""
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print rows as a table that fits the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)


def say(text: str) -> None:
    """Print a line for people on stderr."""
    print(text, file=sys.stderr)
