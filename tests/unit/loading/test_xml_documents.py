"""Published XML comes out by its structure; entities and damage are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.xml_documents import read_xml

SAMPLES = Path(__file__).parent / "samples"
EXPECTED: dict[str, list[tuple[str, int, str]]] = {
    "label_spl.xml": [
        ("title", 0, "SAMPLOL tablets, for oral use"),
        (
            "list",
            0,
            "Product: Samplol\nGeneric name: samplolol\nLabeler: Sample Pharma Inc.\n"
            "Set id: 00000000-1111-2222-3333-444444444444\nVersion: 7\nEffective: 20240315",
        ),
        ("heading", 1, "1 INDICATIONS AND USAGE"),
        ("paragraph", 0, "Samplol is indicated for mild examples in adults."),
        ("heading", 1, "DOSAGE & ADMINISTRATION SECTION"),
        ("paragraph", 0, "Adults: 25 mga twice daily."),
        ("list", 0, "b) Children: not used."),
        ("paragraph", 0, "Table 1. Dose by weight"),
        ("table", 0, "Weight | Dose\nunder 50 kg | 10 mg\n50 kg or more | 25 mg"),
        ("heading", 2, "2.1 Renal impairment"),
        ("paragraph", 0, "Halve the dose."),
        ("footnote", 0, "With food."),
    ],
    "article_jats.xml": [
        ("title", 0, "Samples in vitro"),
        ("paragraph", 0, "Jane Doe"),
        ("list", 0, "Journal: Journal of Samples\nPublished: 2024-03-05\nDOI: 10.0000/sample.1"),
        ("heading", 1, "Abstract"),
        ("paragraph", 0, "We looked at samples."),
        ("heading", 1, "1 Methods"),
        ("paragraph", 0, "Cells were kept at 37°C [1]."),
        ("paragraph", 0, "Steps:"),
        ("list", 0, "a. wash"),
        ("paragraph", 0, "count"),
        ("paragraph", 0, "then rest."),
        ("heading", 2, "Statistics"),
        ("list", 0, "Table 1 Counts."),
        ("table", 0, "Group | n\nA | 12"),
        ("paragraph", 0, "n, number."),
        ("heading", 1, "References"),
        ("list", 0, "1 Roe J. Old samples. 1999."),
    ],
    "act_akn.xml": [
        ("title", 0, "Samples Act 2024"),
        ("list", 0, "enacted: 2024-05-01"),
        ("heading", 1, "Part 1 Preliminary"),
        ("heading", 2, "1 Meaning of “sample”"),
        ("list", 0, "(1) In this Act “sample” means—"),
        ("list", 0, "(a) a part of a whole, or"),
        ("list", 0, "(b) (i) an example."),
        ("list", 0, "(2) It includes a model."),
        ("footnote", 0, "Inserted by S.I. 2024/1."),
    ],
    "code_uslm.xml": [
        ("title", 0, "Title 99—SAMPLES"),
        ("list", 0, "Number: 99\nPublication: Online@118-1"),
        ("heading", 1, "TITLE 99— SAMPLES"),
        ("heading", 2, "CHAPTER 1— GENERAL"),
        ("heading", 3, "§ 101. Right to samples"),
        ("list", 0, "(a) In general.— Any person may—"),
        ("list", 0, "(1) take one sample; and"),
        ("list", 0, "(2) return it."),
        ("paragraph", 0, "No fee is due."),
        ("paragraph", 0, "(Pub. L. 118–1, Jan. 3, 2023.)"),
        ("heading", 4, "Effective date"),
        ("paragraph", 0, "Effective on July 1, 2023."),
        ("footnote", 0, "So in original."),
    ],
    "health_medquad.xml": [
        ("title", 0, "Sample fever"),
        ("paragraph", 0, "Synonyms: specimen fever"),
        ("heading", 1, "What is sample fever ?"),
        ("paragraph", 0, "Sample fever is made up."),
        ("paragraph", 0, "It goes <2 days."),
        ("heading", 1, "How is it treated ?"),
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_published_format_is_read_by_its_structure(name: str) -> None:
    """Divisions are headings with their level, numbered units keep numbers, tables rows, and notes come last."""
    found = read_xml((SAMPLES / name).read_bytes(), name, DEFAULT_LIMITS)
    assert [(b.kind, b.level, found.text[b.start : b.end]) for b in found.blocks] == EXPECTED[name]
    assert found.title == EXPECTED[name][0][2]


def test_unknown_xml_comes_out_as_its_texts() -> None:
    """Elements of elements are passed through, the innermost texts are paragraphs, titles are headings."""
    content = b"<r><head>Rules</head><rule><n>1</n><t>Do <i>not</i> run.</t></rule><!-- no text --></r>"
    found = read_xml(content, "r.xml", DEFAULT_LIMITS)
    assert found.text == "Rules\n\n1\n\nDo not run."
    assert found.blocks[0].kind == "heading"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "declares entities"),
        (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]><a>b</a>', "declares entities|damaged XML"),
        (b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>', "declares entities"),
        (b"<a><b></a>", "damaged XML"),
        (b"<a>" * 100_000, "damaged XML"),
    ],
)
def test_entities_and_damage_are_refused(content: bytes, reason: str) -> None:
    """Nothing is expanded, read or fetched; depth without end is damage."""
    with pytest.raises(UnreadableFile, match=reason):
        read_xml(content, "a.xml", DEFAULT_LIMITS)
