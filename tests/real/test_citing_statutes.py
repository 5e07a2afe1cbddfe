"""Support of claims on lawyers' answers: enough for the right article, hardly ever for another one."""

import gzip
import json
import random
from pathlib import Path

from ragsvc.citing.checking import AnswerChecker
from ragsvc.citing.claims import content
from ragsvc.citing.sentences import Sentence, split_sentences
from ragsvc.records import Passage
from tests.doubles import StoredTexts, make_passage


def is_supported(claim: str, passages: list[Passage]) -> bool:
    checker = AnswerChecker(passages, claim, "zh", StoredTexts(passages).read)
    marks = "".join(f"[{n}]" for n in range(1, len(passages) + 1))
    checker.check([Sentence(f"{claim.rstrip('。；')}{marks}。")])
    return bool(checker.citations)


def test_lawyers_sentences_are_supported_by_the_articles_they_rest_on(shared_data: Path) -> None:
    """Of what lawyers wrote, the named articles prove at least 55 %, an article drawn by lot at most 2 %."""
    folder = shared_data / "retrieval" / "stard"
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = {row["title"]: row["text"] for row in map(json.loads, lines)}
    chance = random.Random(0)
    titles = list(articles)
    right = wrong = n = 0
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()[:400]:
        metadata = json.loads(line)["metadata"]
        gold = [make_passage(articles[t], locator=t, work=t, title=t) for t in metadata["articles"] if t in articles]
        for start, end in split_sentences(metadata["answer"]):
            claim = metadata["answer"][start:end]
            if gold and len(content(claim)) >= 4:
                title = chance.choice(titles)
                n += 1
                right += is_supported(claim, gold)
                wrong += is_supported(claim, [make_passage(articles[title], locator=title, work=title, title=title)])
    assert n > 1000
    assert right / n >= 0.55, f"{right} of {n}"
    assert wrong / n <= 0.02, f"{wrong} of {n}"
