"""The wire of conversations that are kept, and of assistants."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ragsvc.api.conversation_schemas import Clarification
from ragsvc.api.schemas import Citation, Name, Question, Request
from ragsvc.security.input_limits import MAX_COLLECTIONS


class KeptConversation(Struct):
    """A conversation as a list shows it; times are seconds since 1970."""

    conversation_id: str
    created_at: float
    updated_at: float
    n_turns: int
    first_question: str


class KeptConversations(Struct):
    """The latest conversations of the key, newest first."""

    conversations: list[KeptConversation]


class KeptAnswer(Struct):
    """An answer as it was given, without its passages."""

    answer_id: str
    answer: str
    citations: list[Citation]
    abstained: bool
    reason: str | None
    disclaimer: str
    model: str
    strategy: str
    clarify: Clarification | None


class KeptTurn(Struct):
    """A question; ``answer`` is null when none came, or none yet."""

    number: int
    asked_at: float
    question: str
    answer: KeptAnswer | None


class ConversationTurns(Struct):
    """A conversation with all its turns, oldest first."""

    conversation_id: str
    created_at: float
    updated_at: float
    turns: list[KeptTurn]


class AssistantProfile(Request):
    """What an assistant brings. What is left out is as the collections and the service have it."""

    collections: Annotated[
        list[Name],
        Meta(
            description="Where it looks; at least one.",
            extra_json_schema={"minItems": 1, "maxItems": MAX_COLLECTIONS},
        ),
    ]
    name: str = ""
    persona: Annotated[str, Meta(description="Stands before the domain's rules and cannot change them.")] = ""
    model: Name | None = None
    strategy: Name | None = None
    language: Literal["zh", "en"] | None = None
    opening_line: str = ""
    suggested_questions: list[Question] = msgspec.field(default_factory=list)


class Assistant(Struct):
    """An assistant: name it as ``assistant`` of a question, or as the ``model`` of a chat front end."""

    id: str
    name: str
    collections: list[str]
    persona: str
    model: str
    strategy: str
    language: str
    opening_line: str
    suggested_questions: list[str]


class Assistants(Struct):
    """The assistants all of whose collections the key may read."""

    assistants: list[Assistant]
