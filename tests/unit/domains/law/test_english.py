"""Statutes in English: sections and schedules become chunks with addresses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.domains.law.addresses import LawGrammar
from ragsvc.domains.law.chunker import LawChunker
from ragsvc.domains.law.english_parts import find_part
from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.xml_documents import read_xml
from ragsvc.records import Address, Chunk, LoadedDocument

CHUNKER = LawChunker()
ROOT = Path(__file__).resolve().parents[4]
SAMPLES = ROOT / "tests" / "unit" / "loading" / "samples"


def document(text: str) -> LoadedDocument:
    return LoadedDocument(name="act.md", text=text, media_type="text/markdown", source_sha256="")


def chunks_of(loaded: LoadedDocument) -> dict[str, Chunk]:
    """Chunks with an address, by it; the text is tiled, and no address is there twice."""
    chunks = CHUNKER.chunk(loaded, CHUNKER.describe(loaded))
    assert tiling_fault(chunks, len(loaded.text)) is None
    addressed = [chunk for chunk in chunks if chunk.address]
    assert len({chunk.address for chunk in addressed}) == len(addressed)
    return {chunk.address: chunk for chunk in addressed}


def test_our_sample_act_has_its_articles_and_dates() -> None:
    """Markdown headings: Article 1 to 6, each with its title in the heading path; the act says from when it applies."""
    loaded = document((ROOT / "corpora" / "law" / "riverton-tenant-privacy-act.md").read_text("utf-8"))
    facts = CHUNKER.describe(loaded)
    assert (facts.title, facts.kind) == ("Riverton Tenant Privacy Act", "act")
    assert (facts.promulgated, facts.effective_from) == (date(2021, 3, 4), date(2021, 7, 1))
    assert facts.validity_source == "stated"
    found = chunks_of(loaded)
    assert list(found) == ["1", "2", "3", "4", "5", "6"]
    assert found["4"].locator == "Article 4"
    assert found["4"].heading_path == ("Chapter II Entry", "Hours of entry")


CODE = """TITLE 42—THE PUBLIC HEALTH

CHAPTER 21—CIVIL RIGHTS

§ 1983. Civil action for deprivation of rights

Every person who subjects another is liable, as
Section 1985 of this title applies to conspiracies and
§ 1986 to neglect.

§ 2000e-5. Enforcement provisions

(a) Power of the Commission

The Commission is empowered.

(b) Charges—

(1) Whenever a charge is filed,

(A) notice is served; and

(B) an investigation is made.

This is done within ten days.

(2) No charge is made public.
"""


def test_a_code_is_cut_at_its_sections_and_not_at_references() -> None:
    """Two lines begin with a section that they only refer to; the title's number is how the code is cited."""
    loaded = document(CODE)
    found = chunks_of(loaded)
    assert list(found) == ["1983", "2000e-5"]
    assert found["1983"].heading_path[-1] == "Civil action for deprivation of rights"
    assert "42 U.S.C." in CHUNKER.describe(loaded).aliases


@pytest.mark.parametrize(
    "line",
    [
        "Section 5 of this Act applies to the landlord.",
        "Section 5(2) does not apply.",
        "Section 5 applies only where notice was given.",
        "section 5 is repealed.",
        "Sections 5 and 6 are read together.",
        "Article 5, paragraph 2, has effect.",
        "Sec. 5 shall not apply",
        "Schedule 2 has effect.",
        "§ 5 and § 6 remain in force.",
        "Part 5 of the Act applies.",
    ],
)
def test_a_reference_at_the_start_of_a_line_opens_nothing(line: str) -> None:
    """What follows the number tells a heading from a sentence that begins with a reference."""
    text = f"Section 3. Notice\n\nNotice is given.\n{line}\n\nSection 4. Entry\n\nEntry is allowed.\n"
    assert list(chunks_of(document(text))) == ["3", "4"]


def test_run_in_headings_bold_and_schedules() -> None:
    """Sec. 5. Title. Text; a bold section; a schedule with numbered paragraphs after the last section."""
    text = (
        "SEC. 5. PENALTIES.\n\nWhoever enters pays.\n\n**Section 12A Interpretation**\n\nTerms.\n\n"
        "Sec. 13. Repeal. The old act is repealed.\n\nSCHEDULE 2 Transitional provisions\n\n3. First.\n\n4. Second.\n"
    )
    found = chunks_of(document(text))
    assert list(found) == ["5", "12a", "13", "sch2"]
    assert [found[key].locator for key in found] == ["Section 5", "Section 12A", "Section 13", "Schedule 2"]
    assert found["13"].heading_path == ("Repeal",)


def test_the_table_of_contents_is_no_section() -> None:
    """Its lines name the sections again and have nothing below them."""
    names = ["Sec. 1. Short title", "Sec. 2. Definitions", "Sec. 3. Notice"]
    text = "Notice Act\n\n" + "\n".join(names) + "\n\n" + "\n\n".join(f"{name}\n\nText of it." for name in names)
    loaded = document(text)
    assert list(chunks_of(loaded)) == ["1", "2", "3"]
    assert [c.kind for c in CHUNKER.chunk(loaded, CHUNKER.describe(loaded))].count("contents") == 1


def test_a_number_that_comes_twice_is_no_address() -> None:
    """Each article of a constitution counts its sections anew: "Section 1" names none of them."""
    names = ("ARTICLE I", "Section 1. Congress", "Section 2. House", "ARTICLE II", "Section 1. President")
    text = "\n\n".join(f"{name}\n\nText." for name in names)
    assert "1" not in chunks_of(document(text))


