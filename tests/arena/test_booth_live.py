"""The booth: live pairs on a visitor's own question, and a database that fails."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from medilite.arena.booth import NoPair, Shown
from medilite.arena.export import preference_pairs, public_records, vote_record
from medilite.arena.mask import MASK
from medilite.arena.schema import metadata
from medilite.arena.votes import Votes
from medilite.errors import EngineError, StoreError, TokenError
from tests.arena.booths import OWN_QUESTION, WHOLE, drawn, follow, live, pairs_of, row, votes_of
from tests.support.banks import write_bank


def test_a_live_pair_asks_two_models_with_the_same_seed(booth, clock):
    run = live(booth, clock)
    left, right = run.requests()
    assert left.model != right.model
    assert (left.seed, left.decoding, left.messages) == (right.seed, right.decoding, right.messages)


def test_a_live_pair_is_voted_on_like_any_other(booth, clock):
    me = booth.welcome(None)
    run = live(booth, clock, *WHOLE, voter_id=me)
    shown = booth.finish_live(run)
    assert (shown.question, shown.left, shown.right) == (
        OWN_QUESTION, "Rest the knee. Then move it again.", "See a doctor soon, and rest until then.",
    )  # fmt: skip
    clock.wait(3)
    taken = booth.vote(shown.token, me, "right", run=run)
    vote = votes_of(booth)[0]
    assert (vote.pair.kind, vote.ballot.choice) == ("live", "right")
    assert vote.decide_s == 23, "one reads along: time counts from the first word, not from the wait before it"
    assert [c.model for c in (vote.pair.left.contestant, vote.pair.right.contestant)] == [
        request.model for request in run.requests()
    ]
    assert vote.pair.id == run.pair.id
    assert taken.texts == (OWN_QUESTION, shown.left, shown.right)
    assert booth.reveal(shown.token, me).texts is None, "private texts are with the visitor's page alone"


def everything_stored(booth):
    with booth.store.database.read() as connection:
        return " ".join(str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table)))


def test_no_text_is_kept_unless_the_visitor_agrees(booth, clock):
    for keep in (False, True):
        me = booth.welcome(None)
        run = live(booth, clock, *WHOLE, keep=keep, voter_id=me)
        shown = booth.finish_live(run)
        for told in (False, True):
            stored = everything_stored(booth)
            for text in ("left knee", "Rest the knee", "See a doctor"):
                assert (text in stored) is (keep and told), text
            booth.vote(shown.token, me, "left", run=run)


def test_what_finishing_gives_is_the_same_however_often(booth, clock):
    """Else a pair could be had again once its names are known, or counted as the same for ever."""
    me = booth.welcome(None)
    run = live(booth, clock, *WHOLE, voter_id=me)
    shown = booth.finish_live(run)
    booth.vote(shown.token, me, "left", run=run)
    booth.reveal(shown.token, me)
    assert booth.finish_live(run) == shown
    assert not booth.vote(shown.token, me, "right", run=run).fresh
    assert (len(pairs_of(booth)), len(votes_of(booth))) == (1, 1)
    alike = live(booth, clock, (row("Rest.", "end"), row("Rest.", "end")))
    assert [booth.finish_live(alike) for _ in range(3)] == [NoPair.SAME] * 3
    assert [(frozenset(two), count) for *two, count in booth.store.same_answers()] == [
        (frozenset(alike.contestants), 1)
    ]


def test_another_s_run_gives_a_vote_no_texts(booth, clock):
    me = booth.welcome(None)
    shown = booth.finish_live(live(booth, clock, *WHOLE, keep=True, voter_id=me))
    other = live(booth, clock, *WHOLE, keep=True)
    booth.finish_live(other)
    assert booth.vote(shown.token, me, "left", run=other).texts is None
    assert votes_of(booth)[0].pair.question is None


def test_live_answers_that_are_the_same_are_noted_and_not_offered(booth, clock):
    run = live(booth, clock, (row("Rest.", "end"), row("Rest.", "end")))
    assert booth.finish_live(run) is NoPair.SAME
    assert [(frozenset(two), count) for *two, count in booth.store.same_answers()] == [(frozenset(run.contestants), 1)]
    assert pairs_of(booth) == []


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((row("Rest.", "end"), row("", "error", "The adapter of grpo is broken.")), NoPair.FAILED),
        ((row("Rest.", "end"), row(" …", "end")), NoPair.WORDLESS),
    ],
)
def test_live_answers_that_cannot_be_compared_make_no_pair(booth, clock, rows, reason):
    assert booth.finish_live(live(booth, clock, rows)) is reason
    assert pairs_of(booth) == []


def test_answers_that_were_stopped_early_are_not_voted_on(booth, clock):
    run = live(booth, clock, WHOLE[0])
    assert not run.done
    run.cancel()
    assert booth.finish_live(run) is NoPair.STOPPED
    assert pairs_of(booth) == []


def test_live_names_are_masked_while_they_are_written(booth, clock):
    said = "I am SFT r16 high and I answer what people ask about their health every day. "
    run = live(booth, clock, (row(said), row("Rest.", "end")))
    assert run.shown()[0].startswith(f"I am {MASK} and ")
    assert run.shown()[0] != ""
    assert run.shown()[1] == "", "held back until both have ended"


@pytest.mark.parametrize("able", [{}, {"base": True}, {"base": True, "grpo": False, "no such model": True}])
def test_a_live_pair_needs_two_models(booth, able):
    with pytest.raises(EngineError, match="needs two"):
        booth.begin_live(booth.welcome(None), OWN_QUESTION, False, able)


# -- follow-ups ----------------------------------------------------------------------------

FURTHER = ((row("Two weeks.", "end"), row("Ask your doctor.", "end")),)
TURNS = ((OWN_QUESTION, "Rest the knee. Then move it again.", "See a doctor soon, and rest until then."),)


def said(request):
    return [(message.role, message.content) for message in request.messages][-3:]


@pytest.mark.parametrize("keep", [False, True])
def test_each_model_continues_its_own_conversation_and_one_vote_is_on_all_of_it(booth, clock, keep):
    me = booth.welcome(None)
    first = live(booth, clock, *WHOLE, keep=keep, voter_id=me)
    token = booth.finish_live(first).token
    run = follow(booth, clock, me, first, *FURTHER, keep=keep)
    left, right = run.requests()
    assert said(left) == [("user", OWN_QUESTION), ("assistant", TURNS[0][1]), ("user", "How long?")]
    assert said(right)[1] == ("assistant", TURNS[0][2])
    assert left.visitor == right.visitor == first.requests()[0].visitor != "", "so that prefixes are reused"
    shown = booth.finish_live(run)
    assert shown == Shown(token, "How long?", "Two weeks.", "Ask your doctor.", TURNS)
    clock.wait(60)
    taken = booth.vote(token, me, "left", run=run)
    assert (taken.texts, taken.earlier) == (("How long?", "Two weeks.", "Ask your doctor."), TURNS)
    assert booth.undo(token, me, run) == (shown, "live")
    booth.vote(token, me, "right", run=run)
    assert booth.reveal(token, me, run).earlier == TURNS
    (vote,) = votes_of(booth)
    assert (vote.pair.turns, vote.pair.asked, vote.ballot.choice) == (2, 2, "right")
    assert (vote.pair.left.contestant, vote.pair.right.contestant) == first.contestants
    record = vote_record(vote)
    assert (record["turns"], record["asked"]) == (2, 2)
    if keep:
        assert json.loads(record["question"]) == [OWN_QUESTION, "How long?"]
        assert json.loads(record["left_answer"]) == [TURNS[0][1], "Two weeks."]
        assert record["right_words"] == 11, "words of both answers"
    else:
        assert record["question"] is record["left_answer"] is record["left_seed"] is None
        assert not any(text in everything_stored(booth) for text in ("How long", "Two weeks", "Rest the knee"))
    assert list(preference_pairs([vote])) == [], "they have no prompt in common"
    assert next(public_records([vote]))["turns"] == 2


BROKEN_OFF = [
    ((row("Two weeks.", "end"), row("", "error", "The adapter of grpo is broken.")), NoPair.FAILED),
    ((row("Two weeks.", "end"), row(" …", "end")), NoPair.WORDLESS),
    ((row("Two weeks.", "end"), row("Ask")), NoPair.STOPPED),
]


@pytest.mark.parametrize(("rows", "reason"), BROKEN_OFF)
def test_after_a_follow_up_that_breaks_off_the_vote_is_on_the_turns_before(booth, clock, rows, reason):
    me = booth.welcome(None)
    first = live(booth, clock, *WHOLE, voter_id=me)
    token = booth.finish_live(first).token
    broken = follow(booth, clock, me, first, rows)
    broken.cancel()
    assert booth.finish_live(broken) is reason
    again = follow(booth, clock, me, first, *FURTHER)
    assert booth.finish_live(again).earlier == TURNS, "what broke off is not in the conversation"
    booth.vote(token, me, "left", run=again)
    (vote,) = votes_of(booth)
    assert (vote.pair.turns, vote.pair.asked) == (2, 3), "and the record says that something did"


def test_no_follow_up_to_a_pair_that_is_voted_on_expired_or_another_s(booth, clock):
    """Who knows the names could otherwise go on and vote again."""
    me = booth.welcome(None)
    first = live(booth, clock, *WHOLE, voter_id=me)
    token = booth.finish_live(first).token
    with pytest.raises(TokenError):
        follow(booth, clock, booth.welcome(None), first)
    with pytest.raises(EngineError, match="One of the two"):
        booth.follow_live(first, me, "How long?", False, {first.contestants[0].model: True})
    under_way = follow(booth, clock, me, first, *FURTHER)
    booth.vote(token, me, "left", run=first)
    with pytest.raises(TokenError, match="You have voted"):
        booth.finish_live(under_way)
    with pytest.raises(TokenError, match="You have voted"):
        follow(booth, clock, me, first)
    (vote,) = votes_of(booth)
    assert (vote.pair.turns, vote.pair.asked) == (1, 2), "the vote came while a follow-up was written"
    booth.undo(token, me, first)
    assert booth.finish_live(under_way).earlier == TURNS, "nothing was revealed"
    clock.wait(4000)
    with pytest.raises(TokenError, match="no longer"):
        follow(booth, clock, me, under_way)


def test_a_conversation_is_reopened_with_the_turns_that_the_page_has(booth, clock):
    me = booth.welcome(None)
    first = live(booth, clock, *WHOLE, keep=True, voter_id=me)
    token = booth.finish_live(first).token
    booth.finish_live(follow(booth, clock, me, first, *FURTHER, keep=True))
    last = ("How long?", "Two weeks.", "Ask your doctor.")
    shown, _, run = booth.reopen(token, me, last, TURNS)
    assert (shown, run.reopened, run.keep) == (Shown(token, *last, TURNS), True, False)
    assert said(run.requests()[1])[1] == ("assistant", TURNS[0][2])
    assert booth.reopen(token, me, last, TURNS * 2) is None, "more than were ever stored"
    # The follow-up's answers were stored, but its page lost the connection before they came.
    shown, _, run = booth.reopen(token, me, TURNS[0])
    assert shown == Shown(token, *TURNS[0])
    booth.finish_live(follow(booth, clock, me, run, *FURTHER, keep=True))
    booth.reopen(token, me, TURNS[0])
    booth.vote(token, me, "left")
    (vote,) = votes_of(booth)
    assert (vote.pair.turns, vote.pair.asked, vote.pair.question) == (1, 3, None)


@pytest.mark.parametrize("further", [False, True])
def test_texts_that_a_page_sends_back_are_never_measured(booth, clock, further):
    """A program could else give one model long words and its rival short ones, and choose by that."""
    me = booth.welcome(None)
    first = live(booth, clock, *WHOLE, voter_id=me)
    token = booth.finish_live(first).token
    if not further:
        booth.finish_live(follow(booth, clock, me, first, *FURTHER))
    measured = booth.store.find_pair(token, first.voter)
    assert None not in (measured.left.grade, measured.right.grade)
    _, _, run = booth.reopen(token, me, ("Why?", "Incomprehensibilities. " * 60, "No. " * 60))
    if further:
        booth.finish_live(follow(booth, clock, me, run, *FURTHER))
    booth.vote(token, me, "left", run=run)
    (vote,) = votes_of(booth)
    assert vote.pair.turns == (2 if further else 1)
    assert (vote.pair.left.grade, vote.pair.right.grade) == (None, None)
    assert [side.words for side in (vote.pair.left, vote.pair.right)] == [measured.left.words, measured.right.words]
    assert vote.pair.similarity == measured.similarity


# -- a database that fails -----------------------------------------------------------------


@pytest.fixture
def on_file(make_booth, lite, tmp_path):
    """A booth on a SQLite file that waits for nobody, and the file's path."""
    write_bank(tmp_path / "bank", lite)
    path = tmp_path / "file" / "votes.db"

    def start(**options):
        return make_booth(votes=Votes(path, 0.2), **options), path

    return start


