"""Every setting: unit, default and reason. Read once from ``ragsvc.toml`` and ``RAGSVC_*``; builds nothing.

Order: arguments, environment, ``ragsvc.toml`` in the working folder (or ``RAGSVC_SETTINGS``), defaults here.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ragsvc.errors import SettingsError


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(env_prefix="RAGSVC_", extra="forbid", frozen=True)

    home: Path = Field(Path("indexes"), description="Folder of the catalogue, the index generations and uploads.")
    time_zone: str = Field("Asia/Shanghai", description="Time zone of new collections: decides what 'today' is.")

    embedder: str = Field("ragsvc-static-zh-en", description="Shipped name, directory or hub name of the encoder.")
    faiss_index: str = Field("SQfp16", description="faiss factory string: SQfp16, Flat, or SQ8 for less memory.")
    rerank: str = Field(
        "auto",
        description="Reads the first hits again for a better order: 'auto' with the shipped encoder, 'interaction' or "
        "the folder of a fitted one always; empty = never.",
    )

    model: str = Field("extractive", description="Chat model for collections that name none.")
    model_fallbacks: tuple[str, ...] = Field(
        (), description="Models to ask, in order, when the chosen one fails before it writes; its reason is kept."
    )
    models_file: Path = Field(
        Path("models.toml"), description="Own model entries, which add to the listed ones or change them; if there."
    )
    strategy: str = Field("", description="How retrieval and generation are woven; empty = by the model.")
    model_base_url: str = Field("", description="Base URL for 'openai:MODEL', e.g. of a vLLM or llama.cpp server.")
    model_api_key: SecretStr = Field(
        SecretStr(""), description="Key for 'openai:MODEL'; others: the vendor's variable."
    )
    model_timeout_s: float = Field(60.0, gt=0, description="Seconds without a new piece of text before giving up.")
    model_temperature: float = Field(0.0, ge=0, le=2, description="Sampling temperature; 0 = the likeliest text.")
    model_max_tokens: int = Field(1024, gt=0, description="Longest answer asked of a chat model, in tokens.")

    passages: int = Field(6, ge=1, le=50, description="Passages an answer may rest on.")
    max_question_chars: int = Field(4000, ge=1, description="Longest question, in characters.")

    max_file_mb: int = Field(200, ge=1, description="Largest file that ingest or an upload takes, in MB.")
    max_unpacked_mb: int = Field(200, ge=1, description="Most that the files in one archive may have in all, in MB.")
    parse_timeout_s: float = Field(120.0, gt=0, description="Longest time that one file may be parsed, in seconds.")
    parse_memory_mb: int = Field(3072, ge=512, description="Address space of the parsing process, in MB.")

    max_concurrent_asks: int = Field(32, ge=1, description="Questions answered at once; more get status 429.")
    conversations: bool = Field(True, description="Whether callers may have conversations kept; off = nothing is kept.")
    conversation_days: int = Field(30, ge=1, description="Days after its last question that a conversation is kept.")
    keep_generations: int = Field(3, ge=1, description="Index generations kept for 'index rollback'.")
    audit: bool = Field(True, description="Append a line per answer to audit.jsonl; it holds no question text.")
    feedback_hours: int = Field(
        24, ge=0, le=720, description="Hours that an answer is kept, without its question, for feedback; 0 = none."
    )
    keep_questions: bool = Field(
        False, description="Keep questions, redacted, with feedback and where no answer was found; off: none is stored."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR; logs go to stderr.")
    log_json: bool = Field(False, description="Log lines of 'serve' as JSON objects, for a log collector.")

    private_hosts: tuple[str, ...] = Field(
        (), description="Hosts of your own network, as host or host:port, that may be fetched from by address."
    )
    contact: str = Field(
        "", max_length=200, description="E-mail address told to sites that are fetched from; SEC EDGAR asks for one."
    )
    image_hosts: tuple[str, ...] = Field((), description="Hosts that pictures may be fetched from; none = only base64.")
    key_requests_per_minute: int = Field(
        0, ge=0, description="Requests a minute with one key and its tickets, unless the key says other; 0 = no limit."
    )
    key_questions_per_day: int = Field(
        0, ge=0, description="Questions a day (UTC) with one key and its tickets, as above; 0 = no limit."
    )
    key_tokens_per_day: int = Field(
        0, ge=0, description="Tokens of chat models a day (UTC), as above; the answer that goes over it is the last."
    )
    ticket_requests_per_minute: int = Field(120, ge=0, description="Requests a minute with one ticket; 0 = no limit.")
    origin_requests_per_minute: int = Field(
        3000, ge=0, description="Requests a minute from pages of one origin with tickets of one key; 0 = no limit."
    )
    origin_questions_per_day: int = Field(
        5000, ge=1, description="Questions a day (UTC) from pages of one origin with tickets of one key."
    )
    address_requests_per_minute: int = Field(
        0, ge=0, description="Requests a minute from one client address, with a key or without; 0 = no limit."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For names the client; none = nobody's does."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s()<>]+)?$",
        description="Address where readers reach the service, for links in chat front ends; empty = as asked.",
    )
    allowed_hosts: tuple[str, ...] = Field((), description="Names besides localhost for a service without keys.")
    cors_origins: tuple[str, ...] = Field((), description="Origins of foreign pages that may use the HTTP interface.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over file."""
        path = Path(os.environ.get("RAGSVC_SETTINGS", "ragsvc.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)


def read_settings(**overrides: object) -> Settings:
    """Read the settings once; an override of None counts as not given.

    Raises:
        SettingsError: a value is wrong or a name unknown; the message names each.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']} (found {e['input']!r})" for e in error.errors())
        raise SettingsError(f"settings: {wrong}") from None