def test_a_long_section_is_divided_at_its_subsections() -> None:
    """The section stays one address over the leaves; each subsection has its own."""
    body = "\n\n".join(f"({letter}) {'The tenant may object to an entry. ' * 20}" for letter in "abc")
    found = chunks_of(document(f"§ 7. Objections\n\n{body}\n\n§ 8. End\n\nNothing."))
    assert list(found) == ["7", "7.a", "7.b", "7.c", "8"]
    assert found["7.b"].locator == "§ 7(b)"
    assert not found["7"].is_leaf


@pytest.mark.parametrize(
    ("name", "address", "path", "expected"),
    [
        ("act_akn.xml", "1", ("1", "b"), "(b) (i) an example."),
        ("act_akn.xml", "1", ("2",), "(2) It includes a model.\n\nInserted by S.I. 2024/1."),
        ("code_uslm.xml", "101", ("a", "2"), "(2) return it."),
    ],
)
def test_akoma_ntoso_and_uslm_have_addresses_down_to_the_point(
    name: str, address: str, path: tuple[str, ...], expected: str
) -> None:
    """What the loaders make of the published formats is cut at sections, and points are found in them."""
    read = read_xml((SAMPLES / name).read_bytes(), name, DEFAULT_LIMITS)
    loaded = LoadedDocument(
        name=name, text=read.text, media_type="text/xml", source_sha256="", blocks=tuple(read.blocks), title=read.title
    )
    chunk = chunks_of(loaded)[address]
    text = loaded.text[chunk.start : chunk.end]
    span = find_part(text, path)
    assert span is not None
    assert text[slice(*span)] == expected


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        (("a",), "(a) Power"),
        (("b", "1"), "(1) Whenever"),
        (("b", "1", "A"), "(A) notice"),
        (("b", "2"), "(2) No charge"),
        (("b", "3"), None),
        (("c",), None),
        (("1",), None),
    ],
)
def test_parts_are_found_by_their_whole_path(path: tuple[str, ...], begins: str | None) -> None:
    """(1) alone is no part of this section: paragraph (1) stands under (b)."""
    section = CODE[CODE.index("§ 2000e-5") :]
    span = find_part(section, path)
    assert (section[slice(*span)][: len(begins or "")] if span else None) == begins


def test_words_below_a_list_are_not_its_last_point() -> None:
    """(B) ends before "This is done within ten days.", which belongs to paragraph (1)."""
    section = CODE[CODE.index("§ 2000e-5") :]
    span = find_part(section, ("b", "1", "B"))
    assert span is not None
    assert section[slice(*span)] == "(B) an investigation is made."


@pytest.mark.parametrize(
    ("text", "work", "place"),
    [
        ("Riverton Tenant Privacy Act s 4", "rivertontenantprivacyact", ("4", "", "")),
        ("riverton tenant privacy act, section 3(2)", "rivertontenantprivacyact", ("3", "2", "")),
        ("What does section 4 of the riverton tenant privacy act say?", "rivertontenantprivacyact", ("4", "", "")),
        ("Does the Riverton Tenant Privacy Act s. 12A(3) apply?", "rivertontenantprivacyact", ("12a", "3", "")),
        ("42 U.S.C. § 1983(b)(2)(A)(i)", "42usc", ("1983", "b", "2.A.i")),
        ("42 USC 2000e-5", "42usc", ("2000e-5", "", "")),
        ("Schedule 2 paragraph 4 to the Riverton Tenant Privacy Act", "rivertontenantprivacyact", ("sch2", "4", "")),
        (
            "paragraph 4(1) of Schedule 2 to the Riverton Tenant Privacy Act",
            "rivertontenantprivacyact",
            ("sch2", "4", "1"),
        ),
        ("Sec. 5", None, ("5", "", "")),
        ("Clean Water Act s 404", None, ("404", "", "")),
        ("the clean water act section 404", None, ("404", "", "")),
    ],
)
def test_places_are_read_with_their_work(text: str, work: str | None, place: tuple[str, str, str]) -> None:
    """The name is the stored one; a stored Water Act is not what Clean Water Act names."""
    grammar = LawGrammar()
    [found] = grammar.find(text)
    assert (found.article, found.paragraph, found.item) == place
    assert grammar.stored_key(found, {"rivertontenantprivacyact", "42usc", "wateract"}) == work


def test_s_and_a_number_name_a_section_only_beside_a_work() -> None:
    """In other text an s before a number is a letter."""
    assert LawGrammar().find("It took 5 s 4 times; it's 4 o'clock.") == []


def test_locators_are_written_as_people_write_them() -> None:
    """Parts in brackets behind a section, a paragraph behind a schedule."""
    grammar = LawGrammar()
    assert grammar.part_locator("§ 5", Address(work="", article="5", paragraph="a", item="2.A")) == "§ 5(a)(2)(A)"
    schedule = Address(work="", article="sch2", paragraph="4", item="1")
    assert grammar.part_locator("Schedule 2", schedule) == "Schedule 2 paragraph 4(1)"


@given(st.text("Section §.12A()\n#*abi “shall Schedule Part IV—", max_size=200))
def test_any_text_is_tiled(text: str) -> None:
    """No text breaks the outline or the tiling."""
    if text:
        chunks_of(document(text))
