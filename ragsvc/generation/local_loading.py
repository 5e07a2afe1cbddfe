"""Loads the weights of a chat model with transformers: number format, placement, fewer bits, adapters, own code."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

import msgspec

from ragsvc.errors import NotFound, SettingsError
from ragsvc.model_catalogue.catalogue import ChatCard

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Quantization = Literal["", "8bit", "4bit"]


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to load a model; each is a field of its catalogue entry."""

    dtype: Dtype = "auto"
    """Number format; ``auto`` = the one that the files are in."""
    device_map: str = ""
    """Where the layers go: "auto" spreads them over all GPUs and memory; empty = the one GPU if any, else the CPU."""
    quantization: Quantization = ""
    """Weights in fewer bits, through bitsandbytes."""
    adapter: str = ""
    """Directory or repository of LoRA weights, put on top through peft."""
    trust_remote_code: bool = False
    """Run the Python code that comes with the model."""
    sees: bool = False
    """Load it as a model that takes pictures (Qwen-VL, GLM-4V, LLaVA, Gemma 3 and their like)."""

    @classmethod
    def of(cls, card: ChatCard) -> LoadOptions:
        """Return what a catalogue entry says.

        Raises:
            SettingsError: the model brings code of its own and nobody has said that it may run.
        """
        if card.remote_code and not card.trust_remote_code:
            raise SettingsError(f"{card.name} {_OWN_CODE}")
        return cls(
            dtype=card.dtype,
            device_map=card.device_map,
            quantization=card.quantization,
            adapter=card.adapter,
            trust_remote_code=card.trust_remote_code,
            sees="image" in card.modalities,
        )


_OWN_CODE = (
    "brings Python code of its own, which would run in this process with all its rights: your files, your network, "
    "your keys. If you have read that code and trust it, say 'trust_remote_code = true' in an entry of your own models "
    "file; else run the model with its own server and name the endpoint."
)


def load_processor(model: str, options: LoadOptions) -> Any:
    """Return what prepares texts and pictures for a model that sees; its ``tokenizer`` is the model's.

    Raises:
        NotFound: its files are not there.
        SettingsError: it needs code of its own or a package that is not there.
    """
    from transformers import AutoProcessor

    processor = _loaded(AutoProcessor, model, options)
    if not hasattr(processor, "image_processor"):
        raise SettingsError(f"The entry of {model} says that it takes images, but its files have no image processor.")
    return processor


def load_tokenizer(model: str, options: LoadOptions) -> Any:
    """Return the tokenizer of a directory or repository.

    Raises:
        NotFound: its files are not there.
        SettingsError: it needs code of its own or a package that is not there.
    """
    from transformers import AutoTokenizer

    return _loaded(AutoTokenizer, model, options)


def _loaded(kind: Any, model: str, options: LoadOptions) -> Any:
    try:
        return kind.from_pretrained(model, trust_remote_code=options.trust_remote_code)
    except OSError as error:
        raise NotFound(f"The model {model} cannot be loaded: {error}") from error
    except (ValueError, ImportError) as error:
        raise _unfit(model, error, options) from error


def load_weights(model: str, options: LoadOptions) -> Any:
    """Return the model, ready to generate; seconds to minutes.

    Raises:
        NotFound: its files are not there, or those of the adapter.
        SettingsError: it needs code of its own, a package that is not there, or the adapter is of another model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoModelForSeq2SeqLM

    if options.quantization and find_spec("bitsandbytes") is None:
        raise SettingsError(f"{model} is to be loaded in {options.quantization} weights: pip install bitsandbytes")
    asked: dict[str, Any] = {"dtype": options.dtype, "trust_remote_code": options.trust_remote_code}
    if options.quantization:
        asked["quantization_config"] = _quantized(options.quantization)
    if options.device_map or options.quantization:
        asked["device_map"] = options.device_map or "auto"
    try:
        config = AutoConfig.from_pretrained(model, trust_remote_code=options.trust_remote_code)
        kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        kind = AutoModelForImageTextToText if options.sees else kind
        weights = kind.from_pretrained(model, **asked)
    except OSError as error:
        raise NotFound(f"The model {model} cannot be loaded: {error}") from error
    except (ValueError, ImportError) as error:
        raise _unfit(model, error, options) from error
    if options.adapter:
        weights = _adapted(weights, model, options)
    if "device_map" not in asked:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        weights = weights.to(device)
    return weights.eval()


def _quantized(quantization: Quantization) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    make: Any = BitsAndBytesConfig
    if quantization == "8bit":
        return make(load_in_8bit=True)
    return make(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _adapted(weights: Any, model: str, options: LoadOptions) -> Any:
    """Put LoRA weights on top; they are added into the model's own where these are not quantized."""
    try:
        from peft import PeftModel
    except ImportError:
        raise SettingsError(f"the adapter {options.adapter} is put on {model} through peft: pip install peft") from None
    try:
        adapted = PeftModel.from_pretrained(weights, options.adapter)
    except (RuntimeError, KeyError, TypeError) as error:
        raise SettingsError(f"the adapter {options.adapter} does not fit {model}: {error}") from error
    except (OSError, ValueError) as error:
        raise NotFound(f"the adapter {options.adapter} for {model} cannot be loaded: {error}") from error
    return adapted if options.quantization else adapted.merge_and_unload()


def _unfit(model: str, error: Exception, options: LoadOptions) -> SettingsError:
    said = f"The model {model} cannot be used here: {' '.join(str(error).split())}"
    if options.trust_remote_code:
        return SettingsError(f"{said} Its own code may need an older transformers: run it with its own server.")
    if "trust_remote_code" in said or "custom code" in said:
        return SettingsError(f"{model} {_OWN_CODE}")
    return SettingsError(f"{said} Run it with its own server and name the endpoint.")
