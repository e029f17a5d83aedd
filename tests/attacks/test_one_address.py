"""One address with as many made-up sessions as it likes stops nobody elsewhere, and erases nothing of theirs."""

from __future__ import annotations

import threading
import time

import pytest

from tests.attacks.joins import COUNTS, SOON_S, join_all


@pytest.mark.parametrize("count", COUNTS)
def test_a_visitor_elsewhere_is_answered_and_keeps_their_chat(attacked, at, count):
    mine = at(f"198.51.100.{count // 10}")
    assert "Remember" in str(mine.ask("Remember the word kingfisher.", "chat"))
    statuses: list[int] = []
    attack = threading.Thread(
        target=lambda: statuses.extend(join_all(attacked.url, attacked.config, f"203.0.113.{count // 10}", count))
    )
    attack.start()
    time.sleep(1)
    began = time.monotonic()
    other = at("192.0.2.7").ask("What is gout?")
    waited = time.monotonic() - began
    attack.join()
    assert "gout" in str(other)
    assert waited < SOON_S, f"answered after {waited:.1f} s"
    assert "kingfisher" in str(mine.ask("And now?", "chat")), "the conversation is still there"
    if count > 200:
        assert statuses.count(429) > 0


def test_light_events_of_made_up_sessions_erase_nobody(attacked, at):
    """2,010 light events with new names: a chat that was open elsewhere was gone."""
    mine = at("198.51.100.250")
    mine.ask("Remember the word heron.", "chat")
    made_up = at("203.0.113.250")
    event = made_up.named("next")
    statuses = []
    for number in range(300):
        body = {**made_up.body(event, made_up.values(event, call={"voter": None})), "session_hash": f"light{number}"}
        statuses.append(made_up.run(body).status_code)
    assert statuses.count(429) > 100, "a few made-up sessions are let in, and no more"
    assert "heron" in str(mine.ask("And now?", "chat"))
