"""Training dialogues: what is shown, what is dropped, and that prompts are those of serving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragsvc.errors import InvalidInput
from ragsvc.generation.literal_template import find_template
from ragsvc.records import Message
from ragsvc.training.sft_data import Dialogue, DialogueOptions, make_dialogues, read_dialogues, summary_path
from tests.doubles import make_passage
from tests.unit.strategies.runs import Calls, run_of

LAWS = {
    "a": ("中华人民共和国民法典第五百七十七条", "当事人一方不履行合同义务的，应当承担违约责任。"),
    "b": ("中华人民共和国民法典第五百八十五条", "约定的违约金低于造成的损失的，可以请求人民法院予以增加。"),
    "c": ("中华人民共和国民法典第一百八十八条", "向人民法院请求保护民事权利的诉讼时效期间为三年。"),
    "d": ("中华人民共和国民法典第一千零七十九条", "夫妻感情确已破裂，调解无效的，应当准予离婚。"),
    "e": ("中华人民共和国民法典第七百零七条", "租赁期限六个月以上的，应当采用书面形式。"),
}
QUESTIONS = {
    "plain": ("对方不履行合同怎么办？", "a", "可以要求对方承担违约责任。"),
    "cites": ("违约金太低能不能增加？", "b", "根据《民法典》第一百八十八条，诉讼时效期间为三年，请尽快起诉。"),
    "invents": ("夫妻感情破裂能离婚吗？", "d", "根据《民法典》第九千条，应当准予离婚。"),
    "number": ("诉讼时效是多久？", "c", "根据《民法典》第一百八十八条，诉讼时效期间为二年。"),
    "silent": ("租房要写合同吗？", "e", ""),
}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in LAWS.items()]
    asked = [
        {"_id": key, "text": text, "metadata": {"split": "train", "answer": answer}}
        for key, (text, _, answer) in QUESTIONS.items()
    ]
    for name, rows in (("corpus", corpus), ("queries", asked)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, "utf-8")
    judged = "".join(f"{key}\t{gold}\t1\n" for key, (_, gold, _) in QUESTIONS.items())
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, "utf-8")
    (folder / "README.md").write_text("Questions under the MIT licence.\n", "utf-8")
    return folder


async def test_dialogues_show_right_and_irrelevant_articles_and_wrong_citations_are_dropped(
    labelled: Path, tmp_path: Path
) -> None:
    """Cited articles are shown beside the labelled ones; an invented article or a wrong period drops the dialogue."""
    file = tmp_path / "out" / "train.jsonl"
    summary = make_dialogues(labelled, file, DialogueOptions(bare_rate=0))
    made = {dialogue.id: dialogue for dialogue in read_dialogues(file)}
    assert set(made) == {"plain", "cites"}
    assert summary.dropped == {"no such article": 1, "article does not say so": 1, "no reference answer": 1}
    assert summary.dropped_examples["article does not say so"] == ["number 二年"]
    right = {reference.text.partition("：")[0] for reference in made["cites"].references if reference.is_right}
    assert right == {"《中华人民共和国民法典》第五百八十五条", "《中华人民共和国民法典》第一百八十八条"}
    assert [len(dialogue.references) for dialogue in made.values()] == [3, 3]
    assert (summary.right, summary.irrelevant, summary.irrelevant_share) == (3, 3, 0.5)
    assert "MIT" in summary.licence
    assert json.loads(summary_path(file).read_text("utf-8"))["dialogues"] == 2
    for dialogue in made.values():
        await check_that_serving_sends_this(dialogue)


async def check_that_serving_sends_this(dialogue: Dialogue) -> None:
    """Run the strategy on passages like the references and compare what its model reads."""
    passages = []
    for number, reference in enumerate(dialogue.references):
        name, _, text = reference.text.partition("：")
        work, _, locator = name.removeprefix("《").partition("》")
        passages.append(make_passage(text, work=work, locator=locator, title=work, chunk_id=str(number)))
    model = Calls("好。", template="lawyer-llama")
    await run_of("lawyer_llama", model, passages, question=QUESTIONS[dialogue.id][0])
    assert tuple(model.calls[0]) == dialogue.messages
    assert find_template("lawyer-llama").render(model.calls[0]) == dialogue.prompt
    assert dialogue.prompt.endswith("\n### Assistant: ")


def test_rates_of_nought_and_one(labelled: Path, tmp_path: Path) -> None:
    """Rate 0 shows right articles alone; a bare dialogue has none, unless its answer names a law."""
    right_only = make_dialogues(labelled, tmp_path / "a.jsonl", DialogueOptions(irrelevant_rate=0, bare_rate=0))
    assert (right_only.irrelevant, right_only.right) == (0, 3)
    bare = make_dialogues(labelled, tmp_path / "b.jsonl", DialogueOptions(bare_rate=1))
    made = {dialogue.id: dialogue for dialogue in read_dialogues(tmp_path / "b.jsonl")}
    assert (bare.without_references, made["plain"].references) == (1, ())
    assert "参考法条" not in made["plain"].prompt
    assert made["cites"].references


def test_the_same_seed_gives_the_same_file_and_chat_messages_have_no_prompt(labelled: Path, tmp_path: Path) -> None:
    """Twice the same options: the same bytes. For other models: messages with the authors' sentence."""
    files = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    for file in files:
        make_dialogues(labelled, file, DialogueOptions(model=None, irrelevant_rate=0.5, seed=3))
    assert files[0].read_bytes() == files[1].read_bytes()
    first = read_dialogues(files[0])[0]
    assert (first.prompt, first.template) == ("", "")
    assert isinstance(first.messages[0], Message)
    assert "可能存在与咨询无关的法条" in first.messages[0].content


def test_what_cannot_be_done_is_said(labelled: Path, tmp_path: Path) -> None:
    """A split without questions, and a file that holds no dialogues."""
    with pytest.raises(InvalidInput, match="dev"):
        make_dialogues(labelled, tmp_path / "x.jsonl", DialogueOptions(split="dev"))
    with pytest.raises(InvalidInput, match="no file of dialogues"):
        read_dialogues(labelled / "corpus.jsonl")
