"""examples/client.py against the app: once as a process of its own, else in this one."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest

from bench.running_app import ROOT

pytestmark = pytest.mark.xdist_group("api")

QUESTION = "What helps against hay fever?"


CLIENT = str(ROOT / "examples" / "client.py")


def told(url: str, *arguments: str) -> list[str]:
    """What the program is told."""
    return [QUESTION, "--url", url, "--max-new-tokens", "24", *arguments]


def test_it_compares_and_prints_scores(served):
    command = [sys.executable, CLIENT, *told(served, "--models", "base,grpo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "== Base\nAsthma is a condition" in done.stdout
    rows = [line for line in done.stdout.splitlines() if "Flesch–Kincaid" in line]
    assert [row.split()[0] for row in rows] == ["Base", "GRPO"]
    assert all("24 tokens, cut" in row for row in rows)
    assert "not medical advice" in done.stdout


def test_it_prints_one_answer_as_it_grows(served, capsys):
    assert runpy.run_path(CLIENT)["main"](told(served, "--model", "base")) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Asthma is a condition that makes it hard to breathe.")
    assert printed.count("Asthma is") == 1, "what was printed once is not printed again"
    assert "not medical advice" in printed


def test_what_can_t_be_asked_is_said(served, capsys):
    assert runpy.run_path(CLIENT)["main"](told(served, "--model", "gpro")) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Did you mean 'grpo'" in printed.err


def test_an_app_that_isn_t_there_is_said(capsys):
    assert runpy.run_path(CLIENT)["main"](told("http://127.0.0.1:9")) == 2
    assert "make app" in capsys.readouterr().err
