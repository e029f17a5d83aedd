"""Whose a ready-made pair is can't be looked up: a deployment has answers of its own, which the repository hasn't."""

from __future__ import annotations

import json
import threading

import pytest

from medilite.arena.bank import ANSWERS_FILE, PROVENANCE_FILE, private_folder, private_names, read_bank
from medilite.arena.booth import PAIR_LIFETIME_S, Shown
from medilite.arena.downloads import Downloads
from medilite.arena.export import public_records
from medilite.arena.records import PUBLIC_BANK
from medilite.arena.retention import Retention, delete_old
from medilite.cli import private_bank
from medilite.cli.private_bank import ROTATE_S
from medilite.cli.votes_prepare import PARTIAL_FILE
from medilite.errors import EngineError
from medilite.questions import QUESTIONS_FILE, read_questions
from medilite.settings import load_settings
from tests.arena.booths import drawn, votes_of
from tests.support.banks import write_bank
from tests.support.fakes import ScriptedEngine

FEW = tuple(read_questions(QUESTIONS_FILE))[:3]


@pytest.fixture
def own(lite, tmp_path):
    """A deployment's own bank, made by its own engine: (settings, folder)."""
    settings = load_settings(data_dir=tmp_path / "data")
    folder = private_folder(settings.data_dir, lite)
    scripts = {model: f"Of {model[::-1]}: rest, drink water and see a doctor." for model in lite.ids}
    engine = ScriptedEngine(lite, scripts=scripts)
    engine.load()
    private_bank.make(engine, private_bank.new_plan(lite, settings, folder, FEW), folder, lambda: False)
    return settings, folder


def test_pairs_are_of_the_deployment_s_own_answers(make_booth, lite, tmp_path, clock, own):
    settings, folder = own
    write_bank(tmp_path / "bank", lite)
    booth = make_booth(private=folder)
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    assert shown.question in {question.question for question in FEW}
    booth.vote(shown.token, me, "left")
    (vote,) = votes_of(booth)
    assert vote.pair.bank not in ("", PUBLIC_BANK)
    assert private_names(settings.data_dir) == {vote.pair.bank}
    # What is published while the bank is in use names no question and no text; afterwards it is whole.
    (now,) = public_records([vote], private_names(settings.data_dir))
    assert {now[name] for name in ("question", "question_id", "left_answer", "left_seed", "left_answer_key")} == {None}
    (later,) = public_records([vote])
    assert later["question"] == shown.question
    assert later["bank"] == "private"


@pytest.mark.parametrize("where", ["another replica", "here, after the bank was replaced"])
def test_a_file_names_no_question_of_a_bank_whose_pairs_may_still_be_shown(
    make_booth, lite, tmp_path, clock, own, where
):
    settings, folder = own
    booth = make_booth(private=folder)
    me = booth.welcome(None)
    shown = drawn(booth, me, clock)
    booth.vote(shown.token, me, "left")
    data_dir = tmp_path / "another replica"
    if where != "another replica":
        data_dir, engine = settings.data_dir, ScriptedEngine(lite)
        engine.load()
        private_bank.make(engine, private_bank.new_plan(lite, settings, folder, FEW), folder, lambda: False)
        assert private_names(data_dir) != {votes_of(booth)[0].pair.bank}

    def published():
        files = Downloads(booth.votes, data_dir)
        (record,) = map(json.loads, files.path(".jsonl").read_text(encoding="utf-8").splitlines())
        return record["question"], record["left_answer"] is not None

    assert published() == (None, False)
    # Its pairs have expired, and it may be in use all the same where nobody has drawn since.
    delete_old(booth.store, Retention(), clock() + PAIR_LIFETIME_S + ROTATE_S / 2)
    assert published() == (None, False)
    delete_old(booth.store, Retention(), clock() + PAIR_LIFETIME_S + ROTATE_S)
    assert published() == (shown.question, True)


def test_a_bank_has_seeds_that_nobody_knows_and_is_replaced(lite, own, make_booth, tmp_path, clock):
    settings, folder = own
    first = read_bank(folder)
    seeds = {seed for _, seed in first.answers}
    assert not seeds & {0, 1}
    booth = make_booth(private=folder)
    assert isinstance(booth.draw(booth.welcome(None)), Shown)
    engine = ScriptedEngine(lite)
    engine.load()
    private_bank.make(engine, private_bank.new_plan(lite, settings, folder, FEW), folder, lambda: False)
    second = read_bank(folder)
    assert second.name != first.name
    assert not seeds & {seed for _, seed in second.answers}
    me = booth.welcome(None)
    booth.vote(drawn(booth, me, clock).token, me, "left")
    assert votes_of(booth)[0].pair.bank == second.name, "without a restart"


def test_a_stopped_run_goes_on_where_it_was(lite, tmp_path):
    settings = load_settings(data_dir=tmp_path / "data")
    folder, engine = private_folder(settings.data_dir, lite), ScriptedEngine(lite)
    engine.load()
    plan = private_bank.new_plan(lite, settings, folder, FEW)
    with pytest.raises(EngineError):
        private_bank.make(engine, plan, folder, lambda: len(engine.requests) > 1)
    assert not (folder / PROVENANCE_FILE).exists()
    again = private_bank.new_plan(lite, settings, folder, FEW)
    assert (again.name, again.seeds) == (plan.name, plan.seeds)
    private_bank.make(engine, again, folder, lambda: False)
    assert len(engine.requests) == len(FEW) * len(plan.seeds)
    assert not (folder / PARTIAL_FILE).exists()


def test_without_one_of_its_own_the_public_one_is_shown_and_said_to_be(make_booth, lite, tmp_path, clock):
    write_bank(tmp_path / "bank", lite)
    folder = tmp_path / "private"
    booth = make_booth(private=folder)
    me = booth.welcome(None)
    booth.vote(drawn(booth, me, clock).token, me, "left")
    assert votes_of(booth)[0].pair.bank == PUBLIC_BANK
    folder.mkdir()
    (folder / PROVENANCE_FILE).write_text(json.dumps({"decoding": 3}), encoding="utf-8")
    (folder / ANSWERS_FILE).write_bytes(b"no gzip")
    assert isinstance(booth.draw(me), Shown), "a broken one closes nothing"


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, False), ({"host": "0.0.0.0"}, True), ({"space_id": "a/b"}, True),
        ({"host": "127.0.0.1", "trusted_proxies": "127.0.0.1"}, True), ({"gradio_server_name": "0.0.0.0"}, True),
        ({"space_id": "a/b", "zero_gpu": True}, False),
        ({"private_bank": True}, True), ({"host": "0.0.0.0", "private_bank": False}, False),
    ],
)  # fmt: skip
def test_who_makes_one(told, wanted):
    assert private_bank.is_wanted(load_settings(**told)) is wanted


def test_it_is_made_behind_the_app_s_back(lite, tmp_path, monkeypatch):
    monkeypatch.setattr(private_bank, "POLL_S", 0.01)
    monkeypatch.setattr(private_bank, "read_questions", lambda path: FEW)
    settings = load_settings(data_dir=tmp_path, private_bank=True)
    engine, over = ScriptedEngine(lite), threading.Event()
    private_bank.start(engine, lite, settings, over.is_set)
    engine.load()
    folder = private_folder(tmp_path, lite)
    for _ in range(3000):
        if (folder / ANSWERS_FILE).exists():
            break
        over.wait(0.01)
    over.set()
    assert read_bank(folder).name != PUBLIC_BANK
