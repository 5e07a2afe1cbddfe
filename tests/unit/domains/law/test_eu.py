"""Acts of the European Union."""

from __future__ import annotations

from datetime import date

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.law.eu import chunk_eu_act, describe_eu_act
from ragsvc.records import LoadedDocument

LONG = "The controller shall act. " * 70
ACT = f"""REGULATION (EU) 2030/1 OF THE EUROPEAN PARLIAMENT AND OF THE COUNCIL

of 3 May 2030

on the protection of gardens (Garden Protection Regulation)

(Text with EEA relevance)

Whereas:

(1) Gardens matter. Article 8 says so.

(2) They should be protected.

HAVE ADOPTED THIS REGULATION:

CHAPTER I
General provisions

Article 1
Subject-matter

1. This Regulation protects gardens.

Article 7 does not apply.

Section 1
Rules

Article 2
Duties

1. {LONG}

2. Member States shall help:

(a) with water;

(b) with seeds.

Article 3
Definitions

For this Regulation:

(1) ‘garden’ means {LONG}

(2) ‘tree’ means a tall plant.

Article 4

It shall apply from 1 June 2032.

Done at Brussels, 3 May 2030.

ANNEX I

Plants
"""


def test_the_act_is_described() -> None:
    """Title, number, dates and the names under which people cite it."""
    facts = describe_eu_act(LoadedDocument(name="a.html", text=ACT, media_type="text/html", source_sha256=""))
    assert facts is not None
    assert facts.title.startswith("REGULATION (EU) 2030/1 OF THE EUROPEAN PARLIAMENT")
    assert facts.title.endswith("(Garden Protection Regulation)")
    assert (facts.number, facts.kind, facts.language) == ("(EU) 2030/1", "regulation", "en")
    assert (facts.promulgated, facts.effective_from) == (date(2030, 5, 3), date(2032, 6, 1))
    assert {"Garden Protection Regulation", "GPR", "Regulation (EU) 2030/1", "2030/1"} <= set(facts.aliases)


def test_recitals_and_articles_have_addresses() -> None:
    """A reference in a recital or paragraph is no article; the title of an article closes its heading path."""
    chunks = chunk_eu_act(ACT)
    assert tiling_fault(chunks, len(ACT)) is None
    assert [c.address for c in chunks if c.kind == "section"] == ["r1", "r2"]
    assert [c.address for c in chunks if c.kind == "article"] == ["1", "2", "3", "4"]
    second = next(c for c in chunks if c.address == "2")
    assert (
        second.locator,
        second.heading_path,
    ) == ("Article 2", ("Chapter I General provisions", "Section 1 Rules", "Duties"))


def test_long_articles_are_divided() -> None:
    """Paragraphs become leaves under the article; definitions are divided by their points."""
    chunks = chunk_eu_act(ACT)
    leaves = [(c.locator, c.address) for c in chunks if c.kind == "paragraph"]
    expected = [
        ("Article 2(1)", "2.1"),
        ("Article 2(2)", "2.2"),
        ("Article 3", ""),
        ("Article 3(1)", "3.1"),
        ("Article 3(2)", "3.2"),
    ]
    assert expected == leaves


def test_signature_and_annex_are_not_part_of_the_last_article() -> None:
    """Done at … closes the articles; an annex has its own locator."""
    chunks = chunk_eu_act(ACT)
    assert [c.kind for c in chunks[-3:]] == ["article", "front", "annex"]
    assert chunks[-1].locator == "ANNEX I"


def test_other_english_text_is_no_act() -> None:
    """A report that mentions a regulation is described by the general rules."""
    text = "Report on the REGULATION of gardens.\n\nArticle 1\n\nNothing."
    assert describe_eu_act(LoadedDocument(name="a.txt", text=text, media_type="text/plain", source_sha256="")) is None
