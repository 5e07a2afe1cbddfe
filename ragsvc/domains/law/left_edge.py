"""Where the name of a work begins when nothing marks it: 请问根据劳动合同法第十条.

The end of a name is sure (第十条 follows), its beginning is not. ``named`` looks at the text to the left of an
article and says what kind of thing stands there; ``stored_key`` picks, among the names that exist in a catalogue,
the one that the text ends in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from typing import Literal

from msgspec import Struct

from ragsvc.domains.law.names import name_table, normal_name, query_keys, without_state
from ragsvc.domains.law.numerals import NUMERAL

MAX_NAME = 120
"""Characters to the left of an article that may belong to its work's name; the longest titles have about 100."""

CLOSERS = {"》": "《", "〉": "〈", ">": "<", "」": "「", "』": "『", "”": "“", "】": "【"}
_PAIRS = CLOSERS | {"）": "（", ")": "(", "]": "[", "〕": "〔"}
_OPENERS = frozenset(_PAIRS.values())
_STOPS = frozenset("。！？!?；;，,：:\n\r…")

_LAWLIKE = re.compile(
    rf"(?:法典?|条例|规定|办法|解释|细则|规则|准则|[通总附]则|决定|批复|意见|规范|公约|条约|协定|修正案|纪要|安排|标准|通知|条文|号)"
    rf"[（(]?(?:{NUMERAL}{{1,3}}|[12]\d{{3}}年?)?[)）]?(?:[（(][^（）()]{{0,12}}[)）])?$"
)
# Words that end in 法 without being a law, and kinds of law without a name.
_COMMON_WORD = re.compile(
    r"(?:方|做|说|看|想|用|语|执|(?<!公)司|立|守|违|合|非|无|依|设|书|疗|手|魔|算|国|家|打|玩|写|犯|技|枉|普|本)法$"
)
_KIND_ONLY = re.compile(r"(?:法律?|规定|条例|办法|司法解释|解释|细则|规则|决定|意见|通知|标准|条文|号)$")
_OTHER_DOCUMENT = re.compile(
    r"(?:(?:^|[我们的该本某家])(?:公司|单位|学校|小区|物业|医院|银行|企业|工厂|厂里|内部)的?(?:内部)?的?(?:规定|办法|条例|规则|细则|标准|通知|意见)"
    r"|合同书?|协议书?|章程|规约|条款|保单|保险单|约定|手册|制度|守则|说明书|承诺书|遗嘱|判决书?|裁定书?|方案|计划|指南|教程|论文|短信|公约)$"
)
_CARRY = re.compile(
    r"(?:该|上述|前述|此|这部|那部|这个|同一|(?<!合)同|(?<![基日资根])本)"
    r"(?:法典|法律?|条例|司法解释|解释|规定|办法|细则|规则|法规|regulation|act)$"
)
# What may stand between a name and its article: 《民法典》合同编第五百七十七条, 劳动合同法中的第三十九条.
_FILLER = re.compile(
    rf"(?:[\s的在中里内上之其]|里面|里边|当中|之中|项下|新增加?|增加|以及|第{NUMERAL}{{1,4}}[编章节]|分编"
    r"|(?:总则|物权|合同|人格权|婚姻家庭|继承|侵权责任)编)$"
)
_GLOSS = re.compile(r"(?<=》)[（(][^（）()]{0,40}[)）]$")  # 《民法典》（以下简称民法典）
_GLOSS_YEAR = re.compile(r"[（(]\s?([12]\d{3})\s?年?(?:第?[一二三四五六七八九]?次?)?(?:修正|修订|修改|版)?本?\s?[)）]")
_RULED = re.compile(r"(?:所?规定|明确|指出)的?$")

