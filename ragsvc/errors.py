"""Every error that ragsvc raises on purpose.

    RagsvcError
    ├── InvalidInput        400  the request or file cannot be used as it is
    │   ├── UnreadableFile       a file was refused or could not be parsed: quarantined, the rest goes on
    │   └── SettingsError        a setting is missing or wrong; start-up only
    ├── NotFound            404  no such collection, document, version, article, job, model
    ├── Conflict            409  the state forbids it
    │   ├── WriterBusy           another process holds the writer lock of this home
    │   └── IndexMismatch        the index was built by another embedder than the one configured
    ├── IndexDamaged        500  a stored file is not what its manifest says: named, never served
    ├── Overloaded          429  try again later
    │   └── LimitReached         a key, ticket, origin or address has used what it may
    └── UpstreamFailed      502  a chat or embedding service failed
        └── UpstreamTimeout 504  ... or did not answer in time

A message says what was asked, what was found and what to do. The numbers are the HTTP status that
``api/errors.py`` gives; the CLI prints the message and exits with 1 (2 for ``InvalidInput``).
"""

from __future__ import annotations


class RagsvcError(Exception):
    """Base of all errors that are ours to explain."""


class InvalidInput(RagsvcError):
    """The request or file cannot be used as it is."""


class UnreadableFile(InvalidInput):
    """A file was refused or could not be parsed; ``reason`` is fit to show to a librarian."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class SettingsError(InvalidInput):
    """A setting is missing or wrong."""


class NotFound(RagsvcError):
    """What was named does not exist (or is not visible to the caller)."""


class Conflict(RagsvcError):
    """The current state forbids what was asked."""


class WriterBusy(Conflict):
    """Another process holds the writer lock of this home."""


class IndexMismatch(Conflict):
    """The index was built by another embedder than the one configured."""


class IndexDamaged(RagsvcError):
    """A stored file is not what its manifest says; ``path`` names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Overloaded(RagsvcError):
    """Too much is going on; ``retry_after_s`` says when to try again."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LimitReached(Overloaded):
    """A key, ticket, origin or address has used what it may of a minute or a day."""


class UpstreamFailed(RagsvcError):
    """A chat or embedding service failed; the message never holds a credential."""

    passages: tuple[object, ...] = ()
    """The ``records.Passage``s that had been found for the answer that did not come."""
    notices: tuple[object, ...] = ()
    """The ``records.Notice``s that its question raised."""


class UpstreamTimeout(UpstreamFailed):
    """A chat or embedding service did not answer in time."""