def test_a_locked_database_loses_nothing(on_file, clock):
    booth, path = on_file()
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="nothing is counted twice"):
            booth.vote(shown.token, me, "left")
        with pytest.raises(StoreError):
            booth.draw(me)
        other.execute("ROLLBACK")
    other.close()
    assert booth.vote(shown.token, me, "left").fresh
    assert len(votes_of(booth)) == 1


def test_a_live_pair_can_be_stored_later(on_file, clock):
    booth, path = on_file()
    me = booth.welcome(None)

    def stored_later(run):
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError):
                booth.finish_live(run)
            other.execute("ROLLBACK")
        other.close()
        return booth.finish_live(run)

    first = live(booth, clock, *WHOLE, voter_id=me)
    assert stored_later(first).earlier == ()
    assert stored_later(follow(booth, clock, me, first, *FURTHER)).earlier == TURNS


def test_a_vanished_database_is_said_until_it_is_back(on_file, clock):
    booth, path = on_file()
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    booth.store.database.close()
    aside = path.with_suffix(".aside")
    for end in ("", "-wal", "-shm"):
        if Path(f"{path}{end}").exists():
            Path(f"{path}{end}").rename(f"{aside}{end}")
    with pytest.raises(StoreError):
        booth.vote(shown.token, me, "left")
    for end in ("", "-wal", "-shm"):
        if Path(f"{aside}{end}").exists():
            Path(f"{aside}{end}").rename(f"{path}{end}")
    assert booth.vote(shown.token, me, "left").fresh


def test_nothing_is_opened_before_a_visitor_comes(on_file):
    booth, path = on_file()
    assert not path.exists()
    booth.votes.close()
    booth.welcome(None)
    assert path.exists()
