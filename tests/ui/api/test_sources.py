"""The library for programs: passages, the source beside a comparison, and answers from it."""

from __future__ import annotations

import pytest

from medilite.errors import ArgumentError, QuestionError, RateLimitError
from medilite.models import load_profile
from medilite.prompts import sourced_messages
from medilite.settings import load_settings
from medilite.sources.shelf import Shelf
from medilite.ui.api.asking import Asking
from medilite.ui.api.library import Sources
from medilite.ui.guard import VisitorLimits
from medilite.ui.guard.limits import Admission
from tests.support.fakes import ScriptedEngine
from tests.support.libraries import small_shelf

GOUT = "Gout is a painful swelling of joints. It is caused by uric acid. About 4% of adults have it."


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    made = small_shelf(tmp_path_factory.mktemp("library"))
    yield made
    made.close()


def sources_of(shelf, **given):
    settings = load_settings(**given)
    limits = VisitorLimits(settings, who=lambda: "1.2.3.4")
    return Sources(shelf, settings, Admission(5, limits), who=lambda: "1.2.3.4")


def test_passages_say_where_they_come_from(shelf):
    told = sources_of(shelf).sources("What is gout?", 1)
    assert (told["library"], told["fits"], told["collection"]["licence"]) == ("ready", True, "CC BY 4.0")
    (passage,) = told["passages"]
    assert (passage["id"], passage["text"], passage["address"]) == ("NIDDK/1-1#1", GOUT, "https://example.gov/1")
    assert passage["flesch_kincaid_grade"] > 0
    assert "no passage is advice" in told["notice"]


def test_nothing_fits_and_no_library_are_told_apart(shelf):
    told = sources_of(shelf).sources("Who won the world cup in 1998?")
    assert (told["library"], told["fits"], told["passages"]) == ("ready", False, [])
    none = sources_of(Shelf(load_settings(sources="off"))).sources("What is gout?")
    assert (none["library"], none["fits"], none["passages"], none["collection"]) == ("off", None, [], None)


@pytest.mark.parametrize(
    ("question", "count", "error"),
    [("", 5, QuestionError), ("What?", 0, ArgumentError), ("What?", 21, ArgumentError), ("What?", True, ArgumentError),
     ("What?", "3", ArgumentError), (7, 5, QuestionError)],
)  # fmt: skip
def test_what_can_t_be_looked_up_is_said(shelf, question, count, error):
    with pytest.raises(error):
        sources_of(shelf).sources(question, count)


def test_looking_up_counts_as_a_reading(shelf):
    sources = sources_of(shelf, readings_per_address="1/minute")
    sources.sources("What is gout?")
    with pytest.raises(RateLimitError):
        sources.sources("What is gout?")


def compare(shelf, lite, question="What is gout?", models=("base",), **flags):
    engine = ScriptedEngine(lite, scripts={"base": "Uric acid causes it. Cars need new tyres and brakes."})
    engine.load()
    limits = VisitorLimits(load_settings(), who=lambda: "1.2.3.4")
    programs = Asking(engine, lite, load_settings(), Admission(5, limits), who=lambda: "1.2.3.4", shelf=shelf)
    return engine, list(programs.compare(question, models and list(models), **flags))[-1]


def test_a_comparison_has_its_source_and_marks_only_where_it_was_asked_for(shelf, lite):
    _, plain = compare(shelf, lite)
    assert (plain["source"], plain["answered_from"], plain["answers"][0]["marks"]) == (None, None, None)
    engine, told = compare(shelf, lite, sources=True)
    assert told["source"]["passages"][0]["id"] == "NIDDK/1-1#1"
    assert told["answered_from"] is None
    assert "not_found" in [mark["verdict"] for mark in told["answers"][0]["marks"]]
    assert engine.requests[-1][0].messages[0].content == "What is gout?"


def test_models_answer_from_the_passage(shelf, lite):
    engine, told = compare(shelf, lite, from_source=True)
    assert told["answered_from"] == told["source"]["passages"][0]["id"] == "NIDDK/1-1#1"
    assert engine.requests[-1][0].messages == sourced_messages("What is gout?", GOUT)
    engine, told = compare(shelf, lite, "Who won the world cup in 1998?", from_source=True)
    assert (told["answered_from"], told["source"]["fits"], told["answers"][0]["marks"]) == (None, False, None)
    assert engine.requests[-1][0].messages[0].content == "Who won the world cup in 1998?"


def test_the_rewriter_answers_where_all_models_are_asked_from_the_source_and_never_alone(shelf, lite):
    profile = lite.model_copy(update={"rewriters": load_profile("lite", with_absent=True).rewriters})
    _, told = compare(shelf, profile, models=None, from_source=True)
    assert [answer["model"] for answer in told["answers"]] == [*lite.ids, "sourced"]
    _, told = compare(shelf, profile, models=None)
    assert [answer["model"] for answer in told["answers"]] == [*lite.ids]
    with pytest.raises(ArgumentError, match="'sourced' can't be used: it answers from a passage alone"):
        compare(shelf, profile, models=["sourced"], from_source=True)


@pytest.mark.parametrize("name", ["sources", "from_source"])
def test_a_switch_is_true_or_false(shelf, lite, name):
    with pytest.raises(ArgumentError, match=f"{name}='yes' can't be used"):
        compare(shelf, lite, **{name: "yes"})


def test_a_library_that_fails_leaves_the_answers_alone(lite, tmp_path):
    shelf = small_shelf(tmp_path)
    shelf.library.close()
    _, told = compare(shelf, lite, from_source=True)
    assert told["answers"][0]["answer"].startswith("Uric acid")
    assert (told["source"]["library"], told["source"]["fits"], told["answered_from"]) == ("missing", None, None)
    assert "can no longer be read" in told["source"]["message"]
