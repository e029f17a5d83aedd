"""A follow-up in Compare: every model goes on from its own answers, and whatever is kept says so."""

from __future__ import annotations

import json

import pytest

from medilite.ui.compare.comparison import MOST_EARLIER
from medilite.ui.compare.downloads import as_csv, as_json
from medilite.ui.compare.report import as_report
from medilite.ui.page.kept import kept_comparison
from medilite.ui.page.session import Session
from tests.ui.compare.test_compare import SETTINGS, ask, cards, make, page
from tests.ui.html import read

__all__ = ["make"]

SAID = {"base": "Base said this.", "sft-r8-low": "", "grpo": "GRPO <b>said</b> that."}
THREE = list(SAID)


def follow(tab, session, question="And how is it treated?", shown=None):
    return list(tab.follow_up(session, question, *SETTINGS, False, shown))


@pytest.fixture
def asked(make):
    tab, engine, session = make(scripts=SAID)
    ask(tab, session, "I have chest pain, what is it?", THREE)
    return tab, engine, session


def kept(session: Session) -> dict:
    """What the page keeps of the comparison that it shows (assets/style/tab.js)."""
    run = session.comparison
    shown = [
        {
            "model": pane.spec.id, "tokens": pane.tokens, "state": pane.stopped, "text": pane.text, "why": "",
            "earlier": [list(turn) for turn in run.turns(pane.spec.id)],
        }
        for pane in run.panes
    ]  # fmt: skip
    return {"question": run.question, "settings": "m=base,grpo&n=16&t=0&p=1&r=1.1&s=0", "cards": shown}


def test_each_model_goes_on_from_its_own_answer(asked):
    tab, engine, session = asked
    updates = follow(tab, session)
    said = {request.model: [message.content for message in request.messages] for request in engine.requests[-1]}
    first, then = "I have chest pain, what is it?", "And how is it treated?"
    assert said == {"base": [first, SAID["base"], then], "grpo": [first, SAID["grpo"], then]}, "one has said nothing"
    assert [m.role for m in engine.requests[-1][0].messages] == ["user", "assistant", "user"]
    shown = cards(tab, updates)
    assert SAID["grpo"] in shown["grpo"].one("details", "ml-earlier").text
    assert "<b>" not in page(updates)[tab.grid]
    assert f"A follow-up to “{first}”" in read(page(updates)[tab.grid]).text
    assert "ml-emergency" in page(updates)[tab.emergency], "the notice of the first question stays"
    follow(tab, session, "Since when?")
    assert [len(request.messages) for request in engine.requests[-1]] == [5, 5]
    assert "share-link" not in page(updates)[tab.toolbar], "no link leads back to a conversation"


def test_what_is_kept_of_it_has_the_whole_conversation(asked, lite):
    tab, _, session = asked
    follow(tab, session)
    run = session.comparison
    record = json.loads(as_json(run))
    assert record["earlier"] == [{"question": run.questions[0], "answers": SAID}]
    assert run.questions[0] in as_csv(run)
    report = read(as_report(run)).text
    assert SAID["grpo"] in report
    assert run.questions[0] in report
    again = kept_comparison(kept(session), lite, 200)
    assert again.questions == run.questions
    assert [again.turns(model) for model in ("base", "grpo")] == [run.turns(model) for model in ("base", "grpo")]
    # A server that has forgotten the page goes on with what the page shows.
    other = Session()
    follow(tab, other, "Since when?", kept(session))
    assert other.comparison.questions == (*run.questions, "Since when?")


def test_the_emergency_notice_of_an_earlier_question_comes_back_after_a_reload(asked):
    tab, _, session = asked
    follow(tab, session)
    assert 'data-kind="heart"' in tab.restore(Session(), kept(session))[tab.emergency]
    assert tab.emergency in tab.restored


def test_there_is_a_sentence_where_nothing_can_be_followed(make, asked):
    tab, engine, _ = make()
    (update,) = follow(tab, Session())
    assert "press Ask first" in update[tab.error]
    assert engine.requests == []
    tab, engine, session = asked
    for _ in range(MOST_EARLIER):
        follow(tab, session)
    calls = len(engine.requests)
    (update,) = follow(tab, session)
    assert "Press Ask to start a new comparison" in update[tab.error]
    assert len(engine.requests) == calls == MOST_EARLIER + 1
    ask(tab, session, "And asthma?", THREE)
    assert session.comparison.earlier == ()


@pytest.mark.parametrize(
    "earlier", [None, 3, [], [3], [[]], [["q"]], [["q", 3]], [["", "a"]], [["q", "a", "b"]], {"q": "a"}]
)
def test_a_page_may_send_anything_as_what_was_said(asked, lite, earlier):
    given = kept(asked[2])
    given["cards"][0]["earlier"] = earlier
    assert kept_comparison(given, lite, 200).earlier == ()
