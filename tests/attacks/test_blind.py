"""Nobody learns whose answers they are before their vote is final; no pair counts again once its names are known."""

from __future__ import annotations

import re

import pytest

from medilite import metrics
from medilite.settings import load_settings
from medilite.ui.guard.limits import Admission
from medilite.ui.page.loading import start_loading
from medilite.ui.page.session import Session
from medilite.ui.vote.tab import VoteTab
from tests.support.fakes import ScriptedEngine
from tests.ui.vote.test_vote import ask, build_blocks, pair_of, sent


@pytest.fixture
def tab(lite, booth):
    import gradio as gr

    tab = VoteTab(ScriptedEngine(lite), lite, load_settings(), Admission(3), booth)
    with build_blocks():
        session = gr.State(Session())
        with gr.Tab("Blind vote") as inner:
            tab.build(session, inner)
    start_loading(tab.engine).join()
    return tab


def live_pair(tab, session):
    updates = ask(tab, session)
    return re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1], pair_of(updates[-1], tab.live_pair)


def test_a_pair_whose_names_are_known_is_not_had_again(tab, clock):
    """Vote, see the names, undo, have the run finished again, vote anew: it counted."""
    session = Session()
    voter, pair = live_pair(tab, session)
    clock.wait(60)
    tab.cast(session, sent(voter, pair, "left"))
    tab.reveal(session, sent(voter, pair))
    assert "too late" in tab.undo(session, sent(voter, pair))[tab.error]
    for _ in range(5):
        again = pair_of(tab.register_again(session, {}), tab.live_pair)
        assert again.attributes["data-token"] == pair.attributes["data-token"]
        tab.cast(session, sent(voter, again, "right"))
    (vote,) = tab.booth.store.votes()
    assert (vote.ballot.choice, vote.undone_at) == ("left", None)


def test_the_same_is_noted_once(tab):
    tab.engine.scripts = dict.fromkeys(tab.profile.ids, "Rest and drink.")
    session = Session()
    ask(tab, session)
    for _ in range(5):
        tab.register_again(session, {})
    assert sum(count for *_, count in tab.booth.store.same_answers()) == 1


def test_undo_tells_no_favourite_from_the_others(tab, clock, lite):
    """Random choices, taken back unless the favourite won, moved its rating by 79 points: nothing tells who won now."""
    names = [word for spec in lite.models for word in (spec.label, spec.colour)]
    for number in range(8):
        update = tab.next(Session(), {"voter": None})
        voter = re.search(r'data-voter="([^"]+)"', update[tab.voter])[1]
        pair = pair_of(update, tab.pair)
        clock.wait(60)
        shown = "".join(map(str, tab.cast(Session(), sent(voter, pair)).values()))
        shown += str(tab.booth.own(voter))
        if number % 2:
            shown += "".join(map(str, tab.undo(Session(), sent(voter, pair)).values()))
        assert not any(name in shown for name in names)


def test_the_metrics_read_around_a_live_pair_tell_no_model(tab, lite):
    meters = metrics.switch_on()
    try:
        before = meters.text().decode()
        live_pair(tab, Session())
        after = meters.text().decode()
    finally:
        metrics.switch_off()
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert any('model="blind"' in line for line in changed), "the answers are counted"
    assert not any(f'model="{model}"' in line for model in lite.ids for line in changed)


def test_answers_stopped_early_are_no_pair(tab):
    session = Session()
    updates = []
    tab.engine.step_s = 0.05
    for update in tab.answer(session, {"voter": None}, "What helps?", False):
        updates.append(update)
        if len(updates) == 5:
            session.vote.request_stop()
    assert 'data-state="nothing"' in updates[-1][tab.live_pair]
    assert 'data-token=""' in updates[-1][tab.live_pair]
