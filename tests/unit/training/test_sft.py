"""Fine-tuning a tiny Llama made on the spot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

import ragsvc.training
from ragsvc.errors import InvalidInput
from ragsvc.generation.literal_template import find_template
from ragsvc.generation.local_model import LocalModel
from ragsvc.records import AskRequest, Message
from ragsvc.settings import read_settings
from ragsvc.training.sft import encode, fine_tune
from ragsvc.training.sft_config import read_sft_config
from ragsvc.training.sft_data import Dialogue
from ragsvc.wiring import open_service
from tests.servers.tiny_llama import save_tiny_llama

pytest.importorskip("trl", reason="fine-tuning needs trl: pip install 'ragsvc[train]'")
pytest.importorskip("peft", reason="fine-tuning needs peft: pip install 'ragsvc[train]'")

ANSWER = "pay the rent on time"


def write(folder: Path, **settings: object) -> Path:
    """Write a tiny model, 24 dialogues and their config."""
    save_tiny_llama(folder / "base", chat_template=None, context_tokens=2_048)
    enlarge_head(folder / "base" / "model.safetensors")
    dialogues = []
    for number in range(24):
        messages = (Message("user", f"q{number}", references=(f"law {number}",)),)
        prompt = find_template("lawyer-llama").render(messages)
        answer = ANSWER if number else ANSWER * 40
        dialogue = Dialogue(
            id=str(number), template="lawyer-llama", messages=messages, prompt=prompt, answer=answer, references=()
        )
        dialogues.append(dialogue)
    (folder / "d.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(dialogues))
    values = {
        "name": "tiny-sft",
        "base": str(folder / "base"),
        "learning_rate": 0.02,
        "batch_size": 4,
        "steps": 40,
        "max_tokens": 700,
        "held_out_share": 0.2,
        "evaluations": 4,
        "checkpoint_steps": 10,
        **settings,
    }
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in values.items()]
    lines += ["[[dialogues]]", 'path = "d.jsonl"', 'licence = "CC0"']
    path = folder / "sft.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def enlarge_head(path: Path) -> None:
    """An adapter leaves the head as it is, and a random one is so small that it makes no token likely."""
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        if name in weights:
            weights[name] = weights[name] * 20
    save_file(weights, path, metadata={"format": "pt"})


async def test_held_out_loss_falls_and_the_adapter_is_served(tmp_path: Path) -> None:
    """Adapter, entry, plot and card; the strategy of its name then answers with it, in its own template."""
    out = tmp_path / "out"
    record = fine_tune(write(tmp_path), out)
    assert record.held_out_before is not None
    assert record.held_out_after is not None
    assert record.held_out_after < 0.8 * record.held_out_before
    assert record.data.too_long + record.data.held_out_too_long == 1
    assert record.data.answer_tokens == record.data.learnt * (len(ANSWER) + 1)
    assert {path.name for path in out.iterdir()} >= {
        *("adapter_model.safetensors", "adapter_config.json", "models.toml", "loss.png", "README.md", "training.json")
    }
    assert "CC0" in (out / "README.md").read_text("utf-8")

    law = tmp_path / "law.txt"
    law.write_text("中华人民共和国民法典\n第一条　应当按时支付租金。\n", "utf-8")
    settings = read_settings(home=tmp_path / "home", models_file=out / "models.toml", model_max_tokens=24, audit=False)
    service = open_service(settings)
    try:
        service.ingest([law], "laws", domain="law")
        request = AskRequest(
            question="民法典第一条？", collections=("laws",), model="tiny-sft", strategy="lawyer_llama"
        )
        answer = await service.ask(request)
    finally:
        service.close()
    assert (answer.model, answer.strategy) == ("tiny-sft", "lawyer_llama")
    assert answer.answer


def test_only_the_answer_is_learnt_after_the_prompt_of_serving(tmp_path: Path) -> None:
    """The labels are the answer and the end; the tokens before are what the served model reads."""
    write(tmp_path)
    model = LocalModel.load(str(tmp_path / "base"), temperature=0, max_tokens=8, template="lawyer-llama")
    tokenizer = model._tokenizer
    messages = (Message("user", "q", references=("law",)),)
    example = encode(
        model,
        tokenizer,
        Dialogue(id="1", template="lawyer-llama", messages=messages, prompt="", answer="yes", references=()),
    )
    learnt = [label for label in example.labels if label != -100]
    assert tokenizer.decode(learnt) == "yes<|end|>"
    prompt = example.input_ids[: -len(learnt)]
    assert tokenizer.decode(prompt) == find_template("lawyer-llama").render(messages)
    assert example.labels[: len(prompt)] == [-100] * len(prompt)


def test_a_killed_fine_tuning_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    """SIGKILL after the first checkpoint, then --resume: the weights of an undisturbed run."""
    import torch
    from safetensors.torch import load_file

    config = write(tmp_path, method="full", learning_rate=0.002, steps=60)
    fine_tune(config, tmp_path / "whole")
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "ragsvc", "train", "sft", str(config), "--output", str(killed)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not list(killed.glob("checkpoints/*/checkpoint-*/trainer_state.json")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (killed / "model.safetensors").exists()
    record = fine_tune(config, killed, resume=True)
    assert record.stage.resumed_at_step >= 10
    one, other = load_file(killed / "model.safetensors"), load_file(tmp_path / "whole" / "model.safetensors")
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], rtol=1e-4, atol=1e-5)
    assert not (killed / "checkpoints").exists()


def test_the_shipped_config_is_complete() -> None:
    """It names base, licences and held-out data, and every field is known."""
    folder = Path(ragsvc.training.__file__ or "").parent / "configs"
    config = read_sft_config(folder / "lawyer-llama-sft.toml")
    assert (config.method, config.batch_size * config.accumulate) == ("lora", 16)
    assert [file.held_out for file in config.dialogues] == [False, True]


def test_a_wrong_config_is_refused(tmp_path: Path) -> None:
    """An unknown field, and nothing to learn from."""
    with pytest.raises(InvalidInput, match="speed"):
        read_sft_config(write(tmp_path, speed=1))
    path = write(tmp_path)
    path.write_text(path.read_text("utf-8") + "\nheld_out = true\n", "utf-8")
    with pytest.raises(InvalidInput, match="nothing to learn from"):
        read_sft_config(path)