_LEAD = re.compile(
    r"(?:请问|想问|我想|问一?下|问问|咨询|你好|您好|请教|帮忙?|麻烦|查询?|看一?下|看看|看|解释一?下|解释|说明|介绍|了解|知道|告诉|根据|依据|依照|按照|遵照|参照"
    r"|参考|引用|援引|违反|违背|触犯|适用|符合|属于|规定在|见于|参见|详见|见|关于|对于|至于|因为|由于|所以|但是?|那么|那|这|哪|什么|怎么|如何|是否|是不是|能否"
    r"|可以|应当?|应该|还有|或者?|以及|及其?|并且?|和|与|而|且|又|再|则|即|也|都|就|才|只|为|有|在|对|将|把|被|从|由|按|依|据|的|了|吗|呢|吧|啊|得|着|过"
    r"|我国|中国|国家|我|你|您|他|她|它|们|其|一下|现行|最新|新|如|像|比如|例如|以|于|当|里|中|下|请|给|用|说|讲|读|背|问|是|不|没"
    r"|虽然|如果|若|假如|觉得|认为|以为|可能|已经|按|一条|\s|[（(])"
)
_LEAD_END = re.compile(f"{_LEAD.pattern}$")
_FOREIGN_OR_LOCAL = re.compile(
    r"(?:省|市|自治[区州县]|特别行政区|(?<!小)区|县|州|盟|旗|(?<![我全中本])国|旧|原|老|(?:修订|修正|修改|以)前的?"
    r"|北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|内蒙古?|广西"
    r"|西藏|宁夏|新疆|深圳|广州|杭州|南京|成都|武汉|西安|青岛|大连|宁波|厦门|苏州|郑州|长沙|济南|珠海|汕头|台湾|香港|澳门|日本|瑞士|意大利|俄罗斯|苏联"
    r"|奥地利|荷兰|比利时|加拿大|澳大利亚|新加坡|印度|越南|韩|欧盟|欧洲|西班牙|联邦|葡萄牙|巴西|瑞典|挪威|丹麦|芬兰|波兰|希腊|土耳其|联合国)$"
)
_LONG_MODIFIER = 4
"""A noun of fewer characters directly before a name may make another name of it (养老 + 保险法)."""


class Named(Struct, frozen=True):
    """What stands to the left of an article."""

    kind: Literal["marked", "open", "carry", "bare", "unrelated", "other"]
    """marked: a name in brackets; open: a name whose beginning is not marked; carry: 该法; bare: nothing, or words
    that lead on (按照); unrelated: any other word; other: a contract, a letter, which is no law."""
    work: str = ""
    left: str = ""
    """For an open name, the text that ends with it."""
    edition: str = ""
    start: int = 0


def left_start(text: str, start: int, low: int) -> int:
    """Return where the clause that ends at ``start`` begins: after punctuation or a bracket that is still open."""
    low = max(low, start - MAX_NAME)
    waiting: list[str] = []
    plain_stop = low
    for at in range(start - 1, low - 1, -1):
        character = text[at]
        if character in _PAIRS:
            waiting.append(_PAIRS[character])
        elif character in _OPENERS:
            if not waiting:
                return at + 1
            if waiting[-1] == character:
                waiting.pop()
        elif character in _STOPS:
            if not waiting:
                return at + 1
            plain_stop = max(plain_stop, at + 1)
    # A bracket that nothing opens does not hold the clause together.
    return plain_stop if waiting else low


def named(text: str, start: int, low: int) -> Named:
    """Say what ``text[low:start]`` names at its end."""
    begin = left_start(text, start, low)
    end = start
    for _ in range(6):
        clause = text[begin:end]
        clause = clause.rstrip()
        if not clause:
            return Named("bare")
        gloss = _GLOSS.search(clause)
        if gloss:
            clause = clause[: gloss.start()]
        if clause[-1] in _PAIRS:
            opener = _opener(clause)
            inner = clause[opener + 1 : -1]
            if opener >= 0 and (clause[-1] in CLOSERS or is_law_title(inner)):
                year = _GLOSS_YEAR.search(gloss[0]) if gloss else None
                return _marked(inner, year[1] if year else "", begin + opener)
        if _CARRY.search(clause.casefold()):
            return Named("carry")
        found = _open_name(clause, begin)
        if found:
            return found
        shorter = _FILLER.search(clause) or _RULED.search(clause)
        if not shorter:
            break
        end = begin + shorter.start()
    clause = text[begin:start].rstrip()
    if _OTHER_DOCUMENT.search(clause):
        return Named("other")
    return Named("bare" if _LEAD_END.search(clause) else "unrelated")


