"""The booth: drawing pairs, voters' ids and their own tables, on the real store."""

from __future__ import annotations

import dataclasses

import pytest

from medilite.arena import booth as booth_module
from medilite.arena import drawing
from medilite.arena import ready as ready_module
from medilite.arena.booth import OWN_TABLE_VOTES, PAIR_LIFETIME_S, REFRESH_S, NoPair, Shown
from medilite.arena.contestants import contestants
from medilite.arena.marks import REPEATED
from medilite.arena.mask import MASK
from medilite.errors import DataError
from tests.arena.booths import drawn, pairs_of
from tests.arena.made import NOW
from tests.support.banks import QUESTIONS, answer_text, write_bank

# -- drawing ---------------------------------------------------------------------


def test_what_is_shown_has_texts_and_a_token_and_nothing_else(booth, lite, clock):
    assert [field.name for field in dataclasses.fields(Shown)] == ["token", "question", "left", "right", "earlier"]
    shown = drawn(booth, booth.welcome(None), clock)
    (row,) = pairs_of(booth)
    number = {model: i for i, model in enumerate(contestants(lite))}
    texts = [answer_text(row["question_id"], number[row[f"{s}_model"]], row["left_seed"]) for s in ("left", "right")]
    assert [shown.left, shown.right] == texts
    assert shown.question == QUESTIONS[row["question_id"]]
    assert shown.earlier == ()
    assert len(shown.token) == 32
    assert row["expires_at"] == NOW + PAIR_LIFETIME_S


def test_names_are_masked(make_booth, lite, tmp_path, clock):
    named = {(q, m): f"I am SFT r8 low, says {q} {m[::-1]}." for q in QUESTIONS for m in lite.ids}
    write_bank(tmp_path / "bank", lite, named)
    booth = make_booth()
    shown = drawn(booth, booth.welcome(None), clock)
    assert shown.left.startswith(f"I am {MASK}, says ")


def test_a_voter_gets_every_pair_once_and_then_hears_so(make_booth, lite, tmp_path, clock, monkeypatch):
    monkeypatch.setattr(drawing, "AGAIN", 0)
    write_bank(tmp_path / "bank", lite, questions=1)
    booth = make_booth()
    me = booth.welcome(None)
    seen = set()
    for _ in range(15):
        shown = drawn(booth, me, clock)
        booth.vote(shown.token, me, "left")
        seen.add(frozenset((shown.left, shown.right)))
    assert len(seen) == 15, "six models make fifteen pairs"
    assert booth.draw(me) is NoPair.SEEN
    assert isinstance(booth.draw(booth.welcome(None)), Shown), "others go on"


def test_a_voter_who_skips_gets_each_pair_once_and_is_then_done(make_booth, lite, tmp_path, clock):
    write_bank(tmp_path / "bank", lite, questions=1)
    booth = make_booth()
    me = booth.welcome(None)
    shown = [drawn(booth, me, clock) for _ in range(15)]
    assert len({frozenset((one.left, one.right)) for one in shown}) == 15
    assert booth.draw(me) is NoPair.SEEN
    assert booth.vote(shown[-1].token, me, "left").fresh


def test_some_pairs_come_twice_and_count_once(booth, clock):
    me, texts, again = booth.welcome(None), [], []
    for number in range(60):
        shown = drawn(booth, me, clock)
        two = (shown.question, frozenset((shown.left, shown.right)))
        if two in texts:
            again.append(number)
            assert number >= drawing.AGAIN_FROM
            assert two not in texts[-drawing.AGAIN_APART :]
        assert texts.count(two) < 2
        texts.append(two)
        booth.vote(shown.token, me, ("left", "right", "equal", "both_bad")[number * number % 7 % 4])
        marks = booth.reveal(shown.token, me).vote.marks
        assert (REPEATED in marks) is (number in again)
    assert 2 <= len(again) <= 12


def test_nobody_gets_a_pair_again_that_they_skipped_or_took_back(booth, clock, monkeypatch):
    monkeypatch.setattr(drawing, "AGAIN", 1.0)
    me, shown = booth.welcome(None), []
    for number in range(14):
        shown.append(drawn(booth, me, clock))
        if number not in (3, 4):
            booth.vote(shown[-1].token, me, "left")
        if number == 5:
            booth.undo(shown[-1].token, me)
    gone = {(one.question, frozenset((one.left, one.right))) for one in shown[3:6]}
    for _ in range(20):
        one = drawn(booth, me, clock)
        assert (one.question, frozenset((one.left, one.right))) not in gone


