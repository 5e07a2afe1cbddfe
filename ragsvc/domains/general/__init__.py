"""Any text without a domain of its own."""

from ragsvc.domains.headed import HeadedChunker
from ragsvc.domains.pack import DomainPack, policy, texts
from ragsvc.domains.sections import SectionGrammar

GRAMMAR = SectionGrammar()

PACK = DomainPack(
    name="general",
    chunker=HeadedChunker(GRAMMAR),
    grammar=GRAMMAR,
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    revision=2,
)
