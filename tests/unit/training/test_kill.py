"""A training whose process is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ragsvc.training.retriever import train_retriever

from .conftest import write_config


def test_a_killed_training_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    """SIGKILL after the first checkpoint, then --resume: the weights of an undisturbed run, byte for byte."""
    config = write_config(data, epochs=60, checkpoint_steps=60, token_dropout=0.2)  # 300 steps, some seconds
    whole = train_retriever(config, tmp_path / "whole", data=data)
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "ragsvc", "train", "retriever", str(config), "--output", str(killed)]
    process = subprocess.Popen([*command, "--data", str(data)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not list(killed.glob("checkpoints/*/checkpoint-*/trainer_state.json")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (killed / "modules.json").exists()
    train_retriever(config, killed, data=data, resume=True)
    assert json.loads((killed / "training.json").read_text("utf-8"))["resumed_at_step"] >= 60
    for name in ("model.safetensors", "tokenizer.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert not (killed / "checkpoints").exists()
