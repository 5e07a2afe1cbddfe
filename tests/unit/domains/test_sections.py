"""Headings as addresses in leaflets, reports and any other text; cells of tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragsvc.chunking.tiling import tiling_fault
from ragsvc.citing.cells import cells_of
from ragsvc.domains.finance.tables import frame_of
from ragsvc.domains.pack import DomainPack, find_pack
from ragsvc.domains.sections import heading_key
from ragsvc.records import Address, Chunk, LoadedDocument

ROOT = Path(__file__).resolve().parents[3]
REPORT = next((ROOT / "corpora" / "finance").glob("晨川*.md"))


def document(text: str, name: str = "a.md") -> LoadedDocument:
    return LoadedDocument(name=name, text=text, media_type="text/markdown", source_sha256="")


def sections_of(pack: DomainPack, loaded: LoadedDocument) -> dict[str, Chunk]:
    """Chunks with an address, by it; the leaves tile the text and lie in their parents."""
    chunks = pack.chunker.chunk(loaded, pack.chunker.describe(loaded))
    assert tiling_fault(chunks, len(loaded.text)) is None
    return {chunk.address: chunk for chunk in chunks if chunk.address}


LEAFLET = """# 甲药说明书

【适应症】用于轻度疼痛。

【用法用量】
成人：一次0.3克，一日2次。

| 人群 | 单次剂量 |
|---|---|
| 12岁以下儿童 | 遵医嘱 |

【孕妇及哺乳期妇女用药】
禁用。
"""


def test_a_leaflet_has_its_sections_with_groups_and_doses_under_their_heading() -> None:
    """Headings in 【】 are sections; the dose of a group is inside the section, table rows included."""
    loaded = document(LEAFLET)
    found = sections_of(find_pack("medicine"), loaded)
    assert {"indications", "dosage", "pregnancy"} <= set(found)
    dosage = loaded.text[found["dosage"].start : found["dosage"].end]
    assert "成人：一次0.3克" in dosage
    assert "12岁以下儿童 | 遵医嘱" in dosage
    assert "禁用" not in dosage
    chunks = find_pack("medicine").chunker.chunk(loaded, find_pack("medicine").chunker.describe(loaded))
    doses = [c for c in chunks if c.is_searchable and "0.3克" in loaded.text[c.start : c.end]]
    assert [c.heading_path[-1] for c in doses] == ["用法用量"]


@pytest.mark.parametrize(
    ("question", "section", "work"),
    [
        ("甲药说明书 用法用量", "dosage", "甲药说明书"),
        ("请问甲药说明书的禁忌", "contraindications", "甲药说明书"),
        ("《甲药说明书》儿童用药", "pediatric", "甲药说明书"),
        ("ankle sprain leaflet, When to see a doctor", "whentoseeadoctor", "anklesprainleaflet"),
        ("Zorbex label: Dosage and Administration", "dosage", None),
        ("复方甲药说明书 禁忌", "contraindications", None),
        ("肝癌指南 推荐意见3", "rec3", "肝癌指南"),
        ("WHO guideline recommendation 1.2", "rec1.2", None),
    ],
)
def test_a_section_is_read_with_its_work(question: str, section: str, work: str | None) -> None:
    """A work is what is stored under that very name: 复方甲药 is another medicine."""
    grammar = find_pack("medicine").grammar
    assert grammar is not None
    [found] = grammar.find(question)
    assert (found.article, found.unit, found.is_certain) == (section, "section", False)
    assert grammar.stored_key(found, {"甲药说明书", "anklesprainleaflet", "肝癌指南"}) == work


def test_a_heading_that_comes_twice_is_no_address() -> None:
    """Which of two equal sections is meant cannot be known."""
    text = "# A\n\n## Use\n\nOne.\n\n## Care\n\nTwo.\n\n# B\n\n## Use\n\nThree.\n"
    assert set(sections_of(find_pack("general"), document(text))) == {"a", "b", "care"}


def test_numbering_and_case_of_a_heading_do_not_count() -> None:
    """2.1 Adult Dose, （二）诊断 and 二、诊断 are found by their words."""
    assert heading_key("## 2.1 Adult Dose") == heading_key("adult dose")
    assert heading_key("（二）诊断") == heading_key("二、诊断") == "诊断"


def test_our_report_states_unit_and_period_once_and_its_table_keeps_them() -> None:
    """万元人民币 and the period stand at the top; each figure of the table has them, with row and column."""
    loaded = document(REPORT.read_text("utf-8"), REPORT.name)
    table = sections_of(find_pack("finance"), loaded)["table:主要财务数据"]
    assert table.frame is not None
    assert table.frame.columns == ("项目", "2023年", "2022年")
    row = next(line for line in loaded.text.split("\n") if "净利润 |" in line)
    first = cells_of(row, table.frame)[0]
    assert (first.row, first.column, first.value) == ("归属于上市公司股东的净利润", "2023年", "9,642")
    assert (first.unit, first.scale, first.currency, first.period) == ("万元", 10_000, "CNY", "2023年")
    assert table.frame.described("zh") == (
        "表头：项目 | 2023年 | 2022年，单位：万元 (CNY)，期间：2023年1月1日至2023年12月31日"
    )


@pytest.mark.parametrize(
    ("before", "unit", "scale", "currency"),
    [
        ("(In millions, except per share amounts)", "millions", 10**6, ""),
        ("All amounts in millions of euros unless stated otherwise.", "millions of euros", 10**6, "EUR"),
        ("(in millions, except number of shares, which are in thousands)", "millions", 10**6, ""),
        ("单位：元 币种：人民币", "元", 1, "CNY"),
        ("单位：亿元", "亿元", 10**8, ""),
        ("金额单位为千美元", "千美元", 1_000, "USD"),
        ("Nothing is said of it.", "", None, ""),
    ],
)
def test_a_unit_is_read_as_it_is_stated(before: str, unit: str, scale: int | None, currency: str) -> None:
    """What nobody states stays open: no scale is guessed."""
    text = f"{before}\n\n | 2023 | 2022\nRevenue | 12.5 | 11.0"
    frame = frame_of(text, text.index(" | 2023"), len(text))
    assert (frame.unit, frame.scale, frame.currency) == (unit, scale, currency)


def test_rows_per_share_and_of_shares_have_their_own_unit() -> None:
    """Basic earnings per share are no millions, and a share count is not the statement's millions of dollars."""
    text = (
        "(In millions, except per share amounts)\n\n | 2023\nNet income | $ 4,556\n"
        "Earnings per share:\nBasic | $ 1.89\nWeighted average shares outstanding:\nBasic | 2,361\nMargin (%) | 12.0"
    )
    frame = frame_of(text, text.index(" | 2023"), len(text))
    cells = {cell.value: (cell.unit, cell.scale) for cell in cells_of(text, frame)}
    assert cells["$ 4,556"] == ("millions", 10**6)
    assert cells["$ 1.89"] == ("per share", 1)
    assert cells["2,361"] == ("shares", None)
    assert cells["12.0"] == ("%", 1)


