"""The disk is full under the whole app: its votes, its log, its temporary files and Gradio's are all on it."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import check_votes
from tests.faults.forks import Running
from tests.faults.people import Asking, Crowd, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SIZE = "16m"
SOON_S = 60.0

Fill = Callable[[Running, Path], Callable[[], None]]
"""Fills the disk that a folder is on, for an app; returns what frees it again."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of SIZE; skipped where this process may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip(f"No disk can be mounted here: {done.stderr.strip() if done else 'this is not root'}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(app: Running, folder: Path) -> Callable[[], None]:
    """Write until nothing more fits."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return ballast.unlink


def forbid(app: Running, folder: Path) -> Callable[[], None]:
    """Let no file of the app's grow: it gets an error for each write, as on a full disk."""
    app.limit_files(0)
    return lambda: app.limit_files(resource.RLIM_INFINITY)


def full(app: Running, folder: Path, act: Fill, downloads: set[int]) -> None:
    """Vote, fill the disk, see what still works, free it, vote again; `downloads` are the statuses that may come.

    404 is for votes that none can be shown of yet: they can still be taken back.
    """
    crowd = Crowd(app.url).start()
    crowd.more(3)
    errors = len(crowd.errors)
    free = act(app, folder)
    until(lambda: len(crowd.errors) > errors + 4)
    said = crowd.errors[errors:]
    assert any("the disk is full" in error for error in said), said[:3]
    # The log can't be written either, and the answers come all the same.
    asking = [Asking(app.url, tab) for tab in ("compare", "chat")]
    assert "All answers are here." in asking[0].over().text
    assert "The answer is here." in asking[1].over().text
    with httpx.Client(base_url=app.url, trust_env=False, timeout=SOON_S) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200
        for suffix in ("csv", "jsonl", "parquet"):
            votes = client.get(f"/votes/votes.{suffix}")
            assert votes.status_code in downloads, votes.text
            if votes.status_code == 503:
                assert str(folder) not in votes.text
                assert re.search("No space left|File too large|disk is full|No usable temporary", votes.text)
        free()
        crowd.more(3)
        until(lambda: client.get("/votes/votes.csv").status_code == 200)
    crowd.leave()
    assert "Both answers are here. Choose." in Asking(app.url, "vote").over().text
    check_votes(folder / "data" / "votes.db", crowd)
    os.kill(app.pid, 0)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_no_file_can_grow_any_more(start, tmp_path: Path) -> None:
    full(start(tmp_path), tmp_path, forbid, {404, 503})


def test_a_disk_that_is_full(start, small_disk: Path) -> None:
    app = start(small_disk)
    # Python takes another disk for temporary files, where there is one.
    full(app, small_disk, fill, {200, 404, 503})
    app.kill()
