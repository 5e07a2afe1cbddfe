"""What a domain asks of the sentences of an answer before they are released."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from ragsvc.citing.amounts import Number
from ragsvc.citing.claims import squeeze

REPEATED_HAN, REPEATED_LATIN = 16, 48
"""Characters in a row, white space aside, from which a sentence repeats a hidden text."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_LEAST_DIGITS = 4
"""Of a figure without a unit: a shorter one may count, or be part of a name (10-K)."""
_EDGES = re.compile(r"^\W+|\W+$")
_YEAR = re.compile(r"(?:19|20)\d\d")


def _nothing(claim: str) -> bool:
    return False


def _no_calculation(claim: str, wanted: Number, operands: Sequence[Number]) -> str:
    return ""


class ReleaseRules(Struct, frozen=True, kw_only=True):
    """The rules of one answer."""

    leaves_out: bool = False
    """Whether a sentence that its sources do not bear out is left out; otherwise it is marked."""
    cited_units: frozenset[str] = frozenset()
    """Units of figures that must stand in a passage that the very sentence cites, whatever others hold."""
    refuses: Callable[[str], bool] = _nothing
    """Whether a sentence gives what is not to be given."""
    hidden: str = ""
    """A text that no answer repeats: the service's own instructions."""
    work_out: Callable[[str, Number, Sequence[Number]], str] = _no_calculation
    """(sentence, figure that no source has, figures of the sentence that its sources have) -> the calculation that
    gives it, to be shown; empty when there is none."""

    def needs_citation(self, number: Number) -> bool:
        """Whether the figure counts only with its own source."""
        if not number.unit:
            is_count = len(number.value.partition(".")[0]) < _LEAST_DIGITS
            return "" in self.cited_units and not is_count and not _YEAR.fullmatch(number.value)
        return number.unit in self.cited_units or number.unit.partition("/")[0] in self.cited_units - {"times"}


def repeats(claim: str, hidden: str, sources: Iterable[str]) -> bool:
    """Whether ``claim`` has a long run of ``hidden`` that no (squeezed) source has."""
    if not hidden:
        return False
    said, kept = squeeze(claim).casefold(), squeeze(hidden).casefold()
    said = _EDGES.sub("", said)
    length = REPEATED_HAN if 2 * len(_HAN.findall(said)) >= len(said) else REPEATED_LATIN
    length = min(length, max(len(said), length // 2))  # of a short sentence all of it counts
    runs = {said[i : i + length] for i in range(len(said) - length + 1)}
    shared = [run for run in runs if run in kept]
    return bool(shared) and not all(any(run in source.casefold() for source in sources) for run in shared)
