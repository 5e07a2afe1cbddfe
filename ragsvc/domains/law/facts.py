"""What a Chinese legal text says about itself: title, part, kind, issuer, number, dates, other names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragsvc.chunking.lines import lines_of
from ragsvc.domains.law.dates import validity_of
from ragsvc.domains.law.numerals import NUMERAL
from ragsvc.domains.law.outline import outline
from ragsvc.records import DocumentFacts, LoadedDocument

_HEAD_CHARS = 8000
_CLOSING_ARTICLES = 4

_DAY = re.compile(rf"[（(]?\s*(?:\d{{4}}|{NUMERAL}{{4}})\s*年\s*{NUMERAL}{{1,3}}\s*月")
_DATE_ONLY = re.compile(rf"[（(]?\s*{NUMERAL}{{4}}\s*年\s*{NUMERAL}{{1,3}}\s*月\s*{NUMERAL}{{1,3}}\s*日\s*[）)]?")
_MARKS = re.compile(r"^[#>*\s]+|[*\s]+$")
_DOCUMENT_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{0,8}[〔\[［(（【]\s*\d{2,4}\s*[〕\]］)）】]\s*[\u4e00-\u9fff]{0,4}(?:第)?\s*\d+\s*号"
)
_ORDER = re.compile(
    rf"([\u4e00-\u9fff、]{{2,48}}?)(?:令|公告)\s*(?:[〔\[]\d{{4}}[〕\]])?\s*第\s*{NUMERAL}+\s*号令?"
    rf"|([\u4e00-\u9fff]{{2,16}}?)第\s*{NUMERAL}+\s*号令"
)
_ADDRESSEE_OR_PREAMBLE = re.compile(
    r"为[了正依进保规维适贯充加准落妥统]|为\S{0,30}[，,]|依[照据]《|根据(?!\d)(?!第)|近[来年]|现[将就]|你[院庭]"
)
_BODIES = (
    "全国人民代表大会常务委员会",
    "全国人民代表大会",
    "最高人民法院",
    "最高人民检察院",
    "国务院",
    "中央军事委员会",
    "国家监察委员会",
)
# Atomic groups and lazy names: a title of many bodies must not be read in exponentially many ways.
_BODY = (
    r"(?!关于|予以|印发|办理|于)(?:中华人民共和国)?(?:最高人民法院|最高人民检察院|全国人民代表大会(?:常务委员会)?|国务院"
    r"|(?:(?!关于)[\u4e00-\u9fff]){1,12}?(?:人民代表大会常务委员会|委员会|部|委|总局|总署|局|署))"
    r"(?:[\u4e00-\u9fff]{2,5}?庭|办公厅)?[、\s]*"
)
_TITLE_BODIES = re.compile(rf"((?>{_BODY})++)(?=关于|予以|印发|办理|于)")
_BODY_ALONE = re.compile(r"[\u4e00-\u9fff\s、]{2,40}[院会部局署委厅庭]")
_SESSION = re.compile(
    rf"([\u4e00-\u9fff]{{0,20}}?)第{NUMERAL}+届(人民代表大会(?:常务委员会)?|全国人民代表大会(?:常务委员会)?)"
)
_COURTS = re.compile(r"(最高人民法院|最高人民检察院)[\s　+]+(?=最高人民|公安部|司法部|国家|中国)")
_PLACE = re.compile(
    r"(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    r"|台湾|内蒙古|广西|西藏|宁夏|新疆)[\u4e00-\u9fff]{0,10}?[省市区州县]|[\u4e00-\u9fff]{2,7}自治[州县]"
)
_LOCAL_CONGRESS = re.compile(r"[省市区州县]第[^\s，。]{1,4}届人民代表大会")
_PART = re.compile(
    r"(.*(?:民法典|法典))[\s·:：—-]*((?:第[一二三四五六七八九十]+编\s*)?[\u4e00-\u9fff]{1,8}编|总则|附则)"
)
_NAMED = re.compile(r"《[^》]*》")
_STATE = "中华人民共和国"


def describe_statute(document: LoadedDocument) -> DocumentFacts:
    """Return what the text says of itself; empty fields where it says nothing."""
    text = document.text
    marks = outline(text)
    head = _head_lines(text[: marks[0].start if marks else _HEAD_CHARS])
    title, part = _title_and_part(text, head)
    title = title or document.title.strip() or document.name.rsplit(".", 1)[0]
    head_text = "\n".join(head)
    articles = [m.start for m in marks if m.kind == "article"]
    closing = text[articles[-_CLOSING_ARTICLES:][0] :] if articles else text
    validity = validity_of(head_text, closing, document.name)
    kind = _kind(title, head_text)
    return DocumentFacts(
        title=title,
        part=part,
        kind=kind,
        issuer=_issuer(title, head_text) if kind else "",
        number=_number(head, kind),
        promulgated=validity.promulgated,
        effective_from=validity.effective_from,
        effective_to=validity.until,
        validity_source=validity.source,
        language="zh",
        aliases=_aliases(title, part),
    )


def _head_lines(text: str) -> list[str]:
    """The lines before the addressee or the preamble, without Markdown marks."""
    lines: list[str] = []
    for line in lines_of(text[:_HEAD_CHARS]):
        content = line.content
        if not content or content.startswith("<!--"):
            continue
        bare = _MARKS.sub("", content)
        is_notice = bool(lines) and _squeeze(lines[-1]) == "公告"
        if lines and not is_notice and (bare.endswith(("：", ":")) or _ADDRESSEE_OR_PREAMBLE.match(bare)):
            break
        lines.append(content)
    return lines


def _title_and_part(text: str, head: Sequence[str]) -> tuple[str, str]:
    """From the Markdown title lines, else from the lines before the first date, number or bracket."""
    marked = [_MARKS.sub("", line) for line in head if re.match(r"#\s", line)]
    if marked:
        title, part = marked[0], (marked[1] if len(marked) > 1 and _is_part(marked[1]) else "")
    else:
        title, part = "".join(_title_lines(head)), ""
    title = normal_title(title)
    split = None if part else _PART.fullmatch(title)
    return (split[1], split[2]) if split else (title, part)


def _is_part(line: str) -> bool:
    return line.endswith("编") or line in ("总则", "分则", "附则")


def _title_lines(head: Sequence[str]) -> list[str]:
    lines = [_MARKS.sub("", line) for line in head]
    first = 0
    for n, line in enumerate(lines[:4]):
        if _squeeze(line) == "公告":
            first = next((m + 1 for m in range(n + 1, len(lines)) if _DATE_ONLY.fullmatch(lines[m])), n + 1)
    title: list[str] = []
    for line in lines[first : first + 8]:
        is_number = _DOCUMENT_NUMBER.fullmatch(line) is not None
        is_history = line.startswith(("（", "(")) and (len(line) > 12 or _DAY.match(line))
        ends = _DAY.match(line) or is_number or line.endswith(("。", "：", "；", "，"))
        if is_number and title and all(_BODY_ALONE.fullmatch(line.strip()) for line in title):
            title.clear()  # a letterhead: the title comes after the number
        elif title and (is_history or ends or _squeeze(line) in ("目录", f"{_STATE}主席令")):
            break
        if not ends:
            title.append(line)
    return title


def normal_title(title: str) -> str:
    """Join the parts of a title as the official one is written: no blanks, courts separated by 、."""
    title = _COURTS.sub(r"\1、", title.strip())
    title = title.replace("＜", "〈").replace("＞", "〉").replace("<", "〈").replace(">", "〉")
    return re.sub(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])", "", title)


def _squeeze(text: str) -> str:
    return "".join(text.split())


def kind_of_title(title: str) -> str:
    """Return the kind of source as far as its title tells; empty when it does not."""
    return _kind(title, "")


def _kind(title: str, head: str) -> str:
    """Kind of source from title and head, most telling first; empty when neither says."""
    plain = _NAMED.sub("", head)
    if title.endswith("宪法"):
        return "宪法"
    if "修正案" in title:
        return "修正案"
    if re.match(rf"(?:{_STATE})?(?:最高人民法院|最高人民检察院)", title) or re.search(r"审判委员会|检察委员会", plain):
        return "司法解释"
    if "国家监察委员会" in title + plain:
        return "监察法规"
    if _LOCAL_CONGRESS.search(plain) or _PLACE.match(title):
        return "地方性法规"
    if title.endswith("决定") and re.search(r"全国人民代表大会|国务院", title + plain):
        return "决定"
    if "全国人民代表大会" in plain or title.startswith("全国人民代表大会"):
        return "法律"
    if "国务院" in plain or title.startswith("国务院"):
        return "行政法规"
    if re.search(r"[部局委署会行院]\S{0,4}令|部务会议|局务会议|[部局委署行]\S{0,8}(?:发布|公布|印发)", plain):
        return "部门规章"
    if re.fullmatch(rf"{_STATE}\S+法(?:典)?", title):
        return "法律"
    return "行政法规" if re.fullmatch(r"\S+条例", title) else ""


def _issuer(title: str, head: str) -> str:
    named = _TITLE_BODIES.match(title)
    if named:
        return named[1].strip("、 ").removeprefix(_STATE)
    session = _SESSION.search(head)
    if session and session[2].startswith("全国"):
        return session[2]
    if session:
        return re.sub(r"^.*[日由（(\s](?=\S{2,}[省市区州县])", "", session[1]) + session[2]
    order = _ORDER.search(head)
    if order:
        return re.sub(r"^.*[日号年\s]", "", order[1] or order[2]).replace(_STATE, "")
    plain = _NAMED.sub("", head)
    return next((body for body in _BODIES if body in plain), "")


def _number(head: Sequence[str], kind: str) -> str:
    """The document number on its own line, else the last order under which the text was published."""
    for line in head:
        found = _DOCUMENT_NUMBER.fullmatch(_DATE_ONLY.sub("", _MARKS.sub("", line)).strip())
        if found and kind in ("司法解释", "部门规章", "监察法规", ""):
            return _squeeze(found[0])
    orders = [m for line in head for m in _ORDER.finditer(line)]
    return re.sub(r"^.*[日年]", "", _squeeze(orders[-1][0])) if orders else ""


def _aliases(title: str, part: str) -> tuple[str, ...]:
    """Names that follow from the official one: without the state's name, the courts, the year in brackets."""
    plain = re.sub(r"[（(]\d{4}年?修[正订]本?[）)]$", "", title)
    without_bodies = _TITLE_BODIES.sub("", plain, count=1) if _TITLE_BODIES.match(plain) else plain
    names = [plain]
    for name in (plain, without_bodies):
        names += [name, name.replace(_STATE, "")]
    short = plain.replace(_STATE, "")
    if part:
        names.append(f"{short}{part}")
    return tuple(dict.fromkeys(name for name in names if name and name != title))
