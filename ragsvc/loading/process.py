"""The child process that parses what hostile files could harm: started once, watched, replaced when it fails."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

import ragsvc
from ragsvc.errors import UnreadableFile
from ragsvc.loading.archives import Unpacked
from ragsvc.loading.limits import DEFAULT_LIMITS, LoadingLimits
from ragsvc.loading.wire import ParseReply, ParseRequest, frame, read_frame, write_all
from ragsvc.records import LoadedDocument

START_SECONDS = 60.0
_decode_reply = msgspec.msgpack.Decoder(ParseReply).decode
# The child gets these and no other variable: an API key in the environment is no business of a parser.
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
_SILENCE = {
    "SCARF_NO_ANALYTICS": "true",
    "DO_NOT_TRACK": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
}


class ParserProcess:
    """Parses files one at a time in a child; safe to use from several threads, which then wait for each other."""

    def __init__(self, limits: LoadingLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def parse(self, path: Path, *, name: str | None = None) -> LoadedDocument:
        """Return the document in the file.

        Raises:
            UnreadableFile: the file was refused or is damaged, or the child ran out of time or memory or died on it.
        """
        request = ParseRequest(os.fsencode(path), shown_name(path, name))
        reply = self._ask(request)
        if reply.document is None:
            raise UnreadableFile(request.name, reply.refusal)
        return reply.document

    def unpack(self, path: Path, into: Path, *, name: str | None = None) -> Unpacked:
        """Take an archive or message apart into the folder ``into``; another file comes back as its only member.

        Raises:
            UnreadableFile: as ``parse``.
        """
        request = ParseRequest(os.fsencode(path), shown_name(path, name), os.fsencode(into))
        reply = self._ask(request)
        if reply.unpacked is None:
            raise UnreadableFile(request.name, reply.refusal)
        return reply.unpacked

    def _ask(self, request: ParseRequest) -> ParseReply:
        payload = frame(msgspec.msgpack.encode(request))
        with self._lock:
            reply = self._exchange(payload, request.name)
            if reply.spent:
                self._replace()
        return reply

    def close(self) -> None:
        """End the child. Parsing again starts another."""
        with self._lock:
            self._replace()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _replace(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _exchange(self, payload: bytes, name: str) -> ParseReply:
        try:
            child = self._ready_child(payload)
            answer = self._answer(child)
        except TimeoutError:
            self._replace()
            raise UnreadableFile(name, f"was not parsed within {self.limits.seconds:g} seconds") from None
        except (OSError, EOFError, ValueError) as error:
            how = self._child.last_words() if self._child else str(error)
            self._replace()
            raise UnreadableFile(name, f"broke the parser process ({how})") from error
        except BaseException:  # Ctrl-C: a child in the middle of a file must not answer the next request
            self._replace()
            raise
        return _decode_reply(answer)

    def _answer(self, child: _Child) -> bytes:
        """Wait for the answer, anew with each sign that the child is alive, but not for ever."""
        end = time.monotonic() + self.limits.seconds + self.limits.recognition_seconds
        while not (answer := child.receive(min(self.limits.seconds, end - time.monotonic()))):
            continue
        return answer

    def _ready_child(self, payload: bytes) -> _Child:
        """Return a child that has the request. One that died while idle says nothing about this file."""
        if self._child is not None:
            try:
                self._child.send(payload)
                return self._child
            except OSError:
                self._replace()
        self._child = _Child(self.limits)
        self._child.send(payload)
        return self._child


class _Child:
    """One interpreter running ``ragsvc.loading.child``."""

    def __init__(self, limits: LoadingLimits) -> None:
        environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ} | _SILENCE
        environment["PYTHONPATH"] = str(Path(ragsvc.__file__).parents[1])
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill()
        # A session of its own: Ctrl-C in the terminal is for the parent to handle.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ragsvc.loading.child", msgspec.json.encode(limits).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        self._requests = self._process.stdin.fileno()
        self._replies = self._process.stdout.fileno()
        try:
            self.receive(START_SECONDS)
        except (OSError, EOFError) as error:  # TimeoutError is an OSError
            words = self.last_words()
            self.kill()
            raise EOFError(f"the parser process did not start: {words}") from error

    def send(self, data: bytes) -> None:
        write_all(self._requests, data)

    def receive(self, seconds: float) -> bytes:
        """Return the next answer.

        Raises:
            TimeoutError: none came in time.
            EOFError: the child ended.
        """
        deadline = time.monotonic() + seconds

        def read(size: int) -> bytes:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._replies], [], [], left)[0]:
                raise TimeoutError
            return os.read(self._replies, size)

        answer = read_frame(read)
        if answer is None:
            raise EOFError("the parser process ended")
        return answer

    def last_words(self) -> str:
        """How the child ended and the last line that it wrote to stderr, for the reason of a refusal."""
        try:
            code: int | None = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = None
        self._complaints.seek(max(0, self._complaints.seek(0, os.SEEK_END) - 2000))
        lines = self._complaints.read().decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        ended = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        return f"{ended}: {said[:200]}" if said else ended

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with the programs that it runs
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._complaints):
            assert pipe
            pipe.close()


def shown_name(path: Path, name: str | None) -> str:
    """Return ``name``, or the file's own without the bytes that are no UTF-8."""
    return (name or path.name).encode("utf-8", "replace").decode("utf-8")
