"""What chat front ends ask of a model beside the conversation: a title, tags, questions to go on with.

These are no questions to the sources: they are recognised by the form that the front ends give them, and answered
without searching and without a model. A title is how the conversation begins; nothing else is made up.

Sources: Open WebUI's default task templates (``backend/open_webui/config.py``); LibreChat's title by completion
(``src/utils/title.ts`` of its agents package). A form that is not known is answered like a question.
"""

from __future__ import annotations

import re

import msgspec

MAX_TITLE_CHARS = 40

_OF_OPEN_WEBUI = "### Task:"
_OF_LIBRECHAT = "Provide a concise, 5-word-or-less title for the conversation"
_ASKED = re.compile(r'"(title|tags|follow_ups|queries)"\s*:')
_FIRST_SAID = re.compile(r"^[ \t]*user:[ \t]*(.+)", re.IGNORECASE | re.MULTILINE)


def answer_task(text: str) -> str | None:
    """Return the answer to a front end's task; None where the text is none of those."""
    text = text.strip()
    if text.startswith(_OF_LIBRECHAT):
        return _title(text.partition("\nConversation:")[2])
    order, mark, history = text.partition("<chat_history>")
    asked = _ASKED.search(order.partition("### Output:")[2])
    if not (text.startswith(_OF_OPEN_WEBUI) and mark and asked):
        return None
    return msgspec.json.encode({asked[1]: _title(history) if asked[1] == "title" else []}).decode()


def _title(conversation: str) -> str:
    """Return how the conversation begins, as one short line."""
    said = _FIRST_SAID.search(conversation)
    line = " ".join(said[1].split()) if said else ""
    return line if len(line) <= MAX_TITLE_CHARS else line[: MAX_TITLE_CHARS - 1].rstrip() + "…"
