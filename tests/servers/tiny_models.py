"""Chat models of the architectures that the surveyed models have, with random weights, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.tiny_llama import CHAT_TEMPLATE, save_tiny_llama

_USUAL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "LLaMA 1, 2, 3; Yi; Vicuna; most vertical models": ("Llama", _USUAL),
    "Qwen 1.5, 2, 2.5": ("Qwen2", _USUAL),
    "Qwen 3": ("Qwen3", _USUAL),
    "Qwen 3 MoE": ("Qwen3Moe", _USUAL | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}),
    "GLM-4-9B": ("Glm", _USUAL),
    "GLM-4-0414": ("Glm4", _USUAL),
    "Gemma": ("Gemma", _USUAL),
    "Gemma 2": ("Gemma2", _USUAL),
    "Gemma 3": ("Gemma3Text", _USUAL),
    "Mistral": ("Mistral", _USUAL),
    "Mixtral": ("Mixtral", _USUAL | {"num_local_experts": 4}),
    "InternLM 3": ("InternLM3", _USUAL),
    "Hunyuan": ("HunYuanDenseV1", _USUAL),
    "BLOOM: XuanYuan 176B, BenTsao": ("Bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "GPT-NeoX": ("GPTNeoX", {**_USUAL, "num_key_value_heads": None}),
    "StarCoder": ("GPTBigCode", {"n_embd": 32, "n_layer": 2, "n_head": 4}),
    "StarCoder 2": ("Starcoder2", _USUAL),
    "CodeGen: MOSS": ("CodeGen", {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 8}),
}
"""What it stands for -> (name in transformers, the sizes of its tiny form)."""

ENCODER_DECODER = ("T5", {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4})
"""T5: BianQue-1.0."""


def save_tiny_model(
    folder: Path, name: str, sizes: dict[str, Any], *, chat_template: bool = True, context_tokens: int = 8_192
) -> Path:
    """Write a model of an architecture of transformers, with the tokenizer of ``save_tiny_llama``; return its folder.

    It can write small letters, digits, a mark and the ends of sentences, so that its noise has something to check.
    """
    import torch
    import transformers
    from transformers import AutoTokenizer

    save_tiny_llama(folder, chat_template=CHAT_TEMPLATE if chat_template else None)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config_class = getattr(transformers, f"{name}Config")
    config = config_class(
        **{size: value for size, value in sizes.items() if value is not None},
        vocab_size=len(tokenizer),
        max_position_embeddings=context_tokens,
        n_positions=context_tokens,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        **({"decoder_start_token_id": 0} if name == "T5" else {}),
    )
    torch.manual_seed(7)
    kind: Any = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    model = kind.from_config(config)
    vocabulary = tokenizer.get_vocab()
    silent = torch.ones(len(vocabulary), dtype=torch.bool)
    silent[[vocabulary[sign] for sign in "abcdefghijklmnopqrstuvwxyzĠ[1]."]] = False
    with torch.no_grad():
        signs = model.get_output_embeddings().weight
        signs[silent] = 0.0
        signs[~silent] *= 60.0  # sharp enough that a drawn sign is one of these
    model.save_pretrained(folder)
    return folder
