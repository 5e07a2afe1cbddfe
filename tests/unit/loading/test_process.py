"""The parsing process: what goes wrong in it becomes a refusal, and the next file is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file
from ragsvc.loading.limits import MIB
from ragsvc.loading.wire import frame, read_frame

from .made_files import docx_bytes, paragraph


def child_of(parser: ParserProcess) -> psutil.Process:
    """The one child process of this test process that runs this parser."""
    assert parser._child
    return psutil.Process(parser._child._process.pid)


@pytest.fixture
def slow_docx(tmp_path: Path) -> Path:
    """A harmless document that takes seconds: 300,000 paragraphs."""
    path = tmp_path / "slow.docx"
    path.write_bytes(docx_bytes(paragraph("甲") * 300_000))
    return path


def test_one_child_serves_many_files_and_ends_with_close(statute_docx: Path) -> None:
    """The interpreter is started once; closing leaves no process behind."""
    parser = ParserProcess()
    first = load_file(statute_docx, parser=parser)
    child = child_of(parser)
    assert load_file(statute_docx, parser=parser) == first
    assert child_of(parser).pid == child.pid
    parser.close()
    assert not child.is_running()


def test_a_file_that_takes_too_long_is_refused_and_the_next_is_read(slow_docx: Path, statute_docx: Path) -> None:
    """The child is killed at the time limit and replaced."""
    with ParserProcess(LoadingLimits(seconds=2.0)) as parser:
        started = time.monotonic()
        with pytest.raises(UnreadableFile, match=r"slow.docx: was not parsed within 2 seconds"):
            load_file(slow_docx, parser=parser)
        assert time.monotonic() - started < 8
        assert load_file(statute_docx, parser=parser).name == "示范条例.docx"


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_is_read(tmp_path: Path, statute_docx: Path) -> None:
    """The child runs out of memory instead of the machine, says so, and is replaced."""
    path = tmp_path / "fat.docx"
    path.write_bytes(docx_bytes(paragraph("甲" * 500_000) * 60))
    with ParserProcess(LoadingLimits(memory_bytes=300 * MIB)) as parser:
        with pytest.raises(UnreadableFile, match="needs more than the 300 MiB of memory"):
            load_file(path, parser=parser)
        assert load_file(statute_docx, parser=parser).name == "示范条例.docx"


def test_a_child_that_dies_on_a_file_makes_it_unreadable(slow_docx: Path, statute_docx: Path) -> None:
    """A crash in a parser's C code costs one file."""
    with ParserProcess() as parser:
        load_file(statute_docx, parser=parser)
        killer = threading.Timer(0.3, child_of(parser).kill)
        killer.start()
        with pytest.raises(UnreadableFile, match=r"broke the parser process \(signal 9\)"):
            load_file(slow_docx, parser=parser)
        assert load_file(statute_docx, parser=parser).name == "示范条例.docx"


def test_a_child_that_died_while_idle_costs_nothing(statute_docx: Path) -> None:
    """The next file finds a new child and is not blamed."""
    with ParserProcess() as parser:
        load_file(statute_docx, parser=parser)
        child = child_of(parser)
        child.kill()
        child.wait(5)
        assert load_file(statute_docx, parser=parser).name == "示范条例.docx"


def test_a_child_that_cannot_start_is_a_refusal_with_its_last_words(
    statute_docx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken installation shows up as a reason, not as a hang."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with ParserProcess() as parser, pytest.raises(UnreadableFile, match="did not start"):
        load_file(statute_docx, parser=parser)


def test_what_a_parser_raises_becomes_the_reason(tmp_path: Path, parser: ParserProcess) -> None:
    """A damaged part inside a sound container is a refusal that names the error."""
    path = tmp_path / "broken.docx"
    path.write_bytes(docx_bytes("<w:p><w:r>"))
    with pytest.raises(UnreadableFile, match="cannot be parsed: XMLSyntaxError"):
        load_file(path, parser=parser)


def test_a_document_without_text_is_refused(tmp_path: Path, parser: ParserProcess) -> None:
    """A scan would be searchable for nothing: it is refused, not stored empty."""
    path = tmp_path / "empty.docx"
    path.write_bytes(docx_bytes("<w:p/>"))
    with pytest.raises(UnreadableFile, match="holds no text"):
        load_file(path, parser=parser)


def test_the_child_sees_no_secret_and_cannot_outlive_its_parent(statute_docx: Path) -> None:
    """API keys stay out of the parsing process; when the parent is killed, the idle child ends."""
    script = (
        "import sys, time; from pathlib import Path; from ragsvc.loading import ParserProcess\n"
        "p = ParserProcess(); p.parse(Path(sys.argv[1])); print(p._child._process.pid, flush=True); time.sleep(60)"
    )
    environment = os.environ | {"RAGSVC_MODEL_API_KEY": "sk-secret"}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(statute_docx)], stdout=subprocess.PIPE, env=environment, text=True
    ) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert "sk-secret" not in "".join(child.environ().values())
        parent.send_signal(signal.SIGKILL)
        child.wait(10)


def test_threads_share_one_child(statute_docx: Path) -> None:
    """Answers are not mixed up between threads."""
    results: list[str] = []
    with ParserProcess() as parser:

        def work(name: str) -> None:
            results.extend(parser.parse(statute_docx, name=name).name for _ in range(5))

        threads = [threading.Thread(target=work, args=(f"{n}.docx",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == sorted(f"{n}.docx" for n in range(4) for _ in range(5))


def test_frames_survive_any_cut_of_the_stream() -> None:
    """A frame that arrives byte by byte is whole; one that is cut or too long is an error."""
    stream = bytearray(frame(b"one") + frame(b""))

    def read(size: int) -> bytes:
        piece = bytes(stream[:1])
        del stream[:1]
        return piece

    assert [read_frame(read) for _ in range(3)] == [b"one", b"", None]
    stream.extend(frame(b"cut")[:-1])
    with pytest.raises(EOFError):
        read_frame(read)
    stream.extend(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="at most"):
        read_frame(read)
