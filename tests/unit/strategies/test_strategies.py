"""Which strategy answers."""

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.strategies import choose_strategy


@pytest.mark.parametrize(
    ("name", "model", "chosen"),
    [
        ("", "extractive", "extractive"),
        ("", "qwen", "direct"),
        ("direct", "qwen", "direct"),
        ("extractive", "qwen", "extractive"),
    ],
)
def test_the_model_decides_unless_a_strategy_is_named(name: str, model: str, chosen: str) -> None:
    """The model called extractive needs no strategy, any other is asked directly."""
    assert choose_strategy(name, model) == chosen


def test_unknown_or_unfit_strategies_are_refused() -> None:
    """The message lists those there are, or says what is missing."""
    with pytest.raises(InvalidInput, match="there are extractive, direct"):
        choose_strategy("magic", "qwen")
    with pytest.raises(InvalidInput, match="needs a chat model"):
        choose_strategy("direct", "extractive")
