"""Keys, feedback and the audit on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragsvc.observability.audit import AuditLog
from ragsvc.records import AskRequest
from ragsvc.security.api_keys import hash_key
from ragsvc.store.feedback import Said
from ragsvc.wiring import open_service
from tests.api.scripted_service import answer
from tests.cli.conftest import run


def test_a_key_is_made_limited_and_rotated(tmp_path: Path) -> None:
    """The new secret works, the old one as long as the grace; limits are shown by 'list'."""
    made = run("--home", tmp_path, "keys", "create", "portal", "--per-minute", "60", "--json").json
    run("--home", tmp_path, "keys", "set", made["key_id"], "--per-day", "500")
    rotated = run("--home", tmp_path, "keys", "rotate", made["key_id"], "--grace", "1h").stdout.strip()
    (listed,) = run("--home", tmp_path, "keys", "list", "--json").json["keys"]
    assert listed["limits"] == {"requests_per_minute": None, "questions_per_day": 500, "tokens_per_day": None}
    keys = open_service(tmp_path).keys
    assert keys.find(hash_key(made["key"])) == keys.find(hash_key(rotated)) is not None
    ended = run("--home", tmp_path, "keys", "rotate", made["key_id"], "--grace", "0s", "--json").json
    assert keys.find(hash_key(rotated)) is None
    assert keys.find(hash_key(ended["key"])) is not None


@pytest.mark.parametrize("grace", ["24", "h", "-1h", "one day", ""])
def test_a_grace_that_is_no_time_is_a_usage_error(tmp_path: Path, grace: str) -> None:
    """Exit 2, and the key keeps its secret."""
    made = run("--home", tmp_path, "keys", "create", "portal", "--json").json
    ended = run("--home", tmp_path, "keys", "rotate", made["key_id"], "--grace", grace)
    assert ended.code == 2
    assert "24h" in ended.stderr
    assert open_service(tmp_path).keys.find(hash_key(made["key"])) is not None


def test_feedback_and_declined_questions_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the receipt in JSON, as a table for people."""
    monkeypatch.setenv("RAGSVC_KEEP_QUESTIONS", "true")
    service = open_service(tmp_path)
    asked = AskRequest(question="违约金多少？", collections=("law",))
    service.feedback.remember(answer(), asked, key_id="", asker="")
    service.feedback.give(Said(answer_id="a1", rating="down", reason="outdated", comment="旧法"), asker="")
    (shown,) = run("--home", tmp_path, "feedback", "list", "--json").json["feedback"]
    assert (shown["rating"], shown["receipt"]["question"]) == ("down", "违约金多少？")
    assert run("--home", tmp_path, "feedback", "list", "--rating", "up", "--json").json == {"feedback": []}
    assert "outdated" in run("--home", tmp_path, "feedback", "list").stdout
    assert run("--home", tmp_path, "declined", "list", "--json").json == {"declined": []}


def test_the_audit_is_verified(tmp_path: Path) -> None:
    """0 and the last hash when it is whole, 1 and the line when it is not, 1 when there is none."""
    assert run("--home", tmp_path, "audit", "verify").code == 1
    log = AuditLog(tmp_path / "audit.jsonl")
    for _ in range(3):
        log.append(answer(), "k1")
    whole = run("--home", tmp_path, "audit", "verify")
    assert (whole.code, whole.stdout.strip()) == (0, log.verify().last_hash)
    assert run("--home", tmp_path, "audit", "verify", "--hash", whole.stdout.strip()).code == 0
    log.path.write_bytes(log.path.read_bytes().replace(b"k1", b"k2", 1))
    broken = run("--home", tmp_path, "audit", "verify", "--json")
    assert broken.code == 1
    assert broken.json["broken_line"] == 2
