"""A domain that another distribution brings: installed into a folder of its own and used by real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = r'''
import re
from ragsvc.chunking.structure import StructureChunker
from ragsvc.domains.pack import DomainPack
from ragsvc.records import Address, Chunk

class Chunker(StructureChunker):
    """Every line that begins with "Law N" is a place."""
    def chunk(self, document, facts):
        starts = [m.start() for m in re.finditer(r"^Law \d+", document.text, re.M)]
        cuts = [0, *[s for s in starts if s], len(document.text)]
        chunks = []
        for start, end in zip(cuts, cuts[1:]):
            found = re.match(r"Law (\d+)", document.text[start:end])
            chunks.append(Chunk(kind="article" if found else "passage", start=start, end=end,
                                locator=found[0] if found else "", address=found[1] if found else ""))
        return chunks

class Grammar:
    def find(self, text):
        return [Address(work=m[1] or "", article=m[2], start=m.start(), end=m.end())
                for m in re.finditer(r"(?:(Mechanics) )?Law (\d+)", text)]
    def name_keys(self, facts): return [facts.title.casefold()]
    def work_keys(self, name): return [name.casefold()]
    def stored_key(self, address, stored): return next((k for k in self.work_keys(address.work) if k in stored), None)
    def successor_keys(self, name): return []
    def find_part(self, article, address): return 0, len(article.rstrip())
    def part_locator(self, article, address): return article

PACK = DomainPack(
    name="physics", chunker=Chunker(), grammar=Grammar(),
    system_prompt={"zh": "只依据资料回答 [1]", "en": "Answer from the sources [1]"},
    disclaimer={"zh": "样例", "en": "A toy: do not build bridges with it."},
)
'''


def install(folder: Path, name: str, entry_points: dict[str, str], modules: dict[str, str]) -> None:
    """Write what ``pip install --target`` leaves of a distribution."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{domain} = {value}" for domain, value in entry_points.items())
    (info / "entry_points.txt").write_text(f"[ragsvc.domains]\n{lines}\n")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source, encoding="utf-8")


def run(site: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process that finds the installed folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path[:1]]), "RAGSVC_HOME": str(home)}
    command = [sys.executable, "-m", "ragsvc", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_toy_domain_is_ingested_asked_and_looked_up(tmp_path: Path) -> None:
    """Its chunker cuts, its grammar resolves, its disclaimer stands under the answer, its name is listed."""
    site, home = tmp_path / "site", tmp_path / "home"
    install(site, "ragsvc-physics", {"physics": "toy_physics:PACK"}, {"toy_physics": TOY})
    notes = tmp_path / "mechanics.txt"
    notes.write_text("Mechanics\n\nLaw 1 A body at rest stays at rest.\nLaw 2 Force is mass times acceleration.\n")

    done = run(site, home, "ingest", str(notes), "-c", "notes", "--domain", "physics", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["chunks"] == 3
    found = json.loads(run(site, home, "lookup", "Mechanics Law 2", "--json").stdout)
    assert [hit["text"] for hit in found["hits"]] == ["Law 2 Force is mass times acceleration."]
    missing = run(site, home, "lookup", "Mechanics Law 7")
    assert missing.returncode == 1
    assert "no such article" in missing.stderr
    answer = json.loads(run(site, home, "ask", "What is force, by Mechanics Law 2?", "--json").stdout)
    assert answer["citations"][0]["locator"] == "Law 2"
    assert answer["disclaimer"] == "A toy: do not build bridges with it."
    refused = run(site, home, "ingest", str(notes), "-c", "other", "--domain", "chemistry")
    assert "general, law, medicine, finance, physics" in refused.stderr


@pytest.mark.parametrize(
    ("entry_points", "source", "domain", "said"),
    [
        ({"physics": "broken_pack:PACK"}, "import no_such_module", "physics", "ModuleNotFoundError"),
        ({"physics": "broken_pack:PACK"}, "OTHER = 1", "physics", "AttributeError"),
        ({"physics": "broken_pack:PACK"}, "PACK = 1", "physics", "is a int"),
        ({"law": "broken_pack:PACK"}, "PACK = 1", "law", "is built in"),
    ],
)
def test_a_broken_pack_is_told_by_its_distribution(
    tmp_path: Path, entry_points: dict[str, str], source: str, domain: str, said: str
) -> None:
    """The error names the distribution and what is wrong; there is no traceback."""
    site, home = tmp_path / "site", tmp_path / "home"
    install(site, "bad-pack", entry_points, {"broken_pack": source})
    note = tmp_path / "a.txt"
    note.write_text("A short note about nothing in particular.")
    refused = run(site, home, "ingest", str(note), "-c", "notes", "--domain", domain)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "bad-pack 1.0" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_other_domains_work_beside_a_broken_pack(tmp_path: Path) -> None:
    """Only who asks for the broken domain hears of it."""
    site, home = tmp_path / "site", tmp_path / "home"
    install(site, "bad-pack", {"physics": "broken_pack:PACK"}, {"broken_pack": "import no_such_module"})
    note = tmp_path / "a.txt"
    note.write_text("A short note about nothing in particular.")
    assert run(site, home, "ingest", str(note), "-c", "notes", "--domain", "general").returncode == 0
    assert run(site, home, "ask", "What is the note about?").returncode == 0


def test_two_distributions_with_one_name_are_both_named(tmp_path: Path) -> None:
    """Which of the two is meant is not guessed."""
    site, home = tmp_path / "site", tmp_path / "home"
    install(site, "one", {"physics": "toy_physics:PACK"}, {"toy_physics": TOY})
    install(site, "two", {"physics": "toy_physics:PACK"}, {})
    refused = run(site, home, "ingest", str(tmp_path), "-c", "notes", "--domain", "physics")
    assert "one 1.0" in refused.stderr
    assert "two 1.0" in refused.stderr
