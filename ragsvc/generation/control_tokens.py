"""Keeps what people write from becoming control tokens: the tokens that begin and end turns for a model.

A tokenizer turns ``<|im_end|>`` into one control token wherever it stands in a text. In contents every such token is
parted by a space first; after encoding, the control tokens of the prompt are counted against those of a harmless
conversation of the same form. A prompt with other ones is not sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from ragsvc.errors import UpstreamFailed
from ragsvc.records import Message, ToolCall

_LOOKS_LIKE_ONE = re.compile(r"[^\w\s].*[^\w\s]", re.DOTALL)
"""An added token that is not special by name may still steer: <tool_call>, [/INST]."""
_HARMLESS = "x"

Prompt = TypeVar("Prompt")


class ControlTokens:
    """The control tokens of one vocabulary."""

    def __init__(self, steering: Mapping[int, str], harmless: Collection[int | None] = ()) -> None:
        """Keep the tokens of these ids and texts apart; those in ``harmless`` may come out of any text."""
        spelt = {form for token in steering.values() for form in (token, unicodedata.normalize("NFKC", token))}
        longest_first = sorted((token for token in spelt if len(token) > 1), key=len, reverse=True)
        self._written = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._ids = frozenset(steering) - set(harmless)

    @classmethod
    def of(cls, tokenizer: Any) -> ControlTokens:
        """Return those of a tokenizer of transformers."""
        steering = {
            number: str(token.content)
            for number, token in tokenizer.added_tokens_decoder.items()
            if str(token.content).strip() and (token.special or _LOOKS_LIKE_ONE.fullmatch(str(token.content)))
        }
        steering |= dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
        return cls(steering, {tokenizer.unk_token_id})  # which stands for any sign that the vocabulary lacks

    def encode(
        self,
        messages: Sequence[Message],
        encode: Callable[[Sequence[Message]], Prompt],
        ids_of: Callable[[Prompt], list[int]],
    ) -> Prompt:
        """Return the prompt of a conversation whose contents hold no control token.

        Raises:
            UpstreamFailed: they do, however they are written; nothing is sent.
        """

        def steering(prompt: Prompt) -> list[int]:
            return [number for number in ids_of(prompt) if number in self._ids]

        wanted = steering(encode([_with(message, lambda _: _HARMLESS) for message in messages]))
        for prepare in (self.part, lambda text: self.part(unicodedata.normalize("NFKC", text))):
            prompt = encode([_with(message, prepare) for message in messages])
            if steering(prompt) == wanted:
                return prompt
        raise UpstreamFailed("a text of this conversation turns into control tokens of the model: it was not sent")

    def part(self, text: str) -> str:
        """Return ``text`` with a space inside each written control token."""
        return self._written.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text) if self._written else text


def _with(message: Message, change: Callable[[str], str]) -> Message:
    calls = tuple(ToolCall(name=call.name, argument=change(call.argument)) for call in message.tool_calls)
    references = tuple(map(change, message.references))
    return replace(message, content=change(message.content), tool_calls=calls, references=references)
