"""The saves of a run: which there are, which can be asked, and that the engine has each only while somebody asks it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from medilite.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from medilite.errors import EngineError, UnknownModelError
from medilite.lab.saves import MOST, SavedModels, largest_fall, said, saves_of, terms_of
from tests.support.fakes import ScriptedEngine
from tests.support.saves import with_saves


@pytest.fixture(scope="module")
def made(lite, tmp_path_factory):
    return with_saves(lite, tmp_path_factory.mktemp("run") / "grpo")


@pytest.fixture
def saved(made, tmp_path):
    """The same in a folder of the test's own."""
    folder = Path(made.get("grpo").adapter)
    shutil.copytree(folder, tmp_path / "grpo")
    models = [m.model_copy(update={"adapter": str(tmp_path / "grpo")}) if m.id == "grpo" else m for m in made.models]
    return made.model_copy(update={"models": tuple(models)})


def folder(profile) -> Path:
    return Path(profile.get("grpo").adapter) / "saves"


def test_saves_come_in_the_order_of_their_steps_and_other_folders_are_none(saved):
    shutil.move(folder(saved) / "step-005", folder(saved) / "step-100")
    for name in ("step-", "step-x", "notes", "step-7.tmp"):
        (folder(saved) / name).mkdir()
    assert [save.step for save in saves_of(saved, "grpo")] == [10, 15, 100]
    assert saves_of(saved, "base") == saves_of(saved, "sft-r8-low") == ()
    with pytest.raises(UnknownModelError):
        saves_of(saved, "gpt-5")
    for step in range(200, 300):
        (folder(saved) / f"step-{step}").mkdir()
    steps = [save.step for save in saves_of(saved, "grpo")]
    assert (len(steps), steps[0], steps[-1]) == (MOST, 10, 299)
    assert steps == sorted(set(steps))


def cut_off(save: Path) -> None:
    whole = (save / WEIGHTS_FILE).read_bytes()
    (save / WEIGHTS_FILE).write_bytes(whole[: len(whole) // 2])


def no_config(save: Path) -> None:
    (save / CONFIG_FILE).unlink()


def other_base(save: Path) -> None:
    config = (save / CONFIG_FILE).read_text()
    (save / CONFIG_FILE).write_text(config.replace("SmolLM2-135M-Instruct", "gpt2"))


def no_folder(save: Path) -> None:
    shutil.rmtree(save)
    save.write_text("not a folder")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(cut_off, "no whole safetensors file"), (no_config, "is missing"), (other_base, "gpt2"), (no_folder, "NotADir")],
)
def test_a_damaged_save_is_that_rows_alone(saved, spoil, why):
    spoil(folder(saved) / "step-010")
    engine = ScriptedEngine(saved)
    with SavedModels(engine, saved).lent("grpo") as rows:
        assert [(save.step, save.spec is None) for save in rows] == [(5, False), (10, True), (15, False)]
        assert why in rows[1].why
        assert str(folder(saved)) not in rows[1].why
        assert {save.spec.id for save in rows if save.spec} < set(engine.profile.ids)
        assert {save.spec.stacked_on for save in rows if save.spec} == {"sft-r16-high"}
    assert engine.profile.ids == saved.ids


def test_saves_are_there_while_any_visitor_asks_them_and_once(made):
    engine = ScriptedEngine(made)
    saved, inside, go = SavedModels(engine, made), threading.Barrier(3), threading.Event()

    def visit() -> None:
        with saved.lent("grpo"):
            inside.wait(10)
            go.wait(10)

    others = [threading.Thread(target=visit) for _ in range(2)]
    for other in others:
        other.start()
    inside.wait(10)
    with saved.lent("grpo") as rows:
        ids = [save.spec.id for save in rows if save.spec]
        assert len(set(ids)) == 3
        assert sorted(engine.profile.ids) == sorted([*made.ids, *ids])
    assert set(ids) < set(engine.profile.ids)
    go.set()
    for other in others:
        other.join()
    assert engine.profile.ids == made.ids


def test_an_engine_that_takes_none_says_so_and_nothing_is_left(made):
    class Second(ScriptedEngine):
        def bring(self, spec):
            if len(self.profile.ids) > len(made.ids):
                raise EngineError("This engine can't add adapters.")
            super().bring(spec)

    engine = Second(made)
    with pytest.raises(EngineError, match="can't add"), SavedModels(engine, made).lent("grpo"):
        pass
    assert engine.profile.ids == made.ids


def test_a_save_that_was_written_again_is_another_model(saved):
    lent = SavedModels(ScriptedEngine(saved), saved)
    with lent.lent("grpo") as rows:
        before = [save.spec.id for save in rows]
    shutil.copy(folder(saved) / "step-010" / WEIGHTS_FILE, folder(saved) / "step-015" / WEIGHTS_FILE)
    with lent.lent("grpo") as rows:
        after = [save.spec.id for save in rows]
    assert before[:2] == after[:2]
    assert before[2] != after[2]


def test_key_terms_are_shown_as_the_source_has_them():
    terms = terms_of("Gout is a painful swelling of joints. Painful joints swell.", "What is gout?")
    assert "joints" in terms.values()
    assert "gout" not in terms.values(), "the question says it already"
    assert {terms[term] for term in said("A joint hurts.", terms)} == {"joints"}
    assert terms_of("", "What is gout?") == {}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([12.0, 11.0, 5.0, 6.0], (1, 2)), ([12.0, None, 5.0], (0, 2)), ([5.0, 6.0, 6.0], None), ([], None),
        ([None, 3.0], None), ([3.0, 2.0, 1.0], (0, 1)),
    ],
)  # fmt: skip
def test_where_the_grade_falls_most(values, places):
    assert largest_fall(values) == places
