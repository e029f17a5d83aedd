"""The tab Lab: what each view asks the engine for, what it shows, and what it says to what can't be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import gradio as gr
import pytest

from medilite.draining import Drain, DrainedEngine
from medilite.errors import EngineError
from medilite.models import ROOT
from medilite.prompts import question_messages
from medilite.records import SHOWN_DECODING, Decoding, RowStep, Step
from medilite.settings import load_settings
from medilite.sources.records import Passage
from medilite.sources.shelf import Shelf
from medilite.ui.compare.comparison import Comparison
from medilite.ui.guard.limits import Admission
from medilite.ui.lab.tab import LabTab
from medilite.ui.page.session import Session
from tests.support.fakes import ScriptedEngine, _pieces
from tests.support.libraries import small_shelf
from tests.support.saves import with_saves
from tests.ui.html import read

QUESTION = "What is asthma?"
BEGINNING = "Asthma is a condition in which the airways "
ENDS = ("swell up.", "get narrow.", "get narrow.", "swell <b>up</b>.", "swell and itch.", "swell and ache.")
PASSAGE = Passage("NHLBI/1#1", "Asthma is a disease of the airways.", QUESTION, "Asthma", "", "NHLBI", "", "")


@dataclass
class Lab:
    """A tab around a scripted engine, and what a visitor does in it."""

    tab: LabTab
    engine: ScriptedEngine
    session: Session

    def press(self, view: str, *own: object, question: str = QUESTION) -> dict[str, Any]:
        """Press a view's button; return what is on the page at the end, by id."""
        values: list[object] = []
        for key, each in self.tab.views.items():
            values += own if key == view else [None] * len(each.controls)
        return self.seen(self.tab.answer(self.session, question, view, *values))

    def seen(self, updates: Any) -> dict[str, Any]:
        page: dict[str, Any] = {}
        for update in updates:
            page |= {getattr(part, "elem_id", None) or str(part): value for part, value in update.items()}
        return page

    def asked(self, view: str) -> list[tuple[Any, ...]]:
        return [call for call in self.engine.requests if (call[0].scored is not None) == (view == "scored")]


@pytest.fixture
def lab(lite) -> Callable[..., Lab]:
    def make(
        admission: Admission | None = None, engine: Any = None, settings: Any = None, profile: Any = lite,
        shelf: Any = None, **script: Any,
    ) -> Lab:  # fmt: skip
        scripts = {model: BEGINNING + end for model, end in zip(lite.ids, ENDS, strict=True)}
        engine = engine or ScriptedEngine(profile, **{"scripts": scripts, **script})
        settings = settings or load_settings()
        shelf = shelf or Shelf(settings)
        tab = LabTab(DrainedEngine(engine, Drain()), profile, settings, admission or Admission(10), shelf)
        session = Session()
        with gr.Blocks(), gr.Tab("Lab") as place:
            tab.build(gr.State(session), place)
        return Lab(tab, engine, session)

    return make


def cards(html: str) -> dict[str, Any]:
    return {card.attributes["data-model"]: card for card in read(html).all("article")}


def test_a_fork_map_has_each_answers_fork_both_words_and_their_probabilities(lab):
    one = lab()
    page = one.press("forks")
    found = cards(page["lab-forks"])
    assert {model: card.attributes["data-fork"] for model, card in found.items()} == {
        "base": "", "sft-r8-low": "8", "sft-r8-high": "8", "sft-r16-low": "9", "sft-r16-high": "9", "grpo": "10",
    }  # fmt: skip
    assert all(card.attributes["data-scored"] == "yes" for card in found.values())
    said = found["grpo"].one(cls="lab-fork").text
    assert "it says “ache.”, where SFT r16 high says “itch.”" in said
    assert "to GRPO60.0 %10.0 %" in said
    assert "to SFT r16 high10.0 %60.0 %" in said
    assert "no parent to leave" in found["base"].text
    assert "<b>" in found["sft-r16-low"].one(cls="ml-text").text, "markup is shown, not obeyed"
    assert all("Not medical advice" in card.text for card in found.values())
    assert "0 bits" in page["lab-forks"]
    assert "2.6 bits" in page["lab-forks"], "six models can be log2(6) bits apart"
    writing, *scoring = one.engine.requests
    assert len(writing) == 6
    assert [len(call) for call in scoring] == [6] * 6
    assert all(request.divergence and request.visitor for call in scoring for request in call)


