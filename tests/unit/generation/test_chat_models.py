from __future__ import annotations

import subprocess
import sys

import pytest

from ragsvc.errors import InvalidInput, NotFound, SettingsError
from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions, answer_tokens, prompt_tokens
from ragsvc.model_catalogue.catalogue import ChatCard, find_model


def test_importing_the_package_loads_no_model_library() -> None:
    """Only opening a model pays for its libraries: the command line starts without them."""
    heavy = "{'torch', 'transformers', 'langchain_core', 'openai', 'ollama', 'httpx'}"
    code = f"import sys, ragsvc.generation.chat_models; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_extractive_answerer_is_not_opened() -> None:
    """It works on passages, not on messages, and opening it by mistake says so."""
    with pytest.raises(InvalidInput, match="answers from the passages alone"):
        open_chat_model("extractive")


def test_a_closed_model_is_refused_with_the_reason() -> None:
    """A model that is listed for reference cannot be called."""
    with pytest.raises(InvalidInput, match=r"bloomberggpt \(Bloomberg\) cannot be called: .*no weights"):
        open_chat_model("bloomberggpt")


def test_an_unknown_model_is_not_found() -> None:
    """The catalogue's answer for an unknown name comes through."""
    with pytest.raises(NotFound, match="Near: "):
        open_chat_model("gpt4o")


def test_a_base_url_with_a_credential_is_refused() -> None:
    """It would be shown in errors and logs."""
    with pytest.raises(SettingsError, match="must not hold a credential") as error:
        open_chat_model("openai:m", ChatOptions(base_url="https://me:hunter2@host.example/v1"))
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("claude-opus-5-5", "langchain-anthropic"),
        ("gemini-2.5-pro", "langchain-google-genai"),
        ("mistral-large", "langchain-mistralai"),
    ],
)
def test_a_vendors_package_that_is_missing_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the line that installs it."""
    monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
    with pytest.raises(SettingsError, match=f"pip install {package}"):
        open_chat_model(name, ChatOptions(api_key="k"))


def test_a_vendor_model_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each vendor's variable is named; none is asked for another's."""
    for name, variable in [("claude-opus-5-5", "ANTHROPIC_API_KEY"), ("gemini-2.5-pro", "GOOGLE_API_KEY")]:
        monkeypatch.delenv(variable, raising=False)
        with pytest.raises(SettingsError, match=f"set {variable}"):
            open_chat_model(name)


def test_a_model_without_an_address_goes_to_nobody() -> None:
    """Pangu's address is each deployment's own: its key must not reach OpenAI for want of one."""
    with pytest.raises(SettingsError, match="set base_url in your models file"):
        open_chat_model("pangu", ChatOptions(api_key="k"))


def test_a_prompt_leaves_room_for_the_answer() -> None:
    """The window less the answer; an answer takes at most half of a small one; an unknown window stays unknown."""
    large = find_model("gpt-4o")
    small = ChatCard(name="s", vendor="V", kind="api", family="openai", context_tokens=2_048)
    assert prompt_tokens(large, ChatOptions(max_tokens=1_000)) == 128_000 - 1_000 - 64
    assert answer_tokens(small, ChatOptions(max_tokens=4_000)) == 1_024
    assert prompt_tokens(small, ChatOptions(max_tokens=4_000)) == 1_024 - 64
    assert prompt_tokens(find_model("glm-4-plus"), ChatOptions()) is None
