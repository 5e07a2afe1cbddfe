"""Law: Chinese statutes, regulations and judicial interpretations, acts of the European Union, English statutes."""

from ragsvc.domains.gates import Gates
from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.domains.law.gates import compare_norms
from ragsvc.domains.pack import DomainPack, fitted, policy, texts

PACK = DomainPack(
    name="law",
    chunker=LawChunker(),
    grammar=LawGrammar(),
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    abstention=fitted(__file__),
    gates=Gates(__file__, compare_norms),
    identity="title",
    revision=2,
)
