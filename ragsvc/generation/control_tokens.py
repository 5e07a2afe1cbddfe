"""Keeps what people write from becoming control tokens: the tokens that begin and end turns for a model.

A tokenizer turns ``<|im_end|>`` into one control token wherever it stands in a text. In contents every such token is
parted by a space first; after encoding, the control tokens of the prompt are counted against those of a harmless
conversation of the same form. A prompt with other ones is not sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from ragsvc.errors import UpstreamFailed
from ragsvc.records import Message, ToolCall

_LOOKS_LIKE_ONE = re.compile(r"[^\w\s].*[^\w\s]", re.DOTALL)
"""An added token that is not special by name may still steer: <tool_call>, [/INST]."""
_HARMLESS = "x"

Encode = Callable[[Sequence[Message]], Any]
"""Messages -> what the model's ``generate`` takes, with ``input_ids`` of shape (1, n)."""


class ControlTokens:
    """The control tokens of one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        added = tokenizer.added_tokens_decoder.items()
        steering = {
            number: str(token.content)
            for number, token in added
            if str(token.content).strip() and (token.special or _LOOKS_LIKE_ONE.fullmatch(str(token.content)))
        }
        steering |= dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
        longest_first = sorted({token for token in steering.values() if len(token) > 1}, key=len, reverse=True)
        self._written = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        # The unknown token stands for any character that the vocabulary lacks.
        self._ids = frozenset(steering) - {tokenizer.unk_token_id}

    def encode(self, messages: Sequence[Message], encode: Encode) -> Any:
        """Return the prompt of a conversation whose contents hold no control token.

        Raises:
            UpstreamFailed: they do, however they are written; nothing is sent.
        """
        wanted = self._of(encode([_with(message, lambda _: _HARMLESS) for message in messages]))
        for prepare in (self.part, lambda text: self.part(unicodedata.normalize("NFKC", text))):
            prompt = encode([_with(message, prepare) for message in messages])
            if self._of(prompt) == wanted:
                return prompt
        raise UpstreamFailed("a text of this conversation turns into control tokens of the model: it was not sent")

    def part(self, text: str) -> str:
        """Return ``text`` with a space inside each written control token."""
        return self._written.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text) if self._written else text

    def _of(self, prompt: Any) -> list[int]:
        ids: Iterable[int] = prompt["input_ids"][0].tolist()
        return [number for number in ids if number in self._ids]


def _with(message: Message, change: Callable[[str], str]) -> Message:
    calls = tuple(ToolCall(name=call.name, argument=change(call.argument)) for call in message.tool_calls)
    return replace(message, content=change(message.content), tool_calls=calls)
