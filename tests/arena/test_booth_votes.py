"""The booth: votes, and taking them back, on the real store: what a visitor can do, and what nobody can."""

from __future__ import annotations

import dataclasses

import pytest

from medilite.arena import booth as booth_module
from medilite.arena.booth import OWN_TABLE_VOTES, PAIR_LIFETIME_S, Shown
from medilite.arena.marks import HASTY
from medilite.arena.store import Limits
from medilite.errors import BallotError, LimitError, StoreError, TokenError
from tests.arena.booths import READING_S, drawn, votes_of
from tests.support.banks import write_bank


def test_a_vote_is_stored_whole_and_its_outcome_says_what_belongs_to_it(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    outcome = booth.vote(shown.token, me, "left", ["safer", "unsafe"], ("long",))
    (vote,) = votes_of(booth)
    assert (vote.ballot.choice, vote.ballot.left_unsafe, vote.ballot.right_unsafe) == ("left", True, False)
    assert (vote.ballot.left_reasons, vote.ballot.right_reasons) == (("safer",), ("long",))
    assert (vote.decide_s, vote.counted) == (READING_S, True)
    assert outcome.fresh
    assert outcome.texts == (shown.question, shown.left, shown.right)
    assert outcome.given == 1
    told = booth.reveal(shown.token, me)
    assert told.vote.pair.id == vote.pair.id
    assert told.texts == outcome.texts
    assert told.others == {"left": 0, "right": 0, "equal": 0, "both_bad": 0}


def test_a_second_vote_changes_nothing_and_returns_the_first(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    booth.vote(shown.token, me, "left")
    again = booth.vote(shown.token, me, "right", ["unsafe"])
    assert (again.fresh, again.ballot.choice, again.given) == (False, "left", 1)
    assert len(votes_of(booth)) == 1


BAD_TOKENS = [None, "", 7, ["x"], {"a": 1}, "x" * 31, "x" * 32, "x" * 10_000_000, "\ud800" * 32, "é" * 32, "a\x00" * 16]


@pytest.mark.parametrize("token", BAD_TOKENS, ids=range(len(BAD_TOKENS)))
def test_a_token_that_was_not_given_out_counts_nothing(booth, token):
    me = booth.welcome(None)
    with pytest.raises(TokenError, match="othing was counted"):
        booth.vote(token, me, "left")
    with pytest.raises(TokenError):
        booth.undo(token, me)
    assert votes_of(booth) == []


@pytest.mark.parametrize("voter_id", [None, "", 3, "a.b", f"{'0' * 32}.{'0' * 32}", {"x": 1}])
def test_an_id_that_was_not_given_out_counts_nothing(booth, clock, voter_id):
    shown = drawn(booth, booth.welcome(None), clock)
    for act in (
        lambda: booth.vote(shown.token, voter_id, "left"),
        lambda: booth.draw(voter_id),
        lambda: booth.undo(shown.token, voter_id),
        lambda: booth.own(voter_id),
        lambda: booth.given(voter_id),
        lambda: booth.begin_live(voter_id, "Why?", False, {}),
    ):
        with pytest.raises(TokenError):
            act()
    assert votes_of(booth) == []


def test_another_s_token_is_worth_nothing(booth, clock):
    mine, yours = booth.welcome(None), booth.welcome(None)
    shown = drawn(booth, mine, clock)
    with pytest.raises(TokenError):
        booth.vote(shown.token, yours, "left")
    booth.vote(shown.token, mine, "right")
    with pytest.raises(TokenError):
        booth.undo(shown.token, yours)
    assert [vote.undone_at for vote in votes_of(booth)] == [None]


@pytest.mark.parametrize(
    ("choice", "left", "right"),
    [
        ("LEFT", (), ()),
        (None, (), ()),
        (["left"], (), ()),
        ("left'; DROP TABLE votes; --", (), ()),
        ("left", ["<b>easier</b>"], ()),
        ("left", (), ["easier" * 100_000]),
        ("left", "easier", ()),
        ("left", [["easier"]], ()),
        ("left", 3, ()),
    ],
)
def test_a_ballot_of_another_kind_counts_nothing_and_the_token_stays_good(booth, clock, choice, left, right):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    with pytest.raises(BallotError, match="nothing was counted") as said:
        booth.vote(shown.token, me, choice, left, right)
    assert len(str(said.value)) < 300
    assert votes_of(booth) == []
    assert booth.vote(shown.token, me, "left").fresh


def test_an_expired_pair_counts_nothing(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    clock.wait(PAIR_LIFETIME_S)
    with pytest.raises(TokenError, match="expired"):
        booth.vote(shown.token, me, "left")
    assert votes_of(booth) == []


def test_a_clock_that_was_set_back_costs_no_vote(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    clock.now -= 1e6
    booth.vote(shown.token, me, "left")
    assert votes_of(booth)[0].decide_s is None
    assert isinstance(booth.draw(me), Shown)


def test_limits_hold_and_the_token_stays_good(make_booth, lite, tmp_path, clock):
    write_bank(tmp_path / "bank", lite)
    booth = make_booth(limits=Limits(per_minute=2, per_day=100))
    me = booth.welcome(None)
    tokens = [booth.draw(me).token for _ in range(3)]
    for token in tokens[:2]:
        booth.vote(token, me, "left")
    with pytest.raises(LimitError, match="not counted yet"):
        booth.vote(tokens[2], me, "left")
    clock.wait(61)
    assert booth.vote(tokens[2], me, "left").fresh


def test_who_decides_without_reading_is_marked(booth, clock):
    me = booth.welcome(None)
    token = booth.draw(me).token
    clock.wait(0.4)
    booth.vote(token, me, "left")
    assert booth.reveal(token, me).vote.marks == (HASTY,)


def test_how_others_voted_follows_the_answers_sides(make_booth, lite, tmp_path, clock):
    same = {("lungs-01", m): "All alike." for m in list(lite.ids)[2:]} | {("lungs-01", "base"): "One."}
    same |= {("lungs-01", list(lite.ids)[1]): "One."}
    write_bank(tmp_path / "bank", lite, same, questions=1)
    booth = make_booth()
    chosen = {"One.": 0, "All alike.": 0}
    outcomes = []
    for i in range(9):
        me = booth.welcome(None)
        shown = drawn(booth, me, clock)
        side = "left" if (shown.left == "One.") == (i % 3 > 0) else "right"
        booth.vote(shown.token, me, side)
        outcome = booth.reveal(shown.token, me)
        told = {shown.left: outcome.others["left"], shown.right: outcome.others["right"]}
        assert told == chosen
        chosen[shown.left if side == "left" else shown.right] += 1
        outcomes.append(shown.left)
    assert len(set(outcomes)) == 2, "the sides have changed, the counts have not"


def test_a_vote_that_is_durable_is_no_failure_when_the_rest_cannot_be_read(booth, clock, monkeypatch):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)

    def broken(*_, **__):
        raise StoreError("The votes' database can't be used at the moment.")

    monkeypatch.setattr(type(booth.store), "choices_on", broken)
    monkeypatch.setattr(type(booth.store), "given_by", broken)
    taken = booth.vote(shown.token, me, "left")
    assert (taken.fresh, taken.given) == (True, None)
    assert booth.reveal(shown.token, me).others is None
    assert len(votes_of(booth)) == 1


# -- undo ---------------------------------------------------------------------------------


def test_undo_for_ten_seconds(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    booth.vote(shown.token, me, "left")
    clock.wait(10)
    assert booth.undo(shown.token, me) == (shown, "ready")
    assert [vote.counted for vote in votes_of(booth)] == [False]
    assert booth.given(me) == 0
    assert booth.undo(shown.token, me) is not None, "twice is as good as once"
    again = booth.vote(shown.token, me, "right")
    assert again.fresh, "no name was shown, so one may choose again"
    assert [vote.ballot.choice for vote in votes_of(booth)] == ["right"]


def test_names_come_when_nothing_can_be_taken_back(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    taken = booth.vote(shown.token, me, "left")
    told = {field.name for field in dataclasses.fields(taken)}
    assert told == {"ballot", "kind", "fresh", "texts", "given", "earlier", "kept"}
    booth.reveal(shown.token, me)
    assert booth.undo(shown.token, me) is None
    assert not booth.vote(shown.token, me, "right").fresh
    assert [vote.ballot.choice for vote in votes_of(booth)] == ["left"]


def test_one_s_own_table_gives_no_name_away_before_an_undo(booth, clock):
    me = booth.welcome(None)
    for _ in range(OWN_TABLE_VOTES):
        booth.vote(drawn(booth, me, clock).token, me, "left")
    clock.wait(20)
    before = booth.own(me)
    booth.vote(drawn(booth, me, clock).token, me, "left")
    assert booth.own(me) == before
    clock.wait(20)
    assert booth.own(me).votes == before.votes + 1


@pytest.mark.parametrize("passed", [13.0, -5.0])
def test_undo_is_over_after_that_and_with_a_clock_set_back(booth, clock, passed):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    booth.vote(shown.token, me, "left")
    clock.wait(passed)
    assert booth.undo(shown.token, me) is None
    assert [vote.counted for vote in votes_of(booth)] == [True]


def test_there_is_nothing_to_undo_before_a_vote(booth, clock):
    me = booth.welcome(None)
    with pytest.raises(TokenError, match="nothing to take back"):
        booth.undo(drawn(booth, me, clock).token, me)


def test_ratings_that_fail_keep_nobody_from_voting(booth, clock, monkeypatch):
    def broken(*_):
        raise RuntimeError("no convergence")

    monkeypatch.setattr(booth_module, "rate", broken)
    me = booth.welcome(None)
    assert booth.vote(drawn(booth, me, clock).token, me, "left").fresh
