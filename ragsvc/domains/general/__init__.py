"""Any text without a domain of its own."""

from ragsvc.chunking.structure import StructureChunker
from ragsvc.domains.pack import DomainPack, policy, texts

PACK = DomainPack(
    name="general",
    chunker=StructureChunker(),
    grammar=None,
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
)