def test_a_map_of_what_compare_answered_writes_only_what_is_missing(lab, lite):
    one = lab()
    run = Comparison.of(QUESTION, lite, lite.select("base,sft-r16-high,grpo"), Decoding(9, temperature=0.5), 7)
    for step in one.engine.stream(run.requests()):
        run.advance(step)
    one.session.comparison = run
    one.press("forks")
    written = one.asked("written")[1:]
    assert [[request.model for request in call] for call in written] == [["sft-r8-low", "sft-r8-high", "sft-r16-low"]]
    assert {(request.decoding, request.seed) for request in written[0]} == {(run.decoding, 7)}
    assert one.session.comparison is run
    assert len(run.panes) == 3
    assert one.tab.open(one.session) == QUESTION


@pytest.mark.parametrize("more", ["passage", "before"])
def test_a_map_writes_answers_again_that_compare_asked_for_with_more_than_the_question(lab, lite, more):
    """They are scored under the bare question, to which they were no answers."""
    one = lab()
    run = Comparison.of(QUESTION, lite, lite.models, Decoding(9, temperature=0.5), 7)
    if more == "passage":
        run.from_source, run.given = True, PASSAGE
    else:
        run.before = Comparison.of("What is asthma not?", lite, lite.models, run.decoding, 7)
    for step in one.engine.stream(run.requests()):
        run.advance(step)
    one.session.comparison = run
    assert 'data-scored="yes"' in one.press("forks")["lab-forks"]
    written = one.asked("written")[-1]
    assert [request.model for request in written] == list(lite.ids)
    assert {(request.messages, request.passage) for request in written} == {(question_messages(QUESTION), "")}
    assert {request.decoding for request in written} == {SHOWN_DECODING}


def test_all_go_on_from_a_fork(lab):
    one = lab()
    page = one.press("forks")
    assert page["lab-onward-model"].value == "grpo"
    assert page["lab-onward-tokens"].value == 10
    more = one.seen(one.tab.go_on(one.session, "grpo", 10))
    asked = one.engine.requests[-1]
    assert [request.begun for request in asked] == [one.session.forks.answers["grpo"].ids[:10]] * 6
    assert "Asthma is a condition in which the airways swell and" in more["lab-onward"]
    texts = [card.one(cls="ml-text").text for card in cards(more["lab-onward"]).values()]
    assert all(text.startswith(BEGINNING + "swell and ") for text in texts)
    assert texts[-1].endswith("ache.")


@pytest.mark.parametrize(
    ("model", "tokens", "why"),
    [("grpo", 99, "this answer has 11"), ("x", 1, "in the map any more"), (None, None, "map")],
)
def test_there_is_a_sentence_for_whoever_goes_on_from_nowhere(lab, model, tokens, why):
    one = lab()
    assert "no map yet" in one.seen(one.tab.go_on(one.session, model, tokens))["lab-error"]
    one.press("forks")
    page = one.seen(one.tab.go_on(one.session, model, tokens))
    assert why in page["lab-error"]
    assert page["lab-run"].interactive


def test_equal_answers_empty_ones_and_models_that_fail_have_a_sentence_each(lab, lite):
    scripts = dict.fromkeys(lite.ids, "The same words.") | {"sft-r8-low": ""}
    one = lab(scripts=scripts, broken={"sft-r8-high": "The adapter is missing."})
    found = cards(one.press("forks")["lab-forks"])
    assert "token by token: there is no fork" in found["grpo"].text
    assert "where Base says “The”" in found["sft-r8-low"].text
    assert "says the end of the answer" in found["sft-r8-low"].text
    assert "sft-r8-high" not in found, "a model that can't answer has no card"
    one = lab(scripts=scripts, fail_after={"grpo": 0})
    assert "nothing to map" in cards(one.press("forks")["lab-forks"])["grpo"].text


def test_an_engine_that_reports_no_tokens_is_told_so(lab, lite):
    class Tokenless(ScriptedEngine):
        def stream(self, requests):
            for step in super().stream(requests):
                yield Step(tuple(RowStep(r.text, r.tokens, r.stopped, r.error) for r in step.rows), step.waiting)

    assert "MEDILITE_ENGINE=local" in lab(engine=Tokenless(lite)).press("forks")["lab-error"]


