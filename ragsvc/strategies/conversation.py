"""What the turns before a question mean for its search and for the prompt."""

from __future__ import annotations

import re

from ragsvc.citing.sentences import MARK
from ragsvc.prompting import estimated_tokens, neutralise
from ragsvc.records import AskRequest, Message
from ragsvc.strategies.leaning import leans, shares
from ragsvc.strategies.task import Task

SHARE_OF_HISTORY = 0.25
"""Most of a prompt that earlier turns take; the oldest are left out first."""
MOST_SEARCHED_CHARS = 4_000
_ASKS = re.compile(r"[？?]|吗|什么|怎么|如何|多少|多久|哪|是否")
_ANY_MARK = re.compile(rf"[ \t]*{MARK}")


def user_turns(request: AskRequest) -> list[str]:
    """Return what the user said, the question last."""
    return [*(turn.content for turn in request.history if turn.role == "user"), request.question]


def all_user_turns(request: AskRequest) -> str:
    """Return what the user said, joined by a space, the latest of it: what Lawyer LLaMA's retriever is asked."""
    return " ".join(user_turns(request))[-MOST_SEARCHED_CHARS:]


def standing_question(request: AskRequest) -> str:
    """Return the question so that it can be searched for by itself.

    As a model has written it where one did. Otherwise one that leans on what was said (那…呢, "what about it", a reply
    to a question back, a word or two) gets the user's turn before it in front, and that one its own where it leans as
    well. One that stands by itself is left alone: the topic may have changed.
    """
    return request.standing or " ".join(user_turns(request)[_first_needed(request) :])[-MOST_SEARCHED_CHARS:]


def needs_earlier(request: AskRequest) -> bool:
    """Whether the question is searched for with turns before it."""
    return _first_needed(request) < len(user_turns(request)) - 1


def _first_needed(request: AskRequest) -> int:
    """Return the place in ``user_turns`` of the first that the question cannot do without."""
    said = user_turns(request)
    first = len(said) - 1
    if first and _is_reply(request):
        first -= 1
    while first > 0 and leans(said[first], " ".join(said[:first])):
        first -= 1
    return first


def _is_reply(request: AskRequest) -> bool:
    """Whether the last thing said was a question back, and the user took it up and did not ask something else."""
    last = request.history[-1]
    if last.role != "assistant" or not last.content.rstrip().endswith(("？", "?")):
        return False
    before = " ".join([*user_turns(request)[:-1], last.content])
    asks_something_else = _ASKS.search(request.question) and not leans(request.question, before)
    return not asks_something_else or shares(request.question, before)


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
