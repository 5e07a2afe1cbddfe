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
        if card.name == "pangu":  # each deployment has an address of its own
            assert "base_url" in card.get
            continue
        assert (address.scheme, address.username, address.query) == ("https", None, ""), card.name
        assert card.key_env.isupper(), card.name
        assert card.model, card.name
        assert card.source, card.name


def test_the_vendors_that_the_service_promises_are_listed() -> None:
    """Each vendor reachable through an OpenAI-compatible endpoint has at least one model."""
    vendors = {card.vendor for card in list_models("api")}
    assert vendors >= {
        "OpenAI", "Zhipu", "Alibaba", "Baichuan", "Baidu", "Tencent", "360", "iFlytek", "Moonshot", "01.AI",
        "ByteDance", "Mistral", "xAI", "DeepSeek", "Anthropic", "Google", "Huawei",
    }  # fmt: skip


SURVEY = {
    "gpt-4o", "claude-3-opus", "gemini-2.5-pro", "mistral-large", "grok-1", "glm-4", "chatglm-6b", "chatglm2-6b",
    "chatglm3-6b", "baichuan4", "baichuan2-13b-chat", "ernie-bot-4", "qwen-plus", "qwen-7b-chat", "hunyuan-large",
    "pangu", "openpangu-7b", "360gpt-pro", "360zhinao-7b-chat", "aquilachat2-34b", "spark-max", "moonshot-v1-8k",
    "kimi-k3", "yi-34b-chat", "yi-large", "doubao-seed-1.8", "moss", "llama3", "llama-3-8b-instruct", "gemma-7b",
    "lawyer-llama-v1", "lawyer-llama-v2", "chatlaw-13b", "chatlaw2-moe", "lexilaw", "lawgpt-zh", "lawgpt-7b",
    "disc-lawllm", "huatuogpt-7b", "huatuogpt2-7b", "bianque-1", "bianque-2", "bentsao-bloom", "doctorglm",
    "chatmed-consult", "shennong-tcm", "xrayglm", "xuanyuan-70b-chat", "xuanyuan-finx1", "bloomberggpt",
    "chatglm-math", "visualglm-6b", "glm-4v-9b",
}  # fmt: skip


def test_every_system_of_the_survey_is_listed() -> None:
    """General or vertical, callable or not: each has an entry that runs or says why it cannot."""
    assert {card.name for card in list_models()} >= SURVEY


def test_an_entry_says_what_a_reader_needs_to_choose() -> None:
    """Source, licence, how to get it; and of one that cannot be called, why."""
    for card in list_models():
        assert card.source, card.name
        assert card.get or card.kind == "closed", card.name
        assert card.licence or card.kind == "closed", card.name
        assert card.note or card.family != "none", card.name


def test_weights_for_research_only_are_marked() -> None:
    """Whoever wants to earn money with them has to know."""
    marked = {card.name for card in list_models() if card.commercial_use == "no"}
    assert marked >= {"lawyer-llama-v2", "chatlaw-13b", "bianque-2", "bentsao-bloom", "shennong-tcm", "xrayglm"}
    assert "NOT for the EU" in find_model("hunyuan-large").licence


@pytest.mark.parametrize("name", ["spark-max", "hunyuan-lite", "pangu"])
def test_the_older_protocols_are_said_not_to_be_spoken(name: str) -> None:
    """Spark's websocket, Hunyuan's signed requests and Pangu V1 are named where someone would look for them."""
    assert "older protocol" in find_model(name).note


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
        ("modelscope:qwen/Qwen-7B-Chat", "transformers", "modelscope:qwen/Qwen-7B-Chat", ""),
        ("gpt-4o", "openai", "gpt-4o", "https://api.openai.com/v1"),
        ("glm-4", "openai", "glm-4", "https://open.bigmodel.cn/api/paas/v4"),
        ("qwen-plus", "openai", "qwen-plus", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
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
    for address in ("https://user:hunter2@host.example/v1#m", "https://host.example/v1?key=hunter2#m"):
        with pytest.raises(InvalidInput, match="must not hold a credential") as refusal:
            find_model(address)
        assert "hunter2" not in str(refusal.value)
    for address in ("htps://user:hunter2@host.example/v1#m", "ftp://host.example/?key=hunter2"):
        with pytest.raises(NotFound, match=r"host\.example") as unknown:
            find_model(address, listed_only=True)
        assert "hunter2" not in str(unknown.value)


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


def test_an_override_changes_some_facts_and_keeps_the_rest(tmp_path: Path) -> None:
    """A limit of one's own account is one line, of a shipped entry or of one in the same file."""
    file = tmp_path / "own.toml"
    file.write_text('[[override]]\nname = "gpt-4o"\nrequests_per_minute = 500\nbase_url = "https://proxy.example/v1"\n')
    card = find_model("gpt-4o", [file])
    assert (card.requests_per_minute, card.base_url) == (500, "https://proxy.example/v1")
    assert (card.vendor, card.context_tokens) == ("OpenAI", 128_000)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[override]]\nname = "nothing"', "names 'nothing', which is not listed"),
        ('[[override]]\nname = "gpt-4o"\nspeed = 3', "override.*'gpt-4o'.*speed"),
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
