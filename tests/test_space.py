"""What is pushed to a Space is all that the app needs; that it runs there is tested in browser/test_space.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.running_app import ROOT
from scripts import space
from scripts.space import assemble, fingerprint, pushed, remove, surroundings
from tests.support.hub import TOKEN


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "space" / "code"
    assemble(folder)
    yield folder
    remove(folder)


def test_nothing_is_pushed_but_the_app_and_what_it_reads():
    files = {str(path) for path in pushed()}
    assert {"README.md", "app.py", "requirements.txt", "LICENSE"} <= files
    tops = {path.parts[0] for path in pushed() if len(path.parts) > 1}
    assert tops == {"medilite", "assets", "docs"}
    odd = [name for name in files if name.endswith((".pyc", ".db", ".md")) and name.count("/")]
    assert odd == ["docs/api.md"], "the app serves this one"


def test_everything_of_the_package_is_pushed():
    files = {str(path) for path in pushed()}
    for path in (ROOT / "medilite").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in files


def test_what_is_pushed_is_small_enough_to_be_pushed_without_large_files():
    assert max((ROOT / path).stat().st_size for path in pushed()) < 10_000_000


def test_the_code_is_read_only(code):
    assert not os.access(code / "app.py", os.W_OK) or os.geteuid() == 0
    assert oct((code / "app.py").stat().st_mode)[-3:] == "444"
    assert oct((code / "medilite").stat().st_mode)[-3:] == "555"


def test_ctrl_c_leaves_the_app_to_end_by_itself(monkeypatch, tmp_path):
    """It lets answers finish and pushes the last votes, which takes longer than a quarter of a second."""
    done = []

    class App:
        returncode = 0

        def __init__(self, *_: object, **__: object) -> None:
            pass

        def wait(self, *_: object, **__: object) -> int:
            done.append("wait")
            if len(done) < 3:
                raise KeyboardInterrupt
            return 0

        communicate = wait

        def kill(self) -> None:
            done.append("kill")

        def __enter__(self) -> App:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(space, "assemble", lambda *_: [])
    monkeypatch.setattr(space, "fingerprint", lambda *_: "")
    monkeypatch.setattr(subprocess, "Popen", App)
    assert space.main(["--out", str(tmp_path)]) == 0
    assert done == ["wait"] * 3


def test_only_settings_and_what_pip_needs_get_in(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDILITE_PROFILE", "paper")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    inside = surroundings(tmp_path, 7860)
    assert inside["MEDILITE_PROFILE"] == "paper"
    assert inside["HF_TOKEN"] == TOKEN
    assert "PYTHONPATH" not in inside
    assert inside["HOME"] == str(tmp_path)


def test_the_folder_holds_all_that_the_app_needs(code, tmp_path):
    """In the folder and from it alone: the page is built, with questions, style, boards and all adapters."""
    check = """
import pathlib, sys
import app
import medilite
from medilite.arena.contestants import contestants
from medilite.arena.store import Store
from medilite.engine import open_engine
from medilite.models import load_profile
from medilite.questions import load_questions
from medilite.settings import load_settings
from medilite.ui.page.app import build_ui
from medilite.ui.leaderboard.board.view import find_boards
from medilite.leaderboard import FOLDER
here = pathlib.Path.cwd()
assert pathlib.Path(medilite.__file__).is_relative_to(here), medilite.__file__
settings = load_settings()
profile = load_profile(settings.profile)
assert list(contestants(profile)) == list(profile.ids)
assert load_questions()
assert any(find_boards("lite", FOLDER))
load_profile("paper")
build_ui(open_engine(profile, settings), profile, settings)
assert list(Store(settings.votes_database).votes()) == []
assert not {"training", "eval", "tests", "scripts"} & {name.partition(".")[0] for name in sys.modules}
"""
    before = fingerprint(code)
    env = surroundings(tmp_path / "home", 7860)
    done = subprocess.run([sys.executable, "-c", check], cwd=code, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert fingerprint(code) == before
