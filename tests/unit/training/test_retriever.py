from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ragsvc.embedding import open_embedder
from ragsvc.embedding.static import StaticEmbedder
from ragsvc.errors import Conflict, InvalidInput
from ragsvc.training.retriever import train_retriever

from .conftest import LAY, STATUTE, write_config


def right_first(folder: Path) -> float:
    """Return the share of the eight lay phrases whose own statute phrase is the nearest."""
    embedder = open_embedder(folder)
    cosines = embedder.embed_queries(LAY) @ embedder.embed_passages(STATUTE).T
    return float(np.mean(cosines.argmax(axis=1) == np.arange(len(LAY))))


def test_training_from_scratch(data: Path, tmp_path: Path) -> None:
    """Forty pairs in seconds: the right passage is first, not so before; record, card and plot are beside it."""
    random = "lsa_scripts = []"
    untrained = train_retriever(
        write_config(data, learning_rate=1e-12, epochs=0.2, static=random), tmp_path / "before", data=data
    )
    trained = train_retriever(write_config(data, static=random), tmp_path / "after", data=data)
    assert right_first(untrained) < 0.6
    assert right_first(trained) == 1.0
    embedder = open_embedder(trained)
    assert isinstance(embedder, StaticEmbedder)
    assert (embedder.dim, embedder.trained_on) == (32, ("laws",))
    record = json.loads((trained / "training.json").read_text("utf-8"))
    assert record["data"] == [
        {"name": "laws", "licence": "CC0", "rows": 40, "language": "zh", "domain": "law", "weight": 1.0, "note": ""}
    ]
    assert record["steps"] == 30
    assert 0 < record["final_loss"] < 1.0
    assert record["recipe"]["stages"][0]["learning_rate"] == 0.05
    card = (trained / "README.md").read_text("utf-8")
    assert "| laws | 40 | zh | law | 1 | CC0 |" in card
    assert "library_name: sentence-transformers" in card
    assert (trained / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not (trained / "checkpoints").exists()
    assert json.loads((trained / "tokenizer.json").read_text("utf-8"))["truncation"] is None


def test_a_broken_off_training_goes_on_as_if_nothing_had_been(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off at step 17 and resumed from the checkpoint of step 10: the weights of an unbroken run."""
    from sentence_transformers import SentenceTransformerTrainer
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator([*LAY, *STATUTE], trainer)
    tokenizer.save(str(data / "given.json"))
    config = write_config(data, static='tokenizer = "given.json"')
    whole = train_retriever(config, tmp_path / "whole", data=data)

    true_step = SentenceTransformerTrainer.training_step
    calls = []

    def breaking(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 17:
            raise KeyboardInterrupt
        return true_step(self, *args, **kwargs)

    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        patch.setattr(SentenceTransformerTrainer, "training_step", breaking)
        with pytest.raises(KeyboardInterrupt):
            train_retriever(config, broken, data=data)
    assert not (broken / "modules.json").exists()
    with pytest.raises(Conflict, match="is not empty: --resume goes on with it"):
        train_retriever(config, broken, data=data)
    with pytest.raises(Conflict, match="another config"):
        train_retriever(write_config(data, seed=7, static='tokenizer = "given.json"'), broken, data=data, resume=True)
    train_retriever(write_config(data, static='tokenizer = "given.json"'), broken, data=data, resume=True)
    record = json.loads((broken / "training.json").read_text("utf-8"))
    assert (record["resumed_at_step"], record["steps"]) == (10, 30)
    assert [record["final_loss"]] == pytest.approx(
        [json.loads((whole / "training.json").read_text("utf-8"))["final_loss"]], rel=1e-3
    )
    texts = [*LAY, *STATUTE]
    np.testing.assert_allclose(
        open_embedder(broken).embed_queries(texts), open_embedder(whole).embed_queries(texts), atol=2e-3
    )


def test_a_trained_encoder_is_a_base_and_its_data_stay_listed(data: Path, tmp_path: Path) -> None:
    """CoSENT with Matryoshka dimensions from a directory: the card lists the base's data before the own."""
    first = train_retriever(write_config(data, epochs=1), tmp_path / "first", data=data)
    config = write_config(
        data,
        base=str(first),
        objective="cosent",
        matryoshka=[32, 16],
        epochs=1,
        file='score = "score"\nname = "scored"\ntokenizer_weight = 1',
    )
    second = train_retriever(config, tmp_path / "second", data=data)
    assert open_embedder(second).trained_on == ("laws", "scored")  # type: ignore[attr-defined]
    assert "| laws |" in (second / "README.md").read_text("utf-8")


def test_the_command(data: Path, tmp_path: Path) -> None:
    """One JSON object on stdout, whatever the trainer says; exit 0."""
    from ragsvc.cli.app import app

    arguments = ["train", "retriever", str(write_config(data, epochs=1)), "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["path"], found["name"]) == (str(tmp_path / "out"), "tiny")


def test_wrong_configs_are_refused_before_anything_is_written(data: Path, tmp_path: Path) -> None:
    """A missing config, file or column, an unknown field, no pairs left: each names what to change."""
    output = tmp_path / "out"
    cases = [
        (tmp_path / "none.toml", r"none\.toml cannot be read"),
        (write_config(data, file="colour = 3").rename(data / "a.toml"), "colour"),
        (
            write_config(data, file='name = "x"\nscore = "grade"').rename(data / "b.toml"),
            "has no column grade; it has question",
        ),
        (write_config(data, objective="cosent").rename(data / "c.toml"), "laws names no score column"),
        (write_config(data, objective="magic").rename(data / "d.toml"), "magic"),
        (write_config(data, file="weight = 0").rename(data / "e.toml"), "> 0"),
    ]
    for config, message in cases:
        with pytest.raises(InvalidInput, match=message):
            train_retriever(config, output, data=data)
    with pytest.raises(InvalidInput, match=r"laws\.jsonl, which is not there: check 'path' and --data"):
        train_retriever(write_config(data), output, data=tmp_path)
    text = write_config(data).read_text("utf-8")
    (data / "f.toml").write_text(text.replace('split = "train"', 'split = "nowhere"'), "utf-8")
    with pytest.raises(InvalidInput, match="gives no pair"):
        train_retriever(data / "f.toml", output, data=data)
    (data / "laws.jsonl").write_text("{broken", "utf-8")
    with pytest.raises(InvalidInput, match="cannot be read as JSON lines after line 0"):
        train_retriever(write_config(data), output, data=data)
    assert not output.exists()
