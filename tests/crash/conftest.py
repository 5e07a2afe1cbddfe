"""Homes to break."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.crash.homes import CYCLES, LEASE_2018, LEASE_2024, PRIVACY, Home, made_law


@pytest.fixture
def open_home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """``open_home()`` opens ``tmp_path/home``; every one that was opened is closed."""
    opened: list[Home] = []

    def open_(path: Path = tmp_path / "home", **parts: object) -> Home:
        opened.append(Home(path, **parts))  # type: ignore[arg-type]
        return opened[-1]

    yield open_
    for home in opened:
        home.close()


@pytest.fixture(scope="session")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of three generations; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("first")
    fishing = folder / "休渔规定.txt"
    articles = "渔船在休渔期内应当停泊在渔港。", "本规定由渔政部门解释。"
    fishing.write_text(made_law("青禾市休渔规定", date(2019, 4, 1), *articles))
    home = Home(folder / "home")
    for paths in ([LEASE_2018], [PRIVACY], [fishing]):
        home.ingest(*paths)
    home.close()
    return folder / "home"


@pytest.fixture(scope="session")
def second_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is ingested next: a newer version of a law, new laws, and one that changes what is known of its work."""
    folder = tmp_path_factory.mktemp("second")
    for path in (LEASE_2024, CYCLES):
        shutil.copy(path, folder)
    texts = {
        "排放办法": made_law(
            "青禾市温室气体排放报告办法",
            date(2023, 5, 1),
            "重点排放单位应当每年提交温室气体排放报告。",
            "报告应当真实、准确、完整。",
            "迟报的，责令改正。",
        ),
        "休渔规定": made_law(
            "青禾市休渔规定",
            date(2022, 4, 1),
            "渔船在休渔期内应当停泊在渔港，并关闭网具舱。",
            "本规定由渔政部门解释。",
        ),
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder
