"""What a question back offers to choose from."""

from __future__ import annotations

import pytest

from ragsvc.strategies.asking import choices_of


@pytest.mark.parametrize(
    ("question", "choices"),
    [
        ("您是承租人还是出租人？", ("承租人", "出租人")),
        ("疼痛是持续的，还是间歇的？", ("持续的", "间歇的")),
        ("您有没有签订书面合同？", ("是", "否")),
        ("发烧了吗？", ("是", "否")),
        ("租期多久？", ()),
        ("请问押金是多少，什么时候交的？", ()),
        ("Are you the tenant or the landlord?", ("the tenant", "the landlord")),
        ("Is the pain constant or intermittent?", ("constant", "intermittent")),
        ("Did you sign a written contract?", ("Yes", "No")),
        ("Did you sign a written or an oral contract?", ()),
        ("How long has it lasted?", ()),
        ("", ()),
    ],
)
def test_the_answers_that_a_question_names(question: str, choices: tuple[str, ...]) -> None:
    """Two alternatives, yes and no, or nothing: a wrong button is worse than none."""
    assert choices_of(question) == choices
