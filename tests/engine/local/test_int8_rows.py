"""The int8 engine with the real weights: as near to float32 as it has to be, and rows that don't touch."""

from __future__ import annotations

import pytest

from medilite.engine.local.engine import LocalEngine
from medilite.engine.protocol import collect
from medilite.models import Profile
from medilite.prompts import question_messages, sourced_messages
from medilite.questions import load_questions
from medilite.records import Decoding, Request
from medilite.settings import load_settings

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def int8_engine(random_profile: Profile) -> LocalEngine:
    """The six models with random adapters, in int8."""
    engine = LocalEngine(random_profile, load_settings(precision="int8"))
    engine.load()
    return engine


def test_the_same_request_gives_the_same_answer_alone_and_among_47_others(
    int8_engine: LocalEngine, random_profile: Profile
) -> None:
    questions = [q.question for q in load_questions()[:8]]
    requests = [
        Request(model, question_messages(question), Decoding(max_new_tokens=12 + place))
        for place, question in enumerate(questions)
        for model in random_profile.ids
    ]
    assert len(requests) == 48
    together = collect(requests, int8_engine.stream(requests))
    assert len({answer.text for answer in together}) > 40, "answers have to differ, or a mix-up goes unseen"
    for place in range(0, 48, 11):
        alone = collect([requests[place]], int8_engine.stream([requests[place]]))
        assert alone == [together[place]]


def test_int8_says_nearly_what_float32_says(int8_engine: LocalEngine, random_engine: LocalEngine) -> None:
    """Greedy answers part ways where two tokens are nearly as likely, so only their beginnings are compared."""
    requests = [
        Request(model, question_messages(q.question), Decoding(max_new_tokens=8))
        for q in load_questions()[:6]
        for model in ("base", "sft-r8-high")
    ]
    ours, theirs = (collect(requests, engine.stream(requests)) for engine in (int8_engine, random_engine))
    same = sum(a.text.split()[:3] == b.text.split()[:3] for a, b in zip(ours, theirs, strict=True))
    assert same >= 8, [(a.text, b.text) for a, b in zip(ours, theirs, strict=True)]


@pytest.mark.parametrize("name", ["int8_engine", "random_engine"])
def test_a_passage_weighs_the_words_of_its_own_row_alone(name: str, request: pytest.FixtureRequest) -> None:
    engine = request.getfixturevalue(name)
    passage = "Noonan syndrome is caused by changes in PTPN11. It affects 1 in 2,500 people."
    asked = sourced_messages("What causes Noonan syndrome?", passage)
    plain = Request("base", asked, Decoding(max_new_tokens=16))
    weighed = Request("base", asked, Decoding(max_new_tokens=16), passage=passage)
    (alone,) = collect([plain], engine.stream([plain]))
    together = collect([weighed, plain], engine.stream([weighed, plain]))
    assert together[1] == alone
    assert together[0].text != alone.text
    assert "PTPN11" in together[0].text
