"""The designs on real texts: the Civil Code, and medical pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ragsvc.pipelines.answer import AnswerPipeline
from ragsvc.records import Answer, AskRequest, Turn
from ragsvc.wiring import Service, open_service
from tests.unit.strategies.runs import Calls


@pytest.fixture(scope="module")
def service(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The Civil Code as collection ``law``, some pages on cancer as ``health``."""
    opened = open_service(tmp_path_factory.mktemp("home"))
    opened.ingest([shared_data / "corpora" / "laws_zh_md" / "民法典"], "law", domain="law")
    pages = sorted((shared_data / "corpora" / "medquad_xml").rglob("*.xml"))[:40]
    opened.ingest(pages, "health", domain="medicine")
    yield opened
    opened.close()


async def ask(service: Service, model: Any, question: str, collection: str = "law", **request: Any) -> Answer:
    """Answer with a model that follows scripts; every citation is read again from the store."""
    parts = replace(service.answers._parts, open_chat_model=lambda _: model)
    request = {"model": "scripted" if model else "extractive", **request}
    answer = await AnswerPipeline(parts).answer(AskRequest(question=question, collections=(collection,), **request))
    for citation in answer.citations:
        assert service.version_text(citation.version_id, citation.start, citation.end).text == citation.quote
    return answer


async def test_lawyer_llama_marks_the_articles_that_its_model_names(service: Service) -> None:
    """The model names an article and numbers nothing: the citation is that article, and an invented one stays bare."""
    said = (
        "根据《民法典》第一千零七十九条，感情确已破裂，调解无效的，应当准予离婚。根据《民法典》第九千条，可以分得房屋。"
    )
    model = Calls(said, template="lawyer-llama")
    answer = await ask(service, model, "感情破裂调解无效，法院会不会判离婚？", strategy="lawyer_llama")
    assert len(model.calls[0][-1].references) == 3
    assert {citation.locator for citation in answer.citations} == {"第一千零七十九条"}
    assert "九千条" in answer.answer.split("（未在所引原文中找到")[-1]


async def test_a_draft_finds_what_the_question_does_not_say(service: Service) -> None:
    """LAW-GPT: question and draft together bring the article on custody to the front."""
    draft = (
        "离婚后，不满两周岁的子女，以由母亲直接抚养为原则；已满两周岁的子女由人民法院根据最有利于未成年子女的原则判决。"
    )
    model = Calls(draft, "不满两周岁的子女，以由母亲直接抚养为原则[1]。")
    answer = await ask(service, model, "夫妻过不下去了要离婚，小孩归谁", strategy="lawgpt")
    assert answer.passages[0].locator == "第一千零八十四条"
    assert [citation.locator for citation in answer.citations] == ["第一千零八十四条"]


async def test_the_firms_report_without_a_model(service: Service) -> None:
    """ChatLaw2's four parts over the conversation, each quotation proven."""
    history = (Turn("user", "我和房东签了两年的租赁合同"), Turn("assistant", "房东违约了吗？"))
    answer = await ask(service, None, "房东提前把房子收回去了，要赔偿损失吗", strategy="chatlaw_sop", history=history)
    parts = ["一、咨询问题", "二、咨询意见", "三、相关案例", "四、相关法律法规"]
    assert [answer.answer.index(part) for part in parts] == sorted(answer.answer.index(part) for part in parts)
    assert "- 我和房东签了两年的租赁合同" in answer.answer
    assert answer.citations
    assert "无法核实" not in answer.answer


async def test_entity_and_attribute_of_a_real_page(service: Service) -> None:
    """BenTsao without a model: title and words of the question find the passages of that page on that attribute."""
    title = next(document.work for document in service.documents("health"))
    answer = await ask(service, None, f"What are the symptoms of {title}?", "health", strategy="bentsao")
    assert not answer.abstained
    assert {citation.work for citation in answer.citations} == {title}
