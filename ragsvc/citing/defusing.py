"""Takes from text that is released what a Markdown or HTML reader would load or link: images, links, markup.

An image in an answer is fetched by the reader's browser with whatever a hidden order made the model write into its
address. So no address stays one: an address that a source holds word for word is kept readable, with a space in it;
any other is taken out. White space is put into markup, so that a quotation in it still proves itself.
"""

from __future__ import annotations

import re
from typing import Literal

_REST = r"[^\s<>\"'`“”‘’（）()「」『』【】\[\]，。；、！？]"
_ADDRESS = re.compile(
    rf"[a-z][a-z0-9+.-]{{1,20}}://{_REST}*"
    rf"|//(?:[a-z0-9-]+\.)+[a-z]{{2,}}{_REST}*"
    rf"|(?<![a-z0-9.])www\.{_REST}+"
    rf"|(?<![a-z0-9.@-])(?:[a-z0-9-]+\.)+[a-z]{{2,12}}[/?#]{_REST}+"
    r"|(?<![a-z])(?:javascript|vbscript|data):[^\s)]+",
    re.IGNORECASE,
)
_LIVE = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_MARKUP = re.compile(
    r"(?<=\])(?=\()"  # [text](address) and ![text](address)
    r"|(?<=<)(?=[A-Za-z/!?])"  # <img …>
    r"|(?m:(?<=\])(?=:))"  # [name]: address
)
_TAKEN_OUT = {"zh": "（链接已移去）", "en": "(link removed)"}


def defuse(text: str, language: Literal["zh", "en"], sources: str = "", before: str = "") -> str:
    """Return ``text`` with nothing that is loaded, linked or run.

    Args:
        text: what is to be released.
        language: of what stands in place of an address that was taken out.
        sources: an address that stands in here is kept, made unfit to be followed.
        before: what was released before it: markup may begin there.
    """

    def address(match: re.Match[str]) -> str:
        kept = match[0].rstrip(".,;:!?")
        return (_LIVE.sub(" ", kept) if kept in sources else _TAKEN_OUT[language]) + match[0][len(kept) :]

    text = _MARKUP.sub(" ", _ADDRESS.sub(address, text))
    return " " + text if _MARKUP.search(before[-1:] + text[:1]) else text
