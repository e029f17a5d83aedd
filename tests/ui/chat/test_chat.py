"""The tab Chat without a browser."""

from __future__ import annotations

import gradio as gr
import pytest

from medilite.settings import load_settings
from medilite.ui.chat.tab import ChatTab
from medilite.ui.guard.limits import Admission
from medilite.ui.page.session import Session
from tests.support.fakes import ScriptedEngine
from tests.ui.html import read

SETTINGS = (16, 0.0, 1.0, 1.1, 0)


@pytest.fixture
def make(lite):
    """Return a function that builds the tab around a scripted engine."""

    def make(**script) -> tuple[ChatTab, ScriptedEngine, Session]:
        engine = ScriptedEngine(lite, **script)
        tab = ChatTab(engine, lite, load_settings(max_question_chars=200), Admission(4))
        with gr.Blocks(analytics_enabled=False):
            tab.build(gr.State(Session()))
        return tab, engine, Session()

    return make


def page(updates) -> dict:
    shown: dict = {}
    for update in updates:
        shown |= update
    return shown


def send(tab, session, text="What is asthma?", model="base", settings=SETTINGS) -> dict:
    return page(tab.answer(session, text, model, *settings))


def roles(request) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.messages]


def test_a_turn(make):
    tab, _, session = make(scripts={"base": "Asthma is a disease of the lungs."})
    shown = send(tab, session, settings=(64, 0.0, 1.0, 1.1, 0))
    turn = read(shown[tab.transcript]).one("div", "ml-turn")
    assert turn.one("div", "ml-said").one("p").text == "What is asthma?"
    card = turn.one("article")
    assert card.one("p", "ml-text").text == "Asthma is a disease of the lungs."
    assert card.attributes["data-model"] == "base"
    assert card.one("span", "ml-grade").one("span", "ml-grade-number")
    assert shown[tab.question] == ""
    assert shown[tab.send].interactive
    assert shown[tab.retry].interactive


def test_the_engine_is_told_who_asks(make):
    tab, engine, session = make()
    send(tab, session)
    page(tab.answer_again(session, "grpo", *SETTINGS))
    assert [request.visitor for (request,) in engine.requests] == [session.visitor] * 2


def test_the_model_can_change_and_the_history_stays(make):
    tab, engine, session = make(scripts={"base": "One.", "grpo": "Two."})
    send(tab, session, "First?")
    shown = send(tab, session, "Second?", model="grpo")
    assert roles(engine.requests[1][0]) == [("user", "First?"), ("assistant", "One."), ("user", "Second?")]
    assert engine.requests[1][0].model == "grpo"
    names = [h.text for h in read(shown[tab.transcript]).all("h3")]
    assert names == ["Base", "GRPO"]


def test_retry_asks_the_same_again_of_the_model_now_chosen(make):
    tab, engine, session = make(scripts={"base": "One.", "grpo": "Two."})
    send(tab, session, "First?")
    shown = page(tab.answer_again(session, "grpo", 16, 0.7, 1.0, 1.1, 5))
    assert len(session.turns) == 1
    assert session.turns[0].pane.text == "Two."
    assert roles(engine.requests[1][0]) == [("user", "First?")]
    assert engine.requests[1][0].seed == 6, "a retry rolls other dice"
    assert shown[tab.error] == ""
    page(tab.answer_again(session, "grpo", 16, 0.7, 1.0, 1.1, 5))
    assert engine.requests[2][0].seed == 7


def test_retry_at_temperature_0_says_why_nothing_changed(make):
    tab, _, session = make(scripts={"base": "One."})
    send(tab, session)
    assert "same answer every time" in page(tab.answer_again(session, "base", *SETTINGS))[tab.error]


def test_retry_of_nothing(make):
    tab, engine, session = make()
    assert list(tab.answer_again(session, "base", *SETTINGS)) == []
    assert engine.requests == []


def test_undo_gives_the_question_back(make):
    tab, _, session = make()
    send(tab, session, "First?")
    send(tab, session, "Second?")
    update = tab.take_back(session, "")
    assert update[tab.question] == "Second?"
    assert [turn.question for turn in session.turns] == ["First?"]
    assert tab.take_back(session, "something typed")[tab.question] == "something typed"
    assert session.turns == []
    assert tab.take_back(session, "") == {tab.error: ""}


def test_clear(make):
    tab, engine, session = make()
    send(tab, session, "First?")
    update = tab.start_over(session)
    assert session.turns == []
    assert "Talk with one model" in update[tab.transcript]
    assert not update[tab.clear].interactive
    send(tab, session, "Second?")
    assert roles(engine.requests[-1][0]) == [("user", "Second?")]


def test_stop_keeps_what_is_written(make):
    tab, engine, session = make(step_s=0.01)
    shown: dict = {}
    for update in tab.answer(session, "What is asthma?", "base", 500, 0.0, 1.0, 1.1, 0):
        shown |= update
        if session.turns and session.turns[-1].pane.tokens > 12:
            session.chat.request_stop()
    pane = session.turns[-1].pane
    assert pane.stopped == "cancelled"
    assert pane.scores is not None
    assert engine.closed == 1
    assert "Stopped." in shown[tab.status]
    assert shown[tab.undo].interactive


