"""Long tables stay quotable: every block has the column heads above its rows."""

from __future__ import annotations

from ragsvc.loading.assembly import TABLE_CHARS, TextAssembly


def test_a_long_table_is_continued_with_its_heads() -> None:
    """Two rows of heads come back in each block, each row is there once, in order, and no block is much too long."""
    heads = [["", "Three Months Ended", ""], ["", "2023", "2022"]]
    rows = [[f"Line {at}", f"{at:,}.00", f"{at * 7:,}.00"] for at in range(200)]
    assembly = TextAssembly()
    assembly.add_table([*heads, *rows], page=3)
    tables = [assembly.text[block.start : block.end].split("\n") for block in assembly.blocks]
    assert len(tables) > 3
    assert {(block.kind, block.page) for block in assembly.blocks} == {("table", 3)}
    assert all(table[:2] == ["| Three Months Ended | ", " | 2023 | 2022"] for table in tables)
    assert [line for table in tables for line in table[2:]] == [" | ".join(row) for row in rows]
    assert all(len("\n".join(table)) < TABLE_CHARS + 100 for table in tables)


def test_a_short_table_is_one_block() -> None:
    """Cells keep their place, also empty ones; line breaks in a cell are spaces."""
    assembly = TextAssembly()
    assembly.add_table([["Dose", "Age"], ["25\nmg", ""], ["", ""]])
    assert assembly.text == "Dose | Age\n25 mg |"
