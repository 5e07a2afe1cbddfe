"""Parts a model's thinking from its answer where both come as one text.

A server that does not know a model's format passes ``<think>…</think>`` on as text (DeepSeek-R1, Qwen3, GLM-Z1), or
``<thinking>…</thinking> <answer>…</answer>`` (XuanYuan-FinX1). Only at the very beginning are these marks a format;
later they are words that the answer is about.
"""

from __future__ import annotations

from collections.abc import Callable

from ragsvc.records import TextPiece

_THOUGHTS = {"<think>": "</think>", "<thinking>": "</thinking>"}
_ANSWER, _ANSWER_END = "<answer>", "</answer>"


class ThinkingParter:
    """Takes the text of a stream as it comes; what may be the beginning of a mark is held back."""

    def __init__(self) -> None:
        self._held = ""
        self._text = self._reasoning = ""
        self._end_of_thought = ""
        self._step: Callable[[], bool] = self._begin

    def feed(self, text: str) -> TextPiece:
        """Return what of the text is certain by now."""
        self._held += text
        while self._step():
            pass
        return self._take()

    def rest(self) -> TextPiece:
        """Return what was held back when the stream has ended."""
        if self._step == self._think:
            self._reasoning = self._held
        elif self._step != self._gap:
            self._text = self._held
        self._held = ""
        return self._take()

    def _take(self) -> TextPiece:
        piece = TextPiece(text=self._text, reasoning=self._reasoning)
        self._text = self._reasoning = ""
        return piece

    # Each step says whether another can be made with what is held.

    def _begin(self) -> bool:
        start = self._held.lstrip()
        for opening, closing in _THOUGHTS.items():
            if start.startswith(opening):
                self._held, self._end_of_thought, self._step = start[len(opening) :], closing, self._think
                return True
        if any(opening.startswith(start) for opening in _THOUGHTS):
            return False
        self._step = self._write
        return True

    def _think(self) -> bool:
        before, is_over = self._until(self._end_of_thought)
        self._reasoning += before
        if is_over:
            self._step = self._gap
        return is_over

    def _gap(self) -> bool:
        self._held = self._held.lstrip()
        if _ANSWER.startswith(self._held) and self._held != _ANSWER:
            return False
        is_wrapped = self._held.startswith(_ANSWER)
        self._held = self._held.removeprefix(_ANSWER)
        self._step = self._write_wrapped if is_wrapped else self._write
        return True

    def _write_wrapped(self) -> bool:
        before, is_over = self._until(_ANSWER_END)
        self._text += before
        if is_over:
            self._step = self._write
        return is_over

    def _write(self) -> bool:
        self._text += self._held
        self._held = ""
        return False

    def _until(self, mark: str) -> tuple[str, bool]:
        before, found, after = self._held.partition(mark)
        if found:
            self._held = after
            return before, True
        kept = next((n for n in range(len(mark) - 1, 0, -1) if self._held.endswith(mark[:n])), 0)
        taken = self._held[: len(self._held) - kept]
        self._held = self._held[len(taken) :]
        return taken, False