def _opener(clause: str) -> int:
    """Where the bracket that the clause ends with was opened: 《关于适用《民法典》的解释》 opens at its outer 《."""
    closer, opener = clause[-1], _PAIRS[clause[-1]]
    depth = 0
    for at in range(len(clause) - 1, -1, -1):
        depth += (clause[at] == closer) - (clause[at] == opener)
        if depth == 0:
            return at
    return clause.rfind(opener)


def _marked(name: str, edition: str, start: int) -> Named:
    if _OTHER_DOCUMENT.search(name):
        return Named("other")
    return Named("marked", work=name.strip(), edition=edition, start=start)


def _open_name(clause: str, begin: int) -> Named | None:
    """The clause as a name, from the best guess of where it begins; None when its end is no name."""
    ruled = _RULED.search(clause)
    if ruled and (clause[: ruled.start()].endswith("》") or _longest_known(clause[: ruled.start()]) is not None):
        return None  # 民法典规定的第577条: the name ends before 规定
    known = _longest_known(clause)
    if known is None:
        if _OTHER_DOCUMENT.search(clause):
            return Named("other")
        if not _LAWLIKE.search(clause) or _COMMON_WORD.search(clause):
            return None
        at = 0
        while lead := _LEAD.match(clause, at):
            at = lead.end()
        if len(clause) - at < 3 or _KIND_ONLY.fullmatch(clause, at):
            return None
        known = at
    return Named("open", work=clause[known:].strip(), left=clause, start=begin + known)


def _longest_known(clause: str) -> int | None:
    """Position in ``clause`` where the longest known name that it ends in begins."""
    table = name_table().known
    characters, at = _normal_characters(clause)
    for i in range(len(characters) - 1):
        name = characters[i:]
        if name in table and not _is_part_of_another_name(characters[:i], name):
            return at[i]
    return None


def _normal_characters(clause: str) -> tuple[str, list[int]]:
    """``normal_name`` with, for each character kept, its position in ``clause``."""
    characters: list[str] = []
    at: list[int] = []
    for position, character in enumerate(clause):
        for normal in unicodedata.normalize("NFKC", character).casefold():
            if normal.isalnum() or normal in "/〔〕":
                characters.append(normal)
                at.append(position)
    joined = "".join(characters)
    whole = normal_name(joined)
    # An ordinal that is written otherwise (解释3) has the same length or one more; positions before it stay true.
    return (whole, at) if len(whole) == len(joined) else (joined, at)


def is_law_title(name: str) -> bool:
    """Say whether what stands in 《》 is a legal work rather than a book or a contract."""
    if _OTHER_DOCUMENT.search(name):
        return False
    return bool(_LAWLIKE.search(name)) or normal_name(name) in name_table().known


def is_whole_name(before: str, name: str) -> bool:
    """Say whether a known ``name`` that follows ``before`` is the whole name: 物权法 is, 德国民法典 is not 民法典."""
    return not _is_part_of_another_name(before, name)


def _is_part_of_another_name(before: str, name: str) -> bool:
    if _FOREIGN_OR_LOCAL.search(without_state(before)):
        return True
    table = name_table()
    if (
        name in table.known
        and name not in table.extended
        and not name.endswith(("条例", "办法", "规定", "细则", "规则"))
    ):
        return False
    modifier = re.split(_LEAD, before)[-1]
    return 0 < len(modifier) < _LONG_MODIFIER


def stored_key(left: str, stored: Container[str]) -> str | None:
    """Return the key of the longest stored name that ``left`` ends in, but of none shorter than a known name.

    Without 劳动合同法 in the catalogue, 违反劳动合同法 names no stored work, even if a 合同法 is there; nor does
    北京市物业管理条例 mean a stored 物业管理条例.
    """
    characters, _ = _normal_characters(left)
    table = name_table().known
    for i in range(len(characters) - 1):
        name = characters[i:]
        key = next((key for key in query_keys(name) if key in stored), None)
        if (key or name in table) and not _is_part_of_another_name(characters[:i], name):
            return key
    return None
