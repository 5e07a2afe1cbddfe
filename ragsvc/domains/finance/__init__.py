"""Financial texts: filings, disclosures, reports."""

from ragsvc.domains.finance.addresses import FinanceGrammar
from ragsvc.domains.finance.chunker import FinanceChunker
from ragsvc.domains.gates import Gates
from ragsvc.domains.pack import DomainPack, fitted, policy, texts

GRAMMAR = FinanceGrammar()

PACK = DomainPack(
    name="finance",
    chunker=FinanceChunker(GRAMMAR),
    grammar=GRAMMAR,
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    abstention=fitted(__file__),
    gates=Gates(__file__),
    revision=2,
)
