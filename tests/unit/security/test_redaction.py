"""What reaches a person is taken out of a text; what a question is about stays."""

from __future__ import annotations

import pytest

from ragsvc.security.redaction import redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("我的电话是13812345678，被拖欠工资", "我的电话是[phone]，被拖欠工资"),
        ("打+86 138 1234 5678", "打[phone]"),
        ("座机010-62345678，分机2", "座机[phone]，分机2"),
        ("call (212) 555-0147 or +44 20 7946 0958", "call [phone] or [phone]"),
        ("身份证11010519491231002X被冒用", "身份证[id]被冒用"),
        ("my SSN is 078-05-1120", "my SSN is [id]"),
        ("护照E12345678丢了", "护照[id]丢了"),
        ("卡号6222021234567890123被盗刷", "卡号[card]被盗刷"),
        ("card 4111 1111 1111 1111 was charged", "card [card] was charged"),
        ("写信给zhang.san+law@mail.example.cn吧", "写信给[e-mail]吧"),
        ("你好，我叫张伟，房东不退押金", "你好，我叫[name]，房东不退押金"),
        ("My name is Mary Ann O'Neil and I was fired", "My name is [name] and I was fired"),
    ],
)
def test_what_reaches_a_person_is_taken_out(text: str, redacted: str) -> None:
    """Numbers and addresses go, the question stays."""
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "民法典第577条和第一千一百六十五条怎么规定？",
        "合同金额12000000元，违约金按0.05%每日计算",
        "2021-01-01到2023-12-31之间的工资",
        "（2020）京0105民初12345号判决",
        "Section 1557(a) of 42 U.S.C. 18116, $1,250,000.00",
        "阿司匹林100mg每日1次，收缩压140-160",
        "ISBN 978-7-5197-0000-0",
        "我叫了救护车，要付钱吗",
    ],
)
def test_what_a_question_is_about_stays(text: str) -> None:
    """Articles, amounts, dates, case numbers and doses are no personal data."""
    assert redact(text) == text
