"""Claims of any text, classed against a home with two laws, one of them in two versions, and a leaflet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from ragsvc import open_service
from ragsvc.errors import NotFound
from ragsvc.pipelines.verify import VerifiedClaim
from ragsvc.wiring import Service

HEAD = "# {}\n\n{} 甲市人民代表大会常务委员会通过\n\n<!-- INFO END -->\n\n"
LEASE = """第一条 为了规范房屋租赁活动，制定本条例。

第二条 出租人收取押金的，数额不得超过{deposit}个月的租金，并应当在租赁合同终止后十日内退还承租人。

第三条 出租人未履行维修义务的，承租人可以自行维修，维修费用由出租人负担。

承租人擅自改变房屋结构的，由主管部门责令限期改正，并处一万元以上五万元以下的罚款。
"""
BICYCLE = """第一条 电动自行车应当在购买之日起三十日内向公安机关交通管理部门申请登记。

第二条 违反本办法第一条规定，依照《甲市道路条例》第八条处罚。
"""
CIVIL_CODE = """第一千零五十条 登记结婚后，按照男女双方约定，女方可以成为男方家庭的成员，男方可以成为女方家庭的成员。
"""
LEAFLET = """# Fevrol leaflet

For children the recommended dose of Fevrol is 15 mg/kg twice daily for at most 10 days. Do not give it to infants
under 3 months of age.
"""


REPAIR = "出租人未履行维修义务的，承租人可以自行维修，维修费用由出租人负担。"

SWAPPED = "《甲市房屋租赁条例》第三条：承租人未履行维修义务的，出租人可以自行维修，维修费用由承租人负担。"
ELSEWHERE = (
    "《甲市电动自行车管理办法》第二条：出租人收取押金的，数额不得超过九个月的租金，"
    "并应当在租赁合同终止后十日内退还承租人。"
)
"""A wrong number in the words of another law than the one named."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("verify")
    old = HEAD.format("甲市房屋租赁条例", "2018年3月1日") + LEASE.format(deposit="两")
    new = HEAD.format("甲市房屋租赁条例", "2022年3月1日") + LEASE.format(deposit="一")
    (folder / "law").mkdir()
    (folder / "law" / "甲市房屋租赁条例(2018-03-01).md").write_text(old, "utf-8")
    (folder / "law" / "甲市房屋租赁条例(2022-03-01).md").write_text(new, "utf-8")
    (folder / "law" / "甲市电动自行车管理办法(2020-05-01).md").write_text(
        HEAD.format("甲市电动自行车管理办法", "2020年5月1日") + BICYCLE, "utf-8"
    )
    (folder / "law" / "中华人民共和国民法典(2020-05-28).md").write_text(
        HEAD.format("中华人民共和国民法典", "2020年5月28日") + CIVIL_CODE, "utf-8"
    )
    (folder / "leaflet.md").write_text(LEAFLET, "utf-8")
    service = open_service(folder / "home")
    service.ingest([folder / "law"], "law", domain="law")
    service.ingest([folder / "leaflet.md"], "leaflets", domain="medicine")
    yield service
    service.close()


