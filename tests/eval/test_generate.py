"""Whole splits answered by a scripted engine: complete, resumable, killed and carried on."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter

import pytest

from eval.answers import read_answers
from eval.generate import Plan, build_parser, generate, main
from eval.progress import Pace
from eval.questions import load_questions
from eval.run import Run
from medilite.errors import DataError, EngineError, ModelUnavailableError, SettingsError
from medilite.provenance import precision_name
from medilite.records import Decoding
from medilite.settings import load_settings
from tests.support.fakes import ScriptedEngine

DECODING = Decoding(max_new_tokens=12)
ALL = ("base", "sft-r8-low", "sft-r8-high", "sft-r16-low", "sft-r16-high", "grpo")


@pytest.fixture
def plan(lite, data, tmp_path):
    return make_plan(lite, data, Run(tmp_path / "run"))


def make_plan(profile, data, run, **changed):
    fields = {"splits": ("study/test", "distinct/test"), "models": ("base", "grpo"), "decoding": DECODING, "at_once": 3}
    return Plan(profile=profile, data=data, run=run, **(fields | changed))


def go(plan, engine, **settings):
    return generate(plan, load_settings(**settings), engine)


def saved(run):
    return {(one.qid, one.model): one for one in read_answers(run.answers).answers}


def test_every_question_is_answered_once_by_every_model(plan, lite, data):
    engine = ScriptedEngine(lite, scripts={"grpo": "Rest."})
    questions = load_questions(data, "study/test")
    assert go(plan, engine) == (2 * len(questions), 0)
    answers = saved(plan.run)
    # The questions of the other set are the same ones: one answer serves both.
    assert set(answers) == {(q.qid, model) for q in questions for model in ("base", "grpo")}
    first = answers[questions[0].qid, "grpo"]
    assert (first.text, first.tokens, first.stopped) == ("Rest.", 1, "end")
    assert answers[questions[0].qid, "base"].stopped == "length"
    assert (first.setup.decoding, first.setup.precision) == (DECODING, precision_name(load_settings()))
    assert first.adapter != answers[questions[0].qid, "base"].adapter is None
    # All models of a question in one call, with the same dice.
    assert all([r.model for r in call] == ["base", "grpo"] for call in engine.requests)
    assert {r.seed for call in engine.requests for r in call} == {42}
    assert {r.messages[0].content for call in engine.requests for r in call} == {q.text for q in questions}


def test_a_second_run_asks_only_for_what_is_missing(plan, lite, data):
    go(make_plan(lite, data, plan.run, splits=("study/test",), limit=2), ScriptedEngine(lite))
    kept = saved(plan.run)
    engine = ScriptedEngine(lite)
    go(make_plan(lite, data, plan.run, models=("base", "grpo", "sft-r8-low")), engine)
    asked = Counter(len(call) for call in engine.requests)
    assert asked == {1: 2, 3: len(load_questions(data, "study/test")) - 2}
    assert kept.items() <= saved(plan.run).items()
    nothing = ScriptedEngine(lite)
    go(plan, nothing)
    assert nothing.requests == []
    sessions = json.loads(plan.run.record.read_text())["sessions"]
    assert [session["answers"] for session in sessions] == [4, len(saved(plan.run)) - 4]


def test_several_questions_are_in_the_engine_at_once(plan, lite, data):
    most = Together(lite, step_s=0.002)
    go(plan, most)
    assert most.most == 3


class Together(ScriptedEngine):
    """Notes how many streams were open at once."""

    most = 0
    now = 0
    guard = threading.Lock()

    def stream(self, requests):
        with self.guard:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield from super().stream(requests)
        finally:
            with self.guard:
                self.now -= 1


def test_a_model_that_can_not_answer_is_named_and_the_others_go_on(plan, lite, data, capsys):
    answers, failed = go(plan, ScriptedEngine(lite, broken={"grpo": "Its adapter is corrupt."}))
    assert (answers, failed) == (len(load_questions(data, "study/test")), 0)
    assert "grpo can't answer: Its adapter is corrupt." in capsys.readouterr().err
    with pytest.raises(ModelUnavailableError):
        go(plan, ScriptedEngine(lite, broken=dict.fromkeys(ALL, "gone")))


def test_an_answer_that_fails_is_not_written_and_asked_again(plan, lite, data):
    count = len(load_questions(data, "study/test"))
    assert go(plan, ScriptedEngine(lite, fail_after={"grpo": 3})) == (count, count)
    assert {model for _, model in saved(plan.run)} == {"base"}
    assert go(plan, ScriptedEngine(lite)) == (2 * count, 0)


def test_a_question_without_room_fails_alone(plan, lite, data):
    question = max(load_questions(data, "study/test"), key=lambda q: len(q.text.split()))
    room = len(question.text.split()) + 6 + DECODING.max_new_tokens - 1
    longest = [q for q in load_questions(data, "study/test") if len(q.text.split()) == len(question.text.split())]
    _, failed = go(plan, ScriptedEngine(lite, context=room))
    assert failed == 2 * len(longest)


def test_questions_of_one_call_get_each_their_own_answers(plan, lite, data, tmp_path):
    apart, engine = plan, ScriptedEngine(lite)
    go(apart, ScriptedEngine(lite))
    plan = make_plan(lite, data, Run(tmp_path / "together"), at_once=1, together=4)
    count = len(load_questions(data, "study/test"))
    assert go(plan, engine) == (2 * count, 0)
    assert [len(call) for call in engine.requests] == [8] * (count // 4) + [2 * (count % 4)] * (count % 4 > 0)
    assert {key: one.text for key, one in saved(plan.run).items()} == {
        key: one.text for key, one in saved(apart.run).items()
    }


def test_a_question_without_room_leaves_those_of_its_call(lite, data, tmp_path):
    words = sorted(len(q.text.split()) for q in load_questions(data, "study/test"))
    plan = make_plan(lite, data, Run(tmp_path / "together"), at_once=1, together=4)
    room = words[-1] + 6 + DECODING.max_new_tokens - 1
    answers, failed = go(plan, ScriptedEngine(lite, context=room))
    assert failed == 2 * words.count(words[-1])
    assert answers == 2 * (len(words) - words.count(words[-1]))


def test_an_empty_answer_is_an_answer(plan, lite):
    go(plan, ScriptedEngine(lite, scripts={"base": ""}))
    assert {one.text for one in saved(plan.run).values() if one.model == "base"} == {""}


def test_an_engine_that_breaks_down_stops_the_run_and_leaves_what_is_written(plan, lite, data):
    class Breaks(ScriptedEngine):
        def stream(self, requests):
            if len(self.requests) >= 5:
                raise EngineError("Generation broke down.")
            return super().stream(requests)

    with pytest.raises(EngineError):
        go(plan, Breaks(lite))
    assert 0 < len(saved(plan.run)) <= 10
    go(plan, ScriptedEngine(lite))
    assert len(saved(plan.run)) == 2 * len(load_questions(data, "study/test"))


def test_another_decoding_is_refused_before_anything_is_asked(plan, lite, data):
    go(plan, ScriptedEngine(lite))
    engine = ScriptedEngine(lite)
    with pytest.raises(DataError, match="another decoding"):
        go(make_plan(lite, data, plan.run, decoding=Decoding(max_new_tokens=13)), engine)
    assert engine.requests == []


def test_model_servers_do_not_tell_their_precision():
    with pytest.raises(SettingsError, match="MEDILITE_ENGINE"):
        precision_name(load_settings(engine="remote", servers="http://127.0.0.1:1"))


def test_the_first_int8_is_not_mixed_with_today_s(monkeypatch):
    """It had one scale an output: answers taken over from a board of it would be another engine's."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    today = precision_name(load_settings(precision="int8"))
    assert today.startswith("int8")
    assert today != "int8"
    assert precision_name(load_settings(precision="float32")) == "float32"


