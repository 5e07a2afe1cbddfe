"""Every architecture that the surveyed models have, from a question to a checked answer, through the service.

The weights are random, so the text is noise. What holds for noise holds for any model: it streams, it stops, and no
mark in it is released that was not proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.records import AnswerDone, AskRequest, CitationChecked, Image, PassagesFound, TextReleased
from ragsvc.settings import read_settings
from ragsvc.wiring import Service, open_service
from tests.servers.tiny_models import ARCHITECTURES, ENCODER_DECODER, save_tiny_model

LAW = """中华人民共和国民法典
（2020年5月28日第十三届全国人民代表大会第三次会议通过）

第一章　违约责任
第五百七十七条　当事人一方不履行合同义务的，应当承担继续履行、采取补救措施或者赔偿损失等违约责任。
第五百八十五条　当事人可以约定一方违约时应当根据违约情况向对方支付一定数额的违约金。
"""
QUESTION = "民法典第五百七十七条怎么规定？"
MAX_TOKENS = 24


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    law = tmp_path_factory.mktemp("law") / "民法典.txt"
    law.write_text(LAW, "utf-8")
    opened = open_service(read_settings(home=home, model_max_tokens=MAX_TOKENS, model_temperature=1.0, audit=False))
    opened.ingest([law], "laws", domain="law")
    yield opened
    opened.close()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_an_answer_streams_stops_and_is_checked(service: Service, tmp_path: Path, architecture: str) -> None:
    """Passages first, text in pieces, then the whole: at most as long as asked, every mark proven."""
    name, sizes = ARCHITECTURES[architecture]
    folder = save_tiny_model(tmp_path, name, sizes)
    await check_answer(service, str(folder))


async def check_answer(service: Service, model: str, strategy: str = "direct") -> None:
    request = AskRequest(question=QUESTION, collections=("laws",), model=model, strategy=strategy)
    events = [event async for event in service.stream(request)]
    assert isinstance(events[0], PassagesFound)
    assert "违约责任" in events[0].passages[0].text
    last = events[-1]
    assert isinstance(last, AnswerDone), last
    answer = last.answer
    assert answer.answer == "".join(event.text for event in events if isinstance(event, TextReleased))
    assert [event.citation for event in events if isinstance(event, CitationChecked)] == list(answer.citations)
    assert re.findall(r"\[\d+\]", answer.answer) == [citation.marker for citation in answer.citations]
    for citation in answer.citations:
        held = service.version_text(citation.version_id, citation.start, citation.end).text
        assert held == citation.quote
    written = answer.usage.completion_tokens
    assert written is not None
    calls = 2 if strategy == "moss" else 1
    assert 0 < written <= calls * MAX_TOKENS


@pytest.mark.parametrize(
    ("architecture", "template", "strategy"),
    [
        (ENCODER_DECODER, "bianque-1", "direct"),
        (ARCHITECTURES["CodeGen: MOSS"], "moss-plugin", "moss"),
        (ARCHITECTURES["GLM-4-9B"], "chatglm2", "moss"),
    ],
)
async def test_a_literal_template_and_a_strategy_come_from_an_entry(
    service: Service, tmp_path: Path, architecture: tuple[str, dict[str, Any]], template: str, strategy: str
) -> None:
    """An encoder-decoder in BianQue's template, MOSS with its plugins, a model that knows no tools and is told."""
    folder = save_tiny_model(tmp_path / "model", *architecture, chat_template=False)
    models = tmp_path / "models.toml"
    models.write_text(
        f'[[vendor]]\nvendor = "v"\nkind = "local"\nfamily = "transformers"\n'
        f'[[vendor.models]]\nname = "tiny"\nmodel = "{folder}"\ntemplate = "{template}"\n'
    )
    own = open_service(service.settings.model_copy(update={"models_file": models}))
    try:
        await check_answer(own, "tiny", strategy)
    finally:
        own.close()


async def test_pictures_are_refused_before_anything_else(service: Service, tmp_path: Path) -> None:
    """A model of words says so, with a status of its own, and no model is run."""
    folder = save_tiny_model(tmp_path, *ARCHITECTURES["Qwen 3"])
    image = Image("image/png", b"")
    for model in (str(folder), "extractive"):
        request = AskRequest(question=QUESTION, collections=("laws",), model=model, images=(image,))
        with pytest.raises(InvalidInput, match="takes no pictures"):
            await service.ask(request)