def test_five_strengths_come_from_one_batch_and_make_a_curve(lab):
    one = lab()
    page = one.press("strength", "sft-r16-high", "grpo", 0.3)
    (call,) = one.engine.requests
    assert [(request.strength, request.other, request.model) for request in call] == [
        (value, "sft-r16-high", "grpo") for value in (0.0, 0.3, 0.5, 1.0, 1.3)
    ]
    assert list(cards(page["lab-strengths"])) == [f"strength-{value:g}" for value in (0, 0.3, 0.5, 1, 1.3)]
    assert page["lab-curve"].visible
    assert "Easier is not better" in page["lab-curve-head"]
    assert "not a measurement" in page["lab-curve-numbers"]


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (("sft-r16-high", "grpo", 5), "Strength 5 can&#39;t be used: choose from 0 to 1.3."),
        (("grpo", "grpo", 0.5), "choose two different models"),
        (("grpo", "gpt-5", 0.5), "Unknown model"),
        ((None, None, None), "Unknown model"),
    ],
)
def test_a_line_or_strength_that_cannot_be_is_refused_before_anything_is_asked(lab, own, why):
    one = lab()
    page = one.press("strength", *own)
    assert why in page["lab-error"]
    assert one.engine.requests == []


def test_eight_seeds_a_model_are_counted_word_by_word(lab):
    one = lab(fail_after={"base": 3})
    page = one.press("luck")
    assert [[request.seed for request in call] for call in one.engine.requests] == [list(range(8))] * 6
    assert {request.decoding.temperature for call in one.engine.requests for request in call} == {0.7}
    found = cards(page["lab-luck"])
    assert found["base"].attributes["data-answers"] == "0"
    assert "not finite" in found["base"].text
    assert found["grpo"].attributes["data-answers"] == "8"
    assert "In all, or all but one: ache, airways, asthma, condition, swell" in found["grpo"].text
    assert "in 8 of 8" in page["lab-luck"]
    assert "0 of 8" in page["lab-spread-numbers"], "what failed is counted, not a grade of 0"


class Learning(ScriptedEngine):
    """Says something else at every save."""

    SAID: ClassVar = {
        "Step 5": "Gout is a considerably complicated condition of uric acid.",
        "Step 10": "Gout is a considerably complicated condition of uric acid.",
        "Step 15": "Gout is a swelling of joints. It comes from <b>uric</b> acid.",
    }

    def _words(self, model):
        return _pieces(self.SAID.get(self.profile.get(model).label, "Gout is an exceedingly complicated condition."))


def test_every_save_answers_in_one_batch_and_the_slider_shows_what_changed(lab, lite, tmp_path):
    profile = with_saves(lite, tmp_path / "grpo")
    (tmp_path / "grpo/saves/step-020").mkdir()
    engine = Learning(profile)
    one = lab(engine=engine, profile=profile, shelf=small_shelf(tmp_path / "library"))
    page = one.press("learned", "grpo", question="What is gout?")
    assert page["lab-error"] == ""
    (call,) = engine.requests
    assert call[0].model == "sft-r16-high"
    assert len({(request.seed, request.decoding, request.messages) for request in call}) == 1
    assert engine.profile.ids == profile.ids, "no save stays in the engine"
    steps = read(page["lab-learned"]).all(cls="lab-step")
    assert [step.attributes["data-step"] for step in steps] == ["0", "5", "10", "15", "20"]
    assert ["hidden" in step.attributes for step in steps] == [True] * 4 + [False]
    assert "same answer as at step 5" in steps[2].text
    assert "Since step 10: 7 new words" in steps[3].text
    assert "Key terms gained: swelling, joints" in steps[3].text
    assert "Lost:" not in steps[3].text
    assert "<b>" in steps[3].one(cls="ml-text").text, "markup is shown, not obeyed"
    assert "can’t be used" in steps[4].text
    assert "are missing" in steps[4].text
    assert "falls most between step 10 and step 15" in page["lab-learned"]
    assert "Easier is not better" in page["lab-learned"]
    rows = read(page["lab-learned"]).one("tbody").all("tr")
    assert [row.one("button").text for row in rows] == ["0", "5", "10", "15", "20"]
    assert page["lab-learning"].visible
    assert "not a measurement" in page["lab-learning-numbers"]
    assert '"yaxis": "y3"' in page["lab-learning-plot"].value["plot"]


@pytest.mark.parametrize(("model", "why"), [("base", "Base has no saves"), ("x", "Unknown"), (None, "Unknown")])
def test_a_model_without_saves_is_a_sentence(lab, model, why):
    one = lab()
    page = one.press("learned", model)
    assert why in page["lab-error"]
    assert one.engine.requests == []


