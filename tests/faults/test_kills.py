"""kill -9 and SIGTERM while many vote and many are being answered."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from medilite.draining import ENDED, REFUSED
from tests.faults.conftest import check_votes
from tests.faults.people import Asking, Crowd, until
from tests.support.model_servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WRITERS = 4


def test_kill_9_then_sigterm_under_load(start, tmp_path: Path) -> None:
    database, port = tmp_path / "data" / "votes.db", free_port()
    app = start(tmp_path, port)
    crowd = Crowd(app.url, people=4).start()
    writers = [Asking(app.url, ("compare", "chat")[n % 2], tokens=500) for n in range(WRITERS)]
    until(lambda: all("writing" in one.text.lower() for one in writers))
    crowd.more(5)
    app.send(signal.SIGKILL)
    assert app.end() == -signal.SIGKILL
    for one in writers:
        assert not one.over().whole
    acknowledged = crowd.votes
    check_votes(database, crowd)

    # The same pages go on with the next process: who voted into the kill presses again.
    app = start(tmp_path, port, MEDILITE_GRACE_S="1")
    crowd.more(5)
    writers = [Asking(app.url, ("compare", "chat")[n % 2], tokens=500) for n in range(WRITERS)]
    until(lambda: all("writing" in one.text.lower() for one in writers))
    app.send(signal.SIGTERM)
    late = Asking(app.url)
    for one in writers:
        assert one.over().whole, (one.failed, one.text[-500:])
        assert ENDED in one.text
    # Turned away with a word, or the door was closed already.
    assert REFUSED in late.over().text or late.failed
    assert app.end() == 0, app.said()
    assert "Traceback" not in app.said(), app.said()
    crowd.leave()
    assert crowd.votes > acknowledged
    check_votes(database, crowd)
