"""Assistants: checked when they are set, put into a question when one is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.generation import ChatModels
from ragsvc.records import AskRequest
from ragsvc.security.input_limits import MAX_COLLECTIONS, check_names, check_question, check_turn
from ragsvc.store.assistants import Assistant, Assistants, no_assistant
from ragsvc.store.rows import Collection
from ragsvc.strategies import choose_strategy

ID_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
MAX_NAME = 100
MAX_PERSONA = 4_000
MAX_OPENING_LINE = 1_000
MAX_SUGGESTED = 12
MAX_SUGGESTED_CHARS = 200

MayRead = Callable[[str], bool]
"""Says of a collection whether the asker may read it."""


class AssistantCare:
    """What may be done with assistants.

    Args:
        stored: those of the home.
        find_collections: names -> collections; raises NotFound.
        chat_models: that can be named.
        default_model: of collections that name none.
    """

    def __init__(
        self,
        stored: Assistants,
        find_collections: Callable[[Sequence[str]], Sequence[Collection]],
        chat_models: ChatModels,
        default_model: str,
    ) -> None:
        self._stored = stored
        self._find_collections = find_collections
        self._chat_models = chat_models
        self._default_model = default_model

    def list(self, may_read: MayRead | None = None) -> Sequence[Assistant]:
        """Return the assistants all of whose collections may be read."""
        return [a for a in self._stored.list() if _is_visible(a, may_read)]

    def find(self, assistant_id: str, may_read: MayRead | None = None) -> Assistant:
        """Return an assistant.

        Raises:
            NotFound: there is none, or one of its collections may not be read, which looks the same.
        """
        assistant = self._stored.find(assistant_id)
        if not _is_visible(assistant, may_read):
            raise no_assistant(assistant_id)
        return assistant

    def put(self, assistant: Assistant) -> bool:
        """Store an assistant, in the place of one of the same id; return whether it is new.

        Raises:
            InvalidInput: a field cannot be used.
            NotFound: a collection or model does not exist.
        """
        if not assistant.collections:
            raise InvalidInput("collections: name at least one, which the assistant answers from")
        names = check_names(assistant.collections, "collections", MAX_COLLECTIONS)
        first = self._find_collections(names)[0]
        if not re.match(ID_PATTERN, assistant.id):
            raise InvalidInput(
                f"id {assistant.id[:80]!r}: write up to 64 small letters, digits, '.', '_' or '-', beginning with a "
                "letter or digit"
            )
        self._check_name_is_free(assistant.id)
        _check_texts(assistant)
        if assistant.model and assistant.model != self._default_model:
            self._chat_models.find(assistant.model, listed_only=True)
        if assistant.strategy:
            choose_strategy(assistant.strategy, assistant.model or first.model or self._default_model)
        return self._stored.put(replace(assistant, collections=names))

    def delete(self, assistant_id: str) -> None:
        """Remove an assistant.

        Raises:
            NotFound: there is none of this id.
        """
        self._stored.delete(assistant_id)

    def apply(self, assistant_id: str, request: AskRequest, may_read: MayRead | None = None) -> AskRequest:
        """Return the question as this assistant is asked it.

        Raises:
            NotFound: there is no such assistant to the asker.
            InvalidInput: the request names what the assistant brings.
        """
        assistant = self.find(assistant_id, may_read)
        given = [name for name in ("collections", "model", "strategy") if getattr(request, name)]
        if given:
            raise InvalidInput(f"assistant {assistant_id!r} brings its own {', '.join(given)}: leave these out")
        return replace(
            request,
            collections=assistant.collections,
            model=assistant.model or None,
            strategy=assistant.strategy or None,
            language=request.language or assistant.language or None,
            persona=assistant.persona,
        )

    def _check_name_is_free(self, name: str) -> None:
        """An assistant is a name beside those of collections and models, where a chat front end picks one."""
        try:
            self._find_collections([name])
        except NotFound:
            pass
        else:
            raise InvalidInput(f"id {name!r} is the name of a collection: choose another")
        if any(card.name == name for card in self._chat_models.list()):
            raise InvalidInput(f"id {name!r} is the name of a model: choose another")


def _is_visible(assistant: Assistant, may_read: MayRead | None) -> bool:
    return may_read is None or all(map(may_read, assistant.collections))


def _check_texts(assistant: Assistant) -> None:
    if assistant.language not in ("", "zh", "en"):
        raise InvalidInput(f"language {assistant.language!r} was asked for; there are zh, en")
    for what, text, most in (
        ("name", assistant.name, MAX_NAME),
        ("persona", assistant.persona, MAX_PERSONA),
        ("opening_line", assistant.opening_line, MAX_OPENING_LINE),
    ):
        if text:
            check_turn(text, what)
        if len(text) > most:
            raise InvalidInput(f"{what} has {len(text):,} characters; the limit is {most:,}")
    if len(assistant.suggested_questions) > MAX_SUGGESTED:
        raise InvalidInput(
            f"suggested_questions has {len(assistant.suggested_questions)} entries; the limit is {MAX_SUGGESTED}"
        )
    for question in assistant.suggested_questions:
        check_question(question, MAX_SUGGESTED_CHARS, "a suggested question")
