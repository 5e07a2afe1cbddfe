"""A chat model of the true Llama architecture with random weights, made on the spot: it writes nonsense, for real."""

from __future__ import annotations

from pathlib import Path

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save_tiny_llama(folder: Path, *, chat_template: str | None = CHAT_TEMPLATE, context_tokens: int = 512) -> Path:
    """Write tokenizer (byte-level BPE) and weights (two layers of width 32, fixed seed) to ``folder``; return it."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<s>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, *alphabet])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="<|end|>", additional_special_tokens=special[2:]
    )
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=context_tokens,
        bos_token_id=0,
        eos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    # Only letters and the space can win, so that the text is readable and comes piece by piece.
    writable = [vocabulary[letter] for letter in "abcdefghijklmnopqrstuvwxyzĠ"]
    silent = torch.ones(len(vocabulary), dtype=torch.bool)
    silent[writable] = False
    with torch.no_grad():
        model.lm_head.weight[silent] = 0.0
    model.save_pretrained(folder)
    return folder
