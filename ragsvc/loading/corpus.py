"""``corpus.toml``: a corpus is a folder of documents, or a recipe for fetching some that others publish.

A recipe names addresses, edition, licence and terms; the texts themselves are never part of it.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec

import ragsvc
from ragsvc.errors import InvalidInput, NotFound

FILE_NAME = "corpus.toml"
_PACKAGE = Path(ragsvc.__file__).parent


class Files(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address, or several that differ in one part."""

    url: str
    """``{edition}`` in it is the corpus's edition, ``{each}`` each of ``each``."""
    each: tuple[str, ...] = ()
    name: str = ""
    """Of the file here, with the same marks; empty = the last part of the address."""
    sha256: str = ""
    """Of the bytes, in hex, where the publisher never changes them."""


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One file to fetch."""

    url: str
    name: str
    sha256: str = ""


class Corpus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Documents for one collection: those beside the ``corpus.toml``, or, of a recipe, those at its addresses."""

    collection: str
    domain: str
    title: str
    licence: str
    origin: str
    format: str = ""
    """What the files are, for people: ``USLM XML``. How they are read is decided by what they hold."""
    terms: str = ""
    """What the publisher asks of those who fetch and use the texts."""
    edition: str = ""
    """Which state of the texts the addresses give: a commit, a release, a day; or that it is the current one."""
    needs_contact: bool = False
    """Whether the publisher refuses requests that name no contact address (setting ``contact``)."""
    include: tuple[str, ...] = ()
    """Patterns of the names that go in; none = everything."""
    unpacked_mb: int = 0
    """How much the files of its largest archive have in all, where that is more than setting ``max_unpacked_mb``."""
    files: tuple[Files, ...] = ()
    """Empty = the documents lie in the folder."""
    folder: Path = Path()

    @property
    def name(self) -> str:
        """What it is called on the command line: its folder's name."""
        return self.folder.name

    def downloads(self) -> list[Download]:
        """Return the files of a recipe.

        Raises:
            InvalidInput: two have one name, or a name is a path.
        """
        found = []
        for files in self.files:
            for each in files.each or ("",):
                url = _filled(files.url, each, self.edition)
                name = _filled(files.name, each, self.edition) or unquote(PurePosixPath(urlsplit(url).path).name)
                found.append(Download(url=url, name=name, sha256=files.sha256.lower()))
        names = [download.name for download in found]
        for name in names:
            if name in ("", ".", "..") or PurePosixPath(name).name != name or names.count(name) > 1:
                raise InvalidInput(f"corpus {self.name!r}: {name!r} names no file, or more than one: set 'name'")
        return found


def shipped_corpora() -> Path:
    """Return the folder of the corpora that come with ragsvc: in the package, or beside it in a checkout."""
    inside = _PACKAGE / "corpora"
    return inside if inside.is_dir() else _PACKAGE.parent / "corpora"


def read_corpora(root: Path) -> list[Corpus]:
    """Return the corpora in the folders directly under ``root``, by name.

    Raises:
        InvalidInput: a corpus.toml does not say what it must.
    """
    found = []
    for path in sorted(root.glob(f"*/{FILE_NAME}")):
        try:
            corpus = msgspec.toml.decode(path.read_bytes(), type=Corpus)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path}: {error}") from error
        found.append(msgspec.structs.replace(corpus, folder=path.parent))
    return found


def find_corpus(root: Path, name: str) -> Corpus:
    """Return one corpus.

    Raises:
        NotFound: there is none of this name.
    """
    found = {corpus.name: corpus for corpus in read_corpora(root)}
    if name not in found:
        raise NotFound(f"no corpus {name!r} in {root.resolve()}; there are {', '.join(found) or 'none'}")
    return found[name]


def with_edition(corpus: Corpus, edition: str) -> Corpus:
    """Return a recipe for another edition, whose checksums nobody knows yet.

    Raises:
        InvalidInput: its addresses name no edition.
    """
    if not any("{edition}" in files.url for files in corpus.files):
        raise InvalidInput(f"corpus {corpus.name!r} has one edition only: {corpus.edition or 'that in its folder'}")
    files = tuple(msgspec.structs.replace(files, sha256="") for files in corpus.files)
    return msgspec.structs.replace(corpus, edition=edition, files=files)


def _filled(text: str, each: str, edition: str) -> str:
    return text.replace("{each}", each).replace("{edition}", edition)
