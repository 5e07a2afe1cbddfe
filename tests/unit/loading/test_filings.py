"""SEC filings: items are headings, tables rows of label and figures, tagged figures facts at their place."""

from __future__ import annotations

from datetime import date

from ragsvc.loading.filings import is_filing, read_filing
from ragsvc.records import Fact

PAGE = """<?xml version="1.0"?><html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><head><title>q</title></head><body>
<div style="display:none"><ix:header><ix:hidden><ix:nonNumeric name="dei:DocumentType">10-Q</ix:nonNumeric></ix:hidden>
<ix:resources>
<xbrli:context id="c1"><xbrli:entity><xbrli:segment><xbrldi:explicitMember dimension="us-gaap:SegmentAxis">x:Europe
</xbrldi:explicitMember></xbrli:segment></xbrli:entity><xbrli:period><xbrli:startDate>2023-01-01</xbrli:startDate>
<xbrli:endDate>2023-03-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="c2"><xbrli:period><xbrli:instant>2022-12-31</xbrli:instant></xbrli:period></xbrli:context>
<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>
<xbrli:unit id="eps"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unitNumerator>
<xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unitDenominator></xbrli:divide></xbrli:unit>
</ix:resources></ix:header></div>
<div><span style="font-weight:700">PART I — FINANCIAL INFORMATION</span></div>
<table><tr><td style="font-weight:700">Item 1.</td><td style="font-weight:700">Financial Statements</td></tr></table>
<table>
<tr><td></td><td></td><td colspan="5">Three Months Ended</td></tr>
<tr><td></td><td></td><td colspan="2">2023</td><td></td><td colspan="2">2022</td></tr>
<tr><td>Net loss</td><td></td><td>$</td><td>(<ix:nonFraction name="us-gaap:ProfitLoss" contextRef="c1" unitRef="usd"
 scale="6" sign="-" format="ixt:num-dot-decimal">1,385.5</ix:nonFraction></td><td>)</td><td>$</td><td>721</td></tr>
<tr><td>Per share</td><td></td><td>$</td><td><ix:nonFraction name="x:Eps" contextRef="c2" unitRef="eps"
 format="ixt:fixed-zero">—</ix:nonFraction></td><td></td><td></td><td>12</td><td>%</td></tr>
</table>
<div><span style="font-weight:700">Liquidity</span></div>
<div>Cash came to $<ix:nonFraction name="us-gaap:Cash" contextRef="c2" unitRef="usd" scale="9">1.2</ix:nonFraction>
 billion, as Item 2 of this report says.</div>
<div>12</div><div><a href="#toc">Table of Contents</a></div>
<table><tr><td>•</td><td>a risk of <b>loss</b>;</td></tr></table>
</body></html>"""


def test_a_filing_keeps_items_rows_and_facts() -> None:
    """Signs stand with their figures, spacer columns go, and every fact is where it is printed."""
    assert is_filing(PAGE)
    found = read_filing(PAGE)
    assert [(b.kind, b.level, found.text[b.start : b.end]) for b in found.blocks] == [
        ("heading", 1, "PART I — FINANCIAL INFORMATION"),
        ("heading", 2, "Item 1. Financial Statements"),
        (
            "table",
            0,
            "| Three Months Ended\n | 2023 | 2022\nNet loss | $ (1,385.5) | $ 721\nPer share | $ — | 12%",
        ),
        ("heading", 3, "Liquidity"),
        ("paragraph", 0, "Cash came to $1.2 billion, as Item 2 of this report says."),
        ("list", 0, "• a risk of loss;"),
    ]
    assert found.warnings == ["left out 2 page numbers and links to the contents"]
    assert [found.text[fact.start : fact.end] for fact in found.facts] == ["1,385.5", "—", "1.2"]
    loss, per_share, cash = found.facts
    assert loss == Fact(
        start=loss.start,
        end=loss.end,
        concept="us-gaap:ProfitLoss",
        value="-1385500000",
        unit="USD",
        period_start=date(2023, 1, 1),
        period_end=date(2023, 3, 31),
        dimensions=(("us-gaap:SegmentAxis", "x:Europe"),),
    )
    assert (per_share.value, per_share.unit, per_share.period_start) == ("0", "USD/shares", None)
    assert (cash.value, cash.period_end) == ("1200000000", date(2022, 12, 31))


def test_other_pages_are_no_filings() -> None:
    """A page that only speaks of a form stays an ordinary page."""
    assert not is_filing("<html><body><h1>How to read a Form 10-K</h1></body></html>")
    assert is_filing("<DOCUMENT>\n<TYPE>10-Q\n<TEXT><HTML></HTML>")


def test_blanks_that_a_tag_encloses_are_no_part_of_a_block() -> None:
    """A figure of nothing but blanks leaves none at the end of its row, and none of its own."""
    tag = "<ix:nonFraction name='us-gaap:A' format='ixt:num-dot-decimal'>{}</ix:nonFraction>"
    page = (
        "<html xmlns:ix='http://www.xbrl.org/2013/inlineXBRL'><body><p>Sales "
        + tag.format(f"5 {tag.format(' 7&#160; ')}")
        + f"</p><p>{tag.format('&#160;')}</p></body></html>"
    )
    found = read_filing(page)
    for block in found.blocks:
        content = found.text[block.start : block.end]
        assert content == content.strip() != ""
