"""The tab Compare without a browser: what its handler yields."""

from __future__ import annotations

import gradio as gr
import pytest

from medilite.errors import WeightsUnavailableError
from medilite.settings import load_settings
from medilite.sources.shelf import Shelf
from medilite.ui.compare.tab import CompareTab
from medilite.ui.guard.limits import Admission
from medilite.ui.page.session import Session
from tests.support.fakes import ScriptedEngine
from tests.ui.html import read

SETTINGS = (16, 0.0, 1.0, 1.1, 0)


@pytest.fixture
def make(lite):
    """Return a function that builds the tab around a scripted engine."""

    def make(max_queue=4, **script) -> tuple[CompareTab, ScriptedEngine, Session]:
        engine = ScriptedEngine(lite, **script)
        tab = CompareTab(
            engine, lite, settings := load_settings(max_question_chars=200), Admission(max_queue), Shelf(settings)
        )
        with gr.Blocks(analytics_enabled=False):
            tab.build(gr.State(Session()))
        return tab, engine, Session()

    return make


def ask(tab, session, question="What is asthma?", models=None, settings=SETTINGS):
    return list(tab.answer(session, question, list(tab.profile.ids) if models is None else models, *settings))


def page(updates) -> dict:
    """What stands on the page after all updates."""
    shown: dict = {}
    for update in updates:
        shown |= update
    return shown


def cards(tab, updates):
    return {c.attributes["data-model"]: c for c in read(page(updates)[tab.grid]).all("article")}


def test_six_answers(make, lite):
    tab, engine, session = make()
    updates = ask(tab, session)
    shown = cards(tab, updates)
    assert list(shown) == list(lite.ids)
    assert all(card.attributes["data-state"] == "length" for card in shown.values())
    assert "All answers are here." in page(updates)[tab.status]
    assert [r.model for r in engine.requests[0]] == list(lite.ids)
    assert len({r.seed for r in engine.requests[0]}) == 1
    assert {r.visitor for r in engine.requests[0]} == {session.visitor}
    assert page(updates)[tab.ask].interactive
    assert not page(updates)[tab.stop].interactive
    assert session.comparison.done


def test_tokens_advance_together(make):
    tab, _, session = make(step_s=0.05)
    seen = []
    for update in tab.answer(session, "What is asthma?", list(tab.profile.ids), 30, 0.0, 1.0, 1.1, 0):
        if tab.grid in update:
            seen.append({int(c.attributes["data-tokens"]) for c in read(update[tab.grid]).all("article")})
    assert all(len(counts) == 1 for counts in seen)
    assert len({next(iter(counts)) for counts in seen}) > 3


def test_some_models(make):
    tab, engine, session = make()
    assert list(cards(tab, ask(tab, session, models=["grpo", "base"]))) == ["base", "grpo"]
    assert len(engine.requests[0]) == 2


@pytest.mark.parametrize(
    ("question", "models", "settings", "message"),
    [
        ("", None, SETTINGS, "There is no question yet"),
        (" \n\t ", None, SETTINGS, "There is no question yet"),
        (None, None, SETTINGS, "has to be text"),
        ("x" * 201, None, SETTINGS, "201 characters; at most 200"),
        ("Hi there?", [], SETTINGS, "No model is chosen"),
        ("Hi there?", ["grop"], SETTINGS, "Did you mean &#39;grpo&#39;"),
        ("Hi there?", None, (16, 5.0, 1.0, 1.1, 0), "Temperature 5"),
        ("Hi there?", None, (16, 0.0, 1.0, 1.1, -4), "Seed"),
    ],
)
def test_bad_input_is_said_and_nothing_happens(make, question, models, settings, message):
    tab, engine, session = make()
    updates = ask(tab, session, question, models, settings)
    assert len(updates) == 1
    assert set(updates[0]) == {tab.error}, "only the message may change: what was typed stays"
    assert message in updates[0][tab.error]
    assert engine.requests == []


def test_too_much_for_the_context_leaves_the_page_as_it_was(make):
    tab, engine, session = make()
    before = page(ask(tab, session))
    engine.context = 20
    updates = ask(tab, session, "What is the flu?")
    after = page(updates)
    assert "together at most 20 fit" in after[tab.error]
    assert after[tab.grid] == before[tab.grid]
    assert session.comparison.question == "What is asthma?"
    assert after[tab.ask].interactive


def test_the_same_on_an_empty_page(make):
    tab, engine, session = make()
    engine.context = 5
    after = page(ask(tab, session))
    assert "together at most 5 fit" in after[tab.error]
    assert "ml-card-empty" in after[tab.grid]
    assert session.comparison is None


def test_stop_keeps_what_is_written_and_scores_it(make):
    tab, engine, session = make(step_s=0.01)
    shown: dict = {}
    for update in tab.answer(session, "What is asthma?", list(tab.profile.ids), 500, 0.0, 1.0, 1.1, 0):
        shown |= update
        if "Writing." in shown[tab.status] and session.comparison.panes[0].tokens > 12:
            session.compare.request_stop()
    stopped = read(shown[tab.grid]).all("article")
    assert {card.attributes["data-state"] for card in stopped} == {"cancelled"}
    assert "Stopped." in shown[tab.status]
    assert engine.closed == 1
    assert all(pane.scores is not None for pane in session.comparison.panes)


def test_an_unavailable_model_says_why_and_the_others_answer(make):
    tab, _, session = make(broken={"grpo": "The adapter has rank 4, but <8> was expected."})
    shown = cards(tab, ask(tab, session))
    assert shown["grpo"].attributes["data-state"] == "error"
    assert "rank 4, but <8> was expected" in shown["grpo"].text
    assert shown["base"].attributes["data-state"] == "length"


