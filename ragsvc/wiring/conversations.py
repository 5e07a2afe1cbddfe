"""Questions asked in a stored conversation: its earlier turns become the history, and the turn is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from anyio import to_thread
from msgspec.structs import replace

from ragsvc.errors import Conflict, InvalidInput, NotFound, UpstreamFailed, UpstreamTimeout
from ragsvc.records import (
    Answer,
    AnswerDone,
    AnswerEvent,
    AnswerFailed,
    AskRequest,
    ClarifyAsked,
    Passage,
    PassagesFound,
    Turn,
)
from ragsvc.security.input_limits import MAX_HISTORY
from ragsvc.store.conversations import Conversation, Conversations, ConversationTurn

MOST_TURNS = MAX_HISTORY // 2
"""Earlier questions, each with its answer, that a question comes with."""

Stream = Callable[[AskRequest], AsyncIterator[AnswerEvent]]


class ConversationCare:
    """What may be done with conversations.

    Args:
        stored: those of the home.
        stream: answers a question, event by event.
        is_allowed: whether the operator lets conversations be kept; those that are there can be deleted all the same.
    """

    def __init__(self, stored: Conversations, stream: Stream, is_allowed: bool) -> None:
        self._stored = stored
        self._stream = stream
        self._is_allowed = is_allowed

    def create(self, key_id: str = "") -> Conversation:
        """Begin a conversation of this key; those whose days are over go.

        Raises:
            Conflict: the operator does not let conversations be kept.
        """
        self._check_allowed()
        self._stored.sweep()
        return self._stored.create(key_id)

    def list(self, key_id: str | None, offset: int = 0, limit: int = 100) -> Sequence[Conversation]:
        """Return a page of this key's conversations, the latest first; None = of all keys."""
        return self._stored.list(key_id, offset, limit)

    def show(self, conversation_id: str, key_id: str | None) -> tuple[Conversation, Sequence[ConversationTurn]]:
        """Return a conversation with its turns.

        Raises:
            NotFound: there is none, or it is not this key's.
        """
        return self._stored.find(conversation_id, key_id), self._stored.turns(conversation_id)

    def delete(self, conversation_id: str, key_id: str | None) -> None:
        """Delete a conversation for good.

        Raises:
            NotFound: there is none, or it is not this key's.
        """
        self._stored.delete(conversation_id, key_id)

    def sweep(self) -> int:
        """Delete the conversations whose days are over; return how many."""
        return self._stored.sweep()

    def check(self, conversation_id: str, key_id: str) -> None:
        """Say before anything else whether a question may be asked in this conversation.

        Raises:
            NotFound: there is none, or it is not this key's.
            Conflict: the operator does not let conversations be kept.
        """
        self._stored.find(conversation_id, key_id)
        self._check_allowed()

    async def stream(
        self, request: AskRequest, conversation_id: str, key_id: str = ""
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Answer the next question of a conversation, event by event; its answer is kept before it is given whole.

        Raises:
            NotFound: there is no such conversation of this key.
            InvalidInput: the request brings a history of its own.
            Conflict: the operator does not let conversations be kept.
        """
        await to_thread.run_sync(self.check, conversation_id, key_id)
        if request.history:
            raise InvalidInput("history was sent and conversation_id as well: the conversation has its own turns")
        number = await to_thread.run_sync(self._stored.add_question, conversation_id, key_id, request.question)
        earlier = await to_thread.run_sync(self._stored.turns, conversation_id, number, MOST_TURNS)
        events = cast("AsyncGenerator[AnswerEvent, None]", self._stream(replace(request, history=to_history(earlier))))
        has_begun = False
        try:
            async with aclosing(events):
                async for event in events:
                    has_begun = True
                    if isinstance(event, AnswerDone | ClarifyAsked):
                        await to_thread.run_sync(self._stored.add_answer, conversation_id, number, event.answer)
                    yield event
        except (InvalidInput, NotFound):
            if not has_begun:  # what was wrong with the request is not part of the conversation
                await to_thread.run_sync(self._stored.drop_question, conversation_id, number)
            raise

    async def ask(self, request: AskRequest, conversation_id: str, key_id: str = "") -> Answer:
        """Answer the next question of a conversation.

        Raises:
            NotFound, InvalidInput, Conflict: as ``stream``.
            UpstreamFailed: the chat model failed; ``passages`` on the error are what was found.
        """
        passages: tuple[Passage, ...] = ()
        async with aclosing(self.stream(request, conversation_id, key_id)) as events:
            async for event in events:
                if isinstance(event, PassagesFound):
                    passages = event.passages
                elif isinstance(event, AnswerDone | ClarifyAsked):
                    return event.answer
                elif isinstance(event, AnswerFailed):
                    failed = UpstreamTimeout if event.error == UpstreamTimeout.__name__ else UpstreamFailed
                    error = failed(event.message)
                    error.passages = passages
                    raise error
        raise AssertionError("an answer ends with one of the three")

    def _check_allowed(self) -> None:
        if not self._is_allowed:
            raise Conflict("this service keeps no conversations: the setting 'conversations' is off")


def to_history(turns: Sequence[ConversationTurn]) -> tuple[Turn, ...]:
    """Return stored turns as what was said: by the asker and by the assistant, never by the system."""
    said: list[Turn] = []
    for turn in turns:
        said.append(Turn("user", turn.question))
        if turn.answer is not None:
            said.append(Turn("assistant", turn.answer.answer))
    return tuple(said)
