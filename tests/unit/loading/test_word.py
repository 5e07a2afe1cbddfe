"""Word documents: what a reader of the page sees is in the text, and hostile ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.errors import UnreadableFile
from ragsvc.loading.limits import DEFAULT_LIMITS, MIB, LoadingLimits
from ragsvc.loading.word import read_docx
from ragsvc.loading.word_numbering import _chinese, _letter, _roman

from .made_files import docx_bytes, paragraph


def texts(content: bytes) -> list[tuple[str, str]]:
    found = read_docx(content, "a.docx", DEFAULT_LIMITS)
    return [(block.kind, found.text[block.start : block.end]) for block in found.blocks]


def test_headings_paragraphs_and_tables_in_reading_order(statute_docx: Path) -> None:
    """Heading styles give levels, tables give rows with each cell once (a merged one too), indents are dropped."""
    found = read_docx(statute_docx.read_bytes(), "a.docx", DEFAULT_LIMITS)
    assert found.title == "示范条例"
    assert [(b.kind, b.level, found.text[b.start : b.end]) for b in found.blocks] == [
        ("heading", 1, "第一章 总则"),
        ("paragraph", 0, "第一条 为了示范，制定本条例。"),
        ("table", 0, "项目 | 标准 | 备注\n甲 乙 | 丙"),
        ("paragraph", 0, "第二条 本条例自2026年1月1日起施行。"),
    ]


def test_text_that_python_docx_passes_over_is_there() -> None:
    """Insertions, content controls, text boxes, breaks and hyphens are text; deletions and second copies are not."""
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = (
        f"<w:p>{run.format('甲')}<w:ins>{run.format('乙')}</w:ins><w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
        f"<w:moveFrom>{run.format('移')}</w:moveFrom><w:hyperlink>{run.format('丙')}</w:hyperlink>"
        "<w:r><w:br/><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t><w:tab/><w:t>c</w:t><w:instrText>PAGE</w:instrText></w:r></w:p>"
        f"<w:sdt><w:sdtContent>{paragraph('目录')}</w:sdtContent></w:sdt>"
        "<w:p><w:r><mc:AlternateContent>"
        f"<mc:Choice><w:txbxContent>{paragraph('文本框')}</w:txbxContent></mc:Choice>"
        f"<mc:Fallback><w:txbxContent>{paragraph('文本框')}</w:txbxContent></mc:Fallback></mc:AlternateContent>"
        "<w:t>正文</w:t></w:r></w:p>"
    )
    assert texts(docx_bytes(body)) == [
        ("paragraph", "甲乙丙\na-b\tc"),
        ("paragraph", "目录"),
        ("paragraph", "正文"),
        ("paragraph", "文本框"),
    ]


def test_a_table_of_one_column_is_a_frame_around_text() -> None:
    """A whole notice inside a one-cell table comes out as its paragraphs."""
    body = f"<w:tbl><w:tr><w:tc>{paragraph('通知')}{paragraph('第一条 内容')}</w:tc></w:tr></w:tbl>"
    assert texts(docx_bytes(body)) == [("paragraph", "通知"), ("paragraph", "第一条 内容")]


def test_vertically_merged_cells_and_inner_tables_come_once() -> None:
    """The continuation of a merged cell is empty; a table in a cell is part of the cell."""
    inner = f"<w:tbl><w:tr><w:tc>{paragraph('内')}</w:tc><w:tc>{paragraph('层')}</w:tc></w:tr></w:tbl>"
    start, goes_on = '<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>', "<w:tcPr><w:vMerge/></w:tcPr>"
    body = (
        f"<w:tbl><w:tr><w:tc>{start}{paragraph('上')}</w:tc><w:tc>{paragraph('一')}</w:tc></w:tr>"
        f"<w:tr><w:tc>{goes_on}<w:p/></w:tc><w:tc>{inner}<w:p/></w:tc></w:tr></w:tbl>"
    )
    assert texts(docx_bytes(body)) == [("table", "上 | 一\n | 内 | 层".replace("\n | ", "\n | "))]


NUMBERING = """<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:abstractNum w:abstractNumId="7">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="第%1条"/></w:lvl>
<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/><w:suff w:val="nothing"/></w:lvl>
<w:lvl w:ilvl="2"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum>
<w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num>
<w:num w:numId="4"><w:abstractNumId w:val="7"/>
<w:lvlOverride w:ilvl="0"><w:startOverride w:val="20"/></w:lvlOverride></w:num>
</w:numbering>"""
NUMBERING_RELATION = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r9" Target="numbering.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering"/></Relationships>"""


