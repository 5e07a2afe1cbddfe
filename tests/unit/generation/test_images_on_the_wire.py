"""A picture as each vendor's interface documents it, recorded by servers that refuse what the vendors refuse."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image as Pillow

from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.images import clean_image
from ragsvc.generation.options import ChatOptions
from ragsvc.records import Message
from tests.servers.families import FAMILIES, card_of, key_of


def red_jpeg() -> bytes:
    written = io.BytesIO()
    Pillow.new("RGB", (8, 8), "red").save(written, "JPEG")
    return written.getvalue()


IMAGE = clean_image(red_jpeg())
DATA = base64.b64encode(IMAGE.data).decode()
URL = f"data:image/jpeg;base64,{DATA}"
OPENAI = [{"type": "image_url", "image_url": {"url": URL}}]
SOURCE = {"type": "base64", "media_type": "image/jpeg", "data": DATA}
QUESTION = (Message("system", "Rules."), Message("user", "What is on it?", (IMAGE,)))


def parts_of(body: dict[str, Any]) -> list[Any]:
    """The question's parts that are not text."""
    if "contents" in body:  # Gemini
        return [part for part in body["contents"][-1]["parts"] if "text" not in part]
    message = body["messages"][-1]
    if "images" in message:  # Ollama
        return list(message["images"])
    return [part for part in message["content"] if part["type"] != "text"]


def in_urls_alphabet(part: dict[str, Any]) -> dict[str, Any]:
    inline = part.get("inlineData") or part["inline_data"]
    media_type = inline.get("mimeType") or inline["mime_type"]
    return {"mimeType": media_type, "data": inline["data"].replace("-", "+").replace("_", "/")}


@pytest.mark.parametrize(
    ("family", "sent"),
    [
        ("OpenAI", OPENAI),
        ("compatible", OPENAI),
        ("Spark", OPENAI),
        ("Mistral", [{"type": "image_url", "image_url": URL}]),
        ("Anthropic", [{"type": "image", "source": SOURCE}]),
        ("Gemini", [{"mimeType": "image/jpeg", "data": DATA}]),
        ("Ollama", [DATA]),
    ],
)
async def test_a_picture_goes_as_the_vendor_documents_it(family: str, sent: list[Any]) -> None:
    """Data URL, base64 source, inline data or a list of base64, beside the question's text."""
    with FAMILIES[family]() as server:
        card = replace(card_of(family, server), modalities=("text", "image"))
        model = open_chat_model(card, ChatOptions(api_key=key_of(server)))
        assert model.takes_images
        assert [piece async for piece in model.stream(QUESTION)]
        (request,) = server.requests
    parts = parts_of(request.body)
    if family == "Gemini":
        parts = [in_urls_alphabet(part) for part in parts]
    if family == "Mistral" and isinstance(parts[0]["image_url"], dict):
        parts = [{**part, "image_url": part["image_url"]["url"]} for part in parts]
    assert parts == sent
    assert "What is on it?" in str(request.body)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_entry_without_pictures_takes_none(family: str) -> None:
    """The pipeline asks this before it asks the model."""
    with FAMILIES[family]() as server:
        assert not open_chat_model(card_of(family, server), ChatOptions(api_key=key_of(server))).takes_images
