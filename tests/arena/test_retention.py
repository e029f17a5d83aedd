"""What is old goes, on SQLite and on PostgreSQL: pairs, votes, visitors' own questions, and texts with them."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from medilite.__main__ import main
from medilite.arena import retention
from medilite.arena.hiding import hidden, hidden_key
from medilite.arena.records import OWN_QUESTION, Ballot, text_key
from medilite.arena.retention import DAY_S, PAIRS_AFTER_EXPIRY_S, Deleted, Retention, delete_old, start_deleting
from medilite.arena.schema import answers, pairs, questions, sames
from medilite.arena.votes import Votes
from medilite.errors import SettingsError
from medilite.settings import load_settings
from tests.arena.made import MANY, NOW, candidate, no_marks, pair, texts_of

LATER = NOW + 10 * DAY_S
OWN = "May I take ibuprofen with my heart tablets?"


def own(**fields):
    """Return the pair of a visitor's own question, kept with their consent."""
    sides = [candidate(model, f"{model} on hearts.") for model in ("base", "grpo")]
    return pair(*sides, kind="live", question_id=OWN_QUESTION, question=OWN, question_key=text_key(OWN), **fields)


def at(when):
    return {"created_at": when, "expires_at": when + 3600}


def cast(store, shown):
    token = store.add_pair(shown)
    store.cast(token, "voter", Ballot("left"), shown.created_at + 60, MANY, no_marks, texts=texts_of(shown))
    return token


def texts(store):
    with store.database.read() as connection:
        return [set(connection.execute(sa.select(table.c.text)).scalars()) for table in (questions, answers)]


def test_only_long_expired_pairs_go_without_a_setting(store):
    cast(store, pair())
    store.add_pair(pair(question="Never voted on?", question_key="q2"))
    soon = NOW + 3600 + PAIRS_AFTER_EXPIRY_S - 1
    assert delete_old(store, Retention(), soon) == Deleted(0, 0, 0)
    assert delete_old(store, Retention(), soon + 2) == Deleted(2, 0, 0)
    (kept,) = store.votes()
    assert kept.pair.question == "What helps?"
    assert texts(store)[0] == {"What helps?"}, "a text goes with the last that it belongs to"


def test_an_old_vote_goes_with_its_pair_and_texts(store):
    cast(store, pair(question_key="old", question="An old question?"))
    store.add_same(pair())
    new = pair(left=candidate("base", "New words."), question_key="new", question="A new one?", **at(LATER))
    cast(store, new)
    assert delete_old(store, Retention(votes_s=11 * DAY_S), LATER).votes == 0
    assert delete_old(store, Retention(votes_s=5 * DAY_S), LATER).votes == 1
    assert [v.pair.question for v in store.votes()] == ["A new one?"]
    assert store.same_answers() == []
    assert texts(store) == [{"A new one?"}, {"New words.", "grpo says this."}]
    with store.database.read() as connection:
        assert connection.execute(sa.select(pairs.c.id)).scalars().all() == [new.id]


def test_a_visitor_s_question_goes_and_the_vote_on_it_stays(store):
    cast(store, own())
    cast(store, pair())
    assert delete_old(store, Retention(questions_s=5 * DAY_S), LATER) == Deleted(2, 0, 1)
    mine, project_s = sorted(store.votes(), key=lambda v: v.pair.kind)
    assert project_s.pair.question == "What helps?"
    assert (mine.pair.question, mine.pair.left.text, mine.pair.right.text) == (None, None, None)
    assert mine.ballot.choice == "left"
    # As if it had never been kept: nobody can test a guess.
    assert mine.pair == hidden(mine.pair)
    assert delete_old(store, Retention(questions_s=5 * DAY_S), LATER) == Deleted(0, 0, 0)


def test_a_question_whose_answers_were_the_same_leaves_no_key_to_test_a_guess_against(store):
    shown = own()
    for _ in range(2):
        store.add_same(shown)
    with store.database.read() as connection:
        (kept,) = connection.execute(sa.select(sames.c.question_key, sames.c.answer_key)).all()
    assert kept == (hidden_key(shown.id, "question"), hidden_key(shown.id, "left"))


def test_a_question_that_was_asked_again_stays_as_long_as_the_last_time(store):
    cast(store, own())
    cast(store, own(**at(LATER)))
    keep = Retention(questions_s=5 * DAY_S)
    assert delete_old(store, keep, LATER + DAY_S).questions == 0
    assert [v.pair.question for v in store.votes()] == [OWN, OWN]
    assert delete_old(store, keep, LATER + 6 * DAY_S).questions == 1
    assert all(v.pair == hidden(v.pair) for v in store.votes())


