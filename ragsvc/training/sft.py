"""Fine-tunes a causal language model on dialogues: loss on the answers alone, LoRA or all weights, resumable."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ragsvc.errors import InvalidInput, SettingsError, UpstreamFailed
from ragsvc.generation.literal_template import find_template
from ragsvc.generation.local_loading import LoadOptions, load_tokenizer
from ragsvc.generation.local_model import LocalModel
from ragsvc.training.progress import progress_callback
from ragsvc.training.runs import StageFolder, StageReport, begin_stage, open_run, run_trainer, trainer_settings
from ragsvc.training.sft_card import SftData, SftRecord, write_sft_card
from ragsvc.training.sft_config import SftConfig, read_sft_config
from ragsvc.training.sft_data import Dialogue, read_dialogues


class _Example(Struct, frozen=True):
    """Tokens of a dialogue, and those of them that are learnt; -100 = not."""

    input_ids: list[int]
    labels: list[int]


class _Losses(Struct, frozen=True):
    before: float | None
    after: float | None
    curve: tuple[tuple[int, float], ...]


def fine_tune(config: Path, output: Path, *, data: Path | None = None, resume: bool = False) -> SftRecord:
    """Fine-tune a model and write weights or adapter, ``models.toml``, record, plot and card to ``output``.

    The same config, data and seed give the same weights on the same machine, broken off or not.

    Args:
        config: a TOML file, see ``sft_config.py``.
        output: a new or empty folder; with ``resume``, that of a training that was broken off.
        data: folder that the config's paths count from.
        resume: go on from the last checkpoint; from the beginning if there is none yet.

    Raises:
        InvalidInput: the config or a file is not what it must be, or no dialogue is short enough.
        SettingsError: the model cannot be loaded, or a package is missing.
        Conflict: the folder holds something else than a broken-off training of this config.
    """
    _find_packages()
    recipe = read_sft_config(config)
    root = data or config.parent / recipe.data
    learnt, held_out, template = _read(recipe, root)
    place = StageFolder(open_run(output, recipe, resume=resume) / "stage-0")
    begin_stage(recipe.seed)
    tokenizer = load_tokenizer(recipe.base, LoadOptions())
    model = _load(recipe)
    examples, tests = _encoded(recipe, model, tokenizer, (learnt, held_out), template)
    kept, kept_tests = (
        [example for example in some if len(example.input_ids) <= recipe.max_tokens] for some in (examples, tests)
    )
    if not kept:
        raise InvalidInput(f"none of {len(examples)} dialogues has at most {recipe.max_tokens} tokens")
    trainer = _trainer(recipe, model, tokenizer, kept, kept_tests, place)
    if not place.done.is_dir():
        _run(recipe, trainer, place, bool(kept_tests))
    losses = msgspec.json.decode((place.done / "held_out.json").read_bytes(), type=_Losses)
    for path in place.done.iterdir():
        if path.name not in ("held_out.json", place.report_name):
            shutil.copy2(path, output / path.name)
    record = SftRecord(
        name=recipe.name,
        recipe=recipe,
        template=template,
        context_tokens=getattr(model.config, "max_position_embeddings", None),
        data=SftData(
            learnt=len(kept),
            held_out=len(kept_tests),
            too_long=len(examples) - len(kept),
            held_out_too_long=len(tests) - len(kept_tests),
            tokens=sum(len(example.input_ids) for example in kept),
            answer_tokens=sum(label != -100 for example in kept for label in example.labels),
        ),
        stage=place.report(),
        held_out_before=losses.before,
        held_out_after=losses.after,
        held_out_losses=losses.curve,
    )
    write_sft_card(output, record)
    shutil.rmtree(place.folder.parent)
    return record


def _find_packages() -> None:
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise SettingsError(f"fine-tuning needs {error.name}: pip install 'ragsvc[train]'") from None


def encode(writer: LocalModel, tokenizer: Any, dialogue: Dialogue) -> _Example:
    """Return the prompt's tokens as the served model reads them, then those of the answer and its end.

    Raises:
        InvalidInput: a text of the dialogue turns into control tokens of this model.
    """
    try:
        prompt = writer.prompt_ids(dialogue.messages)
    except UpstreamFailed as error:
        raise InvalidInput(f"dialogue {dialogue.id}: {error}") from error
    answer = [*tokenizer(dialogue.answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    return _Example([*prompt, *answer], [*[-100] * len(prompt), *answer])


def _encoded(
    recipe: SftConfig, model: Any, tokenizer: Any, dialogues: tuple[list[Dialogue], list[Dialogue]], template: str
) -> tuple[list[_Example], list[_Example]]:
    """Encode what is learnt and what is held out as the served model will read them."""
    if not template and not tokenizer.chat_template:
        raise InvalidInput(f"the dialogues are chat messages, but {recipe.base} has no chat template")
    literal = find_template(template) if template else None
    writer = LocalModel(model, tokenizer, temperature=0, max_tokens=1, template=literal)
    learnt, held_out = ([encode(writer, tokenizer, dialogue) for dialogue in some] for some in dialogues)
    return learnt, held_out


def _read(recipe: SftConfig, root: Path) -> tuple[list[Dialogue], list[Dialogue], str]:
    """Return what is learnt, what is held out, and the template of both."""
    learnt = [d for file in recipe.dialogues if not file.held_out for d in read_dialogues(root / file.path)]
    held_out = [d for file in recipe.dialogues if file.held_out for d in read_dialogues(root / file.path)]
    if not any(file.held_out for file in recipe.dialogues):
        n = round(len(learnt) * recipe.held_out_share)
        random.Random(recipe.seed).shuffle(learnt)
        learnt, held_out = learnt[n:], learnt[:n]
    templates = {dialogue.template for dialogue in (*learnt, *held_out)}
    if len(templates) != 1:
        raise InvalidInput(
            f"the dialogues are in {len(templates)} templates ({', '.join(sorted(templates))}), not in one"
        )
    return learnt, held_out, templates.pop()


def _load(recipe: SftConfig) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    full = recipe.method == "full" or not _bfloat16(recipe)
    try:
        return AutoModelForCausalLM.from_pretrained(recipe.base, dtype=torch.float32 if full else torch.bfloat16)
    except (OSError, ValueError) as error:
        raise SettingsError(f"The base {recipe.base} cannot be loaded: {error}") from error


def _bfloat16(recipe: SftConfig) -> bool:
    import torch

    if recipe.precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return recipe.precision == "bfloat16"


def _trainer(
    recipe: SftConfig,
    model: Any,
    tokenizer: Any,
    kept: Sequence[_Example],
    tests: Sequence[_Example],
    place: StageFolder,
) -> Any:
    from datasets import Dataset
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    class Trainer(SFTTrainer):
        def _send_telemetry(self) -> None:
            """Nothing is told to anybody about a training."""

    per_epoch = -(-len(kept) // (recipe.batch_size * recipe.accumulate))
    steps = recipe.steps or max(1, round(per_epoch * recipe.epochs))
    settings = trainer_settings(place.folder, recipe, _Precision(recipe.seed, _bfloat16(recipe)), steps)
    adapter = LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=list(recipe.lora.layers) or "all-linear",
        task_type="CAUSAL_LM",
    )
    model.config.use_cache = False
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Trainer(
        model=model,
        args=SFTConfig(
            **settings,
            gradient_accumulation_steps=recipe.accumulate,
            activation_checkpointing=recipe.gradient_checkpointing,
            per_device_eval_batch_size=recipe.batch_size,
            eval_strategy="steps" if tests else "no",
            eval_steps=max(1, steps // recipe.evaluations),
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list([msgspec.to_builtins(example) for example in kept]),
        eval_dataset=Dataset.from_list([msgspec.to_builtins(example) for example in tests]) if tests else None,
        processing_class=tokenizer,
        peft_config=adapter if recipe.method == "lora" else None,
        callbacks=[progress_callback()],
    )


class _Precision:
    """What ``trainer_settings`` asks of a recipe."""

    def __init__(self, seed: int, bfloat16: bool) -> None:
        self.seed, self.precision = seed, "bfloat16" if bfloat16 else "float32"


def _run(recipe: SftConfig, trainer: Any, place: StageFolder, has_tests: bool) -> None:
    first = place.folder / "before.json"
    place.folder.mkdir(parents=True, exist_ok=True)
    if not first.is_file():
        first.write_text(json.dumps(_loss(trainer) if has_tests else None))
    before = json.loads(first.read_text())
    report: StageReport = run_trainer(trainer, place, recipe, objective=f"{recipe.method} on answers")
    log = trainer.state.log_history
    curve = [(int(entry["step"]), float(entry["eval_loss"])) for entry in log if "eval_loss" in entry]
    after = _loss(trainer) if has_tests else None

    def save(folder: Path) -> None:
        trainer.save_model(str(folder))
        losses = _Losses(before, after, ((0, before), *curve) if before is not None else ())
        (folder / "held_out.json").write_bytes(msgspec.json.encode(losses))

    place.finish(save, replace(report, batch_size=recipe.batch_size * recipe.accumulate))


def _loss(trainer: Any) -> float:
    """Return the mean loss on the held-out dialogues."""
    return float(trainer.evaluate()["eval_loss"])
