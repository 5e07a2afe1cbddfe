"""A training's folder while it runs: what is finished, where a broken-off stage goes on, how the trainer is set."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ragsvc.errors import Conflict

CHECKPOINTS = "checkpoints"
_DONE = "done"
_REPORT = "stage.json"


class StageReport(msgspec.Struct, frozen=True, kw_only=True):
    """One stage that ended."""

    name: str
    objective: str
    steps: int
    batch_size: int
    learning_rate: float
    seconds: float
    """Of the last run alone, when the training was resumed."""
    resumed_at_step: int
    losses: tuple[tuple[int, float], ...]
    """(step, mean loss since the one before)."""
    final_loss: float
    """Mean of the last tenth of the logged losses."""


def open_run(output: Path, recipe: msgspec.Struct, *, resume: bool) -> Path:
    """Make the folder of a training's intermediate state, or check what is in it, and return it.

    Raises:
        Conflict: ``output`` holds something else than a broken-off training of this recipe.
    """
    stated = output / CHECKPOINTS / "recipe.json"
    wanted = msgspec.json.encode(recipe)
    if resume and stated.is_file():
        if stated.read_bytes() != wanted:
            raise Conflict(f"{output.absolute()} holds a training of another config: name another folder.")
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        advice = "--resume goes on with it" if stated.is_file() else "name a new one"
        raise Conflict(f"{output.absolute()} is not empty: {advice}.")
    else:
        stated.parent.mkdir(parents=True, exist_ok=True)
        unfinished = stated.with_suffix(".part")
        unfinished.write_bytes(wanted)
        unfinished.replace(stated)
    return stated.parent


class StageFolder:
    """Where one stage keeps its checkpoints and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report_name = _REPORT
        self.done = folder / _DONE
        """The trained model's directory, whole as soon as it is there."""

    def checkpoint(self) -> Path | None:
        """Return the last whole checkpoint of the trainer, None if there is none."""
        whole = [path.parent for path in self.folder.glob("checkpoint-*/trainer_state.json") if _is_whole(path)]
        return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def report(self) -> StageReport:
        """Return the report of a stage that is done."""
        return msgspec.json.decode((self.done / _REPORT).read_bytes(), type=StageReport)

    def finish(self, save: Callable[[Path], None], report: StageReport) -> None:
        """Let ``save`` write the model into a folder, add the report, and drop the checkpoints."""
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        save(unfinished)
        (unfinished / _REPORT).write_bytes(msgspec.json.encode(report))
        unfinished.rename(self.done)
        for checkpoint in self.folder.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)


def _is_whole(state: Path) -> bool:
    try:
        msgspec.json.decode(state.read_bytes())
    except msgspec.DecodeError:
        return False
    return True


def begin_stage(seed: int) -> None:
    """Seed what is drawn before a trainer does it (layers that a base lacks), and silence loading and saving."""
    from transformers import set_seed
    from transformers.utils import logging

    set_seed(seed)
    library: Any = logging
    library.disable_progress_bar()  # one for each checkpoint


def trainer_settings(folder: Path, stage: Any, recipe: Any, steps: int) -> dict[str, Any]:
    """Return the arguments that every trainer of transformers gets."""
    import torch

    return {
        "output_dir": str(folder),
        "max_steps": steps,
        "per_device_train_batch_size": stage.batch_size,
        "learning_rate": stage.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": round(stage.warmup * steps),
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "use_cpu": not torch.accelerator.is_available(),
        "bf16": recipe.precision == "bfloat16",
        "save_steps": stage.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": max(1, steps // 200),
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def _logged_losses(history: Sequence[dict[str, Any]]) -> tuple[tuple[int, float], ...]:
    """Return (step, loss) of a trainer's log."""
    return tuple((int(log["step"]), float(log["loss"])) for log in history if "loss" in log)


def run_trainer(trainer: Any, place: StageFolder, stage: Any, *, objective: str = "") -> StageReport:
    """Train, going on from the last checkpoint, and return the report."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # prints on stdout, which belongs to --json
    checkpoint = place.checkpoint()
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    losses = _logged_losses(trainer.state.log_history)
    last = [loss for _, loss in losses[-max(1, len(losses) // 10) :]]
    return StageReport(
        name=stage.name,
        objective=objective or stage.objective,
        batch_size=stage.batch_size,
        learning_rate=stage.learning_rate,
        steps=int(trainer.state.global_step),
        seconds=round(time.monotonic() - started, 1),
        resumed_at_step=int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0,
        losses=losses,
        final_loss=sum(last) / len(last),
    )
