"""Sections that leaflets, labels and guidelines have, by their names in China and in the United States.

Headings of leaflets: 药品说明书和标签管理规定 (2006) and its annexes; of labels: 21 CFR 201.57.
"""

from __future__ import annotations

import re

from ragsvc.domains.sections import SectionGrammar
from ragsvc.records import Address

NAMES: dict[str, tuple[str, ...]] = {
    "indications": ("适应症", "适应证", "功能主治", "indications and usage", "indications & usage", "indications"),
    "dosage": ("用法用量", "用法与用量", "dosage and administration", "dosage & administration", "dosage"),
    "contraindications": ("禁忌", "禁忌症", "禁忌证", "contraindications"),
    "adverse": ("不良反应", "副作用", "adverse reactions", "side effects"),
    "precautions": ("注意事项", "warnings and precautions", "warnings & precautions", "precautions", "warnings"),
    "boxed": ("警示语", "黑框警告", "boxed warning"),
    "pregnancy": ("孕妇及哺乳期妇女用药", "pregnancy and lactation", "use in pregnancy", "pregnancy"),
    "pediatric": ("儿童用药", "pediatric use", "paediatric use"),
    "geriatric": ("老年用药", "老年患者用药", "geriatric use"),
    "interactions": ("药物相互作用", "drug interactions"),
    "overdose": ("药物过量", "overdosage"),
    "composition": ("成份", "主要成份"),
    "storage": ("贮藏", "how supplied/storage and handling"),
    "pharmacology": ("药理毒理", "clinical pharmacology"),
    "pharmacokinetics": ("药代动力学", "pharmacokinetics"),
}  # fmt: skip
_RECOMMENDATION = re.compile(
    r"(?:推荐意见|推荐|recommendations?)\s{0,2}(?P<n>\d{1,3}(?:\.\d{1,3}){0,3}|[一二三四五六七八九十]{1,3})(?![\d%％一-龥])",
    re.IGNORECASE,
)
_HAN = {char: n for n, char in enumerate("一二三四五六七八九十", 1)}


class MedicineGrammar(SectionGrammar):
    """Sections by their names, recommendations of a guideline by their numbers."""

    def __init__(self) -> None:
        super().__init__(NAMES)

    def key_of(self, heading: str) -> str:
        """Return the canonical key of a section; "rec1.2" for a recommendation."""
        found = _RECOMMENDATION.match(heading.strip("*# 【[("))
        return f"rec{_number(found['n'])}" if found else super().key_of(heading)

    def find(self, text: str) -> list[Address]:
        """Return the sections and recommendations that ``text`` names."""
        found = []
        for match in _RECOMMENDATION.finditer(text):
            left = text[max(0, match.start() - 120) : match.start()].rstrip(" ,，的:：")
            work = left[left.rindex("《") + 1 : -1] if left.endswith("》") and "《" in left else left
            found.append(
                Address(
                    work=work, left="" if left.endswith("》") else left, article=f"rec{_number(match['n'])}",
                    unit="section", is_certain=False, start=match.start(), end=match.end(),
                )
            )  # fmt: skip
        return found or super().find(text)


def _number(written: str) -> str:
    return written if written[0].isdecimal() else str(sum(_HAN[char] for char in written))
