"""Medical texts: guidelines, leaflets, health pages."""

from ragsvc.domains.gates import Gates
from ragsvc.domains.medicine.chunker import MedicineChunker
from ragsvc.domains.medicine.sections import MedicineGrammar
from ragsvc.domains.pack import DomainPack, fitted, policy, texts

GRAMMAR = MedicineGrammar()

PACK = DomainPack(
    name="medicine",
    chunker=MedicineChunker(GRAMMAR),
    grammar=GRAMMAR,
    system_prompt=texts(__file__, "prompts/answer"),
    disclaimer=texts(__file__, "disclaimer"),
    grounding=policy(__file__),
    abstention=fitted(__file__),
    gates=Gates(__file__),
    revision=2,
)
