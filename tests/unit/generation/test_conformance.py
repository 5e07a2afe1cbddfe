"""One suite for all families of services: whatever the vendor's wire format, a chat model behaves the same."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import aclosing

import pytest

from ragsvc.errors import UpstreamFailed, UpstreamTimeout
from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.options import ChatOptions
from ragsvc.generation.streaming import StreamLimits
from ragsvc.protocols import ChatModel
from ragsvc.records import Message, TextPiece, Usage
from tests.servers.baidu import BaiduServer
from tests.servers.families import FAMILIES, card_of, key_of
from tests.servers.vendor import Fault, Reply, VendorServer

QUESTION = (Message("system", "只依据所给条文回答。"), Message("user", "违约怎么办？"))
LIMITS = StreamLimits(idle_timeout_s=20, total_timeout_s=40, max_characters=500, retries=1)
IMPATIENT = StreamLimits(idle_timeout_s=1.5, total_timeout_s=40, retries=1)
WHOLE = "It depends on the contract."

Open = Callable[..., ChatModel]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Iterator[tuple[str, VendorServer]]:
    with FAMILIES[request.param]() as server:
        yield request.param, server


@pytest.fixture
def server(family: tuple[str, VendorServer]) -> VendorServer:
    family[1].forget()
    return family[1]


@pytest.fixture
def open_model(family: tuple[str, VendorServer], server: VendorServer) -> Open:
    def opened(limits: StreamLimits = LIMITS, key: str | None = None) -> ChatModel:
        return open_chat_model(card_of(family[0], server), ChatOptions(api_key=key or key_of(server), limits=limits))

    return opened


async def read(model: ChatModel, messages: tuple[Message, ...] = QUESTION) -> list[TextPiece]:
    return [piece async for piece in model.stream(messages)]


def text(pieces: list[TextPiece]) -> str:
    return "".join(piece.text for piece in pieces)


def chats(server: VendorServer) -> int:
    """How many requests for an answer came in."""
    return sum("token" not in request.path for request in server.requests)


async def test_plain(server: VendorServer, open_model: Open) -> None:
    """A short answer in one piece, with finish reason and usage, from a request that the strict server takes."""
    server.replies.append(Reply(pieces=["违约责任[1]。"], usage=(321, 9)))
    pieces = await read(open_model())
    assert text(pieces) == "违约责任[1]。"
    assert pieces[-1].finish_reason == "stop"
    assert pieces[-1].usage == Usage(prompt_tokens=321, completion_tokens=9)


async def test_streamed(server: VendorServer, open_model: Open) -> None:
    """Pieces come as they are written; only the last one says why the model stopped."""
    server.replies.append(Reply(pieces=["应当", "承担", "违约责任[1]。"]))
    pieces = await read(open_model())
    assert [piece.text for piece in pieces if piece.text] == ["应当", "承担", "违约责任[1]。"]
    assert [piece.finish_reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1)


async def test_a_conversation_keeps_its_turns(server: VendorServer, open_model: Open) -> None:
    """System text, earlier answers and the question go where the vendor reads them, in order."""
    turns = (QUESTION[0], Message("user", "甲"), Message("assistant", "乙"), Message("user", "丙"))
    await read(open_model(), turns)
    sent = str(server.requests[-1].body)
    assert [sent.count(word) for word in ("甲", "乙", "丙", "只依据所给条文回答。")] == [1, 1, 1, 1]


async def test_thinking_is_kept_apart(server: VendorServer, open_model: Open) -> None:
    """What the model thinks comes out as reasoning, never as answer (OpenAI and Baidu's token form show none)."""
    server.replies.append(Reply(reasoning=["先看", "第五百七十七条。"], pieces=["应当承担违约责任[1]。"]))
    pieces = await read(open_model())
    assert text(pieces) == "应当承担违约责任[1]。"
    shown = "".join(piece.reasoning for piece in pieces)
    assert shown == ("" if isinstance(server, BaiduServer) or "OpenAI" in open_model().name else "先看第五百七十七条。")


async def test_thinking_that_comes_as_text_is_kept_apart(server: VendorServer, open_model: Open) -> None:
    """A server that passes the model's marks on as text makes no difference."""
    server.replies.append(Reply(pieces=["<thi", "nk>先看条文。</th", "ink>\n\n应当", "承担[1]。"]))
    pieces = await read(open_model())
    assert (text(pieces), "".join(piece.reasoning for piece in pieces)) == ("应当承担[1]。", "先看条文。")


@pytest.mark.parametrize("escape", [False, True])
async def test_unicode_split_across_frames(server: VendorServer, open_model: Open, escape: bool) -> None:
    """UTF-8 sequences and JSON escapes that are cut between network writes join again."""
    server.replies.append(Reply(pieces=["第五百七十七条", "，😀𠮷"], split_bytes=1, escape=escape))
    assert text(await read(open_model())) == "第五百七十七条，😀𠮷"


async def test_half_a_surrogate_pair_waits_for_the_other_half(server: VendorServer, open_model: Open) -> None:
    """Two escapes of one character in two pieces are joined, or replaced; no later encoder can break."""
    server.replies.append(Reply(pieces=["a\ud83d", "\ude00b"], escape=True))
    written = ""
    try:
        async for piece in open_model().stream(QUESTION):
            written += piece.text
    except UpstreamFailed:
        pass  # a client library that refuses lone surrogates
    written.encode("utf-8")
    assert "a" not in written or written in ("a😀b", "a\ufffd\ufffdb", "a")


async def test_401(
    server: VendorServer, open_model: Open, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key is explained, not tried again, and stands in no error, traceback, log or output."""
    caplog.set_level(logging.DEBUG)
    wrong = ":".join(2 * [f"wrong-{8 * 102}"])  # not as it stands here, as tracebacks show the code
    with pytest.raises(UpstreamFailed, match=f"HTTP {server.bad_key_status}") as error:
        await read(open_model(key=wrong))
    shown = "".join(traceback.format_exception(error.value)) + caplog.text + "".join(capsys.readouterr())
    assert "wrong-816" not in shown
    assert len(server.requests) == 1


async def test_nothing_logs_the_key(server: VendorServer, open_model: Open, caplog: pytest.LogCaptureFixture) -> None:
    """A good key, and a token bought with it, stay out of the logs at their most talkative."""
    caplog.set_level(logging.DEBUG)
    model = open_model()
    await read(model)
    secrets = [*key_of(server).split(":"), *(server.tokens if isinstance(server, BaiduServer) else ())]
    assert not [secret for secret in secrets if secret in caplog.text + repr(vars(model))]


async def test_429_with_retry_after(server: VendorServer, open_model: Open) -> None:
    """Too many requests are tried again after the time that the service asks for, not sooner."""
    server.replies.extend([Reply(status=429, retry_after="0.6", message="slow down"), Reply(pieces=["ok"])])
    model = open_model()
    start = time.monotonic()
    assert text(await read(model)) == "ok"
    assert time.monotonic() - start >= 0.6
    assert chats(server) == 2


async def test_429_that_asks_for_too_long_fails_at_once(server: VendorServer, open_model: Open) -> None:
    """A wait longer than the whole answer may take is not waited for."""
    server.replies.append(Reply(status=429, retry_after="300", message="slow down"))
    with pytest.raises(UpstreamFailed, match=r"HTTP 429: slow down.*try again later"):
        await read(open_model())
    assert chats(server) == 1


async def test_500(server: VendorServer, open_model: Open) -> None:
    """A server error is tried again, as often as the limits say, and then reported in the vendor's words."""
    server.replies.extend([Reply(status=500, retry_after="0", message="Internal trouble")] * 2)
    with pytest.raises(UpstreamFailed, match=r"HTTP 50\d: Internal trouble"):
        await read(open_model())
    assert chats(server) == 2


async def test_a_refused_request_is_not_repeated(server: VendorServer, open_model: Open) -> None:
    """What is wrong with a request is wrong with the next one too."""
    server.replies.append(Reply(status=400, message="the prompt is too long"))
    with pytest.raises(UpstreamFailed, match=r"HTTP 400: .*the prompt is too long"):
        await read(open_model())
    assert chats(server) == 1


@pytest.mark.parametrize("fault", ["cut", "ends without finish", "error event", "not json"])
async def test_cut_mid_stream(server: VendorServer, open_model: Open, fault: Fault) -> None:
    """Half an answer ends in an error, never in a finish reason, and is not asked for again."""
    server.replies.append(Reply(fault=fault))
    pieces: list[TextPiece] = []
    with pytest.raises(UpstreamFailed):
        async for piece in open_model().stream(QUESTION):
            pieces.append(piece)
    assert WHOLE.startswith(text(pieces))
    assert all(piece.finish_reason is None for piece in pieces)
    assert chats(server) == 1


async def test_invalid_utf8(server: VendorServer, open_model: Open) -> None:
    """Bytes that are no text end the answer or become U+FFFD; they are never guessed at."""
    server.replies.append(Reply(fault="invalid utf-8"))
    written = ""
    try:
        async for piece in open_model().stream(QUESTION):
            written += piece.text
    except UpstreamFailed:
        assert WHOLE.startswith(written)
    else:
        assert written == WHOLE + "\ufffd\ufffd"


async def test_never_ending_silence(server: VendorServer, open_model: Open) -> None:
    """Silence in the middle ends in a timeout, and the service sees its client go."""
    server.replies.append(Reply(fault="hangs"))
    with pytest.raises(UpstreamTimeout, match=r"sent nothing for 1\.5 s"):
        await read(open_model(IMPATIENT))
    assert await asyncio.to_thread(server.wait_for_disconnect)


async def test_never_ending_first_silence(server: VendorServer, open_model: Open) -> None:
    """A service that says nothing at all is given up and not asked again."""
    server.replies.append(Reply(first_delay_s=5))
    with pytest.raises(UpstreamTimeout):
        await read(open_model(IMPATIENT))
    assert chats(server) == 1


async def test_never_ending_talk(server: VendorServer, open_model: Open) -> None:
    """No more than ``max_characters`` come out; then the service is told to stop."""
    server.replies.append(Reply(fault="never ends"))
    written = 0
    with pytest.raises(UpstreamFailed, match="more than 500 characters"):
        async for piece in open_model().stream(QUESTION):
            written += len(piece.text)
    assert 0 < written <= 500
    assert await asyncio.to_thread(server.wait_for_disconnect)


@pytest.mark.parametrize("pieces", [[], [" ", "\n"]])
async def test_empty_answer(server: VendorServer, open_model: Open, pieces: list[str]) -> None:
    """Nothing but white space is no answer."""
    server.replies.append(Reply(pieces=pieces, finish_reason="length"))
    with pytest.raises(UpstreamFailed, match="wrote nothing; it gave 'length'"):
        await read(open_model())


async def test_content_filter(server: VendorServer, open_model: Open) -> None:
    """A filter that stops an answer is named as what it is, in one word for all vendors."""
    server.replies.append(Reply(finish_reason="content_filter"))
    pieces = await read(open_model())
    assert (text(pieces), pieces[-1].finish_reason) == (WHOLE, "content_filter")


async def test_content_filter_of_everything(server: VendorServer, open_model: Open) -> None:
    """A filter that lets nothing through is an error that says so."""
    server.replies.append(Reply(pieces=[], finish_reason="content_filter"))
    with pytest.raises(UpstreamFailed, match="content_filter"):
        await read(open_model())


async def test_length(server: VendorServer, open_model: Open) -> None:
    """The token limit is named in one word for all vendors."""
    server.replies.append(Reply(finish_reason="length"))
    assert (await read(open_model()))[-1].finish_reason == "length"


async def test_very_long_answer(server: VendorServer, open_model: Open) -> None:
    """Two hundred thousand characters come through whole."""
    pieces = ["第五百七十七条规定的违约责任。" * 20] * 700
    server.replies.append(Reply(pieces=pieces))
    limits = StreamLimits(idle_timeout_s=60, total_timeout_s=120, max_characters=10**6)
    assert text(await read(open_model(limits))) == "".join(pieces)


@pytest.mark.parametrize("fault", ["hangs", "never ends"])
async def test_closing_ends_the_request(server: VendorServer, open_model: Open, fault: Fault) -> None:
    """When the close returns the request is over, and the service sees its client go."""
    server.replies.append(Reply(fault=fault))
    async with aclosing(open_model().stream(QUESTION)) as stream:
        async for _ in stream:
            break
    assert await asyncio.to_thread(server.wait_for_disconnect)
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != {asyncio.current_task()}:
            await asyncio.sleep(0.01)


async def test_many_at_once_keep_apart(server: VendorServer, open_model: Open) -> None:
    """Concurrent answers of one model do not mix."""
    server.replies.extend(Reply(pieces=[f"answer {number} ", "goes on"]) for number in range(4))
    model = open_model()
    answers = await asyncio.gather(*(read(model) for _ in range(4)))
    assert sorted(map(text, answers)) == [f"answer {number} goes on" for number in range(4)]


def test_several_event_loops(server: VendorServer, open_model: Open) -> None:
    """A model opened once works under each ``asyncio.run``, as a command line or a notebook calls it."""
    model = open_model()
    assert [text(asyncio.run(read(model))) for _ in range(2)] == [WHOLE] * 2
