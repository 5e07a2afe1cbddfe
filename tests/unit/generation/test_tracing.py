"""LangChain's tracing may be switched on in the environment; no question leaves the machine because of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.servers.loopback import Exchange, LoopbackServer, RecordedRequest
from tests.servers.openai_chat import OpenAIChatServer

OURS = """
import asyncio, sys
from ragsvc.generation import ChatOptions, open_chat_model
from ragsvc.records import Message
async def main():
    model = open_chat_model(sys.argv[1] + "#test-model", ChatOptions(api_key=sys.argv[2]))
    assert [p async for p in model.stream((Message("user", "secret question"),))]
asyncio.run(main())
"""
PLAIN = """
import sys
from langchain_openai import ChatOpenAI
list(ChatOpenAI(model="test-model", base_url=sys.argv[1], api_key=sys.argv[2]).stream("secret question"))
"""
FLUSH = "\nfrom langchain_core.tracers.langchain import wait_for_all_tracers\nwait_for_all_tracers()\n"


class Collector(LoopbackServer):
    """Takes what a tracing client sends."""

    async def respond(self, request: RecordedRequest, exchange: Exchange) -> None:
        await exchange.json(202, {})


def traced(program: str, variable: str) -> int:
    """Run a program with tracing switched on; return how many requests the collector got."""
    with OpenAIChatServer() as server, Collector() as collector:
        environment = {
            **os.environ,
            variable: "true",
            "LANGSMITH_API_KEY": "lsv2_test",
            "LANGSMITH_ENDPOINT": collector.address,
            "LANGSMITH_GATEWAY": collector.address,
            "LANGSMITH_GATEWAY_API_KEY": "gateway",
        }
        arguments = [sys.executable, "-c", program + FLUSH, server.base_url, server.api_key]
        subprocess.run(arguments, env=environment, check=True, timeout=100, capture_output=True)
        return len(collector.requests)


@pytest.mark.parametrize("variable", ["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
def test_no_question_is_sent_to_a_tracing_service(variable: str) -> None:
    """With tracing on in the environment, nothing but the model's own service is asked."""
    assert traced(OURS, variable) == 0


def test_the_same_environment_does_trace_plain_langchain() -> None:
    """The environment above is one in which LangChain by itself would send the question away."""
    assert traced(PLAIN, "LANGSMITH_TRACING") > 0
