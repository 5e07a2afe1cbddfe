"""A question that leans on what was said, written by the model so that it stands by itself and can be searched for.

Only where ``conversation.py`` finds that it leans: a question that stands by itself costs no call. What is written
is used if it is one line, no longer than a question may be, and made of words of the conversation; otherwise the
question is searched for with the turns before it, as it is without a model.
"""

from __future__ import annotations

from contextlib import aclosing

from msgspec import Struct

from ragsvc.citing.claims import content
from ragsvc.errors import UpstreamFailed
from ragsvc.prompting import Language, neutralise
from ragsvc.protocols import ChatModel
from ragsvc.records import AskRequest, Message, Step, Usage
from ragsvc.strategies.calls import prompts
from ragsvc.strategies.conversation import needs_earlier

MOST_CHARS = 300
"""Of a question that stands by itself."""
MOST_TURNS = 6
MOST_TURN_CHARS = 600
LEAST_KNOWN = 0.6
"""Share of its words (pairs of Han characters) that the conversation must hold: one made up would find other law."""


class Rewritten(Struct, frozen=True):
    """What came of it; ``question`` is empty when it could not be used."""

    question: str
    step: Step
    usage: Usage | None


async def rewrite(model: ChatModel | None, request: AskRequest, language: Language) -> Rewritten | None:
    """Return the question as the model writes it; None where there is no model or nothing to rewrite."""
    if model is None or not request.history or not needs_earlier(request):
        return None
    said, usage = await _ask(model, request, language)
    question = _usable(said, request)
    return Rewritten(question, Step("rewrite", request.question, said), usage)


async def _ask(model: ChatModel, request: AskRequest, language: Language) -> tuple[str, Usage | None]:
    """Return what the model writes, cut; nothing when it fails: whether it can answer the answer's call will show."""
    texts = prompts("rewriting")[language]
    lines = [texts[turn.role] + neutralise(turn.content[:MOST_TURN_CHARS]) for turn in request.history[-MOST_TURNS:]]
    shown = "\n".join([*lines, "", texts["last"] + neutralise(request.question)])
    text, usage = "", None
    try:
        async with aclosing(
            model.stream((Message("system", texts["rules"].strip()), Message("user", shown)))
        ) as pieces:
            async for piece in pieces:
                text += piece.text
                usage = piece.usage or usage
                if len(text) > 2 * MOST_CHARS:
                    break
    except UpstreamFailed:
        return "", usage
    return text.strip(), usage


def _usable(said: str, request: AskRequest) -> str:
    question = neutralise(said).strip().strip("\"'“”「」").strip()
    if not question or "\n" in question or len(question) > MOST_CHARS:
        return ""
    known = content(request.question).union(*(content(turn.content) for turn in request.history))
    words = content(question)
    return question if words and len(words & known) >= LEAST_KNOWN * len(words) else ""
