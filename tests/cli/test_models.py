"""``ragsvc models``: what can be named, what it would be sent, and whether it behaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.servers.openai_chat import OpenAIChatServer, Reply


def test_the_list_is_one_object_with_every_fact(cli: Cli) -> None:
    """Kind and domain narrow it; the facts are those of the catalogue."""
    models = cli("models", "list", "--kind", "local", "--domain", "law", "--json").json["models"]
    (found,) = [model for model in models if model["name"] == "lawyer-llama-v2"]
    assert (found["commercial_use"], found["template"]) == ("no", "lawyer-llama")
    assert all((model["kind"], model["domain"]) == ("local", "law") for model in models)


def test_non_commercial_is_said_loudly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to look for it."""
    monkeypatch.setenv("COLUMNS", "200")
    assert "NON-COMMERCIAL ONLY" in cli("models", "show", "xrayglm").stdout
    assert "NON-COMMERCIAL ONLY" in cli("models", "list", "--domain", "medicine").stdout


def test_a_models_prompt_is_shown_byte_for_byte(cli: Cli) -> None:
    """A literal template is written out with its markers; a question of one's own goes in."""
    shown = cli("models", "show", "lawyer-llama-v2", "-q", "押金退吗？").stdout
    assert "### Human: " in shown
    assert "问题：押金退吗？\n### Assistant: " in shown
    prompt = cli("models", "show", "gpt-4o", "--json").json["prompt"]
    assert [message["role"] for message in prompt["messages"]] == ["system", "user"]


@pytest.mark.parametrize("name", ["spark-max", "hunyuan-turbos-latest", "pangu"])
def test_an_older_protocol_is_said_not_to_be_spoken(cli: Cli, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has keys of the older kind learns it here."""
    monkeypatch.setenv("COLUMNS", "400")
    assert "older protocol" in cli("models", "show", name).stdout


def test_own_entries_are_read_from_the_working_folder(cli: Cli) -> None:
    """``models.toml`` adds to the listed models, and a mistake in it is named."""
    Path("models.toml").write_text('[[override]]\nname = "gpt-4o"\nnote = "ours"\n', encoding="utf-8")
    assert cli("models", "show", "gpt-4o", "--json").json["note"] == "ours"
    Path("models.toml").write_text("[[vendor", encoding="utf-8")
    ended = cli("models", "list")
    assert (ended.code, "models.toml" in ended.stderr) == (2, True)


def test_a_live_model_is_checked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check has its line; one that fails makes the command fail."""
    with OpenAIChatServer() as server:
        server.replies.extend([Reply(pieces=["OK"]), Reply(pieces=["APPLE"]), Reply(pieces=["x"]), Reply(pieces=["1"])])
        monkeypatch.setenv("RAGSVC_MODEL_BASE_URL", server.base_url)
        monkeypatch.setenv("RAGSVC_MODEL_API_KEY", server.api_key)
        ended = cli("models", "check", "openai:test-model", "--json")
    outcomes = {check["name"]: check["outcome"] for check in ended.json["checks"]}
    assert (outcomes["answers"], outcomes["refuses a wrong key"], outcomes["streams"]) == ("ok", "ok", "failed")
    assert ended.code == 1
