from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ragsvc.errors import InvalidInput, NotFound, SettingsError
from ragsvc.model_catalogue.catalogue import (
    find_embedding_model,
    find_model,
    list_embedding_models,
    list_models,
)

OWN = """
[[vendor]]
vendor = "Court"
kind = "api"
family = "openai"
base_url = "https://models.court.example/v1"
key_env = "COURT_KEY"

[[vendor.models]]
name = "court-large"
context_tokens = 32_000

[[vendor.models]]
name = "gpt-4o"
model = "our-own-gpt"
"""


def test_every_api_model_can_be_called_and_says_where_its_facts_come_from() -> None:
    """An API entry has an https address without credential, a key variable and a source."""
    cards = [*list_models("api"), *list_embedding_models("api")]
    assert len(cards) > 40
    for card in cards:
        address = urlsplit(card.base_url)
        assert (address.scheme, address.username, address.query) == ("https", None, ""), card.name
        assert card.key_env.isupper(), card.name
        assert card.model, card.name
        assert card.source, card.name


def test_the_vendors_that_the_service_promises_are_listed() -> None:
    """Each vendor reachable through an OpenAI-compatible endpoint has at least one model."""
    vendors = {card.vendor for card in list_models("api")}
    assert vendors >= {
        "OpenAI", "Zhipu", "Alibaba", "Baichuan", "Baidu", "Tencent", "360", "iFlytek", "Moonshot", "01.AI",
        "ByteDance", "Mistral", "xAI", "DeepSeek",
    }  # fmt: skip


def test_the_kinds_part_the_list() -> None:
    """Every listed model is of exactly one kind, and the built-in answerer is local."""
    parts = [list_models(kind) for kind in ("api", "local", "closed")]
    assert sum(map(len, parts)) == len(list_models())
    assert all(parts)
    assert find_model("extractive") in parts[1]


@pytest.mark.parametrize(
    ("name", "family", "model", "base_url"),
    [
        ("glm-4-plus", "openai", "glm-4-plus", "https://open.bigmodel.cn/api/paas/v4"),
        ("spark-max", "openai", "generalv3.5", "https://spark-api-open.xf-yun.com/v1"),
        ("openai:any/model", "openai", "any/model", ""),
        ("ollama:qwen3:8b", "ollama", "qwen3:8b", ""),
        ("hf:Qwen/Qwen3-8B", "transformers", "Qwen/Qwen3-8B", ""),
        ("http://127.0.0.1:8000/v1#Org/Name", "openai", "Org/Name", "http://127.0.0.1:8000/v1"),
        ("https://host.example/v1/#m", "openai", "m", "https://host.example/v1"),
    ],
)
def test_a_name_leads_to_the_model(name: str, family: str, model: str, base_url: str) -> None:
    """Listed names and names that say where the model is both resolve, and keep the name as written."""
    card = find_model(name)
    assert (card.name, card.family, card.model, card.base_url) == (name, family, model, base_url)


def test_a_directory_is_a_model_if_it_states_one(tmp_path: Path) -> None:
    """A path leads to the directory; one without a model is refused with its absolute path."""
    with pytest.raises(NotFound, match=f"{tmp_path} is not a model directory"):
        find_model(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    card = find_model(str(tmp_path))
    assert (card.family, card.kind, card.model) == ("transformers", "local", str(tmp_path))


def test_an_unknown_name_is_answered_with_near_ones_and_a_way_on() -> None:
    """A typing error gets the right name offered, and the forms that need no listing."""
    with pytest.raises(NotFound, match=r"'glm4-plus'.*Near: glm-4-plus.*models list.*openai:MODEL"):
        find_model("glm4-plus")


@pytest.mark.parametrize("name", ["http://169.254.169.254/#x", "/etc", "hf:a/b", "openai:x", "ollama:x"])
def test_a_caller_over_the_network_gets_listed_models_only(name: str) -> None:
    """With ``listed_only`` no name makes this machine open an address, a directory or a download."""
    with pytest.raises(NotFound):
        find_model(name, listed_only=True)
    assert find_model("gpt-4o", listed_only=True).vendor == "OpenAI"


def test_an_address_with_a_credential_is_refused_without_repeating_it() -> None:
    """A password in an endpoint would end up in answers and logs, so it is refused and not echoed."""
    with pytest.raises(InvalidInput, match="must not hold a credential") as refusal:
        find_model("https://user:hunter2@host.example/v1#m")
    assert "hunter2" not in str(refusal.value)


def test_an_address_without_a_model_is_refused() -> None:
    """An endpoint serves many models: which one has to be said."""
    with pytest.raises(NotFound, match="https://host/v1#MODEL"):
        find_model("https://host.example/v1")


def test_own_entries_add_and_win(tmp_path: Path) -> None:
    """An operator's file adds models and replaces shipped ones of the same name."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    assert find_model("court-large", [file]).context_tokens == 32_000
    assert find_model("gpt-4o", [file]).model == "our-own-gpt"
    assert "court-large" in [card.name for card in list_models("api", [file])]
    assert find_model("gpt-4o").model == "gpt-4o"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[vendor", "cannot be read"),
        ("a = 1", "expected"),
        (OWN.replace('family = "openai"', 'family = "telepathy"'), "telepathy"),
        (OWN.replace("context_tokens", "context_tokenz"), "context_tokenz"),
        (OWN.replace('name = "gpt-4o"', 'name = "court-large"'), "listed twice"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    """A catalogue file with an error stops the start and names file and error."""
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint) as error:
        find_model("court-large", [file])
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A catalogue file that is not there is an error, never an empty list."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        list_models(extra_files=[tmp_path / "nowhere.toml"])


def test_embedding_models_state_what_makes_them_right() -> None:
    """Query prefix, pooling and length are those of the model's own card."""
    bge = find_embedding_model("bge-base-zh-v1.5")
    assert (bge.dim, bge.pooling, bge.max_tokens) == (768, "cls", 512)
    assert bge.query_prefix == "为这个句子生成表示以用于检索相关文章："
    assert find_embedding_model("bge-m3").query_prefix == ""
    assert find_embedding_model("text2vec-base-chinese").pooling == "mean"
    assert find_embedding_model("hf:org/encoder").model == "org/encoder"
    assert all(card.dim for card in list_embedding_models())
