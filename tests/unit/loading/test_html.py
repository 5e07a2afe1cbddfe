"""Web pages and EUR-Lex acts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.loading import ParserProcess, load_file
from ragsvc.loading.eurlex import read_eurlex

ACT = """<html><body><table><tr><td><p class="oj-hd-date">4.5.2016</p></td></tr></table>
<p class="oj-doc-ti">REGULATION (EU) 2016/1</p><p class="oj-doc-ti">of 27 April 2016</p>
<table><tr><td><p>(1)</p></td><td><p>The protection&nbsp;of
 natural persons <a>(<span class="oj-super">4</span>)</a> matters.</p></td></tr></table>
<div id="cpt_I"><p class="oj-ti-section-1">CHAPTER I</p>
<div class="eli-title"><p class="oj-ti-section-2">General</p></div>
<div id="cpt_I.sct_1"><p class="oj-ti-section-1">Section 1</p>
<div id="art_1"><p class="oj-ti-art">Article 1</p><p class="oj-sti-art">Erasure</p>
<p class="oj-normal">1.   A person may ask where:</p>
<table><tr><td><p>(a)</p></td><td><p>it is not needed;</p>
<table><tr><td><p>(i)</p></td><td><p>at all.</p></td></tr></table></td></tr></table>
<div>Bare text.</div></div></div></div>
<p class="oj-note">(<span>4</span>) OJ L 1.</p><script>no()</script></body></html>"""


@pytest.mark.parametrize("source", [ACT, ACT.replace("oj-", "")], ids=["since 2023", "before"])
def test_an_act_of_the_union(source: str) -> None:
    """Articles are headings with their titles, points carry their marks, footnotes are told apart."""
    found = read_eurlex(source)
    assert found.title == "REGULATION (EU) 2016/1 of 27 April 2016"
    assert [(b.kind, b.level, found.text[b.start : b.end]) for b in found.blocks] == [
        ("paragraph", 0, "4.5.2016"),
        ("title", 0, "REGULATION (EU) 2016/1"),
        ("title", 0, "of 27 April 2016"),
        ("list", 0, "(1) The protection of natural persons (4) matters."),
        ("heading", 1, "CHAPTER I\nGeneral"),
        ("heading", 2, "Section 1"),
        ("heading", 3, "Article 1\nErasure"),
        ("paragraph", 0, "1. A person may ask where:"),
        ("list", 0, "(a) it is not needed;"),
        ("list", 0, "(i) at all."),
        ("paragraph", 0, "Bare text."),
        ("footnote", 0, "(4) OJ L 1."),
    ]


def test_a_page_by_unstructured_in_the_child(tmp_path: Path, parser: ParserProcess) -> None:
    """Headings have levels, tables rows, scripts and hidden text are gone, and no model is downloaded."""
    path = tmp_path / "page.html"
    path.write_text(
        "<!DOCTYPE html><html><head><title>患者 &amp; 指南</title><style>p{}</style></head><body>"
        "<h1>糖尿病</h1><p>二型糖尿病患者应当<b>每天</b>监测血糖。医生会说明。</p><h2>用药</h2><ul><li>二甲双胍</li></ul>"
        "<table><tr><th>药</th><th>剂量</th></tr><tr><td>甲</td><td>5&nbsp;mg</td></tr></table>"
        "<script>alert(1)</script><img src='x.png' alt='图'></body></html>",
        encoding="utf-8",
    )
    document = load_file(path, parser=parser)
    assert (document.title, document.media_type, document.warnings) == ("患者 & 指南", "text/html", ())
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "糖尿病"),
        ("paragraph", 0, "二型糖尿病患者应当每天监测血糖。医生会说明。"),
        ("heading", 2, "用药"),
        ("list", 0, "二甲双胍"),
        ("table", 0, "药 | 剂量\n甲 | 5 mg"),
    ]


@pytest.mark.parametrize(
    ("declared", "encoding", "warnings"),
    [
        ("gb2312", "gb18030", ()),
        ("utf-8", "utf-8", ()),
        ("utf-8", "gb18030", ("is not UTF-8; was read as gb18030", "says that it is utf-8, which it is not")),
        ("no-such-charset", "utf-8", ("says that it is no-such-charset, which it is not",)),
    ],
)
def test_the_declared_encoding_is_tried_first(
    tmp_path: Path, parser: ParserProcess, declared: str, encoding: str, warnings: tuple[str, ...]
) -> None:
    """A page says its encoding; when it is wrong, the usual order applies and the librarian is told."""
    path = tmp_path / "page.html"
    text = "中华人民共和国境内的网络交易经营活动适用本办法"
    path.write_bytes(f'<html><meta charset="{declared}"><body><p>{text}</p></body></html>'.encode(encoding))
    document = load_file(path, parser=parser)
    assert (document.text, document.warnings) == (text, warnings)


def test_entities_of_a_page_read_no_file(tmp_path: Path, parser: ParserProcess) -> None:
    """An external entity in an HTML file stays what it is written as."""
    secret = tmp_path / "secret"
    secret.write_text("top secret", encoding="utf-8")
    path = tmp_path / "page.html"
    path.write_text(
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]><html><body><p>before &x; after</p></body></html>',
        encoding="utf-8",
    )
    text = load_file(path, parser=parser).text
    assert "top secret" not in text
    assert "before" in text
