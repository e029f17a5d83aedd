"""A Space's files in a fresh environment: six answers and a vote, a restart with an empty disk, and the vote again."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.running_app import ROOT, RunningApp, running_app
from scripts.space import assemble, command, fingerprint, remove, surroundings
from tests.browser.pages import Visit
from tests.conftest import do_without
from tests.support.hub import TOKEN, Hub, running_hub
from tests.support.thorough import thorough

REPO = "clinic/votes"
WAIT_S = 900.0
"""Enough for a machine that does much else."""

WRITTEN = """() => [...document.querySelectorAll("#vote-live-pair .ml-answer .ml-text")]
  .every((e) => e.textContent.split(/\\s+/).length > 12)
  || !document.querySelector("#vote-live-pair .vt-pair[data-state=writing]")"""
"""Whether there is enough to choose by; the rest of the answers is not waited for."""

QUESTIONS = ("What helps against hay fever?", "Why does my knee hurt?", "What is a stroke?")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A fresh environment from requirements.txt alone, as `make space` makes it; SPACE_ENV names one to use instead."""
    if ready := os.environ.get("SPACE_ENV"):
        return Path(ready)
    folder = tmp_path / "env"
    setup = ["sh", str(ROOT / "scripts" / "setup.sh"), "requirements.txt"]
    done = subprocess.run(setup, env={**os.environ, "VENV": str(folder)}, capture_output=True, text=True, check=False)
    if done.returncode:
        do_without(f"A fresh environment needs PyPI: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "space" / "code"
    assemble(folder)
    yield folder
    remove(folder)


@contextmanager
def running_space(code: Path, home: Path, environment: Path, hub: Hub) -> Iterator[RunningApp]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inside = surroundings(home, port)
    inside |= {"HF_TOKEN": TOKEN, "HF_ENDPOINT": hub.url, "MEDILITE_MIRROR": REPO, "HF_HUB_OFFLINE": "0"}
    # The weights are those that are here: getting and converting them has tests of its own.
    inside["MEDILITE_CACHE_DIR"] = os.environ.get("MEDILITE_CACHE_DIR") or str(Path.home() / ".cache" / "medilite")
    with running_app(command(str(environment / "bin" / "python")), code, inside) as app:
        assert app.url.rstrip("/").endswith(f":{port}")
        yield app
    # A page that is closed cancels what it waited for, which Gradio logs as an exception.
    traced = "".join(app.output).split("Traceback")[1:]
    assert [text for text in traced if "CancelledError" not in text] == []


def wait_for(true: Callable[[], object], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.5)


def vote_live(here: Visit) -> None:
    """Have two models answer, and choose; two that say the same word for word are asked something else."""
    page = here.page
    page.get_by_label("Live").check()
    for question in QUESTIONS:
        page.locator("#vote-question textarea").fill(question)
        page.click("#vote-ask")
        page.wait_for_selector("#vote-live-pair .vt-pair[data-state=writing]")
        page.wait_for_function(WRITTEN)
        page.keyboard.press("Escape")
        page.wait_for_selector("#vote-live-pair .vt-pair:not([data-state=writing])")
        if page.locator("#vote-live-pair .vt-pair").get_attribute("data-state") == "open":
            break
    page.locator("#vote-live-pair [data-choice=left]").click()
    here.wait_pair("voted", "vote-live-pair")


@thorough
@pytest.mark.slow
@pytest.mark.model
@pytest.mark.browser
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("weights")
def test_six_answers_a_vote_and_the_vote_after_a_restart(code, environment, tmp_path, browser, lite, monkeypatch):
    monkeypatch.setattr("tests.browser.pages.PATIENCE_MS", 1000 * WAIT_S)
    monkeypatch.setattr("bench.running_app.START_S", WAIT_S)
    before = fingerprint(code)
    with running_hub() as hub:
        with running_space(code, tmp_path / "home", environment, hub) as app:
            page = browser.new_page()
            page.set_default_timeout(1000 * WAIT_S)
            here = Visit(page, app.url).open().ready()
            here.set_tokens(8)
            here.ask("What is asthma?")
            here.wait_done()
            answers = here.answers()
            assert list(answers) == list(lite.ids)
            assert all(len(text.split()) > 2 for text in answers.values()), answers
            vote_live(here.vote_tab())
            wait_for(lambda: hub.lines(REPO), "the vote didn't come to the mirror")
            page.close()
        (vote,) = hub.lines(REPO)
        assert (vote["event"], vote["row"]["choice"]) == ("vote", "left")
        assert not any(question in str(vote) for question in QUESTIONS), "the visitor didn't agree to have it kept"
        # Another home: a Space that restarts begins with an empty disk.
        with running_space(code, tmp_path / "another home", environment, hub) as app:
            page = browser.new_page()
            page.set_default_timeout(1000 * WAIT_S)
            here = Visit(page, app.url).open()
            here.tab("Leaderboard")
            page.wait_for_selector("[data-votes='1']")
            page.wait_for_selector("text=The votes’ mirror holds every vote.")
            page.close()
        assert hub.lines(REPO) == [vote]
    assert fingerprint(code) == before