def test_an_answer_that_the_project_s_own_question_has_too_stays(store):
    cast(store, own())
    shared = pair(candidate("base", "base on hearts."), candidate("grpo", "Other words."))
    cast(store, shared)
    delete_old(store, Retention(questions_s=5 * DAY_S), LATER)
    mine, project_s = sorted(store.votes(), key=lambda v: v.pair.kind)
    assert project_s.pair.left.text == "base on hearts."
    assert mine.pair.left.text is None


@pytest.mark.parametrize("project_s_first", [True, False])
def test_a_visitor_s_question_that_the_project_asks_too_goes_with_the_visitor_s_vote_alone(store, project_s_first):
    mine, project_s = own(), pair(question=OWN, question_key=text_key(OWN))
    for shown in (project_s, mine) if project_s_first else (mine, project_s):
        cast(store, shown)
    # Asked by the project again since: that says nothing of the visitor's.
    cast(store, pair(question=OWN, question_key=text_key(OWN), **at(LATER)))
    delete_old(store, Retention(questions_s=5 * DAY_S), LATER)
    kept = {vote.pair.id: vote.pair for vote in store.votes()}
    assert (kept[mine.id].question, kept[mine.id].left.text) == (None, None)
    assert kept[mine.id] == hidden(kept[mine.id])
    assert kept[project_s.id] == project_s
    assert texts(store) == [{OWN}, {"base says this.", "grpo says this."}]


def test_settings_in_days(monkeypatch):
    assert Retention.of(load_settings()) == Retention()
    monkeypatch.setenv("MEDILITE_KEEP_VOTES_DAYS", "365")
    monkeypatch.setenv("MEDILITE_KEEP_QUESTIONS_DAYS", "30")
    assert Retention.of(load_settings()) == Retention(365 * DAY_S, 30 * DAY_S)
    monkeypatch.setenv("MEDILITE_KEEP_VOTES_DAYS", "0")
    with pytest.raises(SettingsError, match="MEDILITE_KEEP_VOTES_DAYS"):
        load_settings()


def test_the_command_deletes_what_the_settings_say(open_store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(tmp_path))
    store = open_store(tmp_path / "votes.db")
    cast(store, own())
    cast(store, own(**at(time.time())))
    assert main(["votes", "clean"]) == 0
    said = capsys.readouterr().out
    assert "1 expired pairs, 0 votes" in said
    assert "kept for ever" in said
    monkeypatch.setenv("MEDILITE_KEEP_VOTES_DAYS", "30")
    assert main(["votes", "clean"]) == 0
    assert "0 expired pairs, 1 votes, 0 visitors' questions" in capsys.readouterr().out
    assert len(list(store.votes())) == 1


def test_a_running_app_deletes_by_itself(open_store, tmp_path):
    store = open_store(tmp_path / "votes.db")
    cast(store, pair())
    stop = start_deleting(
        load_settings(data_dir=tmp_path, keep_votes_days=30),
        Votes(tmp_path / "votes.db"),
        first_after_s=0,
        every_s=0.05,
    )
    try:
        waited_until = time.monotonic() + 60
        while list(store.votes()):
            assert time.monotonic() < waited_until, "nothing was deleted"
            time.sleep(0.05)
    finally:
        stop()


def test_a_clock_that_leaps_deletes_nothing_at_that_look(open_store, tmp_path, caplog):
    store = open_store(tmp_path / "votes.db")
    cast(store, pair())
    (vote,) = store.votes()
    before = threading.enumerate()
    leapt = vote.voted_at + 3650 * DAY_S
    # The first reading is before the leap, and every other after it.
    times = iter([vote.voted_at + 60])
    stop = start_deleting(
        load_settings(data_dir=tmp_path, keep_votes_days=30),
        Votes(tmp_path / "votes.db"),
        first_after_s=0,
        every_s=3600,
        clock=lambda: next(times, leapt) + time.monotonic(),
    )
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "retention" and thread not in before)
    try:
        waited_until = time.monotonic() + 60
        while "has leapt" not in caplog.text:
            assert time.monotonic() < waited_until, "the leap was not noticed"
            time.sleep(0.05)
    finally:
        stop()
    thread.join()
    assert len(list(store.votes())) == 1


def test_no_database_is_made_to_delete_from(tmp_path, monkeypatch):
    looked, look = threading.Event(), retention._delete_once

    def looks(*given):
        look(*given)
        looked.set()

    monkeypatch.setattr(retention, "_delete_once", looks)
    stop = start_deleting(load_settings(), Votes(tmp_path / "none" / "votes.db"), first_after_s=0)
    assert looked.wait(60), "it never looked"
    stop()
    assert not (tmp_path / "none").exists()
