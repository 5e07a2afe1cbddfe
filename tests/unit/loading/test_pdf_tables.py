"""Tables of a PDF come out row by row, whether lines are drawn or not."""

from __future__ import annotations

from ragsvc.loading.limits import DEFAULT_LIMITS
from ragsvc.loading.pdf import read_pdf
from ragsvc.loading.pdf_layout import paragraphs
from ragsvc.loading.pdf_lines import CELL_MARK, Line

from .made_files import pdf_bytes

GRID = "".join(f"{x} 600 m {x} 690 l S " for x in (72, 200, 330, 500)) + "".join(
    f"72 {y} m 500 {y} l S " for y in (600, 630, 660, 690)
)


def tables(content: bytes) -> list[str]:
    found = read_pdf(content, "a.pdf", DEFAULT_LIMITS)
    return [found.text[block.start : block.end] for block in found.blocks if block.kind == "table"]


def test_a_drawn_table_keeps_cells_of_several_lines_together() -> None:
    """Cells are what the lines enclose: two lines of type in one are one cell, and an empty cell keeps its place."""
    page = [
        (72.0, 720.0, 10.0, "Doses are in the table."),
        (76.0, 670.0, 10.0, "Group"),
        (204.0, 670.0, 10.0, "Dose"),
        (334.0, 670.0, 10.0, "Remark"),
        (76.0, 647.0, 10.0, "Adults with"),
        (204.0, 640.0, 10.0, "25 mg"),
        (76.0, 635.0, 10.0, "asthma"),
        (76.0, 610.0, 10.0, "Children"),
        (334.0, 610.0, 10.0, "not used"),
        (72.0, 560.0, 10.0, "See also section 4."),
    ]
    found = read_pdf(pdf_bytes([page], GRID), "a.pdf", DEFAULT_LIMITS)
    assert found.text == (
        "Doses are in the table.\n\n"
        "Group | Dose | Remark\nAdults with asthma | 25 mg | \nChildren |  | not used\n\n"
        "See also section 4."
    )
    assert [(block.kind, block.page) for block in found.blocks if block.kind != "paragraph"] == [
        ("page", 1),
        ("table", 1),
    ]


def test_boxes_behind_one_column_do_not_make_the_table() -> None:
    """Shading under the figures of one year leaves the rows whole."""
    shading = "0.9 0.9 1 rg 190 {y} 130 29 re f "
    page = [
        (left, bottom, 10.0, text)
        for bottom, row in ((670.0, ("Revenue", "44,538", "37,403")), (640.0, ("Cost of sales", "24,576", "21,162")))
        for left, text in zip((76.0, 204.0, 400.0), row, strict=True)
    ]
    drawing = "".join(shading.format(y=y) for y in (660, 630)) + "0 g "
    assert tables(pdf_bytes([page], drawing)) == ["Revenue | 44,538 | 37,403\nCost of sales | 24,576 | 21,162"]


def test_boxes_behind_every_second_row_lose_none_of_the_others() -> None:
    """What stands between shaded rows, whose boxes are cut into columns, is in the table too."""
    rows = [(f"Item {n}", f"{n},933", f"{n},240") for n in range(1, 8)]
    page = [
        (left, 700.0 - 15 * at, 10.0, text)
        for at, cells in enumerate(rows)
        for left, text in zip((76.0, 254.0, 420.0), cells, strict=True)
    ]
    shaded = [(x, 696 - 15 * at, width) for at in range(0, 7, 2) for x, width in ((72, 170), (242, 168), (410, 100))]
    drawing = "".join(f"0.9 0.9 1 rg {x} {y} {width} 15 re f " for x, y, width in shaded) + "0 g "
    assert tables(pdf_bytes([page], drawing)) == ["\n".join(" | ".join(cells) for cells in rows)]


def row(bottom: float, *cells: str, left: float = 72.0) -> Line:
    return Line(CELL_MARK.join(cells), page=1, left=left, right=540.0, bottom=bottom, size=10.0)


def test_heads_and_labels_belong_to_the_table() -> None:
    """Column heads above the first row and labels between rows are in it; signs stand with their figures."""
    lines = [
        Line("The following table shows our results for the year in millions.", 1, 72.0, 540.0, 700.0, 10.0),
        Line("2023", 1, 400.0, 540.0, 680.0, 10.0),
        row(668.0, "Casino", "$", "554 $", "541", "2", "%"),
        row(656.0, "Rooms", "813", "557", "46", "%"),
        Line("Expenses", 1, 72.0, 120.0, 644.0, 10.0),
        row(632.0, "Salaries", "(47", ")%", "120", "3", "%"),
        row(620.0, "Rent", "$ 20 $ 30", "1", "%"),
    ]
    found = list(paragraphs([lines]))
    assert [paragraph.kind for paragraph in found] == ["paragraph", "table"]
    assert [line.text for line in found[1].lines] == [
        "2023",
        "Casino | $ 554 | $ 541 | 2 %",
        "Rooms | 813 | 557 | 46 %",
        "Expenses",
        "Salaries | (47)% | 120 | 3 %",
        "Rent | $ 20 | $ 30 | 1 %",
    ]
