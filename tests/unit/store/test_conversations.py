"""Conversations at rest: whose they are, in what order, and that what is deleted is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ragsvc.errors import NotFound
from ragsvc.records import Answer, Usage
from ragsvc.store.conversations import SECONDS_PER_DAY, Conversations
from ragsvc.store.database import Database
from ragsvc.store.receipts import Receipts
from ragsvc.store.schema import conversations

ANSWER = Answer(
    answer_id="a1",
    answer="应当退还押金[1]。",
    citations=(),
    passages=(),
    abstained=False,
    reason=None,
    disclaimer="",
    model="extractive",
    strategy="extractive",
    index_generation="g1",
    timings_ms={},
    usage=Usage(),
)


@pytest.fixture
def stored(database: Database) -> Conversations:
    return Conversations(database, 30)


def asked(stored: Conversations, question: str, key_id: str = "k1") -> str:
    conversation_id = stored.create(key_id).conversation_id
    stored.add_question(conversation_id, key_id, question)
    return conversation_id


def test_a_turn_is_unanswered_until_its_answer_is_whole(stored: Conversations) -> None:
    """The question is there at once; the answer comes in one piece, without the passages and what a model thought."""
    conversation_id = stored.create("k1").conversation_id
    number = stored.add_question(conversation_id, "k1", "押金退吗")
    assert [(turn.number, turn.question, turn.answer) for turn in stored.turns(conversation_id)] == [
        (1, "押金退吗", None)
    ]
    stored.add_answer(conversation_id, number, replace(ANSWER, reasoning="嗯"))
    assert stored.turns(conversation_id)[0].answer == ANSWER


def test_another_key_sees_nothing_and_is_told_what_an_unknown_id_tells(stored: Conversations) -> None:
    """Reading, asking and deleting fail with one message, whether the conversation is another's or does not exist."""
    conversation_id = asked(stored, "押金退吗")
    messages = set()
    for name in (conversation_id, "0" * 32):
        for call in (stored.find, stored.delete, lambda c, k: stored.add_question(c, k, "?")):
            with pytest.raises(NotFound) as refused:
                call(name, "k2")
            messages.add(str(refused.value).replace(name, "ID"))
    assert len(messages) == 1
    assert stored.list("k2") == []
    assert [c.first_question for c in stored.list("k1")] == ["押金退吗"]
    assert stored.list(None)[0].n_turns == 1


def test_ids_cannot_be_guessed(stored: Conversations) -> None:
    """128 random bits each."""
    ids = {stored.create("k1").conversation_id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(bytes.fromhex(one)) == 16 for one in ids)


def test_questions_that_come_at_once_are_all_kept_in_order(database: Database, stored: Conversations) -> None:
    """Twelve threads over connections of their own: twelve numbers without a gap, each question once."""
    conversation_id = stored.create("k1").conversation_id
    numbers: dict[str, int] = {}

    def ask(question: str) -> None:
        number = Conversations(database, 30).add_question(conversation_id, "k1", question)
        stored.add_answer(conversation_id, number, replace(ANSWER, answer_id=question))
        numbers[question] = number

    threads = [threading.Thread(target=ask, args=(f"问题{n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns = stored.turns(conversation_id)
    assert [turn.number for turn in turns] == list(range(1, 13))
    assert {turn.question: turn.number for turn in turns} == numbers
    assert all(turn.answer and turn.answer.answer_id == turn.question for turn in turns)
    assert [turn.number for turn in stored.turns(conversation_id, before=9, last=3)] == [6, 7, 8]


KILLED = """
import os, sys
from pathlib import Path
from ragsvc.store.conversations import Conversations
from ragsvc.store.database import Database

stored = Conversations(Database(Path(sys.argv[1])), 30)
stored.add_question(sys.argv[2], "k1", "被杀死的问题")
os.kill(os.getpid(), 9)
"""


def test_a_question_outlives_the_process_that_was_answering_it(database: Database, stored: Conversations) -> None:
    """Killed in the middle: the question is kept, unanswered, and the next one goes on from it."""
    conversation_id = stored.create("k1").conversation_id
    ended = subprocess.run([sys.executable, "-c", KILLED, str(database.path), conversation_id], timeout=60)
    assert ended.returncode == -9
    (turn,) = stored.turns(conversation_id)
    assert (turn.question, turn.answer) == ("被杀死的问题", None)
    assert stored.add_question(conversation_id, "k1", "还在吗") == 2


@pytest.mark.parametrize("secret", ["unmistakable words", "unmistakable words " * 4_000])
def test_what_is_deleted_is_not_in_the_files_any_more(database: Database, stored: Conversations, secret: str) -> None:
    """Neither in free pages of the database nor in the log beside it, be it a line or many pages; its receipt, too."""
    conversation_id = asked(stored, secret)
    answer = replace(ANSWER, answer=f"I repeat {secret}")
    stored.add_answer(conversation_id, 1, answer)
    Receipts(database).keep(answer, collections=["law"], question=secret)
    other = asked(stored, "stays")
    assert b"unmistakable words" in _bytes(database.path)

    stored.delete(conversation_id, "k1")
    assert b"unmistakable words" not in _bytes(database.path)
    with pytest.raises(NotFound):
        stored.find(conversation_id, "k1")
    with pytest.raises(NotFound):
        Receipts(database).get("a1")
    assert stored.find(other, "k1").n_turns == 1
    assert database.check() == []


def _bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def test_an_answer_to_a_conversation_that_was_deleted_meanwhile_is_dropped(stored: Conversations) -> None:
    """Nothing comes back."""
    conversation_id = asked(stored, "押金退吗")
    stored.delete(conversation_id, "k1")
    stored.add_answer(conversation_id, 1, ANSWER)
    assert stored.list(None) == []
    assert stored.turns(conversation_id) == []


def test_conversations_end_with_their_days(database: Database, stored: Conversations) -> None:
    """Over time it is not there for anyone, even before the sweep has deleted it; a new question keeps one alive."""
    old, kept = asked(stored, "旧的"), asked(stored, "新的")
    with database.write() as connection:
        connection.execute(conversations.update().values(updated_at=conversations.c.updated_at - 31 * SECONDS_PER_DAY))
        connection.execute(
            conversations.update().where(conversations.c.conversation_id == kept).values(updated_at=sa.func.unixepoch())
        )
    with pytest.raises(NotFound):
        stored.find(old, "k1")
    assert [c.conversation_id for c in stored.list(None)] == [kept]
    assert stored.sweep() == 1
    assert stored.sweep() == 0
    assert "旧的".encode() not in _bytes(database.path)


def test_a_question_that_could_not_be_asked_is_forgotten_unless_it_was_answered(stored: Conversations) -> None:
    """Only an unanswered turn can be dropped."""
    conversation_id = asked(stored, "一")
    stored.add_answer(conversation_id, 1, ANSWER)
    number = stored.add_question(conversation_id, "k1", "二")
    stored.drop_question(conversation_id, 1)
    stored.drop_question(conversation_id, number)
    assert [turn.question for turn in stored.turns(conversation_id)] == ["一"]
