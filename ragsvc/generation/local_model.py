"""A chat model whose weights are loaded into this process with transformers."""

from __future__ import annotations

import copy
import io
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ragsvc.errors import SettingsError, UpstreamFailed
from ragsvc.generation.control_tokens import ControlTokens
from ragsvc.generation.literal_template import LiteralTemplate, find_template, literal_templates
from ragsvc.generation.local_loading import LoadOptions, load_processor, load_tokenizer, load_weights
from ragsvc.generation.stop_text import StopText, Unescaping
from ragsvc.generation.thread_stream import stream_from_thread
from ragsvc.generation.tools import as_plain_turns
from ragsvc.records import Message, TextPiece, Usage


class LocalModel:
    """Weights and tokenizer. Writes one answer at a time; the next one waits."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        temperature: float | None,
        max_tokens: int,
        template: LiteralTemplate | None = None,
        stop: Sequence[str] = (),
        processor: Any = None,
    ) -> None:
        """Keep them; ``processor`` of transformers prepares pictures, for a model that sees."""
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._template = template
        self._stop = (*stop, *(template.stop if template else ()))
        self._controls = ControlTokens.of(tokenizer)
        self._ends = self._end_tokens()
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        model: str,
        *,
        temperature: float | None,
        max_tokens: int,
        template: str = "",
        stop: Sequence[str] = (),
        options: LoadOptions | None = None,
    ) -> LocalModel:
        """Load a directory or a Hugging Face repository, on the GPU if there is one.

        Args:
            model: directory or Hugging Face repository.
            temperature: None or 0 takes the likeliest token each time.
            max_tokens: most tokens of one answer.
            template: name of a literal template; empty = the tokenizer's chat template.
            stop: texts that end an answer, besides those of the template.
            options: number format, placement, adapter and the like.

        Raises:
            NotFound: the files are not there.
            SettingsError: the model needs code of its own or a package, or it is not known how to write to it.
        """
        options = options or LoadOptions()
        literal = find_template(template) if template else None
        processor = load_processor(model, options) if options.sees else None
        tokenizer = processor.tokenizer if processor else load_tokenizer(model, options)
        if literal and processor:
            raise SettingsError(f"The template {template!r} has no place for pictures: take one of the two out.")
        if literal is None and not (processor or tokenizer).chat_template:
            raise SettingsError(
                f"The tokenizer of {model} has no chat template, so it is not known how to write a conversation "
                "for it. Use the chat (instruct) form of the model, serve it and name the endpoint, or name the "
                f"literal template that it was trained with: template = one of {', '.join(literal_templates())}."
            )
        weights = load_weights(model, options)
        return cls(
            weights,
            tokenizer,
            temperature=temperature,
            max_tokens=max_tokens,
            template=literal,
            stop=tuple(stop),
            processor=processor,
        )

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens that the model reads before it answers, as ``pieces`` has it read them.

        Raises:
            UpstreamFailed: a text turns into control tokens, or the conversation has no form.
        """
        return _ids_of(self._controls.encode(messages, self._encode, _ids_of))

    def pieces(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        """Yield text as it is generated in a thread, then the finish reason and the usage.

        Closing the generator stops the thread at the next token.
        """
        return stream_from_thread(partial(self._generate, messages))

    def _generate(self, messages: Sequence[Message], send: Callable[[str], None], stop: threading.Event) -> TextPiece:
        from transformers import StoppingCriteriaList, TextStreamer

        ending = StopText(self._stop)
        unescape = Unescaping() if self._template and self._template.escape else None

        class Sender(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                released = ending.feed(text) + (ending.rest() if stream_end else "")
                if unescape:
                    released = unescape.feed(released) + (unescape.rest() if stream_end else "")
                if released:
                    send(released)

        with self._lock:
            if stop.is_set():
                return TextPiece()
            prompt = self._controls.encode(messages, self._encode, _ids_of)
            length = prompt["input_ids"].shape[1]
            output = self._model.generate(
                **prompt,
                generation_config=self._configuration(length),
                streamer=Sender(self._tokenizer, skip_prompt=True, skip_special_tokens=True),
                stopping_criteria=StoppingCriteriaList([lambda *_, **__: stop.is_set() or ending.is_reached]),
            )
        own = 1 if self._model.config.is_encoder_decoder else length  # a decoder of its own begins with one token
        written = output[0, own:].tolist()
        has_ended = ending.is_reached or (bool(written) and written[-1] in self._ends)
        usage = Usage(prompt_tokens=length, completion_tokens=len(written))
        return TextPiece(finish_reason="stop" if has_ended else "length", usage=usage)

    def _encode(self, messages: Sequence[Message]) -> Any:
        """Write the messages as the literal template says, else as the tokenizer's own does."""
        if self._template is not None:
            return self._encode_literally(self._template, messages)
        import jinja2

        writer, content = (self._processor, _parts_of) if self._processor else (self._tokenizer, lambda m: m.content)
        turns = [{"role": message.role, "content": content(message)} for message in as_plain_turns(messages)]
        try:
            prompt = writer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_tensors="pt", return_dict=True
            )
            return prompt.to(self._model.device, **({"dtype": self._model.dtype} if self._processor else {}))
        except jinja2.TemplateError as error:
            raise UpstreamFailed(f"The model's chat template refuses this conversation: {error}") from error

    def _encode_literally(self, template: LiteralTemplate, messages: Sequence[Message]) -> Any:
        from transformers import BatchEncoding

        pieces = template.pieces(messages if template.call else as_plain_turns(messages))
        if not template.ids:
            text = "".join(piece.text for piece in pieces)
            encoded = self._tokenizer(
                text, add_special_tokens=template.bos, return_tensors="pt", return_token_type_ids=False
            )
            return encoded.to(self._model.device)
        ids = list(template.prefix_ids)
        for piece in pieces:
            ids += self._ids_of(piece.text, {} if piece.is_content else template.ids)
        fields = {"input_ids": [ids], "attention_mask": [[1] * len(ids)]}
        return BatchEncoding(fields, tensor_type="pt").to(self._model.device)

    def _ids_of(self, text: str, markers: dict[str, int]) -> list[int]:
        """Return token ids, with those of the markers put in where they stand in the template's own text."""
        for marker, number in markers.items():
            if marker in text:
                before, _, after = text.partition(marker)
                return [*self._ids_of(before, markers), number, *self._ids_of(after, markers)]
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []

    def _configuration(self, prompt_tokens: int) -> Any:
        config = self._model.config
        limit = getattr(config.get_text_config(), "max_position_embeddings", None)
        room = self._max_tokens
        if limit is not None and not config.is_encoder_decoder:
            room = min(room, limit - prompt_tokens)
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
            eos_token_id=sorted(self._ends) or None,
            pad_token_id=next(iter(sorted(self._ends)), None),
        )
        return configuration

    def _end_tokens(self) -> set[int]:
        """Return the tokens that end an answer: the model's own, the template's, and stop texts that are one token."""
        stated = self._model.generation_config.eos_token_id
        ends = set() if stated is None else set(stated) if isinstance(stated, list) else {stated}
        vocabulary = self._tokenizer.get_vocab()
        ends |= {vocabulary[text] for text in self._stop if text in vocabulary}
        ids: Iterable[int] = self._template.stop_ids if self._template else ()
        return ends | {number for number in ids if number < self._model.config.get_text_config().vocab_size}


def _parts_of(message: Message) -> list[dict[str, Any]]:
    """Return a message as processors read one; its pictures come first, as these models were trained."""
    from PIL import Image as Pillow

    pictures = [{"type": "image", "image": Pillow.open(io.BytesIO(image.data))} for image in message.images]
    return [*pictures, {"type": "text", "text": message.content}]


def _ids_of(prompt: Any) -> list[int]:
    ids: list[int] = prompt["input_ids"][0].tolist()
    return ids
