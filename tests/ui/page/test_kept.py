"""What a browser has kept of a tab: read back whole where it is what the page kept, and left out where it isn't."""

from __future__ import annotations

import pytest

from medilite.arena.booth import Booth
from medilite.arena.votes import Votes
from medilite.models import load_profile
from medilite.ui.page.decoding import DEFAULTS
from medilite.ui.page.kept import BROKE_OFF, broke_off, kept_comparison, kept_conversation, kept_turns
from medilite.ui.page.session import Desk

CARD = {"model": "base", "tokens": 12, "state": "end", "text": "Asthma is a disease of the lungs.", "why": ""}
ASKED = {"question": "What is asthma? 100 % & #q=x", "settings": "m=base%2Cgrpo&n=64&t=0.5&p=0.9&r=1.2&s=7"}


def test_a_comparison_comes_back_as_it_was(lite):
    cards = [CARD, {**CARD, "model": "grpo", "state": "writing", "text": "It makes it hard to"}]
    found = kept_comparison({**ASKED, "cards": cards}, lite, 2000)
    assert found.question == ASKED["question"]
    assert (found.decoding.max_new_tokens, found.decoding.temperature, found.seed) == (64, 0.5, 7)
    base, grpo = found.panes
    assert (base.stopped, base.tokens, base.scores.words) == ("end", 12, 7)
    assert (grpo.stopped, grpo.error, grpo.text) == ("error", BROKE_OFF, "It makes it hard to")
    assert grpo.differs, "what differs from the base's answer is marked again"
    assert broke_off(found.panes)
    assert found.run == 0, "no new comparison, so the page doesn't scroll to it"


@pytest.mark.parametrize(
    "given",
    [
        None, [], "x", 7, {}, {**ASKED}, {**ASKED, "cards": {}}, {**ASKED, "cards": [None, 3, "x"]},
        {**ASKED, "cards": [{**CARD, "model": "no-such"}]}, {**ASKED, "cards": [{**CARD, "model": ["base"]}]},
        {**ASKED, "question": "", "cards": [CARD]}, {**ASKED, "cards": [CARD, CARD]},
    ],
)  # fmt: skip
def test_what_is_no_comparison_is_left_out(lite, given):
    assert kept_comparison(given, lite, 2000) is None


@pytest.mark.parametrize(
    ("changed", "name", "value"),
    [
        ({"text": "a\x00b\x1b[2J"}, "text", "ab[2J"),
        ({"text": ["x"]}, "text", ""),
        ({"text": "x" * 10**6}, "text", "x" * 20480),
        ({"tokens": -5}, "tokens", 0),
        ({"tokens": 10**9}, "tokens", 512),
        ({"tokens": "x"}, "tokens", 0),
        ({"tokens": True}, "tokens", 0),
        ({"state": "voted"}, "error", BROKE_OFF),
        ({"state": ["end"]}, "error", BROKE_OFF),
        ({"state": "waiting"}, "error", BROKE_OFF),
        ({"state": "error", "why": "The adapter broke."}, "error", "The adapter broke."),
        ({"state": "error", "why": 4}, "error", None),
    ],
)
def test_an_answer_is_bounded_and_clean(lite, changed, name, value):
    assert getattr(kept_turns([{**CARD, **changed, "question": "Why?"}], lite, 50)[0].pane, name) == value


def test_each_answer_comes_back_to_the_question_that_it_answered(lite):
    profile = lite.model_copy(update={"rewriters": load_profile("lite", with_absent=True).rewriters})
    asked = {"base": ["Q1?", "Q2?", "Q3?"], "sourced": ["Q2?"]}
    cards = [
        {**CARD, "model": model, "earlier": [[question, f"{model} on {question}"] for question in questions]}
        for model, questions in asked.items()
    ]
    for given in (cards, cards[::-1]):
        found = kept_comparison({**ASKED, "cards": given}, profile, 2000)
        assert found.questions == ("Q1?", "Q2?", "Q3?", ASKED["question"])
        for model, questions in asked.items():
            assert found.turns(model) == [(question, f"{model} on {question}") for question in questions]


def test_a_conversation_comes_back_as_it_was(lite):
    one = {**CARD, "question": "First?", "limit": 96, "attempt": 2}
    gone = {**one, "model": "no-such"}
    turns = kept_turns(
        [one, gone, {**one, "question": " "}, "x", {**one, "question": "y" * 90, "limit": None}], lite, 50
    )
    assert [(turn.question, turn.limit, turn.attempt) for turn in turns] == [
        ("First?", 96, 2),
        ("y" * 50, DEFAULTS.max_new_tokens, 2),
    ]
    assert kept_turns({"0": one}, lite, 50) == []


@pytest.mark.parametrize(
    "given",
    [None, {}, {"left": "a", "right": "b"}, ["Why?", "a", "b"], {"question": "", "earlier": [["Why?", "a", "b"]]}],
)
def test_a_live_pair_without_texts_has_no_turns(given):
    assert kept_conversation(given) == ()


def test_a_live_pair_keeps_what_was_written():
    assert kept_conversation({"question": "Why?", "left": "So", "right": ""}) == (("Why?", "So", ""),)
    assert kept_conversation({"question": "Why?"}) == (("Why?", "", ""),), "asked, and cut before the first word"
    earlier = [["First?", "One", "Two"], ["", "x", "y"], ["Bad?", 3], "x", ["Far?", "x", "y"]]
    told = kept_conversation({"question": "Why?", "left": "So", "right": "No", "earlier": earlier})
    assert told == (("First?", "One", "Two"), ("Why?", "So", "No")), "no more than can be asked in a row"


def test_the_status_is_the_answers_once_something_was_asked():
    desk = Desk()
    assert desk.lends_status(ready=False)
    assert desk.lends_status(ready=True)
    with desk.running():
        assert not desk.lends_status(ready=False)
    assert not desk.lends_status(ready=True), "“Ready.” must not overwrite “All answers are here.”"
    assert desk.lends_status(ready=False), "it was stopped while the model loaded, which goes on"
    assert desk.lends_status(ready=True), "and then it is ready"


def test_a_pair_of_another_voter_is_not_reopened(lite, tmp_path):
    from tests.support.banks import write_bank

    booth = Booth(lite, Votes(tmp_path / "votes.db"), folder=write_bank(tmp_path / "bank", lite))
    one, other = booth.welcome(None), booth.welcome(None)
    shown = booth.draw(one)
    again, kind, run = booth.reopen(shown.token, one)
    assert (again, kind, run) == (shown, "ready", None)
    assert booth.reopen(shown.token, other) is None
    booth.votes.close()
