"""Trainings in several stages, and of transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragsvc.training
from ragsvc.embedding import open_embedder
from ragsvc.errors import InvalidInput
from ragsvc.training.config import read_config
from ragsvc.training.retriever import train_retriever
from ragsvc.training.roberta import TokenBlocks
from ragsvc.training.stages import masked_language_loss

from .conftest import LAY, STATUTE, write_config

CONFIGS = Path(ragsvc.training.__file__).parent / "configs"
ROBERTA = """
name = "tiny-roberta"
base = "roberta"
learning_rate = 2e-3
batch_size = 8
roberta = { layers = 1, hidden = 32, heads = 2, tokens = 200, positions = 40 }

[[stages]]
name = "mlm"
objective = "masked_language"
steps = 6
checkpoint_steps = 2

[[stages]]
name = "weak"
objective = "contrastive"
steps = 4

[[stages]]
name = "labelled"
objective = "contrastive"
sources = ["laws"]
steps = 60
checkpoint_steps = 10

[[pairs]]
path = "laws.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
query = ["question"]
passage = ["title", "text"]
where = { split = "train" }

[[pairs]]
name = "texts"
path = "laws.jsonl"
language = "zh"
domain = "law"
licence = "CC0"
query = ["text"]
passage = ["question"]
"""


def write_roberta(folder: Path, text: str = ROBERTA) -> Path:
    path = folder / "roberta.toml"
    path.write_text(text, "utf-8")
    return path


def broken_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next training break off at its so many-th step, whatever trainer runs it."""
    from transformers import Trainer

    true_step = Trainer.training_step
    calls: list[int] = []

    def breaking(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == step:
            raise KeyboardInterrupt
        return true_step(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", breaking)


def test_a_roberta_from_scratch(data: Path, tmp_path: Path) -> None:
    """Tokenizer, masked language, weak pairs, labelled pairs: an encoder that opens by path and has learned."""
    folder = train_retriever(write_roberta(data), tmp_path / "out", data=data)
    embedder = open_embedder(folder)
    assert embedder.dim == 32
    cosines = embedder.embed_queries(LAY) @ embedder.embed_passages(STATUTE).T
    assert np.mean(cosines.argmax(axis=1) == np.arange(len(LAY))) >= 0.75
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert [(stage["name"], stage["steps"]) for stage in record["stages"]] == [
        ("mlm", 6),
        ("weak", 4),
        ("labelled", 60),
    ]
    assert [entry["name"] for entry in record["data"]] == ["laws", "texts"]
    card = (folder / "README.md").read_text("utf-8")
    assert "| mlm | masked_language | 6 × 8 |" in card
    assert "| labelled | contrastive | 60 × 8 |" in card
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    assert list(tokenizer["model"]["vocab"])[:5] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def test_scoring_the_masked_places_alone_gives_the_same_loss() -> None:
    import torch
    from transformers import RobertaConfig, RobertaForMaskedLM

    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    model = RobertaForMaskedLM(RobertaConfig(vocab_size=60, max_position_embeddings=22, **shape)).eval()
    ids = torch.randint(5, 60, (4, 18))
    labels = torch.where(torch.rand(ids.shape) < 0.3, ids, -100)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}

    assert torch.allclose(masked_language_loss(model, inputs), model(**inputs).loss, atol=1e-6)


@pytest.mark.parametrize("step", [5, 9, 30])
def test_a_broken_off_stage_goes_on(step: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off in each of the three stages and resumed: the vectors of an undisturbed training."""
    config = write_roberta(data, ROBERTA.replace("steps = 60", "steps = 25"))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with monkeypatch.context() as patch:
        broken_at(step, patch)
        with pytest.raises(KeyboardInterrupt):
            train_retriever(config, broken, data=data)
    train_retriever(config, broken, data=data, resume=True)
    train_retriever(config, whole, data=data)
    np.testing.assert_allclose(
        open_embedder(broken).embed_queries(LAY), open_embedder(whole).embed_queries(LAY), atol=1e-5
    )


def test_runs_of_a_stage_are_averaged(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs see their batches in another order; broken off in the second, the mean is that of an undisturbed one."""
    text = ROBERTA.replace("steps = 60", "steps = 25\nruns = 2")
    config = write_roberta(data, text)
    whole, broken, single = tmp_path / "whole", tmp_path / "broken", tmp_path / "single"
    with monkeypatch.context() as patch:
        broken_at(50, patch)
        with pytest.raises(KeyboardInterrupt):
            train_retriever(config, broken, data=data)
    runs = sorted(broken.glob("checkpoints/stage-2/run-*/done"))
    assert len(runs) == 1, "not broken off in the second run"
    train_retriever(config, broken, data=data, resume=True)
    train_retriever(config, whole, data=data)
    train_retriever(write_roberta(data, text.replace("runs = 2", "runs = 1")), single, data=data)
    vectors = {folder.name: open_embedder(folder).embed_queries(LAY) for folder in (whole, broken, single)}
    np.testing.assert_allclose(vectors["broken"], vectors["whole"], atol=1e-5)
    assert np.abs(vectors["single"] - vectors["whole"]).max() > 1e-4


def test_a_checkpoint_is_trained_further_with_its_prefixes(data: Path, tmp_path: Path) -> None:
    """Any transformers directory is a base, also for masked language; prefixes are kept for who embeds later."""
    first = train_retriever(write_roberta(data), tmp_path / "first", data=data)
    text = ROBERTA.replace('base = "roberta"', f'base = "{first}"\nquery_prefix = "query: "\npassage_prefix = "p: "')
    second = train_retriever(
        write_roberta(data, text.replace("steps = 60", "steps = 2")), tmp_path / "second", data=data
    )
    prompts = json.loads((second / "config_sentence_transformers.json").read_text("utf-8"))["prompts"]
    assert prompts["query"] == "query: "
    assert prompts["document"] == "p: "
    record = json.loads((second / "training.json").read_text("utf-8"))
    assert [entry["name"] for entry in record["data"]] == ["laws", "texts", "laws", "texts"]


def test_a_model_of_modelscope_is_a_base(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """modelscope:ORG/NAME is fetched with ModelScope's own package; without it the message says what to install."""
    import sys
    from types import SimpleNamespace

    text = ROBERTA.replace('base = "roberta"', 'base = "modelscope:org/name"')
    monkeypatch.setitem(sys.modules, "modelscope", None)
    with pytest.raises(InvalidInput, match="pip install modelscope"):
        train_retriever(write_roberta(data, text), tmp_path / "without", data=data)
    first = train_retriever(write_roberta(data), tmp_path / "first", data=data)
    asked = []
    fetch = SimpleNamespace(snapshot_download=lambda name: asked.append(name) or str(first))
    monkeypatch.setitem(sys.modules, "modelscope", fetch)
    train_retriever(write_roberta(data, text.replace("steps = 60", "steps = 2")), tmp_path / "with", data=data)
    assert set(asked) == {"org/name"}


def test_questions_to_article_classes(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """multilabel: the classifier beside the weights names the article of each question, broken off or not."""
    from safetensors.numpy import load_file

    settings = {
        "objective": "multilabel",
        "epochs": 8,
        "checkpoint_steps": 10,
        "label_questions": 2,
        "file": 'label = ["law"]',
    }
    lines = [json.loads(line) for line in (data / "laws.jsonl").read_text("utf-8").splitlines()]
    for at, line in enumerate(lines):
        line["law"] = f"第{at // 5}条"
    (data / "laws.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    config = write_config(data, **settings)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    with monkeypatch.context() as patch:
        broken_at(17, patch)
        with pytest.raises(KeyboardInterrupt):
            train_retriever(config, broken, data=data)
    train_retriever(config, broken, data=data, resume=True)
    train_retriever(config, whole, data=data)
    heads = [load_file(folder / "classes.safetensors") for folder in (whole, broken)]
    np.testing.assert_allclose(heads[0]["head.weight"], heads[1]["head.weight"], atol=1e-6)
    classes = json.loads((whole / "classes.json").read_text("utf-8"))
    assert sorted(classes) == [f"第{at}条" for at in range(8)]
    vectors = open_embedder(whole).embed_queries(LAY) * 32**0.5
    found = (vectors @ heads[0]["head.weight"].T + heads[0]["head.bias"]).argmax(axis=1)
    assert [classes[at] for at in found] == [f"第{at}条" for at in range(8)]


def test_the_committed_configs_can_be_read() -> None:
    """Stages inherit what stands above the tables; each names files that are there."""
    roberta = read_config(CONFIGS / "roberta-zh-en.toml")
    assert [stage.objective for stage in roberta.stages] == ["masked_language", "contrastive", "contrastive"]
    assert [stage.batch_size for stage in roberta.stages] == [64, 128, 128]
    assert {file.title for stage in roberta.stages[1:] for file in roberta.files(stage)} == {
        file.title for file in roberta.pairs
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('sources = ["laws", "lows"]', "stage labelled reads lows, which no pair file is"),
        ("hard_negatives = 2", "stage labelled wants hard negatives, but none of its files names any"),
        ("matryoshka = [64]", "more dimensions than the roberta base"),
        ('objective = "masked_language"', "can only be the first stage"),
        ('name = "weak"', "two stages are called weak"),
    ],
)
def test_impossible_stages_are_refused(line: str, message: str, data: Path, tmp_path: Path) -> None:
    """Each says which stage and what is wrong with it."""
    key = line.partition(" ")[0]
    head, tail = ROBERTA.split('name = "labelled"')
    stage = "\n".join(
        x for x in f'name = "labelled"{tail}'.partition("[[pairs]]")[0].splitlines() if not x.startswith(key)
    )
    pairs = "[[pairs]]" + tail.partition("[[pairs]]")[2]
    with pytest.raises(InvalidInput, match=message):
        train_retriever(write_roberta(data, f"{head}{stage}\n{line}\n\n{pairs}"), tmp_path / "out", data=data)


def test_half_precision_trains_too(data: Path, tmp_path: Path) -> None:
    """With bfloat16 arithmetic the weights stay float32 and learn."""
    from safetensors.numpy import load_file

    text = ROBERTA.replace('base = "roberta"', 'base = "roberta"\nprecision = "bfloat16"')
    folder = train_retriever(write_roberta(data, text), tmp_path / "out", data=data)
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {np.dtype(np.float32)}
    losses = json.loads((folder / "training.json").read_text("utf-8"))["stages"][-1]["losses"]
    assert losses[-1][1] < losses[0][1] / 2


def test_texts_are_packed_into_rows() -> None:
    """Rows of six tokens begin with the first one, texts end with theirs and run on into the next row."""

    def tokenizer(texts: list[str], **settings: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[ord(letter) for letter in text] for text in texts]}

    tokenizer.cls_token_id, tokenizer.sep_token_id = 0, 2  # type: ignore[attr-defined]
    blocks = TokenBlocks(["abc", "defg", "hi"], tokenizer, 6)
    assert [blocks[row]["input_ids"] for row in range(len(blocks))] == [
        [0, 97, 98, 99, 2, 100],
        [0, 101, 102, 103, 2, 104],
    ]
    assert TokenBlocks(["a"], tokenizer, 6)[0]["input_ids"] == [0, 97, 2]
