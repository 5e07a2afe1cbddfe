"""Recipes for corpora."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput, NotFound
from ragsvc.loading.corpus import Corpus, find_corpus, read_corpora, shipped_corpora, with_edition
from ragsvc.security.urls import UrlPolicy, check_url

SHIPPED = read_corpora(shipped_corpora())
RECIPES = [corpus for corpus in SHIPPED if corpus.files]
HEAD = 'collection = "c"\ndomain = "law"\ntitle = "T"\nlicence = "L"\norigin = "O"\n'


def made(root: Path, text: str) -> Corpus:
    folder = root / "made"
    folder.mkdir(exist_ok=True)
    (folder / "corpus.toml").write_text(HEAD + text, "utf-8")
    return find_corpus(root, "made")


@pytest.mark.parametrize("corpus", SHIPPED, ids=lambda corpus: str(corpus.name))
def test_what_is_shipped_says_what_it_is(corpus: Corpus) -> None:
    """Every corpus has licence and origin; a recipe also format, edition, terms, and addresses by https alone."""
    assert corpus.domain in ("law", "medicine", "finance", "general")
    assert corpus.licence
    assert corpus.origin
    if corpus.files:
        assert corpus.format
        assert corpus.edition
        assert corpus.terms
        for item in corpus.downloads():
            assert check_url(item.url, UrlPolicy(schemes=("https",))).url == item.url
            assert "{" not in item.url + item.name
    assert {path.suffix for path in corpus.folder.iterdir()} <= ({".toml"} if corpus.files else {".toml", ".md"})


def test_the_public_sources_are_there() -> None:
    """Law of three places, medicine of three kinds, finance."""
    assert {"laws-zh", "eu-law", "us-code", "dailymed", "pmc-open-access", "medlineplus", "edgar"} <= {
        c.name for c in RECIPES
    }


def test_addresses_are_filled_in(tmp_path: Path) -> None:
    """Edition and entries take their places in addresses and names; without a name, it is the address's last part."""
    corpus = made(
        tmp_path,
        'edition = "7"\n[[files]]\nurl = "https://a.org/{edition}/{each}.zip"\neach = ["x", "y"]\n'
        '[[files]]\nurl = "https://a.org/get?id=3"\nname = "three-{edition}.xml"\nsha256 = "AB"\n',
    )
    assert [(item.url, item.name, item.sha256) for item in corpus.downloads()] == [
        ("https://a.org/7/x.zip", "x.zip", ""),
        ("https://a.org/7/y.zip", "y.zip", ""),
        ("https://a.org/get?id=3", "three-7.xml", "ab"),
    ]
    other = with_edition(corpus, "8").downloads()
    assert [(item.name, item.sha256) for item in other][::2] == [("x.zip", ""), ("three-8.xml", "")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[files]]\nurl = "https://a.org/"\n', "names no file"),
        ('[[files]]\nurl = "https://a.org/x"\nname = "../x"\n', "names no file"),
        ('[[files]]\nurl = "https://a.org/x"\n[[files]]\nurl = "https://b.org/x"\n', "more than one"),
    ],
)
def test_a_name_is_one_file_here(tmp_path: Path, text: str, complaint: str) -> None:
    """No recipe writes outside its folder, or two files into one."""
    with pytest.raises(InvalidInput, match=complaint):
        made(tmp_path, text).downloads()


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    """Unknown fields, unknown corpora, and an edition where there is none."""
    with pytest.raises(InvalidInput, match=r"made.corpus\.toml.*colour"):
        made(tmp_path, 'colour = "red"\n')
    corpus = made(tmp_path, "")
    with pytest.raises(NotFound, match=r"no corpus 'law' .* there are made"):
        find_corpus(tmp_path, "law")
    with pytest.raises(InvalidInput, match="one edition only"):
        with_edition(corpus, "3")