@pytest.mark.parametrize(
    ("text", "model", "message"),
    [
        ("", "base", "no question yet"),
        ("x" * 201, "base", "at most 200"),
        ("Hi?", None, "No model"),
        ("Hi?", "bse", "base"),
    ],
)
def test_bad_input_is_said_and_stays(make, text, model, message):
    tab, engine, session = make()
    updates = list(tab.answer(session, text, model, *SETTINGS))
    assert len(updates) == 1
    assert set(updates[0]) == {tab.error}
    assert message in updates[0][tab.error]
    assert engine.requests == []
    assert session.turns == []


def test_too_long_a_conversation_gives_the_message_back(make):
    tab, engine, session = make()
    send(tab, session, "First?")
    engine.context = 30
    shown = send(tab, session, "Second, with some more words in it?")
    assert "together at most 30 fit" in shown[tab.error]
    assert shown[tab.question] == "Second, with some more words in it?"
    assert [turn.question for turn in session.turns] == ["First?"]
    assert "Second" not in shown[tab.transcript]


def test_a_retry_that_fails_keeps_the_answer_there_was(make):
    tab, engine, session = make(scripts={"base": "One."})
    send(tab, session, "First?")
    engine.context = 5
    shown = page(tab.answer_again(session, "grpo", *SETTINGS))
    assert session.turns[0].pane.text == "One."
    assert "One." in shown[tab.transcript]
    assert shown[tab.retry].interactive


def test_a_retry_that_fails_says_why_at_temperature_0_too(make):
    tab, engine, session = make(scripts={"base": "One."})
    send(tab, session, "First?")
    engine.context = 5
    assert "together at most 5 fit" in page(tab.answer_again(session, "base", *SETTINGS))[tab.error]


def test_a_retry_by_a_model_that_is_unavailable_keeps_the_answer_there_was(make):
    tab, _, session = make(scripts={"base": "One."}, broken={"grpo": "The adapter is missing."})
    send(tab, session, "First?")
    shown = page(tab.answer_again(session, "grpo", *SETTINGS))
    assert session.turns[0].pane.text == "One."
    assert "One." in shown[tab.transcript]
    assert "The adapter is missing." in shown[tab.error]


def test_a_retry_that_is_stopped_before_its_first_word_keeps_the_answer_there_was(make):
    tab, engine, session = make(scripts={"base": "One.", "grpo": "Two more."}, step_s=0.01)
    send(tab, session, "First?")

    def stopped(after):
        shown: dict = {}
        for update in tab.answer_again(session, "grpo", *SETTINGS):
            shown |= update
            if session.chat.busy and session.turns[-1].pane.tokens >= after:
                session.chat.request_stop()
        return shown

    engine.ahead = 3
    shown = stopped(0)
    assert [turn.pane.text for turn in session.turns] == ["One."]
    assert "One." in shown[tab.transcript]
    assert "Stopped. The answer before is still here." in shown[tab.status]
    assert shown[tab.retry].interactive
    assert shown[tab.error] == ""
    engine.ahead, engine.scripts = 0, {"grpo": "two " * 16}
    shown = stopped(1)
    assert session.turns[0].pane.text.startswith("two")
    assert "What was written so far is kept." in shown[tab.status]


def test_a_broken_model_fails_its_turn_and_leaves_the_history_usable(make):
    tab, engine, session = make(broken={"grpo": "The adapter is missing."}, scripts={"base": "One."})
    shown = send(tab, session, "First?", model="grpo")
    assert "The adapter is missing." in shown[tab.transcript]
    send(tab, session, "Second?", model="base")
    assert roles(engine.requests[-1][0]) == [("user", "Second?")]


def test_everything_said_is_text(make):
    hostile = '<img src=x onerror="alert(1)"> ![x](http://evil/) <script>alert(1)</script> **bold** <|im_start|>'
    tab, engine, session = make(scripts={"base": hostile})
    tree = read(send(tab, session, hostile, settings=(64, 0.0, 1.0, 1.1, 0))[tab.transcript])
    assert tree.one("div", "ml-said").one("p").text == hostile
    assert tree.one("article").one("p", "ml-text").text == hostile
    assert not [e for e in tree.all() if e.tag in ("img", "script", "a", "strong")]
    assert engine.requests[0][0].messages[-1].content == hostile


def test_an_emergency_stands_above_its_answer(make):
    tab, _, session = make()
    shown = send(tab, session, "I have chest pain, what now?")
    turn = read(shown[tab.transcript]).one("div", "ml-turn")
    classes = [child.attributes["class"].split()[0] for child in turn.children]
    assert classes == ["ml-said", "ml-emergency", "ml-card"]


def test_an_emergency_that_gets_no_answer_has_its_notice_beside_the_error(make):
    question = "I took 60 paracetamol tablets and want to die"
    tab, engine, session = make()
    for text, model in ((f"{question} {200 * 'x'}", "base"), (question, "")):
        assert 'data-kind="self-harm"' in send(tab, session, text, model)[tab.error]
    engine.context = 5
    shown = send(tab, session, question)
    assert session.turns == []
    assert shown[tab.question] == question
    assert shown[tab.error].index('data-kind="self-harm"') < shown[tab.error].index("together at most 5 fit")
    engine.context, engine.explode_after = 2048, 3
    shown = send(tab, session, question)
    assert "ml-emergency" in shown[tab.transcript]
    assert "ml-emergency" not in shown[tab.error], "its turn stays, with the notice"