def one(service: Service, text: str, as_of: date | None = None) -> VerifiedClaim:
    [claim] = service.verifier.verify(text, as_of=as_of).claims
    return claim


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("SUPPORTED", "《甲市房屋租赁条例》第二条规定，出租人收取押金的，数额不得超过1个月的租金。"),
        ("SUPPORTED", REPAIR),
        ("SUPPORTED", "参见《甲市房屋租赁条例》第三条。"),
        ("SUPPORTED", "违反本办法第一条规定，依照《甲市道路条例》第八条处罚。"),
        ("CONTRADICTED", "《甲市房屋租赁条例》第三条，承租人擅自改变房屋结构的，并处1万元以上8万元以下的罚款。"),
        ("CONTRADICTED", "电动自行车可以在购买之日起三十日内向公安机关交通管理部门申请登记。"),
        ("CONTRADICTED", "For children the recommended dose of Fevrol is 25 mg/kg twice daily for at most 10 days."),
        ("SUPPORTED", "For children the recommended dose of Fevrol is 15 mg/kg two times a day."),
        ("WRONG ARTICLE", f"根据《甲市房屋租赁条例》第一条，{REPAIR}"),
        ("WRONG ARTICLE", f"《甲市房屋租赁条例》第三条第二款：{REPAIR}"),
        ("SUPERSEDED", "《甲市房屋租赁条例》第二条规定，出租人收取押金的，数额不得超过两个月的租金。"),
        ("NOT FOUND", "《甲市房屋租赁条例》第九十条规定，出租人应当安装新风系统。"),
        ("NOT FOUND", "根据《甲市露营管理条例》第五条，营地应当配备灭火器。"),
        ("NOT FOUND", "《甲市露营管理条例》对此有明确要求，营地应当配备灭火器。"),
        ("CONTRADICTED", SWAPPED),
        ("CONTRADICTED", ELSEWHERE),
        ("SUPERSEDED", "《婚姻法》第九条规定，登记结婚后，女方可以成为男方家庭的成员。"),
        ("UNVERIFIED", "这与知识产权法、民法上的善意取得不同。"),
        ("UNVERIFIED", "参见张某：《露营管理条例》（第二版），某某大学出版社，第12页。"),
        ("UNVERIFIED", "根据《甲市房屋租赁条例》第三条，房东不修的话租客可以先垫钱修好。"),
        ("UNVERIFIED", "您好，很高兴为您解答。"),
    ],
)  # fmt: skip
def test_each_class(service: Service, status: str, text: str) -> None:
    """What a claim names and repeats decides; a quotation is where the citation says."""
    claim = one(service, text)
    assert (claim.status, claim.text) == (status, text), claim.note
    if claim.citation:
        stored = service.version_text(claim.citation.version_id, claim.citation.start, claim.citation.end)
        assert stored.text == claim.quote == claim.citation.quote != ""


def test_the_law_of_the_day(service: Service) -> None:
    """What is superseded today was the law before."""
    text = "《甲市房屋租赁条例》第二条规定，出租人收取押金的，数额不得超过两个月的租金。"
    assert one(service, text, date(2019, 1, 1)).status == "SUPPORTED"
    claim = one(service, text)
    assert "一个月" in claim.note
    assert claim.citation
    assert claim.citation.effective_to == date(2022, 3, 1)


def test_a_difference_is_shown_from_both_sides(service: Service) -> None:
    """As the claim has it, as the source has it, and which kind it is."""
    text = "《甲市电动自行车管理办法》第一条规定，电动自行车应当在购买之日起60日内向公安机关交通管理部门申请登记。"
    claim = one(service, text)
    assert [(d.kind, d.claim, d.source) for d in claim.differences] == [("number", "60日", "三十日")]
    assert "三十日" in claim.quote


def test_what_is_wrong_is_told_where_it_is_right(service: Service) -> None:
    """The place that has the words is cited, and a missing place names those that are there."""
    claim = one(
        service, "根据《甲市房屋租赁条例》第一条，维修费用由出租人负担，承租人可以自行维修，出租人未履行维修义务。"
    )
    assert claim.status == "UNVERIFIED"
    wrong = one(service, f"根据《甲市房屋租赁条例》第二条，{REPAIR}")
    assert wrong.citation
    assert wrong.citation.locator == "第三条"
    missing = one(service, "《甲市房屋租赁条例》第九十条规定，出租人应当安装新风系统。")
    assert "第三条" in missing.note


def test_sentences_after_a_colon_belong_to_the_place_before_it(service: Service) -> None:
    """A place named on its own line holds for what is quoted under it; ranges are those of the text."""
    text = "《甲市房屋租赁条例》第一条规定：\n出租人收取押金的，数额不得超过三个月的租金。\n"
    found = service.verifier.verify(text).claims
    assert [claim.status for claim in found] == ["SUPPORTED", "CONTRADICTED"]
    right = service.verifier.verify(text.replace("第一条", "第二条")).claims
    assert [claim.status for claim in right] == ["SUPPORTED", "CONTRADICTED"]
    assert all(text.replace("第一条", "第二条")[claim.start : claim.end] == claim.text for claim in right)


def test_marks_are_no_claims(service: Service) -> None:
    """The marks of an answer are not read as numbers."""
    assert one(service, "出租人未履行维修义务的，承租人可以自行维修，维修费用由出租人负担[1]。").status == "SUPPORTED"


def test_only_the_collections_asked_for_count(service: Service) -> None:
    """What another collection says supports nothing here; an unknown one is an error."""
    text = REPAIR
    [claim] = service.verifier.verify(text, ["leaflets"]).claims
    assert claim.status == "UNVERIFIED"
    with pytest.raises(NotFound):
        service.verifier.verify(text, ["nothing"])


def test_a_text_without_sentences_has_no_claims(service: Service) -> None:
    """White space is nothing to verify."""
    assert service.verifier.verify(" \n").claims == ()