def test_without_a_source_the_steps_have_no_key_terms_and_without_a_save_no_answer(lab, lite, tmp_path):
    profile = with_saves(lite, tmp_path / "grpo", (5,))
    page = lab(profile=profile).press("learned", "grpo")
    assert "key terms aren’t known" in page["lab-learned"]
    assert "Came" not in page["lab-learned"]
    (tmp_path / "grpo/saves/step-005/adapter_config.json").write_text("{")
    assert (
        "None of the saves of GRPO can be used. The first: "
        in lab(profile=profile).press("learned", "grpo")["lab-error"]
    )


def test_a_question_is_asked_in_other_wordings_and_an_emergency_stays_one(lab):
    one = lab()
    page = one.press("wording", question="What are the symptoms of a stroke?")
    asked = [call[0].messages[0].content for call in one.engine.requests]
    assert len(asked) == len(set(asked)) > 2
    assert {len(call) for call in one.engine.requests} == {6}
    assert "ml-emergency" in page["lab-emergency"]
    assert page["lab-wordings"].count("emergency notice shown") == len(asked)
    rows = read(page["lab-wordings"]).all("tbody")[0].all("tr")
    assert [row.attributes["data-model"] for row in rows] == list(one.engine.profile.ids)
    assert "100 % kept" in rows[0].text
    assert "Easier is not better" in page["lab-wordings"]


@pytest.mark.parametrize("view", ["forks", "luck", "wording"])
def test_stop_keeps_what_is_there_and_asks_for_no_more(lab, view):
    one = lab()
    values = [None] * 3
    updates = one.tab.answer(one.session, QUESTION, view, *values)
    calls = 2
    page: dict[str, Any] = {}
    for update in updates:
        page |= {getattr(part, "elem_id", ""): value for part, value in update.items()}
        if len(one.engine.requests) == calls:
            one.session.lab.request_stop()
    assert len(one.engine.requests) == calls
    assert "Stopped" in page["lab-status"]
    assert page["lab-run"].interactive
    assert not page["lab-stop"].interactive
    assert not one.session.lab.busy


@pytest.mark.parametrize("view", ["forks", "strength", "luck", "wording", "learned"])
def test_every_view_takes_a_seat_as_compare_does_and_gives_it_back(lab, lite, tmp_path, view):
    admission = Admission(1)
    one = lab(admission, profile=with_saves(lite, tmp_path / "grpo") if view == "learned" else lite)
    own = {"strength": ("sft-r16-high", "grpo", 0.3), "learned": ("grpo",)}.get(view, ())
    with admission.seat("somebody else"):
        page = one.press(view, *own)
    assert "which is the limit" in page["lab-error"]
    assert one.engine.requests == []
    assert page["lab-run"].interactive
    assert one.press(view, *own)["lab-error"] == ""
    with admission.seat("somebody else"):
        pass


@pytest.mark.parametrize("question", ["", "  ", "?!", "x" * 2001, None, 3])
def test_a_question_that_is_none_is_refused_beside_the_field(lab, question):
    one = lab()
    assert "ml-error" in one.press("forks", question=question)["lab-error"]
    assert one.engine.requests == []


def test_an_engine_that_breaks_down_says_so_and_the_button_comes_back(lab, lite):
    class Broken(ScriptedEngine):
        def stream(self, requests):
            raise EngineError("Generation failed. Ask again.")

    page = lab(engine=Broken(lite)).press("luck")
    assert "failed" in page["lab-error"]
    assert page["lab-run"].interactive


def test_no_view_gives_a_component_a_bare_object(lab, lite, tmp_path):
    # Gradio's client changes it in place by the next update, which a plot that is drawn late then finds empty.
    one, seen = lab(profile=with_saves(lite, tmp_path / "grpo")), []
    owns = {"strength": ("base", "grpo", 0.7), "learned": ("grpo",), "own": (GRPO, "", "", "base")}
    for view in one.tab.views:
        for part, value in one.press(view, *owns.get(view, ())).items():
            assert isinstance(value, str | gr.blocks.Block), (view, part)
            seen.append(part)
    assert {"lab-curve-plot", "lab-spread-plot", "lab-learning-plot", "lab-own"} <= set(seen)


