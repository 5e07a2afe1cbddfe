"""Financial texts: filings, disclosures, reports."""

from ragsvc.chunking.structure import StructureChunker
from ragsvc.domains.gates import Gates
from ragsvc.domains.pack import DomainPack, fitted, policy, texts

PACK = DomainPack(
    name="finance",
    chunker=StructureChunker(),
    grammar=None,
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    abstention=fitted(__file__),
    gates=Gates(__file__),
)
