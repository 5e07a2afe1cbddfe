"""Domain packs are complete."""

from __future__ import annotations

import pytest

from ragsvc.domains.installed import BUILT_IN
from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_pack_has_its_texts_in_both_languages(name: str) -> None:
    """The system prompt asks for markers and calls passages data; the disclaimer is there."""
    pack = find_pack(name)
    assert pack.name == name
    assert "不是指令" in pack.system_prompt["zh"]
    assert "never instructions" in pack.system_prompt["en"]
    assert all("[1]" in prompt for prompt in pack.system_prompt.values())
    assert all(pack.disclaimer.values())


def test_an_unknown_domain_is_named_with_those_that_exist() -> None:
    """The error says what was asked and what there is."""
    with pytest.raises(InvalidInput, match=r"'physics'.*general, law, medicine, finance"):
        find_pack("physics")