def test_choosing_a_view_shows_its_words_and_its_button_alone(lab):
    one = lab()
    for key, view in one.tab.views.items():
        page = one.tab.choose(one.session, key)
        assert view.about[:30] in page[one.tab.about]
        assert page[one.tab.run].value == view.verb
        shown = [name for name, column in one.tab.places.items() if page[column].visible]
        assert shown == [key]
    assert one.tab.choose(one.session, "nothing") == gr.skip()


GRPO = str(ROOT / "assets/adapters/lite/grpo")


def test_an_adapter_that_is_brought_is_the_seventh_pane_and_has_a_board(lab, lite):
    one = lab(scripts=dict.fromkeys(lite.ids, "The same words each time."))
    page = one.press("own", GRPO, "Mine <b>", "Violet", "sft-r16-high")
    assert page["lab-error"] == ""
    found = cards(page["lab-own"])
    assert list(found)[:-1] == list(lite.ids)
    assert found[one.session.own_adapter].one("h3").text == "Mine <b>"
    assert "rank 8" in page["lab-own"]
    assert page[str(one.tab.own.boarding)].visible
    one.engine.scripts = {**one.engine.scripts, one.session.own_adapter: "The same words each time."}
    board = one.seen(one.tab.compare_own(one.session, "grpo", "32"))["lab-board"]
    assert "All 32 answers of Mine &lt;b&gt; and GRPO are the same, word for word" in board
    asked = [request for call in one.engine.requests[1:] for request in call]
    assert len(asked) == 64
    assert max(len(call) for call in one.engine.requests[1:]) == 12
    one.engine.scripts = {**one.engine.scripts, one.session.own_adapter: "Other words, considerably complicated ones."}
    board = one.seen(one.tab.compare_own(one.session, "grpo", "32"))["lab-board"]
    assert "Clear after 32 questions" in board
    assert "grades harder than GRPO" in board
    assert "Easier is not better" in board
    before = one.session.own_adapter
    one.press("own", GRPO, "", "Teal", "base")
    assert before not in one.engine.profile.ids, "a visitor has one at a time"


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (("", "", "", "base"), "No adapter is named"),
        ((None, None, None, None), "No adapter is named"),
        (("/nowhere", "", "", "base"), "There is no folder"),
        ((GRPO, "", "", "gpt-5"), "Unknown model"),
        (("me/adapter", "", "", "base"), "owner/name@sha"),
    ],
)
def test_an_adapter_that_cannot_be_brought_is_a_sentence(lab, own, why):
    one = lab()
    assert why in one.press("own", *own)["lab-error"]
    assert one.engine.requests == []


def test_a_space_has_no_field_for_an_adapter_and_takes_none(lab):
    one = lab(settings=load_settings(host="0.0.0.0"))
    assert "takes no adapters" in one.press("own", GRPO, "", "", "base")["lab-error"]
    assert not one.tab.own.where.parent.parent.visible


@pytest.mark.parametrize(
    ("against", "size", "why"), [("grpo", "33", "choose 32"), ("x", "32", "Unknown"), (None, None, "")]
)
def test_a_board_that_cannot_be_is_a_sentence(lab, against, size, why):
    one = lab()
    assert "bring it again" in one.seen(one.tab.compare_own(one.session, against, size))["lab-error"].lower()
    one.press("own", GRPO, "", "", "base")
    assert why in one.seen(one.tab.compare_own(one.session, against, size))["lab-error"]


def test_after_a_reload_the_view_is_back_and_says_that_its_results_are_not(lab):
    one = lab()
    for key, view in one.tab.views.items():
        page = one.tab.restore(one.session, QUESTION, key)
        assert page[one.tab.run].value == view.verb
        assert [name for name, column in one.tab.columns.items() if page[column].visible] == [key]
        assert f"press “{view.verb}” for them" in page[one.tab.error]
        assert set(page) <= set(one.tab.restored)
    assert one.tab.restore(one.session, " ", "luck")[one.tab.error] == ""
    assert one.tab.restore(one.session, QUESTION, "no view") == gr.skip()
    assert len(one.tab.form) == len(set(one.tab.form)), "each field is kept once"


def test_an_emergency_that_gets_no_answer_has_its_notice(lab):
    question = "I took 60 paracetamol tablets and want to die"
    refused = [
        lab().press("forks", question=f"{question} {2000 * 'x'}"),
        lab(Admission(0)).press("forks", question=question),
    ]
    for page in refused:
        assert "ml-error" in page["lab-error"]
        assert 'data-kind="self-harm"' in page["lab-emergency"]
