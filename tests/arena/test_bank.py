"""Ready-made answers: contestants, the file of answers, and the command that makes it."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil

import pytest
import yaml

from medilite.arena.bank import ANSWERS_FILE, PROVENANCE_FILE, read_bank
from medilite.arena.contestants import contestants
from medilite.cli import votes_prepare
from medilite.cli.votes_prepare import PARTIAL_FILE, make_plan, prepare, write_bank
from medilite.errors import DataError
from medilite.models import load_profile
from medilite.records import Decoding
from tests.support.fakes import ScriptedEngine


@pytest.fixture
def profile(tmp_path, lite):
    """The default profile with copies of its adapters' small files, to be trained anew at will."""
    models = []
    for spec in lite.models:
        fields = spec.model_dump(exclude={"adapter"}, exclude_none=True)
        if spec.adapter:
            folder = tmp_path / spec.id
            folder.mkdir()
            (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
            (folder / "adapter_model.safetensors").write_bytes(spec.id.encode())
            fields["adapter"] = str(folder)
        models.append(fields)
    path = tmp_path / "profile.yaml"
    made = {"name": "made", "title": "Made", "base": lite.base.model_dump(), "models": models}
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return load_profile(str(path))


def options(**fields):
    given = {
        "questions": None, "seeds": "0,1", "models": "all", "limit": 2, "batch": 24, "max_new_tokens": 12,
        "temperature": 0.7, "top_p": 0.95, "repetition_penalty": 1.1, **fields,
    }  # fmt: skip
    return argparse.Namespace(**given)


def silent(_: str) -> None:
    pass


# -- contestants -----------------------------------------------------------------


def test_training_anew_makes_another_contestant_of_all_that_stands_on_it(profile, tmp_path):
    before = contestants(profile)
    assert list(before) == list(profile.ids)
    assert len({c.sha256 for c in before.values()}) == 6
    assert contestants(profile) == before
    (tmp_path / "sft-r16-high" / "adapter_model.safetensors").write_bytes(b"trained anew")
    after = contestants(profile)
    changed = {model for model in before if before[model] != after[model]}
    assert changed == {"sft-r16-high", "grpo"}, "grpo is stacked on it"


def test_a_model_without_its_adapter_is_no_contestant(profile, tmp_path):
    shutil.rmtree(tmp_path / "sft-r16-high")
    assert set(contestants(profile)) == set(profile.ids) - {"sft-r16-high", "grpo"}


# -- votes prepare -----------------------------------------------------------------


def test_every_model_answers_every_question_with_every_seed(profile, tmp_path):
    engine, out = ScriptedEngine(profile, scripts={"base": "The same. ", "grpo": "The same. "}), tmp_path / "out"
    plan = make_plan(profile, options(), "int8")
    answers, failed = prepare(engine, plan, out, 5, silent)
    assert (len(answers), failed) == (2 * 2 * 6, 0)
    write_bank(plan, answers, out, 1.0)
    first = (out / ANSWERS_FILE).read_bytes()
    write_bank(plan, answers, out, 2.0)
    assert (out / ANSWERS_FILE).read_bytes() == first
    assert not (out / PARTIAL_FILE).exists()
    provenance = json.loads((out / PROVENANCE_FILE).read_text(encoding="utf-8"))
    assert provenance["precision"] == "int8"
    assert (provenance["answers"], provenance["seeds"], provenance["questions"]) == (24, [0, 1], 2)
    assert provenance["contestants"] == {m: c.sha256 for m, c in contestants(profile).items()}
    bank = read_bank(out)
    assert bank.decoding == Decoding(12, 0.7, 0.95, 1.1)
    assert len(bank.questions) == 2
    base, grpo, low = (contestants(profile)[m] for m in ("base", "grpo", "sft-r8-low"))
    assert bank.places[frozenset((base, grpo))] == []
    places = bank.places[frozenset((base, low))]
    assert sorted((p.question, p.seed) for p in places) == sorted((q, s) for q in bank.questions for s in (0, 1))
    assert all(0 <= place.similarity < 1 for place in places)


def test_a_stopped_run_goes_on_without_a_duplicate_or_a_gap(profile, tmp_path):
    out, plan = tmp_path / "out", make_plan(profile, options(), "int8")
    whole, _ = prepare(ScriptedEngine(profile), plan, tmp_path / "undisturbed", 6, silent)
    breaking = ScriptedEngine(profile)

    def stop_after_two(message: str) -> None:
        if len(breaking.requests) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(breaking, plan, out, 6, stop_after_two)
    with (out / PARTIAL_FILE).open("a", encoding="utf-8") as file:
        file.write('{"question_id": "broken off by a ki')
    engine = ScriptedEngine(profile)
    answers, _ = prepare(engine, plan, out, 6, silent)
    assert answers == whole
    assert sum(len(requests) for requests in engine.requests) == 12, "what was there is not asked again"


def test_a_line_separator_within_an_answer_ends_no_line(profile, tmp_path):
    said = dict.fromkeys(profile.ids, "One.\u2028Two.\x85Three.\x0bFour.")
    plan = make_plan(profile, options(), "int8")
    answers, _ = prepare(ScriptedEngine(profile, scripts=said), plan, tmp_path / "out", 24, silent)
    again = ScriptedEngine(profile, scripts=said)
    assert prepare(again, plan, tmp_path / "out", 24, silent)[0] == answers
    assert again.requests == []


def test_answers_of_other_settings_are_not_mixed(profile, tmp_path):
    prepare(ScriptedEngine(profile), make_plan(profile, options(), "int8"), tmp_path / "out", 24, silent)
    with pytest.raises(DataError, match="other settings"):
        prepare(
            ScriptedEngine(profile), make_plan(profile, options(temperature=1.0), "int8"), tmp_path / "out", 24, silent
        )
    with pytest.raises(DataError, match="other settings"):
        prepare(ScriptedEngine(profile), make_plan(profile, options(), "float32"), tmp_path / "out", 24, silent)


def test_a_failed_answer_is_left_out_and_tried_again(profile, tmp_path):
    plan = make_plan(profile, options(), "int8")
    answers, failed = prepare(ScriptedEngine(profile, fail_after={"grpo": 3}), plan, tmp_path / "out", 24, silent)
    assert (len(answers), failed) == (20, 4)
    answers, failed = prepare(ScriptedEngine(profile), plan, tmp_path / "out", 24, silent)
    assert (len(answers), failed) == (24, 0)


@pytest.mark.parametrize("seeds", ["0", "1,1", "a,b"])
def test_one_seed_is_not_enough(profile, seeds):
    with pytest.raises(DataError, match="--seeds"):
        make_plan(profile, options(seeds=seeds), "int8")


def test_the_command_writes_the_file(profile, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(votes_prepare, "open_engine", lambda *_: ScriptedEngine(profile))
    given = options(profile=str(tmp_path / "profile.yaml"), out=str(tmp_path / "out"))
    assert votes_prepare.run(given) == 0
    assert "24 answers to 2 questions" in capsys.readouterr().out
    assert read_bank(tmp_path / "out") is not None


@pytest.mark.parametrize("option", ["batch", "limit"])
@pytest.mark.parametrize("value", [0, -1])
def test_no_answers_at_once_and_no_questions_are_refused(profile, option, value):
    with pytest.raises(DataError, match=f"--{option} {value} can't be used"):
        make_plan(profile, options(**{option: value}), "int8")


def test_a_bank_that_lacks_answers_replaces_none(profile, tmp_path, monkeypatch):
    monkeypatch.setattr(votes_prepare, "open_engine", lambda *_: ScriptedEngine(profile))
    given = options(profile=str(tmp_path / "profile.yaml"), out=str(tmp_path / "out"))
    assert votes_prepare.run(given) == 0
    before = (tmp_path / "out" / ANSWERS_FILE).read_bytes()
    monkeypatch.setattr(votes_prepare, "prepare", lambda *_: ([], 0))
    with pytest.raises(DataError, match="0 of 24 answers"):
        votes_prepare.run(given)
    assert (tmp_path / "out" / ANSWERS_FILE).read_bytes() == before


# -- reading -----------------------------------------------------------------------


@pytest.fixture
def made(profile, tmp_path):
    out, plan = tmp_path / "out", make_plan(profile, options(), "int8")
    answers, _ = prepare(ScriptedEngine(profile), plan, out, 24, silent)
    write_bank(plan, answers, out, 1.0)
    return out


def test_no_answers_are_none(tmp_path):
    assert read_bank(tmp_path) is None


def test_answers_given_before_the_last_training_are_left_out(made, profile, tmp_path):
    (tmp_path / "sft-r16-high" / "adapter_model.safetensors").write_bytes(b"trained anew")
    bank = read_bank(made).of(contestants(profile))
    assert set(bank.stale) == {"sft-r16-high", "grpo"}
    assert {c.model for c in bank.contestants} == set(profile.ids) - {"sft-r16-high", "grpo"}


def rewrite(path, change):
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join(change(lines)).encode()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [lines[0], "{"], "line 2: not valid JSON"),
        (lambda lines: [lines[0], "[]"], "line 2: an object"),
        (lambda lines: [lines[0].replace('"seed": 0', '"seed": true')], "line 1: seed"),
        (lambda lines: [lines[0], lines[0]], "twice with one seed"),
        (lambda lines: [], "holds no answers"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_by_line(made, change, said):
    rewrite(made / ANSWERS_FILE, change)
    with pytest.raises(DataError, match=said):
        read_bank(made)


def test_a_file_that_is_cut_off_or_lost_its_provenance_is_said(made):
    path = made / ANSWERS_FILE
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="can't be read"):
        read_bank(made)
    (made / PROVENANCE_FILE).unlink()
    with pytest.raises(DataError, match="decoded"):
        read_bank(made)
