"""Law: Chinese statutes, regulations and judicial interpretations, acts of the European Union, English statutes."""

from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.domains.pack import DomainPack, fitted, policy, texts

PACK = DomainPack(
    name="law",
    chunker=LawChunker(),
    grammar=LawGrammar(),
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    abstention=fitted(__file__),
    identity="title",
    revision=2,
)
