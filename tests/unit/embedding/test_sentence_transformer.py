from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from ragsvc.embedding import open_embedder
from ragsvc.embedding.sentence_transformer import SentenceTransformerEmbedder
from ragsvc.errors import InvalidInput, NotFound

TEXTS = ["第五百七十七条", "What is the standard treatment of hypertension?", "", "公司2023年净利润同比增长12.5%。"]


@pytest.fixture(scope="session")
def prompted(roberta: Path) -> Path:
    """Return a sentence-transformers directory with CLS pooling and prompts of its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    transformer = Transformer(str(roberta), max_seq_length=40)
    model = SentenceTransformer(
        modules=[transformer, Pooling(32, pooling_mode="cls")], prompts={"query": "问题：", "document": "passage: "}
    )
    folder = roberta.parent / "prompted"
    model.save(str(folder))
    return folder


def expected(folder: Path, texts: list[str], prompt: str | None = None) -> np.ndarray:  # type: ignore[type-arg]
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder)).encode(texts, prompt=prompt, normalize_embeddings=True)


def test_a_plain_transformers_directory_equals_sentence_transformers(roberta: Path) -> None:
    """Mean pooling over the model's states, value for value, whatever the batch."""
    embedder = open_embedder(roberta)
    found = embedder.embed_passages(TEXTS)
    np.testing.assert_allclose(found, expected(roberta, TEXTS), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found.dtype, embedder.dim) == (np.float32, 32)
    assert embedder.embed_queries([]).shape == (0, 32)
    assert embedder.embedder_id.startswith("tiny-roberta-")


def test_the_prompts_of_the_model_are_used_unless_others_are_given(prompted: Path) -> None:
    """Questions and passages get the prefixes that the model states; given ones, even empty, win."""
    embedder = SentenceTransformerEmbedder(str(prompted))
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), expected(prompted, TEXTS, "问题："), atol=1e-5)
    np.testing.assert_allclose(embedder.embed_passages(TEXTS), expected(prompted, TEXTS, "passage: "), atol=1e-5)
    given = SentenceTransformerEmbedder(str(prompted), query_prefix="Q ", passage_prefix="")
    np.testing.assert_allclose(given.embed_queries(TEXTS), expected(prompted, TEXTS, "Q "), atol=1e-5)
    np.testing.assert_allclose(given.embed_passages(TEXTS), expected(prompted, TEXTS, ""), atol=1e-5)
    assert embedder.embedder_id != given.embedder_id


def test_windows_are_read_whole(prompted: Path) -> None:
    """Pieces join to the text, end with sentences, and nothing of a piece is cut: its last sign still counts."""
    embedder = SentenceTransformerEmbedder(str(prompted))
    text = "合同成立。It was late. " * 12
    pieces = embedder.windows(text)
    assert len(pieces) > 3
    assert "".join(pieces) == text
    assert all(piece.rstrip().endswith(("。", ".")) for piece in pieces)
    from sentence_transformers import SentenceTransformer

    tokenizer = SentenceTransformer(str(prompted)).tokenizer
    assert all(len(tokenizer("passage: " + piece)["input_ids"]) <= 40 for piece in pieces)
    assert embedder.windows("短。") == ["短。"]


def test_roberta_never_reads_beyond_its_positions(roberta: Path) -> None:
    """The config states 64 positions, of which two are never used: a longer text is windowed at 62, not an error."""
    embedder = SentenceTransformerEmbedder(str(roberta))
    assert np.isfinite(embedder.embed_passages(["违约" * 400])).all()
    assert len(embedder.windows("违约" * 400)) > 10
    shorter = SentenceTransformerEmbedder(str(roberta), max_tokens=16)
    assert len(shorter.windows("违约" * 400)) > len(embedder.windows("违约" * 400))
    assert shorter.embedder_id != embedder.embedder_id


def test_the_id_follows_the_weights(roberta: Path, tmp_path: Path) -> None:
    """A copy has the same id, changed weights another; the training record leaves it alone and names the data."""
    import torch
    from transformers import RobertaModel

    copy = tmp_path / "tiny-roberta"
    shutil.copytree(roberta, copy)
    before = SentenceTransformerEmbedder(str(copy))
    assert (before.embedder_id, before.trained_on) == (SentenceTransformerEmbedder(str(roberta)).embedder_id, ())
    (copy / "training.json").write_text(json.dumps({"data": [{"name": "stard"}, {"name": "toyhom"}]}))
    with_record = SentenceTransformerEmbedder(str(copy))
    assert (with_record.embedder_id, with_record.trained_on) == (before.embedder_id, ("stard", "toyhom"))
    model = RobertaModel.from_pretrained(copy)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[10] += 1
    model.save_pretrained(copy)
    assert SentenceTransformerEmbedder(str(copy)).embedder_id != before.embedder_id


def test_threads_take_turns(roberta: Path) -> None:
    """Windows and vectors asked for from many threads at once are those of one thread."""
    embedder = SentenceTransformerEmbedder(str(roberta))
    alone = embedder.embed_queries(TEXTS)
    found: list[np.ndarray] = []  # type: ignore[type-arg]

    def work() -> None:
        for _ in range(5):
            embedder.windows("合同成立。" * 50)
            found.append(embedder.embed_queries(TEXTS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert all(np.allclose(vectors, alone, atol=1e-5) for vectors in found)


def test_what_cannot_be_loaded_is_said(roberta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No directory, a damaged one, and a hub that cannot be reached: each names what was asked and what to do."""
    with pytest.raises(NotFound, match="nowhere is not a directory"):
        SentenceTransformerEmbedder(str(tmp_path / "nowhere"))
    damaged = tmp_path / "damaged"
    shutil.copytree(roberta, damaged)
    (damaged / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(InvalidInput, match=r"damaged' cannot be loaded: .*Check that the directory is complete"):
        open_embedder(damaged)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InvalidInput, match=r"'nobody/no-such-model' cannot be loaded: .*name its directory"):
        open_embedder("hf:nobody/no-such-model")


def test_code_that_comes_with_a_model_is_not_run(roberta: Path, tmp_path: Path) -> None:
    """A directory whose configuration points to its own Python file is refused, and the file never runs."""
    folder = tmp_path / "hostile"
    shutil.copytree(roberta, folder)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "hostile"
    config["auto_map"] = {"AutoConfig": "own.C", "AutoModel": "own.M"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(InvalidInput, match="hostile"):
        open_embedder(folder)
    assert not (tmp_path / "ran").exists()