def test_left_and_right_are_even(booth, clock):
    left = 0
    for _ in range(60):
        shown = drawn(booth, booth.welcome(None), clock)
        left += shown.left < shown.right
    assert 18 <= left <= 42, "texts of one model stand on either side"


def test_the_votes_so_far_decide_what_comes_next(booth, clock, monkeypatch):
    me = booth.welcome(None)
    known, draw = [], booth_module.draw_place

    def noting(places, knowledge, rng):
        known.append(knowledge)
        return draw(places, knowledge, rng)

    monkeypatch.setattr(booth_module, "draw_place", noting)
    for choice in ("left", "right", "equal"):
        booth.vote(drawn(booth, me, clock).token, me, choice)
    assert sum(known[-1].votes.values()) == 3, "pairs on their way count too"
    clock.wait(REFRESH_S)
    booth.draw(me)
    fresh = known[-1]
    assert sum(fresh.on_left.values()) == 4
    assert sum(fresh.shown.values()) == 4
    assert sum(fresh.votes.values()) == 4


# -- no ready-made answers -------------------------------------------------------


def test_answers_that_come_later_are_found_without_a_restart(make_booth, lite, tmp_path):
    booth = make_booth()
    me = booth.welcome(None)
    assert booth.draw(me) is NoPair.EMPTY
    write_bank(tmp_path / "bank", lite)
    assert isinstance(booth.draw(me), Shown)


def test_answers_of_models_that_were_retrained_are_not_shown(booth, monkeypatch):
    others = {m: dataclasses.replace(c, sha256="0" * 63 + str(i)) for i, (m, c) in enumerate(booth.here.items())}
    booth._here = others
    assert booth.draw(booth.welcome(None)) is NoPair.STALE


def test_answers_that_cannot_be_read_are_an_error_that_says_where(booth, tmp_path):
    (tmp_path / "bank" / "provenance.json").unlink()
    with pytest.raises(DataError, match=r"provenance\.json"):
        booth.draw(booth.welcome(None))


def test_what_was_read_ahead_is_not_read_again_for_the_first_visitor(booth, monkeypatch):
    booth.read_ahead()
    monkeypatch.setattr(ready_module, "read_bank", lambda _: pytest.fail("read again"))
    assert isinstance(booth.draw(booth.welcome(None)), Shown)


def test_reading_ahead_leaves_errors_to_the_draw(booth, tmp_path):
    (tmp_path / "bank" / "provenance.json").unlink()
    booth.read_ahead()


def test_the_same_answers_are_never_offered(make_booth, lite, tmp_path, clock):
    same = {("lungs-01", "base"): "The very same words.", ("lungs-01", "grpo"): "The very same words."}
    # These two differ in a name that nobody gets to see.
    same |= {("lungs-01", "sft-r8-low"): "I am SFT r8 low.", ("lungs-01", "sft-r8-high"): "I am SFT r8 high."}
    write_bank(tmp_path / "bank", lite, same, questions=1)
    booth = make_booth()
    for _ in range(13):
        me = booth.welcome(None)
        shown = drawn(booth, me, clock)
        assert shown.left != shown.right
    pairs = {frozenset((row["left_model"], row["right_model"])) for row in pairs_of(booth)}
    assert not pairs & {frozenset(("base", "grpo")), frozenset(("sft-r8-low", "sft-r8-high"))}


# -- one's own table -----------------------------------------------------------------------


def test_one_s_own_table_comes_after_ten_votes(booth, clock):
    me = booth.welcome(None)
    for i in range(OWN_TABLE_VOTES):
        assert booth.own(me) is None
        assert booth.vote(drawn(booth, me, clock).token, me, "left").given == i + 1
    clock.wait(20)
    table = booth.own(me)
    assert table.votes == OWN_TABLE_VOTES
    assert sum(row.wins for row in table.rows) == OWN_TABLE_VOTES
    assert sum(row.votes for row in table.rows) == 2 * OWN_TABLE_VOTES
    assert booth.own(booth.welcome(None)) is None


# -- ids -------------------------------------------------------------------------


def test_a_browser_keeps_its_id_and_gets_one_if_it_has_none(make_booth):
    booth = make_booth()
    mine = booth.welcome(None)
    assert booth.welcome(mine) == mine
    assert make_booth().welcome(mine) == mine, "after a restart, and in another replica"
    made_up = f"{'0' * 32}.{'0' * 32}"
    assert booth.welcome(made_up) not in (mine, made_up)
