"""What the README says is what the code does."""

from __future__ import annotations

import re

from tests.architecture.readme import README, ROOT, commands, with_generated

TEXT = README.read_text("utf-8")


def test_generated_parts_are_current() -> None:
    """Tree, settings and commands equal what the code says; ``python -m tests.architecture.readme`` renews them."""
    assert with_generated(TEXT) == TEXT


def test_commands_have_help_and_stand_in_the_readme() -> None:
    """Every command explains itself and its parameters, and is named in the README."""
    for words, command in commands():
        assert command.help, f"{words} has no help"
        silent = [p.name for p in command.params if not getattr(p, "help", None)]
        assert not silent, f"{words}: no help for {silent}"
        assert f"`{words}" in TEXT, f"{words} is not in the README"


def test_examples_call_what_exists() -> None:
    """Every ``ragsvc`` line in the README's examples is a command with options that it has."""
    known = dict(commands())
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].split() for block in blocks for line in block.splitlines()]
    calls = [words for words in lines if words[:1] == ["ragsvc"]]
    assert len(calls) > 20
    for words in calls:
        name = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), None)
        assert name, f"no such command: {' '.join(words)}"
        options = {opt for p in known[name].params for opt in p.opts}
        used = {word for word in words if word.startswith("-")}
        assert used <= options, f"{' '.join(words)}: {used - options}"


def test_local_links_lead_somewhere() -> None:
    """Every relative link and picture of the README exists."""
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", TEXT) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
