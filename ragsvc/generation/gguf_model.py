"""A chat model in one GGUF file, run in this process by llama.cpp through llama-cpp-python."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from ragsvc.errors import NotFound, SettingsError, UpstreamFailed
from ragsvc.generation.control_tokens import ControlTokens
from ragsvc.generation.literal_template import LiteralTemplate, find_template, literal_templates
from ragsvc.generation.thread_stream import stream_from_thread
from ragsvc.generation.tools import as_plain_turns
from ragsvc.records import Message, TextPiece, Usage

_ALL_LAYERS = -1


class GgufModel:
    """An open file. Writes one answer at a time; the next one waits."""

    def __init__(
        self,
        llama: Any,
        *,
        temperature: float | None,
        max_tokens: int,
        template: LiteralTemplate | None = None,
        stop: Sequence[str] = (),
    ) -> None:
        self._llama = llama
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._template = template
        self._stop = [*stop, *(template.stop if template else ())]
        self._controls = _control_tokens(llama)
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        path: str,
        *,
        temperature: float | None,
        max_tokens: int,
        context_tokens: int | None = None,
        template: str = "",
        stop: Sequence[str] = (),
    ) -> GgufModel:
        """Open a GGUF file, on the GPU where llama.cpp was built for it.

        Args:
            path: the file.
            temperature: None or 0 takes the likeliest token each time.
            max_tokens: most tokens of one answer.
            context_tokens: the window to set up, which takes memory; None = the one that the file states.
            template: name of a literal template; empty = the chat template in the file.
            stop: texts that end an answer, besides those of the template.

        Raises:
            NotFound: there is no such file.
            SettingsError: llama-cpp-python is not installed, or the file cannot be used.
        """
        if not Path(path).is_file():
            raise NotFound(f"There is no GGUF file at {path}: download it and give its path.")
        try:
            library = _library()
        except ImportError:
            raise SettingsError(
                f"{path} is run by llama.cpp: pip install llama-cpp-python (it is compiled, which takes minutes), or "
                "serve the file with llama.cpp's own server and name the endpoint"
            ) from None
        literal = find_template(template) if template else None
        try:
            llama = library.Llama(path, n_ctx=context_tokens or 0, n_gpu_layers=_ALL_LAYERS, verbose=False)
        except (ValueError, OSError, RuntimeError) as error:
            raise SettingsError(f"{path} cannot be opened as a GGUF model: {error}") from error
        if literal is None and "tokenizer.chat_template" not in llama.metadata:
            raise SettingsError(
                f"{path} holds no chat template, so it is not known how to write a conversation for it: name the "
                f"literal template that it was trained with, template = one of {', '.join(literal_templates())}."
            )
        return cls(llama, temperature=temperature, max_tokens=max_tokens, template=literal, stop=stop)

    def pieces(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        """Yield text as it is generated in a thread, then the finish reason and the usage.

        Closing the generator stops the thread at the next token.
        """
        return stream_from_thread(partial(self._generate, messages))

    def _generate(self, messages: Sequence[Message], send: Callable[[str], None], stop: threading.Event) -> TextPiece:
        with self._lock:
            if stop.is_set():
                return TextPiece()
            prompt: list[int] = self._controls.encode(messages, self._encode, list)
            room = min(self._max_tokens, self._llama.n_ctx() - len(prompt))
            if room < 1:
                raise UpstreamFailed(
                    f"The prompt has {len(prompt)} tokens and the model reads {self._llama.n_ctx()}: "
                    "use fewer passages."
                )
            written, finish_reason = 0, None
            for chunk in self._llama.create_completion(
                prompt, max_tokens=room, temperature=self._temperature or 0.0, stop=self._stop, stream=True
            ):
                choice = chunk["choices"][0]
                written += 1
                finish_reason = choice["finish_reason"] or finish_reason
                if choice["text"]:
                    send(choice["text"])
                if stop.is_set():
                    break
        usage = Usage(prompt_tokens=len(prompt), completion_tokens=written)
        return TextPiece(finish_reason=finish_reason, usage=usage)

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        if self._template is not None:
            text = self._template.render(messages if self._template.call else as_plain_turns(messages))
            has_start = not self._template.bos
        else:
            text, has_start = self._in_own_template(messages)
        tokens: list[int] = self._llama.tokenize(text.encode("utf-8"), add_bos=not has_start, special=True)
        return tokens

    def _in_own_template(self, messages: Sequence[Message]) -> tuple[str, bool]:
        """Return the prompt that the file's own template writes, and whether it begins with the start token."""
        import jinja2

        start, end = (self._name_of(token) for token in (self._llama.token_bos(), self._llama.token_eos()))
        template = self._llama.metadata["tokenizer.chat_template"]
        write = _library().llama_chat_format.Jinja2ChatFormatter(template, eos_token=end, bos_token=start)
        turns = [{"role": message.role, "content": message.content} for message in as_plain_turns(messages)]
        try:
            text: str = write(messages=turns).prompt
        except (jinja2.TemplateError, ValueError) as error:  # raise_exception in a template is a ValueError here
            raise UpstreamFailed(f"The model's chat template refuses this conversation: {error}") from error
        return text, bool(start) and text.startswith(start)

    def _name_of(self, token: int) -> str:
        return _vocabulary_text(self._llama, token) if token >= 0 else ""


def _library() -> Any:
    return import_module("llama_cpp")


def _vocabulary_text(llama: Any, token: int) -> str:
    library = _library()
    text: bytes = library.llama_vocab_get_text(library.llama_model_get_vocab(llama.model), token) or b""
    return text.decode("utf-8", "replace")


def _control_tokens(llama: Any) -> ControlTokens:
    """Read the control tokens of a file: those that it marks as such or as put in by its makers."""
    library = _library()
    vocabulary = library.llama_model_get_vocab(llama.model)
    steering = library.LLAMA_TOKEN_ATTR_CONTROL | library.LLAMA_TOKEN_ATTR_USER_DEFINED
    found = {}
    for token in range(llama.n_vocab()):
        if library.llama_vocab_get_attr(vocabulary, token) & steering:
            found[token] = _vocabulary_text(llama, token)
    return ControlTokens({token: text for token, text in found.items() if text.strip()})
