"""Fitting when to decline on a small set, and what is reported of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ragsvc import open_service
from ragsvc.errors import InvalidInput, NotFound
from ragsvc.evaluation.abstention import AbstentionReport, evaluate_abstention, language_of_set, write_abstention
from ragsvc.evaluation.abstention_report import write_abstention_report
from ragsvc.evaluation.retrieval import RetrievalOptions
from ragsvc.records import AskRequest
from ragsvc.retrieval.abstention import parse_abstention

ASKED = (
    "when is the {} paid",
    "what about the {}",
    "is there a rule on the {}",
    "tell me about the {}",
    "{} in my lease",
)
THINGS = {"deposit": "deposit", "entry": "entry of the landlord", "rent": "rent", "pets": "dogs and cats"}
"""Document of the set -> what is asked about."""
ELSEWHERE = ("boil", "fry", "bake", "grill", "roast", "steam", "pickle", "salt", "smoke", "braise")
DISHES = ("beef", "an egg")


@pytest.fixture
def answerable(write_set: Callable[..., Path]) -> Path:
    """Twenty questions on a lease, each with the paragraph that answers it."""
    asked = [
        (f"q{i}-{name}", form.format(thing), name) for i, form in enumerate(ASKED) for name, thing in THINGS.items()
    ]
    queries = [{"_id": query, "text": text, "metadata": {"split": "dev"}} for query, text, _ in asked]
    return write_set("lease", queries, {query: {name: 1} for query, _, name in asked})


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Twenty questions on cooking."""
    file = tmp_path / "cooking.jsonl"
    asked = [f"how long do I {verb} {dish} in the oven" for verb in ELSEWHERE for dish in DISHES]
    file.write_text("".join(json.dumps({"_id": f"o{i}", "text": text}) + "\n" for i, text in enumerate(asked)), "utf-8")
    return file


def test_a_set_is_fitted_by_one_half_and_measured_by_the_other(answerable: Path, outside: Path, tmp_path: Path) -> None:
    """The promise is over unseen questions, goes with the model, and the page has the curves and the errors."""
    found = evaluate_abstention(answerable, [outside], RetrievalOptions(), fitted_on="lease")
    assert (found.promise.n_answerable, found.promise.n_outside) == (10, 10)
    assert found.auroc > 0.8
    assert found.model.let_through_at_most == found.promise.let_through_at_most >= found.promise.let_through / 10
    assert len(found.let_through) == found.promise.let_through
    assert len(found.refused) == found.promise.refused
    assert found.over_a_set is not None
    page = tmp_path / "page.html"
    write_abstention_report(page, "evaluate abstention lease", found)
    text = page.read_text("utf-8")
    assert text.count("<svg") == 2
    assert "with 95% confidence" in text
    written = tmp_path / "abstention.toml"
    write_abstention("general", "en", found.model, written)
    assert parse_abstention(written.read_text("utf-8"))["en"] == found.model
    write_abstention("general", "zh", found.model, written)
    assert set(parse_abstention(written.read_text("utf-8"))) == {"zh", "en"}, "the other language stays"


async def test_a_collection_keeps_thresholds_of_its_own(answerable: Path, outside: Path, tmp_path: Path) -> None:
    """Fitted on the home's texts; kept with the collection they decide there, and go when they are taken back."""
    home, texts = tmp_path / "home", tmp_path / "lease.md"
    rows = [json.loads(line) for line in (answerable / "corpus.jsonl").read_text("utf-8").splitlines()]
    texts.write_text("\n\n".join(f"## {row['title']}\n\n{row['text']}" for row in rows), "utf-8")
    with closing(open_service(home)) as service:
        service.ingest([texts], "lease", domain="law")
    options = RetrievalOptions(home=home)
    found: AbstentionReport = evaluate_abstention(answerable, [outside], options, collection="lease")
    assert found.over_a_set is None
    assert found.model.log_size == 0.0, "one size tells nothing of sizes"
    file = tmp_path / "own.toml"
    write_abstention("general", language_of_set(answerable / "queries.jsonl"), found.model, file)
    never = file.read_text("utf-8").replace(f"threshold = {found.model.threshold}", "threshold = 1.1")
    question = AskRequest(question="How many days until the landlord returns the deposit?", collections=("lease",))
    with closing(open_service(home)) as service:
        service.set_collection("lease", abstention=never)
        assert (await service.ask(question)).abstained
        service.set_collection("lease", abstention=file.read_text("utf-8"))
        assert not (await service.ask(question)).abstained
        other = file.read_text("utf-8").replace(found.model.embedder_id, "another")
        with pytest.raises(InvalidInput, match="fitted for the encoder another"):
            service.set_collection("lease", abstention=other)
        service.set_collection("lease", abstention="")
        assert service.catalogue.find_collections(["lease"])[0].abstention == ""
    with pytest.raises(NotFound, match="'nothing'"):
        evaluate_abstention(answerable, [outside], options, collection="nothing")
