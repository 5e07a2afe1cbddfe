"""Baidu's older chat interface, which takes a token that was bought with an API key and a secret key.

Wire format: cloud.baidu.com, WENXINWORKSHOP; error codes: the vendor's SDK (bce-qianfan-sdk, consts.APIErrorCode).
The token and both keys travel in the address, so no address may reach a log or an error. LangChain's class for this
is in a package that is no longer kept, so the few lines are ours.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ragsvc.errors import SettingsError
from ragsvc.generation.langchain_stream import FINISH_REASONS
from ragsvc.generation.options import ChatOptions, answer_tokens, find_key, fit_temperature, host_of, prompt_tokens
from ragsvc.generation.pace import pace_of
from ragsvc.generation.streaming import Source
from ragsvc.generation.vendor_errors import VendorRefused
from ragsvc.model_catalogue.catalogue import ChatCard
from ragsvc.records import Message, TextPiece, Usage

if TYPE_CHECKING:
    import httpx

_BAIDU = "https://aip.baidubce.com"
_TOKEN_PATH = "/oauth/2.0/token"
_CHAT_PATH = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
_BAD_TOKEN = (110, 111)
_STATUS = {
    **dict.fromkeys((2, 336000, 336100), 503),
    **dict.fromkeys((4, 17, 18, 19, 336501, 336502), 429),
    **dict.fromkeys((*_BAD_TOKEN, 13, 15), 401),
    **dict.fromkeys((6, 336004), 403),
    **dict.fromkeys((3, 336005), 404),
}
"""Error code -> the HTTP status that says the same; any other is 400. All come with status 200."""
_EARLY_S = 60.0
"""A token that expires while a request is on its way is renewed this much sooner."""


class TokenKeeper:
    """Buys a token, keeps it until it expires, and buys another when the service no longer takes it."""

    def __init__(self, address: str, api_key: str, secret: str) -> None:
        self._address = address
        self._keys = {"grant_type": "client_credentials", "client_id": api_key, "client_secret": secret}
        self._bought = ("", 0.0)
        """The token, and when (monotonic, in seconds) it is to be renewed."""

    async def token(self, client: httpx.AsyncClient) -> str:
        """Return a token that is still good."""
        token, renew_at = self._bought
        if not token or time.monotonic() >= renew_at:
            response = await client.post(self._address, params=self._keys)
            body = _parsed(response.text)
            token = str(body.get("access_token") or "")
            if not token:
                words = body.get("error_description") or body.get("error") or "no reason given"
                raise VendorRefused(f"no access token was given: {words}", max(response.status_code, 401))
            self._bought = (token, time.monotonic() + float(body.get("expires_in", 0)) - _EARLY_S)
        return token

    def drop(self, token: str) -> None:
        """Forget a token that the service refused."""
        if self._bought[0] == token:
            self._bought = ("", 0.0)

    def __repr__(self) -> str:
        """Show neither key nor token."""
        return f"TokenKeeper({host_of(self._address)})"


def open_baidu(card: ChatCard, options: ChatOptions) -> Source:
    """Return the source of an ERNIE model behind the token interface.

    The key of the settings is ``API_KEY:SECRET_KEY``; else the card's two variables are read.

    Raises:
        SettingsError: a key is missing, or the address holds one.
    """
    import httpx

    logging.getLogger("httpx").addFilter(_without_query)
    base_url = (options.base_url or card.base_url or _BAIDU).rstrip("/")
    host = host_of(base_url)
    api_key, secret = _two_keys(card, options)
    keeper = TokenKeeper(base_url + _TOKEN_PATH, api_key, secret)
    address = base_url + _CHAT_PATH + card.model
    certificates = httpx.create_ssl_context()

    async def pieces(messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        body = _body(messages, card, options)
        async with httpx.AsyncClient(timeout=options.limits.idle_timeout_s, verify=certificates) as client:
            for is_last in (False, True):
                token = await keeper.token(client)
                async with (
                    client.stream("POST", address, params={"access_token": token}, json=body) as response,
                    aclosing(_read(response)) as stream,
                ):
                    try:
                        async for piece in stream:
                            is_last = True
                            yield piece
                        return
                    except _TokenRefused:
                        keeper.drop(token)
                        if is_last:
                            raise

    return Source(
        open=pieces,
        where=host,
        timeout_errors=(httpx.TimeoutException,),
        connection_errors=(httpx.TransportError,),
        secrets=(api_key, secret),
        pace=pace_of(card),
        prompt_tokens=prompt_tokens(card, options),
    )


def _without_query(record: logging.LogRecord) -> bool:
    """Take the query, which holds keys and tokens, out of the address that httpx logs."""
    if isinstance(record.args, tuple):
        record.args = tuple(str(part).partition("?")[0] if "?" in str(part) else part for part in record.args)
    return True


class _TokenRefused(VendorRefused):
    """The token is unknown or has expired: another one helps, once."""


def _two_keys(card: ChatCard, options: ChatOptions) -> tuple[str, str]:
    key = find_key(card, options) or ""
    api_key, _, secret = key.partition(":")
    secret = secret or os.environ.get(card.secret_env, "")
    if not secret:
        raise SettingsError(f"{card.name} needs two keys of {card.vendor}: set {card.key_env} and {card.secret_env}.")
    return api_key, secret


def _body(messages: Sequence[Message], card: ChatCard, options: ChatOptions) -> dict[str, Any]:
    """Return the request: the system text is a field of its own; turns alternate and end with the user's."""
    system = "\n".join(message.content for message in messages if message.role == "system")
    body: dict[str, Any] = {
        "messages": [{"role": m.role, "content": m.content} for m in messages if m.role != "system"],
        "stream": True,
        "max_output_tokens": answer_tokens(card, options),
    }
    if system:
        body["system"] = system
    if (temperature := fit_temperature(card, options)) is not None:
        body["temperature"] = temperature
    return body


async def _read(response: httpx.Response) -> AsyncGenerator[TextPiece, None]:
    """Yield the pieces of a stream; an error comes as a JSON document of its own, or as one of the events."""
    if response.status_code >= 400 or response.headers.get("content-type", "").startswith("application/json"):
        await response.aread()
        _check(_parsed(response.text), response)
        raise VendorRefused("a JSON document instead of a stream", 502)
    held = b""
    async for data in response.aiter_bytes():
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                event = _parsed(line[len(b"data:") :].decode())
                _check(event, response)
                yield _piece(event)


def _piece(event: dict[str, Any]) -> TextPiece:
    if not event.get("is_end"):
        return TextPiece(text=str(event.get("result", "")))
    counted = event.get("usage") or {}
    reason = str(event.get("finish_reason") or ("length" if event.get("is_truncated") else "stop"))
    if event.get("need_clear_history"):  # the vendor's word for: what was asked is not to be talked about
        reason = "content_filter"
    return TextPiece(
        text=str(event.get("result", "")),
        finish_reason=FINISH_REASONS.get(reason, reason),
        usage=Usage(prompt_tokens=counted.get("prompt_tokens"), completion_tokens=counted.get("completion_tokens")),
    )


def _parsed(text: str) -> dict[str, Any]:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError(f"expected a JSON object, found {text[:80]!r}")
    return body


def _check(body: dict[str, Any], response: httpx.Response) -> None:
    code, status = body.get("error_code"), response.status_code
    if code is None and status < 400:
        return
    refused = _TokenRefused if code in _BAD_TOKEN else VendorRefused
    words = f"{body.get('error_msg', 'no reason given')} (code {code})"
    raise refused(words, _STATUS.get(code or 0, max(status, 400)), response)
