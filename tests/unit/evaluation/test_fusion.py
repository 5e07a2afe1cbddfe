"""Learning how much keywords weigh against vectors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from ragsvc.embedding import shipped_embedders
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.fusion import FusionSet, fit_fusion, write_fusion
from ragsvc.evaluation.retrieval import RetrievalOptions
from ragsvc.retrieval.fusion import FusionModel

TOPICS = ["rent deposit", "annual leave", "food poisoning", "traffic fine", "school bus", "water meter", "tax return"]


def write_set(folder: Path, *, questions_share_words: bool) -> Path:
    """Seven documents in English; a question has the words of its document, or only of a wrong one."""
    folder.mkdir()
    texts = [{"_id": f"d{n}", "title": "", "text": f"Rules about the {topic}. " * 3} for n, topic in enumerate(TOPICS)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    wrong = 0 if questions_share_words else 1
    queries = [
        {"_id": f"q{n}", "text": f"what about my {TOPICS[(n + wrong) % len(TOPICS)]}", "metadata": {}}
        for n in range(len(TOPICS))
    ]
    (folder / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in queries))
    lines = ["query-id\tcorpus-id\tscore", *(f"q{n}\td{n}\t1" for n in range(len(TOPICS)))]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_the_model_is_written_as_it_is_read(tmp_path: Path) -> None:
    """fusion.toml holds every number and the command; reading it gives the model again."""
    import tomllib

    model = FusionModel(
        bias={"en-law": -0.5, "zh-law": 1.25}, cosine=-6.5, drop=2.0, embedder_id="x-1", fitted_on='evaluate fusion "a"'
    )
    write_fusion(model, tmp_path / "fusion.toml")
    assert msgspec.convert(tomllib.loads((tmp_path / "fusion.toml").read_text()), FusionModel) == model


def test_a_fit_is_not_worse_than_either_arm(tmp_path: Path) -> None:
    """On a set whose questions use their documents' words, hybrid keeps what the better arm finds."""
    folder = write_set(tmp_path / "words", questions_share_words=True)
    report = fit_fusion([FusionSet(folder=folder, domain="law")], RetrievalOptions())
    [found] = report.sets
    assert (found.name, found.group, found.n_queries) == ("words:law", "en-law", len(TOPICS))
    assert found.lexical == 1.0
    assert found.hybrid >= max(found.lexical, found.dense) - 1e-9
    assert report.model.embedder_id.startswith("ragsvc-static")
    assert fit_fusion([FusionSet(folder=folder, domain="law")], RetrievalOptions()) == report


def test_sets_of_one_group_share_their_bias(tmp_path: Path) -> None:
    """Two sets of one language and domain give one bias; each is also judged by a fit without it."""
    right = write_set(tmp_path / "right", questions_share_words=True)
    wrong = write_set(tmp_path / "wrong", questions_share_words=False)
    report = fit_fusion([FusionSet(folder=one, domain="law") for one in (right, wrong)], RetrievalOptions())
    assert list(report.model.bias) == ["en-law"]
    assert [found.name for found in report.sets] == ["right:law", "wrong:law"]
    assert report.sets[1].lexical < report.sets[0].lexical


def test_nothing_to_fit_on_is_said() -> None:
    """No set: what to name."""
    with pytest.raises(InvalidInput, match="FOLDER:DOMAIN"):
        fit_fusion([], RetrievalOptions())


def test_a_set_may_be_seen_by_an_encoder_that_never_trained_on_it(tmp_path: Path) -> None:
    """It counts as a set of its own beside the same folder; the model is of the encoder that was asked for."""
    folder = write_set(tmp_path / "words", questions_share_words=True)
    other = tmp_path / "without" / "words"
    shutil.copytree(shipped_embedders()["ragsvc-static-zh-en"], other)
    sets = [FusionSet(folder=folder, domain="law"), FusionSet(folder=folder, domain="law", encoder=other)]
    report = fit_fusion(sets, RetrievalOptions())
    assert {found.name for found in report.sets} == {"words:law", "words:law@without/words"}
    assert report.model.embedder_id == fit_fusion(sets[:1], RetrievalOptions()).model.embedder_id
    with pytest.raises(InvalidInput, match="without an encoder"):
        fit_fusion(sets[1:], RetrievalOptions())
