"""A chat model whose weights are loaded into this process with transformers."""

from __future__ import annotations

import asyncio
import copy
import re
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from ragsvc.errors import NotFound, SettingsError, UpstreamFailed
from ragsvc.records import Message, TextPiece, Usage


class LocalModel:
    """Weights and tokenizer. Writes one answer at a time; the next one waits."""

    def __init__(self, model: Any, tokenizer: Any, *, temperature: float | None, max_tokens: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        special = [token for token in tokenizer.all_special_tokens if token]
        self._special = re.compile("|".join(map(re.escape, special))) if special else None

    @classmethod
    def load(cls, model: str, *, temperature: float | None, max_tokens: int) -> LocalModel:
        """Load a directory or a Hugging Face repository in its own number format, on the GPU if there is one.

        Code that comes with a model is never run. ``temperature`` None or 0 takes the likeliest token each time.

        Raises:
            NotFound: the files are not there.
            SettingsError: the model needs code of its own, or its tokenizer has no chat template.
        """
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
            if not tokenizer.chat_template:
                raise SettingsError(
                    f"The tokenizer of {model} has no chat template, so it is not known how to write a conversation "
                    "for it. Use the chat (instruct) form of the model, or serve it and name the endpoint."
                )
            weights: Any = AutoModelForCausalLM.from_pretrained(model, dtype="auto", trust_remote_code=False)
        except OSError as error:
            raise NotFound(f"The model {model} cannot be loaded: {error}") from error
        except ValueError as error:
            raise SettingsError(
                f"The model {model} cannot be used here: {error} Models that bring code of their own are not run in "
                "this process: serve it with its own server and name the endpoint."
            ) from error
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return cls(weights.to(device).eval(), tokenizer, temperature=temperature, max_tokens=max_tokens)

    async def pieces(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        """Yield text as it is generated in a thread, then the finish reason and the usage.

        Closing the generator stops the thread at the next token.
        """
        loop = asyncio.get_running_loop()
        texts: asyncio.Queue[str | None] = asyncio.Queue()
        stop = threading.Event()

        def send(text: str) -> None:
            loop.call_soon_threadsafe(texts.put_nowait, text)

        end = loop.run_in_executor(None, self._generate, messages, send, stop)
        end.add_done_callback(lambda _: texts.put_nowait(None))
        try:
            while (text := await texts.get()) is not None:
                yield TextPiece(text=text)
            yield await end
        finally:
            stop.set()

    def _generate(self, messages: Sequence[Message], send: Callable[[str], None], stop: threading.Event) -> TextPiece:
        from transformers import StoppingCriteriaList, TextStreamer

        class Sender(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                send(text)

        with self._lock:
            if stop.is_set():
                return TextPiece()
            prompt = self._encode(messages)
            length = prompt["input_ids"].shape[1]
            output = self._model.generate(
                **prompt,
                generation_config=self._configuration(length),
                streamer=Sender(self._tokenizer, skip_prompt=True, skip_special_tokens=True),
                stopping_criteria=StoppingCriteriaList([lambda *_, **__: stop.is_set()]),
            )
        written = output[0, length:].tolist()
        ended = bool(written) and written[-1] in self._end_tokens()
        usage = Usage(prompt_tokens=length, completion_tokens=len(written))
        return TextPiece(finish_reason="stop" if ended else "length", usage=usage)

    def _encode(self, messages: Sequence[Message]) -> Any:
        """Write the messages as the chat template says; control tokens inside them become plain text."""
        import jinja2

        turns = [{"role": message.role, "content": self._defused(message.content)} for message in messages]
        try:
            return self._tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
            ).to(self._model.device)
        except jinja2.TemplateError as error:
            raise UpstreamFailed(f"The model's chat template refuses this conversation: {error}") from error

    def _defused(self, text: str) -> str:
        """Part every control token in ``text``: a passage that holds one must not end its turn or begin another."""
        return self._special.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text) if self._special else text

    def _configuration(self, prompt_tokens: int) -> Any:
        limit = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        room = self._max_tokens if limit is None else min(self._max_tokens, limit - prompt_tokens)
        if room < 1:
            raise UpstreamFailed(
                f"The prompt has {prompt_tokens} tokens and the model reads {limit}: use fewer passages."
            )
        configuration = copy.deepcopy(self._model.generation_config)
        sampled = bool(self._temperature)
        configuration.update(
            do_sample=sampled,
            temperature=self._temperature if sampled else None,
            max_new_tokens=room,
            max_length=None,
            **({} if sampled else {"top_p": None, "top_k": None}),
            pad_token_id=next(iter(self._end_tokens()), None),
        )
        return configuration

    def _end_tokens(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        return set() if ends is None else set(ends) if isinstance(ends, list) else {ends}
