"""Killed with -9 at random moments, `eval.judge` ends with exactly the judgments of an undisturbed run."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eval.judging.store import read_judgments
from tests.eval.judge_runs import SmallRun
from tests.eval.judges import judge_server, says, scores
from tests.support.thorough import usually

ROOT = Path(__file__).resolve().parents[2]
KILLS, WORKERS, QUESTIONS = usually(5, 20), 2, 32


def script(number, key, body):
    """Scores that hang on what is shown; about one reply in four can't be read, some not the second time either."""
    time.sleep(0.002)
    dice = int(hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest(), 16)
    return says("no") if dice % 4 == 0 else scores(correctness=1 + dice % 10, efficiency=1 + dice // 7 % 10)


def start(small: SmallRun, url: str) -> subprocess.Popen:
    command = small.command(url, "--yes", "--workers", str(WORKERS), "--consistency", "8")
    return subprocess.Popen(
        [sys.executable, "-m", "eval.judge", *command], cwd=ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL
    )


def outcome(small: SmallRun) -> dict:
    return {one.subject: (one.scores, one.raw, one.attempt, one.key) for one in read_judgments(small.judgments)}


def key_of(body) -> str:
    asked = json.dumps({"prompt": "scores-1", **body}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    undisturbed, killed = (SmallRun(tmp_path / name, QUESTIONS) for name in ("undisturbed", "killed"))
    with judge_server(script) as server:
        assert start(undisturbed, server.url).wait() == 0
        asks = len(server.asked)

    dice = random.Random()
    kills = 0
    reached, target = threading.Event(), [0]

    def watched(number, key, body):
        if number >= target[0]:
            reached.set()
        return script(number, key, body)

    with judge_server(watched) as server:
        while True:
            settled = {one.key for one in read_judgments(killed.judgments) if one.final}
            before = len(server.asked)
            # The moment: after some asks of this start, and a little later.
            target[0] = before + dice.randint(1, max(1, asks // KILLS)) if kills < KILLS else sys.maxsize
            reached.clear()
            process = start(killed, server.url)
            while process.poll() is None and not reached.wait(0.02):
                pass
            time.sleep(dice.uniform(0, 0.02))
            process.kill()
            code = process.wait()
            again = [body for _, body in server.asked[before:] if key_of(body) in settled]
            assert again == [], "what was settled is asked anew"
            if code == 0:
                break
            kills += 1
        assert kills == KILLS
        # All that a kill can cost is the replies that were on their way.
        assert len(server.asked) - asks <= KILLS * WORKERS
    assert outcome(killed) == outcome(undisturbed)
    assert None in [scores for scores, *_ in outcome(killed).values()]
