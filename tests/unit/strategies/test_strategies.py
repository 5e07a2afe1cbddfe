"""Which strategy answers."""

import pytest

from ragsvc.cli.ask import STRATEGY_HELP
from ragsvc.errors import InvalidInput
from ragsvc.strategies import NEEDS_NO_MODEL, STRATEGIES, choose_strategy


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


def test_the_command_lines_help_names_every_strategy() -> None:
    """The names stand there as text, so that showing the help loads no strategy."""
    named = STRATEGY_HELP.partition(": ")[2].partition(" [")[0].split(", ")
    assert sorted(named) == sorted(STRATEGIES)


@pytest.mark.parametrize("name", sorted(NEEDS_NO_MODEL))
def test_some_strategies_need_no_model(name: str) -> None:
    """They keep their way of finding and quote."""
    assert choose_strategy(name, "extractive") == name