def test_a_row_that_fails_later_keeps_its_text(make):
    tab, _, session = make(fail_after={"sft-r8-low": 4})
    shown = cards(tab, ask(tab, session))
    assert len(shown["sft-r8-low"].one("p", "ml-text").text.split()) == 4
    assert "not finite" in shown["sft-r8-low"].text


def test_an_engine_that_breaks_in_the_middle(make, caplog):
    tab, _, session = make(explode_after=5)
    after = page(ask(tab, session, "my embarrassing rash"))
    assert "Something went wrong" in after[tab.error]
    assert {c.attributes["data-state"] for c in read(after[tab.grid]).all("article")} == {"error"}
    assert after[tab.ask].interactive
    assert "rash" not in caplog.text


def test_weights_that_cannot_be_had(make):
    tab, _, session = make(load_error=WeightsUnavailableError("No weights. Connect to the network, or set them."))
    after = page(ask(tab, session))
    assert "Connect to the network" in after[tab.error]
    assert after[tab.ask].interactive


def test_the_first_question_waits_for_the_model(make):
    tab, engine, session = make(load_s=0.6)
    updates = ask(tab, session)
    assert any("Your question is asked as soon as" in u.get(tab.status, "") for u in updates)
    assert "All answers are here." in page(updates)[tab.status]
    assert engine.loads == 1


def test_others_ahead(make):
    tab, _, session = make(ahead=2, step_s=0.15)
    said = [u[tab.status] for u in ask(tab, session) if tab.status in u]
    assert any("2 visitors are ahead of you" in s for s in said)
    assert any("1 visitor is ahead of you" in s for s in said)


def test_one_visitor_too_many(make):
    tab, engine, session = make(max_queue=1)
    running = tab.answer(session, "What is asthma?", ["base"], *SETTINGS)
    next(running)
    other = Session()
    after = page(ask(tab, other))
    assert "ask again in a minute" in after[tab.error]
    running.close()
    assert "All answers" in page(ask(tab, other))[tab.status]
    assert engine.finished == 1


def test_closing_the_page_closes_the_engine(make):
    tab, engine, session = make()
    running = tab.answer(session, "What is asthma?", ["base"], 500, 0.0, 1.0, 1.1, 0)
    while "Writing." not in next(running).get(tab.status, ""):
        pass
    running.close()
    assert engine.closed == 1
    assert not session.compare.busy


def test_an_emergency_is_said_before_anything_is_generated(make):
    tab, engine, session = make()
    running = tab.answer(session, "I have chest pain, what now?", ["base"], *SETTINGS)
    first = next(running)
    assert engine.requests == []
    assert 'role="alert"' in first[tab.emergency]
    assert "emergency number" in first[tab.emergency]
    running.close()
    assert page(ask(tab, session, "What is a cold?"))[tab.emergency] == ""


def test_the_question_on_the_page_is_text(make):
    tab, _, session = make()
    question = "<img src=x onerror=alert(1)> ![x](http://evil/) <script>"
    grid = read(page(ask(tab, session, question))[tab.grid])
    assert grid.one("h2").text == question
    assert not grid.all("img")
    assert not grid.all("script")


def test_an_opened_link_fills_the_form(make):
    tab, _, _ = make()
    *values, note = tab.open_link("#q=What+is+flu%3F&m=base,grpo&n=64&t=0.5&p=0.9&r=1.2&s=7&from=source")
    assert values == ["What is flu?", ["base", "grpo"], 64, 0.5, 0.9, 1.2, 7, True]
    assert "Press Ask" in note
    assert len(tab.open_link("")) == len(tab.link_outputs) == 9


EMERGENCY = "I took 60 paracetamol tablets and want to die"


@pytest.mark.parametrize(
    ("question", "models", "settings"),
    [(f"{EMERGENCY}. {'x' * 200}", None, SETTINGS), (EMERGENCY, [], SETTINGS), (EMERGENCY, None, (16, 5.0, 1, 1.1, 0))],
)
def test_an_emergency_that_cannot_be_asked_has_its_notice(make, question, models, settings):
    tab, engine, session = make()
    (update,) = ask(tab, session, question, models, settings)
    assert set(update) == {tab.error, tab.emergency}
    assert 'data-kind="self-harm"' in update[tab.emergency]
    (update,) = tab.follow_up(session, question, *SETTINGS, False, None)
    assert 'data-kind="self-harm"' in update[tab.emergency]
    assert engine.requests == []


def test_an_emergency_that_finds_no_seat_has_its_notice(make):
    tab, _, session = make(max_queue=1)
    running = tab.answer(session, "What is asthma?", ["base"], *SETTINGS)
    next(running)
    after = page(ask(tab, Session(), EMERGENCY))
    assert "ask again in a minute" in after[tab.error]
    assert 'data-kind="self-harm"' in after[tab.emergency]
    running.close()


def test_an_emergency_that_fails_keeps_its_notice_over_the_answers_before(make):
    tab, engine, session = make()
    ask(tab, session, "I have chest pain, what now?")
    context, engine.context = engine.context, 5
    after = page(ask(tab, session, "What is the flu?"))
    assert 'data-kind="heart"' in after[tab.emergency], "of the answers that are on the page again"
    engine.context = context
    ask(tab, session)
    engine.context = 5
    after = page(ask(tab, session, EMERGENCY))
    assert session.comparison.question == "What is asthma?"
    assert 'data-kind="self-harm"' in after[tab.emergency]
