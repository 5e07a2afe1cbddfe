"""What the turns before a question mean for its search and for the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragsvc.citing.sentences import MARK
from ragsvc.prompting import estimated_tokens, neutralise
from ragsvc.records import AskRequest, Message, Turn
from ragsvc.strategies.task import Task

SHARE_OF_HISTORY = 0.25
"""Most of a prompt that earlier turns take; the oldest are left out first."""
MOST_SEARCHED_CHARS = 4_000
_SHORT_HAN, _SHORT_WORDS = 6, 4
"""A question of fewer Han characters or words does not stand by itself."""

_LEANS = re.compile(
    r"^(?:那|可是|但是?|如果|假如|要是|万一|还有|另外|然后|所以|同样|再)|(?:这个?|那个?|这种|那种|上述|前面|刚才|该|此)(?![里些么])"
    r"|[它他她]|呢[？?]?\s*$|^(?:and|but|so|then|also|what about|how about|what if|why)\b"
    r"|\b(?:it|its|that|this|those|these|they|them|their|he|him|she|her|above)\b",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]+")
_ANY_MARK = re.compile(rf"[ \t]*{MARK}")


def user_turns(request: AskRequest) -> list[str]:
    """Return what the user said, the question last."""
    return [*(turn.content for turn in request.history if turn.role == "user"), request.question]


def all_user_turns(request: AskRequest) -> str:
    """Return what the user said, joined by a space, the latest of it: what Lawyer LLaMA's retriever is asked."""
    return " ".join(user_turns(request))[-MOST_SEARCHED_CHARS:]


def standing_question(request: AskRequest) -> str:
    """Return the question so that it can be searched for by itself.

    One that leans on what was said (那…呢, "what about it", a reply to a question back, a word or two) gets the user's
    turn before it in front, and that one its own where it leans as well. One that stands by itself is left alone: the
    topic may have changed.
    """
    said = user_turns(request)
    first = len(said) - 1
    if _is_reply(request.history):
        first -= 1
    while first > 0 and leans(said[first]):
        first -= 1
    return " ".join(said[max(first, 0) :])[-MOST_SEARCHED_CHARS:]


def leans(question: str) -> bool:
    """Whether a question cannot be understood without what was said before it."""
    han, words = len(_HAN.findall(question)), len(_WORD.findall(question))
    is_short = han < _SHORT_HAN if han else words < _SHORT_WORDS
    return is_short or _LEANS.search(question.strip()) is not None


def _is_reply(history: Sequence[Turn]) -> bool:
    """Whether the last thing said was a question back."""
    return bool(history) and history[-1].role == "assistant" and history[-1].content.rstrip().endswith(("？", "?"))


def past_turns(task: Task) -> tuple[Message, ...]:
    """Return the latest earlier turns that a prompt has room for, without marks: these counted in other passages."""
    left = int(task.prompt_tokens * SHARE_OF_HISTORY)
    kept: list[Message] = []
    for turn in reversed(task.request.history):
        text = neutralise(_ANY_MARK.sub("", turn.content) if turn.role == "assistant" else turn.content)
        left -= estimated_tokens(text)
        if left < 0:
            break
        kept.append(Message(turn.role, text))
    while kept and kept[-1].role == "assistant":  # a conversation begins with what the user said
        kept.pop()
    return tuple(reversed(kept))
