"""Whether a reference answer may be learnt from: every article that it names is looked up and compared.

Right means: the article is in the collection, and what the sentence puts in quotation marks, and its amounts, periods
and shares, stand in the articles that it names.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ragsvc.citing.amounts import numbers, unfound_numbers
from ragsvc.citing.claims import SearchableText, is_quotation, quoted_ranges
from ragsvc.citing.sentences import split_sentences
from ragsvc.protocols import AddressGrammar
from ragsvc.records import Address, Passage
from ragsvc.wiring import Service


class CheckedAnswer(Struct, frozen=True, kw_only=True):
    """What was found out about the citations of one answer."""

    cited: tuple[Passage, ...] = ()
    """The articles that it names, each once, as they are stored."""
    fault: str = ""
    """Why it is not to be learnt from; empty = nothing is wrong."""
    detail: str = ""
    """The words that are wrong."""


def check_answer(answer: str, service: Service, collection: str, grammar: AddressGrammar | None) -> CheckedAnswer:
    """Check the citations of an answer against the stored text; without a grammar there are none."""
    cited: dict[str, Passage] = {}
    for start, end in split_sentences(answer) if grammar else ():
        sentence = answer[start:end]
        addresses = [address for address in grammar.find(sentence) if address.article] if grammar else []
        named: list[Passage] = []
        for address in addresses:
            mention = _mention(sentence, address)
            if not address.work:
                return CheckedAnswer(fault="article of no named law", detail=mention)
            found = service.lookup(mention, (collection,))
            if not found.addressed:
                reason = found.missing[0].reason if found.missing else "no such article"
                return CheckedAnswer(fault=reason, detail=mention)
            named += found.passages[: found.addressed]
        if named and (wrong := _unsaid(sentence, named)):
            return CheckedAnswer(fault="article does not say so", detail=wrong)
        cited.update((passage.chunk_id, passage) for passage in named)
    return CheckedAnswer(cited=tuple(cited.values()))


def names_a_source(answer: str, grammar: AddressGrammar | None) -> bool:
    """Whether an answer names a law or an article, which nobody can check who was shown none."""
    return "《" in answer or bool(grammar and grammar.find(answer))


def _mention(sentence: str, address: Address) -> str:
    """Return an address as written, with the name of its work, which a list of articles writes once."""
    written = sentence[address.start : address.end]
    return written if address.work in written else f"《{address.work}》{written}"


def _unsaid(sentence: str, named: Sequence[Passage]) -> str:
    """Return a quotation or an amount of the sentence that none of its articles has; empty = they have all."""
    texts = [SearchableText.of(passage.text) for passage in named]
    for start, end in quoted_ranges(sentence):
        if is_quotation(sentence[start:end]) and all(text.find(sentence[start:end]) is None for text in texts):
            return sentence[start:end]
    amounts = [n for n in numbers(sentence) if n.unit and n.unit != "article" and not n.written.startswith("第")]
    known = frozenset((number.value, number.unit) for passage in named for number in numbers(passage.text))
    return ", ".join(unfound_numbers(amounts, known))
