"""How often one visitor, and one address, may ask; what they are told; what is kept of them."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from medilite.arena.booth import Booth
from medilite.arena.votes import Votes
from medilite.errors import EngineError, RateLimitError, SettingsError
from medilite.settings import load_settings
from medilite.ui.chat.tab import ChatTab
from medilite.ui.guard.limits import Admission, VisitorLimits
from medilite.ui.page.session import Session
from tests.support.fakes import ScriptedEngine

FREE = {f"{what}_per_{who}": "off" for what in ("answers", "pairs") for who in ("visitor", "address")}


def limits(address="1.2.3.4", **given) -> VisitorLimits:
    return VisitorLimits(load_settings(**{**FREE, **given}), who=lambda: address)


@pytest.fixture
def clock(monkeypatch):
    """The time as the limits see it, in seconds; tests move it."""
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.mark.parametrize("what", ["answers", "pairs"])
def test_a_visitor_is_held_and_told_for_how_long(clock, what):
    counted = limits(**{f"{what}_per_visitor": "3/minute"})
    for _ in range(3):
        counted.count(what, "a")
        clock[0] += 10
    with pytest.raises(RateLimitError, match=r"You have .* 3 times within a minute.* in 30 seconds\.") as refused:
        counted.count(what, "a")
    assert refused.value.wait_s == pytest.approx(30)
    counted.count(what, "b")
    clock[0] += 31
    counted.count(what, "a")


def test_what_is_refused_doesn_t_count(clock):
    counted = limits(answers_per_visitor="1/minute", answers_per_address="2/minute")
    counted.count("answers", "a")
    for _ in range(5):
        with pytest.raises(RateLimitError, match="You have"):
            counted.count("answers", "a")
    counted.count("answers", "b")
    with pytest.raises(RateLimitError, match="You and others at your network address"):
        counted.count("answers", "c")


def test_made_up_visitors_are_held_by_their_address(clock):
    counted = limits(pairs_per_address="5/hour", pairs_per_visitor="2/minute")
    for number in range(5):
        counted.count("pairs", f"made up {number}")
    with pytest.raises(RateLimitError, match="60 minutes"):
        counted.count("pairs", "made up 6")


def test_addresses_of_one_household_count_as_one(clock):
    addresses = iter(["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:3::1"])
    counted = VisitorLimits(load_settings(**{**FREE, "answers_per_address": "1/minute"}), who=lambda: next(addresses))
    counted.count("answers", "a")
    with pytest.raises(RateLimitError):
        counted.count("answers", "b")
    counted.count("answers", "c")


def test_no_address_is_kept(clock):
    counted = limits("203.0.113.77", answers_per_address="9/minute", answers_per_visitor="9/minute")
    counted.count("answers", "somebody")
    kept = str(vars(counted._window.storage))
    assert "203.0.113.77" not in kept
    assert "somebody" not in kept
    assert kept.count("answers") >= 2


def test_outside_of_an_event_there_is_no_address():
    counted = VisitorLimits(load_settings(**{**FREE, "answers_per_address": "1/minute"}))
    counted.count("answers", "a")
    counted.count("answers", "a")


@pytest.mark.parametrize("said", ["often", "3", "0/minute", "-1/minute", "3/fortnight"])
def test_limits_that_can_t_be_read_are_said(said):
    with pytest.raises(SettingsError, match=r"MEDILITE_ANSWERS_PER_VISITOR=.*can't be used"):
        limits(answers_per_visitor=said)


def test_the_visitor_reads_it_and_keeps_the_question(lite, clock):
    import gradio as gr

    tab = ChatTab(ScriptedEngine(lite), lite, load_settings(), Admission(4, limits(answers_per_visitor="1/minute")))
    with gr.Blocks(analytics_enabled=False):
        tab.build(gr.State(Session()))
    session, shown = Session(), {}
    for question in ("What is asthma?", "And hay fever?"):
        for update in tab.answer(session, question, "base", 16, 0.0, 1.0, 1.1, 0):
            shown |= update
    assert "ask again in 60 seconds" in shown[tab.error]
    assert shown[tab.question] == "And hay fever?"
    assert len(session.turns) == 1


def test_a_turned_away_visitor_leaves_their_seat(clock):
    admission = Admission(1, limits(answers_per_visitor="1/minute"))
    with admission.seat("a"):
        pass
    with pytest.raises(RateLimitError), admission.seat("a"):
        pass
    with admission.seat("b"):
        pass


def test_several_addresses_that_make_up_visitors_leave_seats_for_others():
    """Two addresses with half of the seats each turned everybody else away."""
    now = ["203.0.113.1"]
    admission = Admission(64, who=lambda: now[0])
    with ExitStack() as seats:
        for number, seated in enumerate((32, 16, 8, 4)):
            now[0] = f"203.0.113.{number}"
            for _ in range(seated):
                seats.enter_context(admission.seat("made up"))
            with pytest.raises(EngineError, match=f"{seated} visitors at your network address are asking"):
                seats.enter_context(admission.seat("one too many"))
        for number in range(4):
            now[0] = f"192.0.2.{number}"
            seats.enter_context(admission.seat("somebody"))
        with pytest.raises(EngineError, match="64 visitors are asking"):
            seats.enter_context(admission.seat("one too many"))


def test_a_pair_that_is_one_too_many_isn_t_drawn(lite, tmp_path, clock):
    """Otherwise ever new voters fill the table of pairs until they expire."""
    import gradio as gr

    from medilite.ui.vote.tab import VoteTab
    from tests.support.banks import write_bank

    booth = Booth(lite, Votes(tmp_path / "votes.db"), folder=write_bank(tmp_path / "bank", lite))
    tab = VoteTab(
        ScriptedEngine(lite), lite, load_settings(), Admission(3, limits(pairs_per_address="2/minute")), booth
    )
    with gr.Blocks(analytics_enabled=False):
        session = gr.State(Session())
        with gr.Tab("Vote") as standing:
            tab.build(session, standing)
    updates = [tab.next(Session(), {"voter": None}) for _ in range(4)]
    assert ["take the next pair in" in str(update[tab.error]) for update in updates] == [False, False, True, True]
    with booth.store.database.read() as connection:
        from medilite.arena import schema

        assert len(connection.execute(schema.pairs.select()).all()) == 2
    booth.votes.close()
