"""A domain pack: everything that differs between law, medicine, finance and any other text."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from msgspec import Struct, convert

from ragsvc.domains.gates import Gates
from ragsvc.domains.installed import BUILT_IN, check_name, declared, distribution_of, domain_names, load_installed
from ragsvc.errors import InvalidInput, SettingsError
from ragsvc.prompting import Language
from ragsvc.protocols import AddressGrammar, Chunker
from ragsvc.records import DocumentFacts

Policy = Literal["mark", "withhold", "regenerate"]
"""mark: the sentence stays, followed by what was not found or differs. withhold: it is left out, and that is said.
regenerate: the answer is held until it is whole and written once more if such a sentence is in it; what still has one
is left out."""


class DomainPack(Struct, frozen=True, kw_only=True):
    """What a domain brings. Texts are keyed by language; both languages are always there."""

    name: str
    chunker: Chunker
    grammar: AddressGrammar | None
    """How works and places in them are named; None where no such names exist."""
    system_prompt: dict[Language, str]
    """System message for chat models: answer from numbered passages only, cite each sentence, abstain."""
    disclaimer: dict[Language, str]
    """Shown with every answer."""
    abstention: str = ""
    """The pack's ``abstention.toml`` as ``ragsvc evaluate abstention`` wrote it; empty = never fitted."""
    grounding: Policy = "mark"
    """What happens to a sentence of an answer that its sources do not bear out."""
    gates: Gates = Gates()
    """What is said first, asked back and refused in this domain, whatever a model writes."""
    identity: Literal["title", "name"] = "name"
    """What makes two files the same document: the official title (and part), or only the file's name."""
    revision: int = 1
    """Raised when the same text would be chunked differently: documents are then read again."""

    def name_keys(self, facts: DocumentFacts) -> list[str]:
        """Return the keys under which to store a work: first the one that is its identity, then its other names."""
        if self.grammar:
            return self.grammar.name_keys(facts) or [""]  # a document without a title is a work without a name
        names = (facts.title, *facts.aliases)
        return list(dict.fromkeys("".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in names))


@cache
def find_pack(name: str) -> DomainPack:
    """Return the pack of domain ``name``, ours or an installed one; its modules are imported on the first call.

    Raises:
        InvalidInput: no such domain.
        SettingsError: an installed pack is broken or has a name that is taken; the message names its distribution.
    """
    names = domain_names()
    if name not in names:
        raise InvalidInput(f"domain {name!r} was asked for; there are {', '.join(names)}")
    check_name(name)
    if name not in BUILT_IN:
        return _installed_pack(name)
    pack = import_module(f"ragsvc.domains.{name}").PACK
    assert isinstance(pack, DomainPack)
    return pack


def _installed_pack(name: str) -> DomainPack:
    pack = load_installed(name)
    [point] = declared()[name]
    what = f"domain {name!r}: {point.value!r} of {distribution_of(point)}"
    if not isinstance(pack, DomainPack):
        raise SettingsError(f"{what} is a {type(pack).__name__}; it has to be a ragsvc.domains.pack.DomainPack")
    if pack.name != name:
        raise SettingsError(f"{what} calls itself {pack.name!r}; the pack's name is that of its entry point")
    for part in ("system_prompt", "disclaimer"):
        if lacking := {"zh", "en"} - set(getattr(pack, part)):
            raise SettingsError(
                f"{what} has no {part} in {' and '.join(sorted(lacking))}; it needs one in zh and in en"
            )
    return pack


def texts(package_file: str, stem: str) -> dict[Language, str]:
    """Read ``STEM.zh.md`` and ``STEM.en.md`` beside a pack's ``__init__.py``, whose ``__file__`` is given."""
    folder = Path(package_file).parent
    return {
        "zh": (folder / f"{stem}.zh.md").read_text(encoding="utf-8").strip(),
        "en": (folder / f"{stem}.en.md").read_text(encoding="utf-8").strip(),
    }


class _Grounding(Struct):
    policy: Policy


def policy(package_file: str) -> Policy:
    """Read the ``grounding.toml`` beside a pack's ``__init__.py``."""
    table = tomllib.loads(Path(package_file).with_name("grounding.toml").read_text("utf-8"))
    return convert(table, _Grounding).policy


def fitted(package_file: str) -> str:
    """Read the ``abstention.toml`` beside a pack's ``__init__.py``; empty when nothing was fitted."""
    path = Path(package_file).parent / "abstention.toml"
    return path.read_text(encoding="utf-8") if path.exists() else ""
