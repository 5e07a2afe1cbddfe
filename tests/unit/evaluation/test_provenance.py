from __future__ import annotations

import pytest

from ragsvc.evaluation.provenance import data_of_set

SHIPPED = [
    "legal_zh_lay",
    "health_en_lay",
    "legal_zh_stard",
    "legal_zh_lecoqa",
    "legal_zh_headings",
    "laws_zh_articles",
    "medical_zh_toyhom",
    "medical_zh_toyhom_detail",
    "medical_en_medquad",
    "finance_zh_fintruthqa",
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stard", ["legal_zh_stard", "legal_zh_lecoqa"]),
        ("stard-test", ["legal_zh_stard", "legal_zh_lecoqa"]),
        ("Stard_heldout", ["legal_zh_stard", "legal_zh_lecoqa"]),
        ("toyhom", ["medical_zh_toyhom", "medical_zh_toyhom_detail"]),
        ("fintruthqa", ["finance_zh_fintruthqa"]),
        ("medquad", ["medical_en_medquad"]),
        ("lay-law-zh", ["legal_zh_lay"]),
        ("lay-health-en", ["health_en_lay"]),
        ("lay-finance-zh", []),
        ("lay-medicine-zh", []),
        ("policyqa", []),
        ("covidqa", []),
        ("financebench", []),
        ("star", []),
        ("law-zh", []),
        ("test", []),
    ],
)
def test_a_set_is_known_by_its_own_words(name: str, expected: list[str]) -> None:
    """Pairs of a set carry its name with language and domain around it; another language or domain is another set."""
    assert data_of_set(name, SHIPPED) == expected


def test_a_set_with_no_word_of_its_own_is_known_by_the_whole_name() -> None:
    """``law-zh`` is not every Chinese law set, only data called so."""
    assert data_of_set("law-zh", ["legal_zh", "legal_zh_stard"]) == ["legal_zh"]
