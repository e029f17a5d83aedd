"""The judge against a real model behind a real server: transformers' own, with the 135M base."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.judge import main
from eval.judging.store import read_judgments
from tests.eval.judge_runs import SmallRun

pytestmark = pytest.mark.model

READY_S = 240


@pytest.fixture
def model_server(weights: Path, tmp_path: Path) -> Iterator[str]:
    """The address of `transformers serve` with the base."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [str(Path(sys.executable).with_name("transformers")), "serve", str(weights)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    log = tmp_path / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen([*serve, *options], stdout=out, stderr=out, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(READY_S * 5):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


def test_a_real_judge(model_server, weights, tmp_path, capsys):
    """The base is too small to judge anything; what it says is kept, asked for once more, and null all the same."""
    small = SmallRun(tmp_path, questions=1, models=("base",))
    command = small.command(model_server, "--yes", "--model", str(weights), "--max-new-tokens", "6", "--timeout", "300")
    assert main(command) == 0
    (one,) = read_judgments(small.judgments)
    assert one.attempt == 2 or one.scores
    assert one.raw.strip()
    assert one.prompt_tokens > 400
    assert 0 < one.completion_tokens <= 6
    written = small.judgments.read_bytes()
    assert main(command) == 0
    assert small.judgments.read_bytes() == written
    assert ("1 of 1" if one.scores else "0 of 1") in capsys.readouterr().out
