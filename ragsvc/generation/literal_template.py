"""Writes a conversation as a model without a chat template was trained to read it, byte for byte.

The templates are data: ``templates/literal.toml``, whose head explains the fields. What a user or a passage wrote is
put in neutralised: no marker of the template can come out of it, however it is spelt, spaced or disguised.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from ragsvc.errors import SettingsError, UpstreamFailed
from ragsvc.generation.tools import write_calls
from ragsvc.records import Message

_FILE = Path(__file__).parent / "templates" / "literal.toml"
_SLOT = re.compile(r"\{(question|answer|system|references|round|before|thoughts|calls|results)\}")
_FULL_WIDTH = 0xFEE0
"""From an ASCII character to its full-width form."""
_ALIKE = {":": "：:︰﹕∶", "：": "：:︰﹕∶", "|": "|｜│∣", "<": "<＜‹〈", ">": ">＞›〉"}
_TOUCHING = re.compile(r"(?<=[^\w\s])(?=\S)|(?<=\S)(?=[^\w\s])")


class Piece(NamedTuple):
    """Part of a prompt: the template's own text, or what somebody wrote."""

    text: str
    is_content: bool


class WithReferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written otherwise when the question comes with references."""

    last: str
    system: str | None = None


class LiteralTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One entry of ``literal.toml``; the file's head says what each field is."""

    name: str
    used_by: str
    source: str
    last: str
    markers: tuple[str, ...]
    start: str = ""
    system: str = ""
    default_system: str | None = None
    turn: str = ""
    alone: str = ""
    call: str = ""
    results: str = ""
    with_references: WithReferences | None = None
    first_round: int = 1
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    ids: dict[str, int] = {}
    prefix_ids: tuple[int, ...] = ()
    bos: bool = True
    strip: bool = False
    escape: bool = False

    def render(self, messages: Sequence[Message], references: Sequence[str] = ()) -> str:
        """Return the prompt for the last message; ``references`` belong to that turn only.

        A template of single questions (one without ``turn``) leaves earlier turns out, as its model never saw any.

        Raises:
            UpstreamFailed: the conversation does not end with something to answer.
        """
        return "".join(piece.text for piece in self.pieces(messages, references))

    def pieces(self, messages: Sequence[Message], references: Sequence[str] = ()) -> list[Piece]:
        """As ``render``, with the template's own text apart from what somebody wrote."""
        references = references or (messages[-1].references if messages else ())
        system = "\n\n".join(message.content for message in messages if message.role == "system")
        turns = _turns([message for message in messages if message.role != "system"])
        if self._has_no_system_slot and system:
            turns[-1]["question"] = f"{system}\n\n{turns[-1]['question']}"
        if references and self.with_references:
            turns[-1]["references"] = "\n".join(references)
        if not self.turn:
            turns = turns[-1:]
        written = [Piece(self.start, False)]
        before = self._system(system, bool(references))
        if "{before}" not in self.last:
            written += before
        for number, turn in enumerate(turns):
            turn["round"] = str(self.first_round + number)
            is_last = number == len(turns) - 1
            written += self._fill(self._form(turn, is_last, len(turns) == 1), turn, before if number == 0 else [])
        joined = [piece for piece in written if piece.text]
        return [Piece(_escaped(piece.text), piece.is_content) for piece in joined] if self.escape else joined

    def neutralise(self, text: str) -> str:
        """Return ``text`` without hidden characters and with white space put into every marker of this template."""
        visible = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cs"))
        return self._markers.sub(lambda found: _TOUCHING.sub(" ", found[0]), visible)

    @cached_property
    def _markers(self) -> re.Pattern[str]:
        longest_first = sorted(self.markers, key=len, reverse=True)
        return re.compile("|".join(map(_disguised, longest_first)), re.IGNORECASE)

    @property
    def _has_no_system_slot(self) -> bool:
        return "{system}" not in self.system

    def _system(self, system: str, has_references: bool) -> list[Piece]:
        form = self.system
        if has_references and self.with_references and self.with_references.system is not None:
            form = self.with_references.system
        if self._has_no_system_slot:
            return [Piece(form, False)]
        if not system and self.default_system is None:
            return []
        return self._fill(form, {"system": system or self.default_system or ""}, [])

    def _form(self, turn: dict[str, str], is_last: bool, is_alone: bool) -> str:
        if not is_last:
            return self.turn
        if "results" in turn and self.call:
            return self.call + self.results
        if "references" in turn and self.with_references:
            return self.with_references.last
        return self.alone if is_alone and self.alone else self.last

    def _fill(self, form: str, values: dict[str, str], before: Sequence[Piece]) -> list[Piece]:
        pieces: list[Piece] = []
        done = 0
        for slot in _SLOT.finditer(form):
            pieces.append(Piece(form[done : slot.start()], False))
            done = slot.end()
            if slot[1] == "before":
                pieces += before
            elif slot[1] == "round":
                pieces.append(Piece(values["round"], False))
            else:
                text = self.neutralise(values.get(slot[1], ""))
                pieces.append(Piece(text.strip() if self.strip else text, True))
        return [*pieces, Piece(form[done:], False)]


@cache
def literal_templates() -> dict[str, LiteralTemplate]:
    """Return all literal templates by name."""
    entries = tomllib.loads(_FILE.read_text("utf-8"))
    return {name: msgspec.convert({"name": name, **entry}, LiteralTemplate) for name, entry in entries.items()}


def find_template(name: str) -> LiteralTemplate:
    """Return the literal template of that name.

    Raises:
        SettingsError: there is none.
    """
    found = literal_templates().get(name)
    if found is None:
        raise SettingsError(f"template {name!r} was asked for; there are {', '.join(literal_templates())}")
    return found


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the turns of a conversation, each with its question; all but the last with their answers."""
    if not messages or messages[-1].role not in ("user", "tool"):
        raise UpstreamFailed("the conversation does not end with a question, so that there is nothing to answer")
    turns: list[dict[str, str]] = []
    for message in messages:
        last = turns[-1] if turns else {}
        if message.role == "user" and (not turns or "answer" in last):
            turns.append({"question": message.content})
        elif message.role == "user":  # two questions in a row are one
            last["question"] += f"\n\n{message.content}"
        elif not turns:  # a greeting of the assistant's
            turns.append({"question": "", "answer": message.content})
        elif message.role == "tool":
            last["results"] = last.get("results", "") + message.content
        elif message.tool_calls:
            last |= {"thoughts": message.content, "calls": write_calls(message.tool_calls)}
        else:
            last["answer"] = message.content
    return turns


def _disguised(marker: str) -> str:
    """Return a regular expression for a marker with other widths, look-alikes and spaces between its characters."""
    return r"[ \t\u3000]*".join(r"\n" if char == "\n" else _class(char) for char in marker if char != " ")


def _class(char: str) -> str:
    alike = _ALIKE.get(char, char)
    if "!" <= char <= "~":
        alike += chr(ord(char) + _FULL_WIDTH) + chr(ord(char.swapcase()) + _FULL_WIDTH)
    return "[" + "".join(map(re.escape, dict.fromkeys(alike))) + "]"


def _escaped(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t")
