"""The wire of ``/v1/chat/completions`` and ``/v1/models``: OpenAI's shapes, and what this service adds to them.

Source: the OpenAI API reference, "Create chat completion". Fields of a request that are not named here (sampling,
penalties, seeds) are taken and not used: how a model is called is the operator's to say.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ragsvc.api.schemas import AsOf, Citation, K, ModelFailure, Name, Notice, StrategyName

FinishReason = Literal["stop", "length", "content_filter"]
MAX_MESSAGES = 200


class TextPart(Struct, tag="text", tag_field="type"):
    """A part of a message: text."""

    text: str


class ImageUrl(Struct):
    """A picture as a data URL, or at an address whose host the operator listed."""

    url: str


class ImagePart(Struct, tag="image_url", tag_field="type"):
    """A part of a message: a picture."""

    image_url: ImageUrl


class ChatMessage(Struct):
    """One turn. The last one of the user is the question."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart | ImagePart] | None = None


class StreamOptions(Struct):
    """``include_usage``: one more chunk, with the token counts, before the end."""

    include_usage: bool = False


class ResponseFormat(Struct):
    """``text`` is what is given."""

    type: str = "text"


class ChatRequest(Struct, kw_only=True):
    """A conversation. ``model``: a collection, an assistant, ``collection/model``, or a model over all collections."""

    model: Name
    messages: Annotated[list[ChatMessage], Meta(extra_json_schema={"minItems": 1, "maxItems": MAX_MESSAGES})]
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Meta(description="Answers wanted: only 1.")] = None
    tools: Annotated[list[Any] | None, Meta(description="Never called: answers come from the sources.")] = None
    tool_choice: Annotated[Any, Meta(description="A call that must be made is refused.")] = None
    response_format: Annotated[ResponseFormat | None, Meta(description="Only text.")] = None
    as_of: AsOf = None
    top_k: K | None = None
    strategy: StrategyName | None = None
    language: Literal["zh", "en"] | None = None


class ChatUsage(Struct):
    """Token counts as the model's server gives them; 0 where it does not say or no model was called."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Provenance(Struct):
    """What an answer of this service says of itself beyond OpenAI's fields; as in ``Answer`` of ``/v1/ask``."""

    answer_id: str
    abstained: bool
    reason: str | None
    model: str
    strategy: str
    index_generation: str
    disclaimer: str
    fallbacks: list[ModelFailure]
    n_passages_dropped: int
    notices: list[Notice]


class AssistantMessage(Struct):
    """The answer, its references and its disclaimer as one text."""

    role: Literal["assistant"]
    content: str
    refusal: None = None
    reasoning_content: str | UnsetType = UNSET


class Choice(Struct):
    """The one answer."""

    index: int
    message: AssistantMessage
    finish_reason: FinishReason
    logprobs: None = None


class ChatCompletion(Struct):
    """OpenAI's answer; ``citations`` and ``ragsvc`` are ours, and OpenAI's own clients keep them."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
    citations: list[Citation] | UnsetType = UNSET
    ragsvc: Provenance | UnsetType = UNSET


class Delta(Struct, omit_defaults=True):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None


class ChunkChoice(Struct):
    """The one answer, as it is written."""

    index: int
    delta: Delta
    finish_reason: FinishReason | None = None
    logprobs: None = None


class ChatChunk(Struct):
    """One server-sent event of a streamed answer; the chunk with the finish reason carries what is ours."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: ChatUsage | None = None
    citations: list[Citation] | UnsetType = UNSET
    ragsvc: Provenance | UnsetType = UNSET


class Model(Struct):
    """What ``model`` may name, as OpenAI's list shows one, with what this service adds; null or empty = not known."""

    id: str
    object: Literal["model"]
    created: int
    """Always 0: nobody states it for all models."""
    owned_by: str
    """The vendor; of a collection, this service."""
    kind: Literal["collection", "assistant", "api", "local", "closed"]
    """A collection is answered from by its own model; a closed model cannot be called, and ``note`` says why."""
    model: str = ""
    """The vendor's own id."""
    context_tokens: int | None = None
    modalities: list[str] = []
    domain: str = ""
    licence: str = ""
    commercial_use: Literal["yes", "conditions", "no", "unknown"] = "unknown"
    template: str = ""
    get: str = ""
    note: str = ""
    source: str = ""


class Models(Struct):
    """OpenAI's list shape."""

    object: Literal["list"]
    data: list[Model]
