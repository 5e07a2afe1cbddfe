"""Files to chunks, by format, beside the usual loaders of LangChain and LlamaIndex on the same files.

``python -m tests.bench.loading [--data FOLDER] [--files N] [--json FILE]`` prints the table; each line of it is
measured in a process of its own (``python -m tests.bench.loading STACK FILE…``).

After ``make bench``: ``.venv-bench/bin/pip install --requirement tests/bench/requirements-loading.txt``.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.parts import Figures, finish, run_part

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FORMATS = (".txt", ".md", ".docx", ".html", ".xml", ".pdf")
FILES, PDF_FILES = 40, 6
"""At most so many of a format, of all sizes but the largest: a quarter is left out at that end."""
DOMAINS = {
    "laws_zh_md": "law",
    "laws_zh_docx": "law",
    "laws_zh_local_txt": "law",
    "eu_law_html": "law",
    "finance_html": "finance",
    "finance_pdf": "finance",
    "medquad_xml": "medicine",
    "covid_articles_txt": "medicine",
}
Texts = list[tuple[Path, str]]
Stack = Callable[[Sequence[Path]], tuple[Texts, int]]
"""Files -> the text of each, and how many chunks they make."""


def ragsvc_stack() -> Stack:
    """Loader (in its child process) and the chunker of the files' domain; limits and checks are on."""
    from ragsvc.domains.pack import find_pack
    from ragsvc.loading import ParserProcess, load_file

    def run(files: Sequence[Path]) -> tuple[Texts, int]:
        texts, n_chunks = [], 0
        with ParserProcess() as parser:
            for path in files:
                document = load_file(path, parser=parser)
                chunker = find_pack(DOMAINS.get(path.parent.name, "general")).chunker
                n_chunks += sum(chunk.is_leaf for chunk in chunker.chunk(document, chunker.describe(document)))
                texts.append((path, document.text))
        return texts, n_chunks

    return run


def langchain_stack() -> Stack:
    """The loader that LangChain's guides show for each format, and the recursive splitter."""
    from langchain_community.document_loaders import (
        BSHTMLLoader,
        Docx2txtLoader,
        PyPDFLoader,
        TextLoader,
        UnstructuredXMLLoader,
    )
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    from ragsvc.loading.elements import stay_offline

    stay_offline()  # as ragsvc does: unstructured would fetch a model for the first XML file

    def load(path: Path) -> list[object]:
        loaders = {".docx": Docx2txtLoader, ".pdf": PyPDFLoader, ".html": BSHTMLLoader, ".xml": UnstructuredXMLLoader}
        loader = loaders[path.suffix](str(path)) if path.suffix in loaders else TextLoader(str(path), encoding="utf-8")
        return list(loader.load())

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)

    def run(files: Sequence[Path]) -> tuple[Texts, int]:
        texts, n_chunks = [], 0
        for path in files:
            documents = load(path)
            n_chunks += len(splitter.split_documents(documents))
            texts.append((path, "\n".join(document.page_content for document in documents)))  # type: ignore[attr-defined]
        return texts, n_chunks

    return run


def llamaindex_stack() -> Stack:
    """The directory reader, with its own readers for HTML and XML, and the sentence splitter."""
    from llama_index.core import SimpleDirectoryReader
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.readers.file import HTMLTagReader, XMLReader

    readers = {".html": HTMLTagReader(tag="body"), ".xml": XMLReader()}
    splitter = SentenceSplitter()

    def run(files: Sequence[Path]) -> tuple[Texts, int]:
        texts, n_chunks = [], 0
        for path in files:
            documents = SimpleDirectoryReader(
                input_files=[path], file_extractor=readers, raise_on_error=True
            ).load_data()
            n_chunks += len(splitter.get_nodes_from_documents(documents))
            texts.append((path, "\n".join(document.text for document in documents)))
        return texts, n_chunks

    return run


STACKS: dict[str, Callable[[], Stack]] = {
    "ragsvc": ragsvc_stack,
    "LangChain": langchain_stack,
    "LlamaIndex": llamaindex_stack,
}


def measure(stack: str, files: Sequence[Path]) -> Figures:
    """Return rates, the share of an independent extractor's characters that is there, and peak memory.

    The smallest file is read once before, so that imports and the start of processes are not counted.
    """
    run = STACKS[stack]()
    run(files[:1])
    started = time.perf_counter()
    texts, n_chunks = run(files)
    seconds = time.perf_counter() - started
    child_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    from tests.real.independent import lost_characters

    pairs = [lost_characters(path, text) for path, text in texts]
    return {
        "n_files": len(files),
        "n_chunks": n_chunks,
        "seconds": round(seconds, 3),
        "files_per_s": round(len(files) / seconds, 2),
        "chunks_per_s": round(n_chunks / seconds, 1),
        "recovered": round(1 - sum(lost for lost, _ in pairs) / sum(expected for _, expected in pairs), 5),
        "child_peak_mb": round(child_mb) if stack == "ragsvc" else 0,
    }


def chosen(data: Path, suffix: str, n_files: int) -> list[Path]:
    """Return files of a format, smallest first, evenly over the sizes but the largest quarter."""
    found = sorted((data / "corpora").rglob(f"*{suffix}"), key=lambda path: (path.stat().st_size, path.name))
    found = [path for path in found if path.name.lower() != "readme.md"]
    found = found[: max(1, 3 * len(found) // 4)]
    n_files = min(n_files, PDF_FILES) if suffix == ".pdf" else n_files
    step = max(1, len(found) // n_files)
    return found[::step][:n_files]


def to_markdown(figures: Figures) -> str:
    """Return one line for each format and stack."""
    lines = [
        "| format | files | stack | files/s | chunks | chunks/s | recovered | peak memory |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for suffix, stacks in figures.items():
        for stack, part in stacks.items():
            own = f"{part['peak_mb']} MB" + (f" + {part['child_peak_mb']} MB" if part["child_peak_mb"] else "")
            lines.append(
                f"| {suffix} | {part['n_files']} | {stack} | {part['files_per_s']:,} | {part['n_chunks']:,} | "
                f"{part['chunks_per_s']:,} | {part['recovered']:.2%} | {own} |"
            )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Measure every stack on every format and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.loading", description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", help="folder of real data")
    parser.add_argument("--files", type=int, default=FILES, help="at most so many of a format")
    parser.add_argument("--json", type=Path, default=REPOSITORY / "build" / "bench-loading.json", help="all figures")
    options = parser.parse_args(arguments)
    if not (options.data / "corpora").is_dir():
        sys.exit(f"no real data: {(options.data / 'corpora').absolute()} does not exist; --data names another folder")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    figures: Figures = {}
    for suffix in FORMATS:
        files = [str(path) for path in chosen(options.data.absolute(), suffix, options.files)]
        for stack in STACKS:
            figures.setdefault(suffix, {})[stack] = run_part("loading", stack, *files)
            options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(to_markdown(figures) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] in STACKS:
        finish(measure(sys.argv[1], [Path(name) for name in sys.argv[2:]]))
    else:
        main(sys.argv[1:])
