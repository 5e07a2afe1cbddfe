"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def counted(items: Sequence[str], title: str) -> Iterator[str]:
    """Yield the items and show how many are done."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, title, console=Console(stderr=True))


def progress_callback() -> Any:
    """Return a trainer callback that shows steps, time left and the loss."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        def __init__(self) -> None:
            columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
            self.progress = Progress(*columns, console=Console(stderr=True))
            self.task = self.progress.add_task("loss …", total=None)

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.progress.update(self.task, total=state.max_steps)
            self.progress.start()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.progress.update(self.task, completed=state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                self.progress.update(self.task, description=f"loss {float(logs['loss']):.3f}")

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.progress.stop()

    return Bar()
