"""The votes' mirror as the app starts it: a process killed before it could push, and one on an empty disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.running_app import ROOT
from tests.support.hub import TOKEN, Hub, running_hub

REPO = "clinic/votes"
MIRROR = """
import sys, time
from medilite.arena.mirror.journal import count_pending
from medilite.arena.mirror.mirror import start_mirror
from medilite.arena.records import Ballot
from medilite.arena.store import Store
from medilite.arena.votes import Votes
from medilite.settings import load_settings
from tests.arena.made import MANY, NOW, no_marks, pair

settings = load_settings()
store = Store(settings.votes_database)
if "vote" in sys.argv:
    store.cast(store.add_pair(pair()), "voter", Ballot("left"), NOW + 60, MANY, no_marks)
mirror = start_mirror(settings, Votes(settings.votes_database))
print("acknowledged", flush=True)
while mirror.state.restored_at is None or count_pending(store):
    time.sleep(0.1)
print([vote.ballot.choice for vote in store.votes()], store.secret.hex(), flush=True)
assert mirror.close()
"""


def start(hub: Hub, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {
        **os.environ, "MEDILITE_DATA_DIR": str(folder), "MEDILITE_MIRROR": REPO, "HF_TOKEN": TOKEN,
        "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "MEDILITE_VOTER_SECRET": "of this test's own making",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", MIRROR, *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_vote_outlives_a_kill_before_the_push_and_then_the_disk(tmp_path):
    with running_hub() as hub:
        hub.refuses = 503
        killed = start(hub, tmp_path / "disk", "vote")
        assert killed.stdout is not None
        assert killed.stdout.readline() == "acknowledged\n"
        killed.kill()
        killed.communicate()
        assert hub.lines(REPO) == []
        hub.refuses = None
        said = []
        for disk in ("disk", "another disk"):
            process = start(hub, tmp_path / disk)
            said.append(process.communicate()[0])
            assert process.returncode == 0
        assert said[0] == said[1], "the vote is there, and its voter is known"
        assert said[0].splitlines()[1].startswith("['left'] ")
        assert [line["event"] for line in hub.lines(REPO)].count("vote") == 1
