from __future__ import annotations

import subprocess
import sys

import pytest

from ragsvc.errors import InvalidInput, NotFound, SettingsError
from ragsvc.generation.chat_models import ChatOptions, open_chat_model


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
