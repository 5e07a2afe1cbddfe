"""Ends a stream where a stop text begins, and reads escapes, wherever the pieces of the stream are cut."""

from __future__ import annotations

from collections.abc import Sequence


class StopText:
    """Gives back what comes before the first stop text; keeps what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.is_reached = False

    def feed(self, text: str) -> str:
        """Take the next piece; return what is sure to be before any stop text."""
        if self.is_reached:
            return ""
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.is_reached, self._held = True, ""
            return text[: min(found)]
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        tails = range(min(longest, len(text)), 0, -1)
        kept = next((n for n in tails if any(stop.startswith(text[-n:]) for stop in self._stops)), 0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def rest(self) -> str:
        """Return what was kept, now that nothing more comes."""
        held, self._held = self._held, ""
        return held


class Unescaping:
    r"""Gives back a stream whose model was trained to write ``\n`` and ``\t`` for a newline and a tab."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece; a backslash at its end waits for what follows."""
        text = self._held + text
        self._held = "\\" if text.endswith("\\") else ""
        text = text[: len(text) - len(self._held)]
        return text.replace("\\n", "\n").replace("\\t", "\t")

    def rest(self) -> str:
        """Return what was kept, now that nothing more comes."""
        held, self._held = self._held, ""
        return held
