"""An older version's database opens, with every vote, and without what a guess could be tested by."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from medilite.arena.hiding import hidden
from medilite.arena.records import NO_SEED, OWN_QUESTION, PUBLIC_BANK, text_key
from tests.arena.made import candidate, pair
from tests.arena.old import old_database, texts_in


def own(question, *, kept=True):
    sides = [candidate(m, f"{m} on {question}" if kept else None, key=f"hmac:{m}") for m in ("base", "grpo")]
    sides = [dataclasses.replace(s, key=text_key(s.text)) if kept else s for s in sides]
    key = text_key(question) if kept else "hmac:question"
    return pair(*sides, kind="live", question_id=OWN_QUESTION, question=question if kept else None, question_key=key)


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_old_file_opens_and_keeps_what_a_vote_keeps(tmp_path, open_store, revision):
    path = tmp_path / "votes.db"
    ready = pair(question_key=text_key("What helps?"))
    kept, secret, undone, never = own("Kept?"), own("Secret?", kept=False), own("Taken back?"), own("Never voted?")
    old_database(path, revision, votes=[ready, kept, secret], undone=[undone], pairs=[never])
    assert {"Kept?", "Taken back?", "Never voted?"} <= texts_in(path), "as older versions did"
    votes = {vote.pair.id: vote for vote in open_store(path).votes()}
    assert votes[ready.id].pair == dataclasses.replace(ready, bank=PUBLIC_BANK)
    assert votes[kept.id].pair == kept
    for shown in (secret, undone):
        assert votes[shown.id].pair == hidden(shown)
        assert votes[shown.id].pair.left.seed == NO_SEED
    assert texts_in(path) == {
        "What helps?",
        "base says this.",
        "grpo says this.",
        "Kept?",
        "base on Kept?",
        "grpo on Kept?",
    }


def test_votes_and_pairs_of_before_follow_ups_are_of_one_turn(tmp_path, open_store):
    path, kept = tmp_path / "votes.db", own("Kept?")
    old_database(path, "0003", votes=[kept], pairs=[own("Open?")])
    store = open_store(path)
    assert [vote.pair for vote in store.votes()] == [kept]
    with store.database.read() as connection:
        assert (
            connection.exec_driver_sql("SELECT turns, asked FROM pairs UNION ALL SELECT turns, asked FROM votes").all()
            == [(1, 1)] * 2
        )


def test_two_databases_are_brought_up_to_date_at_once(tmp_path, open_store):
    """A retention thread may open one while another is made: Alembic's globals are one for all."""
    for number in range(8):
        old_database(tmp_path / f"{number}.db", "0001", votes=[pair()])
    stores = [open_store(tmp_path / f"{number}.db") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert [len(votes) for votes in threads.map(lambda store: list(store.votes()), stores)] == [1] * 8
