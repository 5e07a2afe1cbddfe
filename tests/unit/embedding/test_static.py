from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ragsvc.embedding import open_embedder, shipped_embedders
from ragsvc.embedding.static import StaticEmbedder, is_static_directory
from ragsvc.errors import InvalidInput, NotFound

TEXTS = [
    "当事人一方不履行合同义务的，应当承担违约责任。",
    "Art. 17(1)(b) GDPR: the right to erasure",
    "",
    "😀😀",
    "ＡＢＣ第１２条 naïve ÉCOLE 12.5%",
    "合同" * 3_000,
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a static encoder of random vectors, float16, with Normalize, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS[:2] + TEXTS[4:], trainer)
    torch.manual_seed(0)
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=48), Normalize()])
    folder = tmp_path_factory.mktemp("static") / "tiny-static"
    model.half().save(str(folder))
    return folder


@pytest.mark.parametrize("which", ["tiny", *shipped_embedders()])
def test_equals_sentence_transformers(which: str, tiny: Path) -> None:
    """Vectors are those of sentence-transformers within 1e-3, for any length, script and the empty text."""
    from sentence_transformers import SentenceTransformer

    folder = tiny if which == "tiny" else shipped_embedders()[which]
    reference = SentenceTransformer(str(folder)).float().encode(TEXTS, normalize_embeddings=True)
    embedder = open_embedder(folder)
    assert isinstance(embedder, StaticEmbedder)
    np.testing.assert_allclose(embedder.embed_passages(TEXTS), reference, atol=1e-3)
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), reference, atol=1e-3)
    assert embedder.dim == reference.shape[1]


def test_a_text_is_the_same_alone_and_among_many(tiny: Path) -> None:
    """Batches and groups bound memory only: 1,100 texts of very different lengths are as each by itself."""
    embedder = StaticEmbedder(tiny)
    texts = [TEXTS[i % 5] * (i % 97) for i in range(1_100)]
    together = embedder.embed_passages(texts)
    alone = np.concatenate([embedder.embed_passages([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))
    assert embedder.embed_passages([]).shape == (0, 48)


def test_opens_without_torch(tiny: Path) -> None:
    """The encoder of the default installation starts fast: neither torch nor transformers is imported."""
    code = (
        "import sys; from pathlib import Path; from ragsvc.embedding import open_embedder;"
        f"print(open_embedder(Path({str(tiny)!r})).embed_queries(['合同'])[0].shape);"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[:2] == ["(48,)", "[]"]


def test_windows_join_to_the_text(tiny: Path) -> None:
    """A long text is cut at sentence ends into pieces of at most window_chars; a short one stays whole."""
    embedder = StaticEmbedder(tiny, window_chars=50)
    text = "本法自公布之日起施行。The fee is 3.5 %. It was paid! " * 10
    pieces = embedder.windows(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= 50 for piece in pieces)
    assert not any(piece.endswith("3.") for piece in pieces)
    assert embedder.windows("合同。成立。") == ["合同。成立。"]
    assert embedder.windows("无" * 120) == ["无" * 30] * 4


def test_the_id_is_name_and_hash(tiny: Path) -> None:
    """Two readings of one directory have one id; a changed table has another."""
    first = StaticEmbedder(tiny).embedder_id
    assert first == StaticEmbedder(tiny).embedder_id
    assert first.startswith("tiny-static-")
    weights = tiny / "model.safetensors"
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert StaticEmbedder(tiny).embedder_id != first
    finally:
        weights.write_bytes(whole)


def test_says_what_it_was_trained_on(tiny: Path) -> None:
    """The names in training.json beside the weights; none without the file; a broken file is named."""
    record = tiny / "training.json"
    assert StaticEmbedder(tiny).trained_on == ()
    try:
        record.write_text(json.dumps({"data": [{"name": "stard", "rows": 3}, {"name": "toyhom"}]}), "utf-8")
        assert StaticEmbedder(tiny).trained_on == ("stard", "toyhom")
        record.write_text('{"data": 3}', "utf-8")
        with pytest.raises(InvalidInput, match=r"training\.json was read for the data"):
            StaticEmbedder(tiny)
    finally:
        record.unlink()


def test_what_is_no_static_encoder_is_refused(tiny: Path, tmp_path: Path) -> None:
    """An empty directory, a damaged table and a table of another tokenizer are named with what is wrong."""
    import shutil

    assert not is_static_directory(tmp_path)
    with pytest.raises(NotFound, match="is not a model directory"):
        open_embedder(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / "model.safetensors").write_bytes(b"\x00" * 16)
    with pytest.raises(InvalidInput, match="cannot be read as a static encoder"):
        open_embedder(copy)
    from safetensors.numpy import save_file

    save_file({"embedding.weight": np.zeros((3, 4), np.float16)}, copy / "model.safetensors")
    with pytest.raises(InvalidInput, match="they do not belong together"):
        open_embedder(copy)
    save_file({"other": np.zeros((3, 4), np.float16)}, copy / "model.safetensors")
    with pytest.raises(InvalidInput, match="holds no tensor"):
        open_embedder(copy)


def test_each_window_begins_with_its_context(tiny: Path) -> None:
    """A piece from the middle still says which law it is of; a context too long for that stands on top only."""
    embedder = StaticEmbedder(tiny, window_chars=50)
    text = "本法自公布之日起施行。" * 12
    pieces = embedder.windows(text, "民法典 合同编")
    assert len(pieces) > 2
    assert all(piece.startswith("民法典 合同编\n") and len(piece) <= 50 for piece in pieces)
    assert "".join(piece.removeprefix("民法典 合同编\n") for piece in pieces) == text
    assert "".join(embedder.windows(text, "编" * 30)) == "编" * 30 + "\n" + text
    assert embedder.windows("成立。", "民法典") == ["民法典\n成立。"]
