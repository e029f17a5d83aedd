"""Limits and headers as a visitor meets them, over HTTP, against servers of their own."""

from __future__ import annotations

import pytest

from tests.security.conftest import NO_LIMITS, serving
from tests.security.visitor import API, Visitor, raw, request

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security")]

FEW = {**NO_LIMITS, "MEDILITE_ANSWERS_PER_ADDRESS": "2/hour", "MEDILITE_PAIRS_PER_ADDRESS": "3/hour"}


def _asks(url: str, *forwarded: str) -> list[bool]:
    """Whether visitors with these X-Forwarded-For got an answer, one page each."""
    got = []
    for address in forwarded:
        here = Visitor(url, {"X-Forwarded-For": address})
        told = str(here.ask("What is asthma?", "chat"))
        assert ("ask again in 60 minutes" in told) != ("The answer is here." in told), told
        got.append("The answer is here." in told)
        here.close()
    return got


def _called(here: Visitor, forwarded: str) -> str:
    """What a program with this X-Forwarded-For hears."""
    arguments = {"question": "What is asthma?", "model": "base", "max_new_tokens": 16}
    joined = here.http.post(f"{API}/call/v2/ask", json=arguments, headers={"X-Forwarded-For": forwarded}).json()
    return here.http.get(f"{API}/call/ask/{joined['event_id']}").text


def test_by_default_nobody_can_say_that_they_come_from_elsewhere(tmp_path):
    with serving(tmp_path, **FEW) as server:
        assert _asks(server.url, "1.1.1.1") == [True]
        # One address is one, whether its answers go to pages or to programs.
        here = Visitor(server.url)
        assert "event: complete" in _called(here, "4.4.4.4")
        assert "ask again in 60 minutes" in _called(here, "5.5.5.5")
        assert _asks(server.url, "2.2.2.2", "3.3.3.3") == [False, False]
        event = here.event("vote-do-next")
        drawn = [here.run(here.body(event, here.values(event, call={"voter": None}))).json()["data"] for _ in range(5)]
        assert ["take the next pair in 60 minutes" in str(one) for one in drawn] == [False] * 3 + [True] * 2
        here.close()


def test_behind_a_trusted_proxy_every_visitor_counts_alone(tmp_path):
    with serving(tmp_path, **FEW, MEDILITE_TRUSTED_PROXIES="1") as server:
        # What a visitor writes into the header stands before what the proxy appends.
        forged = [f"9.9.9.{number}, 1.1.1.1" for number in range(3)]
        assert _asks(server.url, *forged, "2.2.2.2") == [True, True, False, True]
        assert not any("1.1.1.1" in line for line in server.log), "an address is in the log"


def test_every_kind_of_answer_has_the_headers(server):
    for path, status in (("/", 200), ("/config", 200), ("/static/img/../x", 404), (f"{API}/upload", 405)):
        answer = raw(server.url, request("GET", path))
        head = answer.head.lower()
        assert answer.status in (status, 403), answer.head
        assert "x-content-type-options: nosniff" in head
        assert "content-security-policy: " in head
        assert "referrer-policy: no-referrer" in head


def test_nothing_of_a_session_is_written_to_the_disk(server):
    here = Visitor(server.url, known=server.config)
    here.ask("What is asthma?", "chat")
    assert here.http.get(f"{API}/deep_link", params={"session_hash": here.session}).status_code == 403
    here.close()
    written = [path for path in server.folder.rglob("*") if path.is_file() and "asthma" in path.name + _text(path)]
    assert [path.name for path in written if path.parts[-2] != "bank"] == []


def _text(path) -> str:
    return "" if path.suffix == ".db" or path.name.endswith(("-wal", "-shm")) else path.read_text(errors="replace")