def test_another_precision_is_refused(plan, lite, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    go(plan, ScriptedEngine(lite), precision="int8")
    assert {one.setup.precision for one in saved(plan.run).values()} == {"int8, groups of 32"}
    with pytest.raises(DataError, match=r"another precision \(int8, groups of 32, not float32\)"):
        go(plan, ScriptedEngine(lite), precision="float32")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with pytest.raises(DataError, match=r"not bfloat16"):
        go(plan, ScriptedEngine(lite), precision="int8")


def test_killed_at_ten_moments_it_ends_like_an_undisturbed_run(lite, data, tmp_path):
    """A child process does the work and is killed, each time a little later than it had begun to write."""
    undisturbed = make_plan(lite, data, Run(tmp_path / "whole"))
    go(undisturbed, ScriptedEngine(lite))
    plan = make_plan(lite, data, Run(tmp_path / "killed"))
    moments = random.Random(4)
    context = multiprocessing.get_context("fork")
    kills = 0
    for _ in range(10):
        written = plan.run.answers.stat().st_size if plan.run.answers.exists() else 0
        child = context.Process(target=go, args=(plan, ScriptedEngine(lite, step_s=0.002)))
        child.start()
        deadline = time.monotonic() + 60
        while child.is_alive() and time.monotonic() < deadline:
            if plan.run.answers.exists() and plan.run.answers.stat().st_size > written:
                break
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.03))
        kills += child.is_alive()
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    assert kills, "no kill came in time to disturb anything"
    go(plan, ScriptedEngine(lite))
    assert saved(plan.run) == saved(undisturbed.run)
    lines = plan.run.answers.read_text().splitlines()
    assert sorted(lines) == sorted(undisturbed.run.answers.read_text().splitlines())


def test_the_default_is_the_studys_decoding():
    options = build_parser().parse_args([])
    values = options.max_new_tokens, options.temperature, options.top_p, options.repetition_penalty, options.seed
    assert values == (256, 0.0, 1.0, 1.0, 42)


def test_an_error_is_a_message_and_exit_code_2(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "none"), "--run", str(tmp_path / "run")]) == 2
    assert "Prepare the data" in capsys.readouterr().err


def test_the_pace_tells_speed_and_end():
    now = [0.0]
    pace = Pace(100, clock=lambda: now[0])
    now[0] = 60.0
    pace.generated(1200)
    assert pace.line() == "0 of 100 answers · 20 tokens/s"
    pace.count(25, 1200)
    assert pace.line().startswith("25 of 100 answers · 20 tokens/s · 3 min left, ends about ")
    assert pace.summary() == "25 answers, 1,200 tokens in 1 min: 20 tokens/s, 0.42 answers/s"


@pytest.mark.model
def test_a_real_answer_is_the_engines_own(engine, lite, data, tmp_path):
    """One question, two models, a few tokens; alone and beside another question it is the same answer."""
    few = Decoding(max_new_tokens=6)
    alone = make_plan(lite, data, Run(tmp_path / "alone"), decoding=few, at_once=1, limit=2)
    beside = make_plan(lite, data, Run(tmp_path / "beside"), decoding=few, at_once=2, limit=2)
    assert go(alone, engine) == go(beside, engine) == (4, 0)
    assert saved(alone.run) == saved(beside.run)
    assert all(one.text.strip() for one in saved(alone.run).values())
