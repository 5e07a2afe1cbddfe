"""What must hold for any file and any text."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.pack import find_pack
from ragsvc.errors import UnreadableFile
from ragsvc.loading import LoadingLimits, ParserProcess, load_file, take_apart
from ragsvc.records import Block, BlockKind, LoadedDocument
from tests.fuzz.mutations import mutated
from tests.fuzz.samples import samples, slow_samples

DOMAINS = ("law", "medicine", "finance", "general")
KEPT = Path(__file__).parents[2] / "build" / "fuzz"
LOADING_S = 60.0
"""Limit for a file of a few kilobytes, on a machine that does much else."""
CHUNKING_S = 3.0
"""Of processor time, for a text of a few thousand characters in one domain."""

_parser = ParserProcess(LoadingLimits(seconds=LOADING_S))


class Property(NamedTuple):
    """Holds for every value of the strategy."""

    examples: st.SearchStrategy[object]
    check: Callable[[object], None]


def check_document(document: LoadedDocument) -> None:
    """Blocks and facts lie in the text, blocks in order; the text can be stored."""
    text = document.text
    assert text.strip()
    text.encode("utf-8")
    assert "\r" not in text
    starts = [block.start for block in document.blocks]
    assert starts == sorted(starts)
    for block in document.blocks:
        assert 0 <= block.start < block.end <= len(text)
        assert text[block.start : block.end].strip() == text[block.start : block.end]
    for fact in document.facts:
        assert 0 <= fact.start < fact.end <= len(text)


def check_chunks(document: LoadedDocument, domain: str) -> None:
    """Leaves tile the text, no chunk is outside, an address that is found is where it says; all in linear time."""
    pack, text = find_pack(domain), document.text
    started = time.process_time()
    facts = pack.chunker.describe(document)
    chunks = pack.chunker.chunk(document, facts)
    assert tiling_fault(chunks, len(text)) is None, domain
    for chunk in chunks:
        assert 0 <= chunk.start < chunk.end <= len(text), domain
        assert chunk.parent is None or 0 <= chunk.parent < len(chunks), domain
    for address in pack.grammar.find(text) if pack.grammar else ():
        assert 0 <= address.start <= address.end <= len(text), domain
    assert pack.name_keys(facts), domain
    assert time.process_time() - started < CHUNKING_S, domain


def check_file(example: object) -> None:
    """A damaged file is a document, or an UnreadableFile that says why; the next one is read."""
    name, seed = example  # type: ignore[misc]
    content = mutated((samples() | slow_samples())[name], seed)
    with tempfile.TemporaryDirectory(prefix="ragsvc-fuzz-") as folder:
        path = Path(folder, "file")
        path.write_bytes(content)
        try:
            members = take_apart(path, Path(folder, "members"), parser=_parser, name=name).members
        except UnreadableFile as error:
            _check_refusal(error, name, seed, content)
            return
        for member in members[:3]:
            try:
                document = load_file(Path(member.path), name=member.name, parser=_parser)
            except UnreadableFile as error:
                _check_refusal(error, name, seed, content)
                continue
            check_document(document)
            for domain in DOMAINS:
                check_chunks(document, domain)


def check_sound(name: str) -> None:
    """An undamaged sample gives text and chunks."""
    with tempfile.TemporaryDirectory(prefix="ragsvc-fuzz-") as folder:
        path = Path(folder, "file")
        path.write_bytes((samples() | slow_samples())[name])
        for member in take_apart(path, Path(folder, "members"), parser=_parser, name=name).members:
            document = load_file(Path(member.path), name=member.name, parser=_parser)
            check_document(document)
            for domain in DOMAINS:
                check_chunks(document, domain)


def _check_refusal(error: UnreadableFile, name: str, seed: int, content: bytes) -> None:
    assert error.reason
    if "was not parsed within" in error.reason or "broke the parser process" in error.reason:
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{seed}-{name}").write_bytes(content)
    assert "was not parsed within" not in error.reason, (name, seed)


def check_text(example: object) -> None:
    """Any text, with any blocks that a format may state, is cut in every domain."""
    pieces, kinds = example  # type: ignore[misc]
    text = "".join(pieces)
    if not text.strip():
        return
    blocks, position = [], 0
    for piece, kind in zip(pieces, kinds, strict=False):
        inner = piece.strip()
        start = position + len(piece) - len(piece.lstrip())
        if kind and inner:
            blocks.append(Block(kind=kind, start=start, end=start + len(inner), level=1 + len(inner) % 7))
        position += len(piece)
    document = LoadedDocument(
        name="a.md", text=text, media_type="text/markdown", source_sha256="0" * 64, blocks=tuple(blocks)
    )
    for domain in DOMAINS:
        check_chunks(document, domain)


_KINDS: tuple[BlockKind | None, ...] = (
    None,
    None,
    "title",
    "heading",
    "paragraph",
    "list",
    "table",
    "page",
    "footnote",
)
_WORDS = (
    "第一条 ", "第二条\u3000", "第九百九十九条之一", "第一章 总则\n", "（一）", "一、", "目录\n", "附件\n",
    "根据第三条第二款，", "〔2020〕1号", "（2020年1月1日）", "自2021年1月1日起施行。", "《民法典》",
    "【用法用量】", "【禁忌】\n", "Article 1\n", "Art. 2(1)(b) ", "§ 1983. ", "Sec. 3. ", "(a) ", "(i) ",
    "Schedule 1\n", "Item 7. ", "PART II\n", "Item 1A.", "FORM 10-K\n", "Whereas:\n", "(1) ", "CHAPTER I\n",
    "HAS ADOPTED THIS REGULATION:\n", "| a | b |\n", "| --- | --- |\n", "2023 | 2022\n", "$ 1,234 | (5)\n",
    "单位：万元\n", "(in millions)\n", "# ", "## 1.1 ", "\n\n", "\n", " ", "\t", "\u3000", "。", "；", "：",
    ". ", "```\n", "> ", "25 mg", "\u200b", "\ufeff", "\u2028", "\x85", "\x0b", "e\u0301", "\U0001f600",
    "\u202e", "a" * 2000, "甲" * 900, "1" * 400,
)  # fmt: skip
_PIECES = st.lists(st.one_of(st.sampled_from(_WORDS), st.sampled_from(_WORDS), st.text(max_size=12)), max_size=40)
SEEDS = st.integers(0, 2**48)

TEXTS = Property(st.tuples(_PIECES, st.lists(st.sampled_from(_KINDS), max_size=40)), check_text)
FILES = Property(st.tuples(st.sampled_from(sorted(samples())), SEEDS), check_file)
SLOW_FILES = Property(st.tuples(st.sampled_from(sorted(slow_samples())), SEEDS), check_file)
