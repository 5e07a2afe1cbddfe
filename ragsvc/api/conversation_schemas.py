"""The wire: what was said before a question, and what a strategy says besides its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ragsvc.security.input_limits import MAX_HISTORY, MAX_TURN_CHARS

Said = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_TURN_CHARS, "pattern": r"^[^\u0000]*$"})]


class Turn(Struct, forbid_unknown_fields=True, kw_only=True):
    """What was said before the question; ``content`` of the assistant is the ``answer`` that was given."""

    role: Literal["user", "assistant"]
    content: Said


History = Annotated[
    list[Turn],
    Meta(
        description="The conversation before the question, oldest first. A question that leans on it is searched for "
        "with it; a question back (clarify) is answered by sending it here, with what the reader says as the question.",
        extra_json_schema={"maxItems": MAX_HISTORY},
    ),
]


class Step(Struct):
    """What one role of a strategy was given and what it gave: unchecked, and no part of the answer."""

    name: str
    given: str
    gave: str


class Clarification(Struct):
    """A question back; ``number`` of at most ``most`` in this conversation.

    ``choices`` are answers that the question itself names, for buttons; any other may be given as well.
    """

    question: str
    number: int
    most: int
    choices: list[str]