def test_numbers_that_word_computes_are_in_the_text() -> None:
    """An article numbered by Word's lists keeps its number: levels, restarts and joined levels as Word shows them."""

    def numbered(text: str, level: int = 0, number: int = 3) -> str:
        properties = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>'
        return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"

    body = "".join(
        (
            numbered("甲"),
            numbered("子", 1),
            numbered("丑", 1),
            numbered("", 0),  # an empty paragraph shows no number in the text
            numbered("乙"),
            numbered("子", 1),
            numbered("点", 2),
            numbered("丙", 0, 4),
            numbered("丁", 0, 4),
            numbered("无", 0, 99),
        )
    )
    parts = {"word/numbering.xml": NUMBERING.encode(), "word/_rels/document.xml.rels": NUMBERING_RELATION.encode()}
    assert [text for _, text in texts(docx_bytes(body, parts=parts))] == [
        "第一条 甲",
        "一.a)子",
        "一.b)丑",
        "第二条 乙",
        "二.a)子",
        "点",
        "第二十条 丙",
        "第二十一条 丁",
        "无",
    ]


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (105, "一百零五"), (110, "一百一十"), (1260, "一千二百六十")],
)
def test_chinese_counting(number: int, written: str) -> None:
    """Numbers are written as statutes write them."""
    assert _chinese(number) == written


def test_letters_and_roman_numerals() -> None:
    """Counting beyond z doubles the letter, as Word does."""
    assert [_letter(n) for n in (1, 26, 27)] == ["a", "z", "aa"]
    assert [_roman(n) for n in (4, 9, 14, 49, 1994)] == ["iv", "ix", "xiv", "xlix", "mcmxciv"]


def test_a_zip_bomb_is_refused_before_word_sees_it() -> None:
    """Declared sizes, real sizes and the number of members are all limited."""
    limits = LoadingLimits(expanded_bytes=MIB, zip_entries=50)
    bomb = docx_bytes(paragraph("甲"), parts={"word/media/image.bin": b"\0" * (3 * MIB)})
    assert len(bomb) < 10_000
    with pytest.raises(UnreadableFile, match="expands to 3 MiB or more; at most 1"):
        read_docx(bomb, "bomb.docx", limits)
    many = docx_bytes(paragraph("甲"), parts={f"word/media/{n}": b"" for n in range(60)})
    with pytest.raises(UnreadableFile, match="63 files; at most 50"):
        read_docx(many, "many.docx", limits)


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    """A member whose real size is not the declared one is damage, however small it claims to be."""
    bomb = bytearray(docx_bytes(paragraph("甲"), parts={"word/media/image.bin": b"\0" * (3 * MIB)}))
    for declared in (i for i in range(len(bomb) - 4) if bomb[i : i + 4] == (3 * MIB).to_bytes(4, "little")):
        bomb[declared : declared + 4] = (10).to_bytes(4, "little")
    with pytest.raises(UnreadableFile, match="damaged zip container"):
        read_docx(bytes(bomb), "liar.docx", LoadingLimits(expanded_bytes=MIB))


def test_a_document_type_is_refused_so_no_entity_is_read(tmp_path: Path) -> None:
    """External and nested entities never reach the XML parser's expansion."""
    secret = tmp_path / "secret"
    secret.write_text("top secret", encoding="utf-8")
    for prolog in (
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>',
        '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY x "&a;&a;&a;">]>',
    ):
        with pytest.raises(UnreadableFile, match=r"DOCTYPE declaration in word/document\.xml"):
            read_docx(docx_bytes(paragraph("&x;"), prolog=prolog), "xxe.docx", DEFAULT_LIMITS)


@pytest.mark.parametrize("n_before", [65_400, 65_450, 200_000])
def test_a_document_type_behind_a_long_comment_is_found(n_before: int) -> None:
    """Wherever it stands, also over the end of a piece that is read."""
    for shift in range(0, 90, 7):
        prolog = f'<!--{"." * (n_before + shift)}--><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        with pytest.raises(UnreadableFile, match=r"DOCTYPE declaration in word/document\.xml"):
            read_docx(docx_bytes(paragraph("甲&x;"), prolog=prolog), "xxe.docx", DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (docx_bytes(paragraph("甲"))[:-40], "damaged zip container"),
        (docx_bytes(paragraph("甲")).replace(b"word/document.xml", b"word/dokument.xml"), "no word/document.xml"),
    ],
)
def test_damaged_files_are_named_as_such(content: bytes, reason: str) -> None:
    """A cut file and a zip that is no Word document are refused with the reason."""
    with pytest.raises(UnreadableFile, match=reason):
        read_docx(content, "a.docx", DEFAULT_LIMITS)


def test_footnotes_come_last() -> None:
    """A footnote is a block of its own at the end, in the order of the references; separators are no notes."""
    namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    notes = (
        f'<w:footnotes {namespace}><w:footnote w:id="0">{paragraph("---")}</w:footnote>'
        f'<w:footnote w:id="1">{paragraph("施行日期另定。")}</w:footnote></w:footnotes>'
    )
    relation = NUMBERING_RELATION.replace("numbering", "footnotes")
    body = '<w:p><w:r><w:t>本法</w:t><w:footnoteReference w:id="1"/></w:r></w:p>' + paragraph("第二条")
    parts = {"word/footnotes.xml": notes.encode(), "word/_rels/document.xml.rels": relation.encode()}
    assert texts(docx_bytes(body, parts=parts)) == [
        ("paragraph", "本法"),
        ("paragraph", "第二条"),
        ("footnote", "施行日期另定。"),
    ]