FORM = (
    "FORM 10-Q\n\nSample Corp\n\n(Exact name of registrant as specified in its charter)\n\n"
    "For the quarterly period ended July 1, 2023\n\n# PART I. FINANCIAL INFORMATION\n\n## Item 1. Statements\n\nA.\n\n"
    "## Item 2. Discussion\n\nB.\n\n# PART II. OTHER INFORMATION\n\n## Item 2. Sales\n\nC.\n\n## Item 1A. Risks\n\nD.\n"
)


def test_a_filing_is_named_by_company_and_form_and_cut_at_its_items() -> None:
    """Items count anew in Part II, so their keys have the part."""
    pack = find_pack("finance")
    loaded = document(FORM)
    facts = pack.chunker.describe(loaded)
    assert facts.title == "Sample Corp 10-Q July 1, 2023"
    assert {"Sample 10-Q", "Sample Corp 2023 10-Q"} <= set(facts.aliases)
    assert {"p1.item1", "p1.item2", "p2.item2", "p2.item1a"} <= set(sections_of(pack, loaded))


@pytest.mark.parametrize(
    ("text", "article", "others"),
    [
        ("10-K Item 7", "item7", 4),
        ("Sample 10-K Part II, Item 5", "p2.item5", 1),
        ("What does Item 1A of the report say?", "item1a", 4),
        ("年度报告第三节", "s3", 0),
        ("某公司年度报告 第十节 七、合并财务报表项目注释", "s10.7", 0),
        ("利润表 净利润 2023年", "table:利润表", 0),
    ],
)
def test_places_of_filings_are_read(text: str, article: str, others: int) -> None:
    """Items with or without their part, sections of annual reports, cells of a named table."""
    grammar = find_pack("finance").grammar
    assert grammar is not None
    [found] = grammar.find(text)
    assert (found.article, len(found.others)) == (article, others)


def test_a_cell_is_the_row_of_this_very_label_in_a_table_with_such_a_column() -> None:
    """净利润 is not 归属于上市公司股东的净利润, and 2021年 is no column."""
    grammar = find_pack("finance").grammar
    assert grammar is not None
    table = "项目 | 2023年 | 2022年\n净利润 | 10 | 9\n归属于上市公司股东的净利润 | 8 | 7"
    address = Address(work="", article="table:利润表", paragraph="净利润", item="2023年")
    span = grammar.find_part(table, address)
    assert span is not None
    assert table[slice(*span)] == "净利润 | 10 | 9"
    for row, column in (("净利润", "2021年"), ("利润", "2023年")):
        assert grammar.find_part(table, Address(work="", article="table:利润表", paragraph=row, item=column)) is None


@pytest.mark.parametrize("domain", ["general", "medicine", "finance"])
@given(text=st.text("# 【】用法用量Item 1.Part\n|-0万元第一节、", min_size=1, max_size=120))
def test_any_text_is_tiled(domain: str, text: str) -> None:
    """No text breaks chunks or sections, and every question can be read."""
    sections_of(find_pack(domain), document(text))
    grammar = find_pack(domain).grammar
    assert grammar is not None
    grammar.find(text)
