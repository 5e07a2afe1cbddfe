"""Takes out of a text what names or reaches a person and is easy to recognise. What is not recognised stays."""

from __future__ import annotations

import re

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹苏潘葛范彭郎鲁韦马方任袁柳"
    "史唐薛雷贺汤罗毕郝常于傅齐康伍余顾孟黄穆萧尹姚邵汪毛狄米贝明臧计成戴宋庞熊纪舒屈项祝董梁杜"
    "阮蓝闵席季贾路江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万柯管卢莫房缪解应宗丁宣邓郁单杭洪包诸"
    "左石崔吉龚程邢裴陆荣翁段侯武刘叶白蒲邰赖卓屠池乔闻翟谭冉向古易廖庾曾文欧聂关鞠牛覃龙詹温"
)
"""The commonest: a Han character after "I am called" that is none of these begins no name here."""

_PATTERNS = tuple(
    (re.compile(pattern, re.ASCII), f"[{label}]")
    for label, pattern in (
        ("e-mail", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
        (
            "id",
            r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])",
        ),
        ("id", r"(?<![0-9A-Za-z-])\d{3}-\d{2}-\d{4}(?![0-9-])"),  # US social security
        ("id", r"(?<![0-9A-Za-z])[EGDSPHegdsph][A-Za-z]?\d{7,8}(?![0-9A-Za-z])"),  # Chinese passports and passes
        ("card", r"(?<![0-9A-Za-z.])(?:\d{16,19}|\d{4}(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?)(?![0-9A-Za-z])"),
        ("phone", r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?![0-9A-Za-z])"),
        ("phone", r"(?<![0-9A-Za-z.])0\d{2,3}[ -]?\d{7,8}(?![0-9A-Za-z])"),
        ("phone", r"\+\d{1,3}(?:[ ().-]{0,2}\d){7,13}(?![0-9A-Za-z])"),
        ("phone", r"(?<![0-9A-Za-z.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![0-9A-Za-z-])"),
        ("name", rf"(?<=我叫)[{_SURNAMES}][一-鿿]{{1,2}}|(?<=姓名)[:：]?[{_SURNAMES}][一-鿿]{{1,2}}"),
        ("name", r"(?i:(?<=my name is ))[A-Z][\w'-]+(?: [A-Z][\w'-]+){0,2}"),
    )
)


def redact(text: str) -> str:
    """Return ``text`` with e-mail addresses, phone, card and identity numbers and stated names as ``[phone]`` etc."""
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text
