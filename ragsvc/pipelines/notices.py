"""What the service says beside an answer, and what it asks of the answer's sentences, by the gates of the domains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ragsvc.citing import ReadText, prove_place
from ragsvc.citing.defusing import defuse
from ragsvc.citing.rules import ReleaseRules
from ragsvc.domains.gates import Finding
from ragsvc.domains.pack import find_pack
from ragsvc.errors import NotFound
from ragsvc.pipelines.arithmetic import shown_calculation, worked_out
from ragsvc.pipelines.crowding import contradicting
from ragsvc.pipelines.draft import Plan
from ragsvc.prompting import orders_in
from ragsvc.records import Citation, Notice, Passage, SearchResult
from ragsvc.store.inventory import Inventory
from ragsvc.strategies.calls import prompt_texts

MOST_SOURCES_NAMED = 3

_WORDS = {
    "zh": {
        "order": "一份资料里有像是写给程序的指令（例如要求忽略规则），该处未交给模型，请核对这份资料的来源。",
        "differ": "两份资料的文字几乎相同，但关键之处（数字、肯定或否定等）不一致，请核对各自的来源。",
        "scope": "这里可以回答{scope}。{covers}如果您想问的正是这些内容，可以换一种说法再问。",
        "any": "所收资料里写到的内容",
        "covers": "“{name}”收有 {n} 份资料{such_as}。",
        "such_as": "，例如{}",
        "joint": "、",
        "title": "《{}》",
    },
    "en": {
        "order": "A source holds what looks like orders to a program (to ignore rules, say). That place was not given "
        "to the model; please check where the source comes from.",
        "differ": "Two sources are nearly identical in wording but differ in what counts (a number, a negation); "
        "please check where each comes from.",
        "scope": "What can be answered here is {scope}. {covers}If that is what you mean, please try other words.",
        "any": "what the documents collected here say",
        "covers": "“{name}” holds {n} documents{such_as}. ",
        "such_as": ", for example {}",
        "joint": ", ",
        "title": "{}",
    },
}


def of_question(plan: Plan, question: str) -> list[Notice]:
    """Return what the question alone raises in any of the domains that were asked, the most urgent first."""
    found = [
        finding
        for domain in dict.fromkeys(plan.domains.values())
        for finding in find_pack(domain).gates.of_question(question, plan.language)
    ]
    return [_notice(finding, plan, ()) for finding in sorted(found, key=lambda one: one.severity != "urgent")]


def of_passages(
    plan: Plan, said: Sequence[str], passages: Sequence[Passage], read_text: ReadText, inventory: Inventory | None
) -> list[Notice]:
    """Return what the passages raise for who said this, the question last. Blocks while it reads stored text."""
    gates = find_pack(plan.domain(passages)).gates
    facts = _facts(passages, inventory) if gates.compares else {}
    findings = gates.of_passages("\n".join(said), passages, plan.language, facts)
    if shown := worked_out(said[-1], passages, gates.calculations, plan.language):
        findings.append(shown)
    if pair := contradicting(passages) if not gates.compares else None:
        places = [(n, 0, len(passages[n - 1].text)) for n in pair]
        text = _WORDS[plan.language]["differ"]
        findings.append(Finding(kind="source", severity="warning", topic="differ", text=text, places=tuple(places)))
    places = [(number, *place) for number, passage in enumerate(passages, 1) for place in orders_in(passage.text)[:1]]
    if places:
        text = _WORDS[plan.language]["order"]
        findings.append(Finding(kind="source", severity="warning", topic="orders", text=text, places=tuple(places)))
    return [_notice(finding, plan, _proven(finding, passages, read_text)) for finding in findings]


def of_scope(plan: Plan, inventory: Inventory | None) -> Notice:
    """Return what the collections asked are there for, said to whom nothing could be answered."""
    words = _WORDS[plan.language]
    scopes = [find_pack(domain).gates.scope(plan.language) for domain in plan.domains.values()]
    covers = []
    counts = {one.name: one.n_documents for one in inventory.collections()} if inventory else {}
    for name in plan.domains:
        if not (inventory and counts.get(name)):
            continue
        titles = dict.fromkeys(document.work for document in inventory.documents(name, 0, 20) if document.work)
        named = words["joint"].join(words["title"].format(title) for title in list(titles)[:MOST_SOURCES_NAMED])
        such_as = words["such_as"].format(named) if named else ""
        covers.append(words["covers"].format(name=name, n=counts[name], such_as=such_as))
    scope = words["joint"].join(dict.fromkeys(filter(None, scopes))) or words["any"]
    text = defuse(words["scope"].format(scope=scope, covers="".join(covers)), plan.language)
    return Notice(kind="scope", severity="info", topic="scope", language=plan.language, text=text)


_LEAST_INSTRUCTION = 24
"""Characters; shorter texts of a strategy are the headings of its report, which its answer shows."""


def release_rules(plan: Plan, passages: Sequence[Passage]) -> ReleaseRules:
    """Return what the sentences of the answer are to keep to."""
    pack = find_pack(plan.domain(passages))
    instructions = (text for text in prompt_texts(plan.strategy, plan.language) if len(text) >= _LEAST_INSTRUCTION)
    return ReleaseRules(
        leaves_out=pack.grounding != "mark",
        cited_units=pack.gates.cited_units,
        refuses=pack.gates.refuses,
        hidden="\n".join((pack.system_prompt[plan.language], *instructions)),
        work_out=partial(shown_calculation, pack.gates.calculations),
    )


def _notice(finding: Finding, plan: Plan, citations: tuple[Citation, ...]) -> Notice:
    return Notice(
        kind=finding.kind,
        severity=finding.severity,
        topic=finding.topic,
        language=plan.language,
        text=defuse(finding.text, plan.language),
        citations=citations,
    )


def _proven(finding: Finding, passages: Sequence[Passage], read_text: ReadText) -> tuple[Citation, ...]:
    cited = [prove_place(passages[n - 1], n, (start, end), read_text) for n, start, end in finding.places]
    return tuple(citation for citation in cited if citation)


def _facts(passages: Sequence[Passage], inventory: Inventory | None) -> dict[str, tuple[str, str]]:
    """Return document id -> (kind, issuer) as the work states them."""
    facts = {}
    for document_id in dict.fromkeys(passage.document_id for passage in passages) if inventory else ():
        assert inventory is not None
        try:
            document = inventory.document(document_id)
        except NotFound:  # removed since it was found
            continue
        facts[document_id] = (document.kind, document.issuer)
    return facts


def scope_helps(result: SearchResult) -> bool:
    """Whether to say what the collections cover: not where a work that is here lacks the place named."""
    return all(missing.reason == "no such work" for missing in result.missing)
