"""The booth: what a visitor can do, and what nobody can, on the real store."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from medilite.arena import booth as booth_module
from medilite.arena import drawing
from medilite.arena.booth import OWN_TABLE_VOTES, PAIR_LIFETIME_S, REFRESH_S, NoPair, Shown
from medilite.arena.contestants import contestants
from medilite.arena.marks import HASTY, REPEATED
from medilite.arena.mask import MASK
from medilite.arena.schema import metadata
from medilite.arena.store import Limits
from medilite.arena.votes import Votes
from medilite.errors import BallotError, DataError, EngineError, LimitError, StoreError, TokenError
from medilite.records import RowStep, Step
from tests.arena.booths import READING_S, drawn, pairs_of, votes_of
from tests.arena.made import NOW
from tests.support.banks import QUESTIONS, answer_text, write_bank

DAY_S = 86_400.0


# -- drawing ---------------------------------------------------------------------


def test_what_is_shown_has_texts_and_a_token_and_nothing_else(booth, lite, clock):
    assert [field.name for field in dataclasses.fields(Shown)] == ["token", "question", "left", "right"]
    shown = drawn(booth, booth.welcome(None), clock)
    (row,) = pairs_of(booth)
    number = {model: i for i, model in enumerate(contestants(lite))}
    texts = [answer_text(row["question_id"], number[row[f"{s}_model"]], row["left_seed"]) for s in ("left", "right")]
    assert [shown.left, shown.right] == texts
    assert shown.question == QUESTIONS[row["question_id"]]
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


# -- no ready-made answers -----------------------------------------------------------


def test_answers_that_come_later_are_found_without_a_restart(make_booth, lite, tmp_path):
    booth = make_booth()
    me = booth.welcome(None)
    assert booth.draw(me) is NoPair.EMPTY
    write_bank(tmp_path / "bank", lite)
    assert isinstance(booth.draw(me), Shown)


def test_answers_of_models_that_were_trained_anew_are_not_shown(booth, monkeypatch):
    others = {m: dataclasses.replace(c, sha256="0" * 63 + str(i)) for i, (m, c) in enumerate(booth.here.items())}
    booth._here = others
    assert booth.draw(booth.welcome(None)) is NoPair.STALE


def test_answers_that_cannot_be_read_are_an_error_that_says_where(booth, tmp_path):
    (tmp_path / "bank" / "provenance.json").unlink()
    with pytest.raises(DataError, match=r"provenance\.json"):
        booth.draw(booth.welcome(None))


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


# -- votes -----------------------------------------------------------------------------


def test_a_vote_is_kept_whole_and_told_with_what_belongs_to_it(booth, clock):
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


def test_a_second_vote_changes_nothing_and_tells_the_first(booth, clock):
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


def test_who_decides_without_reading_is_told(booth, clock):
    me = booth.welcome(None)
    token = booth.draw(me).token
    clock.wait(0.4)
    booth.vote(token, me, "left")
    assert booth.reveal(token, me).vote.marks == (HASTY,)


def test_how_others_voted_is_told_as_the_answers_stand(make_booth, lite, tmp_path, clock):
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
    assert again.fresh, "no name was told, so one may choose anew"
    assert [vote.ballot.choice for vote in votes_of(booth)] == ["right"]


def test_names_come_when_nothing_can_be_taken_back(booth, clock):
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    taken = booth.vote(shown.token, me, "left")
    assert {field.name for field in dataclasses.fields(taken)} == {"ballot", "kind", "fresh", "texts", "given"}
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


# -- ids ------------------------------------------------------------------------------------


def test_a_browser_keeps_its_id_and_gets_one_if_it_has_none(make_booth):
    booth = make_booth()
    mine = booth.welcome(None)
    assert booth.welcome(mine) == mine
    assert make_booth().welcome(mine) == mine, "after a restart, and in another replica"
    made_up = f"{'0' * 32}.{'0' * 32}"
    assert booth.welcome(made_up) not in (mine, made_up)


# -- live -----------------------------------------------------------------------------------

QUESTION = "Why does my left knee hurt when I climb stairs?"


def live(booth, clock, *rows, keep=False, voter_id=None):
    """Run a live pair whose two answers come in these steps."""
    run = booth.begin_live(voter_id or booth.welcome(None), QUESTION, keep, dict.fromkeys(booth.here, True))
    booth.advance(run, Step((RowStep("", 0), RowStep("", 0)), waiting=1))
    clock.wait(5)
    for step in rows:
        booth.advance(run, Step(step))
        clock.wait(10)
    return run


def row(text, stopped=None, error=None):
    return RowStep(text, 1, stopped, error)


WHOLE = (
    (row("Rest the knee. "), row("See a doctor ")),
    (row("Then move it again.", "end"), row("soon, and rest until then.", "length")),
)


def test_a_live_pair_asks_two_models_with_the_same_dice(booth, clock):
    run = live(booth, clock)
    left, right = run.requests()
    assert left.model != right.model
    assert (left.seed, left.decoding, left.messages) == (right.seed, right.decoding, right.messages)


def test_a_live_pair_is_voted_on_like_any_other(booth, clock):
    me = booth.welcome(None)
    run = live(booth, clock, *WHOLE, voter_id=me)
    shown = booth.finish_live(run)
    assert (shown.question, shown.left, shown.right) == (
        QUESTION, "Rest the knee. Then move it again.", "See a doctor soon, and rest until then.",
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
    assert taken.texts == (QUESTION, shown.left, shown.right)
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
        booth.begin_live(booth.welcome(None), QUESTION, False, able)


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
    run = live(booth, clock, *WHOLE)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            booth.finish_live(run)
        other.execute("ROLLBACK")
    other.close()
    assert isinstance(booth.finish_live(run), Shown)


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


# -- keeping house ---------------------------------------------------------------------------


def test_ratings_that_fail_keep_nobody_from_voting(booth, clock, monkeypatch):
    def broken(*_):
        raise RuntimeError("no convergence")

    monkeypatch.setattr(booth_module, "rate", broken)
    me = booth.welcome(None)
    assert booth.vote(drawn(booth, me, clock).token, me, "left").fresh
