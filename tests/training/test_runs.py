"""Whole recipes on a tiny random base with the real tokenizer: lite's, killed at random moments, paper's, and DPO."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from medilite.__main__ import main
from medilite.arena.records import Ballot
from medilite.arena.store import Store
from medilite.checkpoints import WEIGHTS_FILE
from medilite.models import ROOT, load_profile
from medilite.settings import load_settings
from tests.arena.made import MANY, NOW, candidate, no_marks, pair, texts_of
from tests.support.thorough import usually
from tests.training.forks import Forks
from training.preferences import read_preferences

pytestmark = [pytest.mark.model, pytest.mark.slow]

KILLS = usually(1, 10)
"""How often the recipe is killed; each costs a few seconds."""

KEYS = {
    "model", "base", "stacked_on", "method", "rank", "learning_rate", "steps", "test_loss", "test_loss_interval",
    "base_test_loss", "test_pairs", "test_conversation_loss", "data_fingerprint", "commit", "versions", "seed",
    "device", "duration_s", "config", "inputs", "adapter_sha256",
}  # fmt: skip

OPTIM = {
    "learning_rate": 0.01, "epochs": 1, "batch_size": 4, "accumulation_steps": 1, "warmup_steps": 2,
    "eval_every": 2, "save_every": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A recipe of the tests: its profile and its configurations."""

    profile: Path
    configs: Path
    runs: Path

    def adapter(self, model: str) -> Path:
        """Where a model's adapter is once it is in its place."""
        return self.profile.parent / "adapters" / model

    def record(self, model: str) -> dict[str, Any]:
        """A model's training.json."""
        return json.loads((self.adapter(model) / "training.json").read_text())


def make_recipe(folder: Path, tiny_profile: Path, configs: list[dict[str, Any]]) -> Recipe:
    """Write configurations on a copy of the tiny profile, whose adapters go under `folder`."""
    made = Recipe(folder / "profile.yaml", folder / "configs", folder / "runs")
    made.configs.mkdir(parents=True)
    made.profile.write_text(tiny_profile.read_text())
    for run in configs:
        run = run | {"base": {**run.get("base", {}), "profile": str(made.profile)}}
        (made.configs / f"{run['model']}.yaml").write_text(yaml.safe_dump(run))
    return made


def lite_configs() -> list[dict[str, Any]]:
    shared = {"loop": "lean", "lora": {"rank": 8}, "data": {"max_tokens": 64}}
    low = {**shared, "model": "sft-r8-low", "loss_on": "answer", "optim": {**OPTIM, "learning_rate": 0.002}}
    high = {**shared, "model": "sft-r8-high", "loss_on": "answer", "optim": OPTIM}
    grpo = {
        **shared,
        "model": "grpo",
        "stacked_on": "sft-r8-high",
        "optim": {**OPTIM, "batch_size": 8, "keep_saves": True},
        "generation": {"num_generations": 4, "max_new_tokens": 8},
        "rewards": {"closeness": 1, "key_terms": 1, "f1": 1, "precision": 1, "supported": 1, "echo": 1, "ending": 1},
    }
    return [low, high, grpo]


def paper_configs() -> list[dict[str, Any]]:
    """Shipped files, smaller in size and length alone; one parent is enough, for lite's recipe chooses among two."""
    configs = []
    for name in ("sft-r8-high", "grpo"):
        raw = yaml.safe_load((ROOT / "training" / "configs" / "paper" / f"{name}.yaml").read_text())
        raw["data"] |= {"max_tokens": 64, "train_pairs": 8, "val_pairs": 2, "test_pairs": 2}
        raw["optim"] |= {"epochs": 1, "batch_size": 2, "accumulation_steps": 2, "warmup_steps": 1}
        raw["optim"] |= {"eval_every": 2, "save_every": 2}
        if name == "grpo":
            raw["data"] |= {"train_pairs": 4}
            raw["data"].pop("val_pairs")
            raw["optim"] |= {"batch_size": 4}
            raw["generation"] |= {"max_new_tokens": 8}
        configs.append(raw)
    return configs


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    served = Forks(tmp_path_factory.mktemp("forks") / "log.txt")
    yield served
    served.close()


@pytest.fixture(scope="module")
def undisturbed(
    forks: Forks, tiny_profile: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recipe, str, float]:
    """A recipe that ran through, what it printed, and the seconds of CPU it took."""
    recipe = make_recipe(tmp_path_factory.mktemp("recipe"), tiny_profile, lite_configs())
    printed = forks.run("training.reproduce", "--profile", recipe.configs, "--data", tiny_data, "--runs", recipe.runs)
    return recipe, printed, forks.cpu_s


def test_sft_learns_and_tells_what_it_did(undisturbed: tuple[Recipe, str, float]) -> None:
    recipe, printed, _ = undisturbed
    low, high = recipe.record("sft-r8-low"), recipe.record("sft-r8-high")
    assert low.keys() >= KEYS
    assert high["test_loss"] < low["test_loss"] < low["base_test_loss"]
    assert low["test_loss_minus_base_interval"][1] < 0
    assert (low["rank"], low["steps"], low["test_pairs"]) == (8, 6, 8)
    assert low["test_products"] == low["products"] == "float32"
    assert high["curves"]["eval_loss"][-1][1] < high["curves"]["eval_loss"][0][1]
    assert "s left, ends" in printed
    assert "now sft-r8-high; expected end about" in printed
    config = json.loads((recipe.adapter("sft-r8-low") / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert "library_name: peft" in (recipe.adapter("sft-r8-low") / "README.md").read_text()


def test_grpo_goes_on_from_the_best_and_the_engine_stacks_it(undisturbed: tuple[Recipe, str, float]) -> None:
    from medilite.engine.local.engine import LocalEngine

    recipe, printed, _ = undisturbed
    record = recipe.record("grpo")
    assert record.keys() >= KEYS
    assert record["stacked_on"] == "sft-r8-high"
    assert "selected sft-r8-high" in printed
    assert record["steps"] == 6
    assert {"reward", "kl", "rewards/readability/mean", "rewards/length/mean"} <= record["curves"].keys()
    # The references and the question reached the rewards that read them.
    assert len(record["curves"]["rewards/closeness/mean"]) == record["steps"]
    engine = LocalEngine(load_profile(str(recipe.profile)), load_settings(precision="float32"))
    availability = engine.availability()
    assert availability["grpo"].available
    assert not availability["sft-r16-low"].available


def test_the_adapter_of_each_save_stays_and_the_last_is_the_result(undisturbed: tuple[Recipe, str, float]) -> None:
    import torch
    from safetensors.torch import load_file

    recipe, _, _ = undisturbed
    adapter, steps = recipe.adapter("grpo"), recipe.record("grpo")["saves"]
    assert steps == [2, 4, 6]
    assert sorted(save.name for save in (adapter / "saves").iterdir()) == [f"step-{step:03}" for step in steps]
    first, *_, last = [load_file(adapter / "saves" / f"step-{step:03}" / WEIGHTS_FILE) for step in steps]
    for name, weight in load_file(adapter / WEIGHTS_FILE).items():
        assert torch.equal(last[name], weight.half())
    assert any(not torch.equal(first[name], weight) for name, weight in last.items())
    config = json.loads((adapter / "saves" / "step-002" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert not (recipe.adapter("sft-r8-low") / "saves").exists()


def test_killed_at_random_moments_it_ends_as_the_undisturbed_one(
    undisturbed: tuple[Recipe, str, float], forks: Forks, tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    reference, _, took = undisturbed
    recipe = make_recipe(tmp_path, tiny_profile, lite_configs())
    command = ("training.reproduce", "--profile", recipe.configs, "--data", tiny_data, "--runs", recipe.runs)
    moments: list[float] = []
    for _ in range(KILLS):
        pid = forks.start(*command)
        moments.append(random.uniform(0, 2 * took / (KILLS + 1)))
        forks.kill_after(pid, moments[-1])
        ended, _ = forks.wait()
        assert ended in (-signal.SIGKILL, 0), f"{moments}\n{forks.log.read_text()[-3000:]}"
    said = forks.run(*command)
    print(f"took {took:.1f} s of CPU; killed after {', '.join(f'{m:.1f}' for m in moments)} s")

    for model in ("sft-r8-low", "sft-r8-high", "grpo"):
        first, second = reference.record(model), recipe.record(model)
        assert second["test_loss"] == pytest.approx(first["test_loss"], abs=1e-5), f"{moments}\n{said[-3000:]}"
        assert second["steps"] == first["steps"]
        # After one of some forty moments one sampled token is another: 0.0002 of a reward, 0.000004 of a weight. A step
        # too many, too few or in another order moves a weight by up to the rate, 0.01.
        for name, curve in first["curves"].items():
            assert second["curves"][name] == [[step, pytest.approx(value, abs=2e-3)] for step, value in curve], name
        weights = [load_file(made.adapter(model) / "adapter_model.safetensors") for made in (reference, recipe)]
        for name, tensor in weights[0].items():
            torch.testing.assert_close(weights[1][name], tensor, rtol=1e-4, atol=1e-4)


def test_the_papers_recipe_runs_from_end_to_end(
    forks: Forks, tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(tmp_path, tiny_profile, paper_configs())
    printed = forks.run("training.reproduce", "--profile", recipe.configs, "--data", tiny_data, "--runs", recipe.runs)
    sft, grpo = recipe.record("sft-r8-high"), recipe.record("grpo")
    assert sft["config"]["base"]["quantize_4bit"]
    assert sft["config"]["loss_on"] == "conversation"
    # 8 pairs in batches of 2 times 2; 4 prompts of 4 completions each, 8 completions a step.
    assert (sft["steps"], grpo["steps"]) == (2, 2)
    assert grpo["stacked_on"] == "sft-r8-high"
    assert [path.name for path in (forks.log.parent / "trackio").glob("medilite-tiny*.db")], printed[-2000:]
    assert "not tracked" not in printed
    assert (recipe.runs / "tiny" / "report.html").is_file()


def vote_for_rest(data_dir: Path, questions: int) -> None:
    """Fill a store as the app would: on each question somebody prefers the plain answer; one vote may not be used."""
    store = Store(data_dir / "votes.db")
    chosen, rejected = candidate("grpo", "Rest and water help."), candidate("base", "It is idiopathic.")
    private = [candidate(model, None) for model in ("base", "grpo")]
    shown = [pair(rejected, chosen, question_key=f"q{i}", question=f"Why {i}?") for i in range(questions)]
    for one in (*shown, pair(*private, kind="live", question=None)):
        store.cast(store.add_pair(one), one.voter, Ballot("right"), NOW + 60, MANY, no_marks, texts=texts_of(one))
    store.database.close()


def test_dpo_trains_a_seventh_model_from_exported_votes(
    undisturbed: tuple[Recipe, str, float],
    forks: Forks,
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, _, _ = undisturbed
    vote_for_rest(tmp_path, 12)
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(tmp_path))
    pairs = tmp_path / "preferences.jsonl"
    assert main(["votes", "export", "--pairs", str(pairs)]) == 0
    assert {row.chosen for row in read_preferences(pairs)} == {"Rest and water help."}
    config = {
        "stacked_on": "grpo", "preferences": str(pairs), "base": {"profile": str(recipe.profile)},
        "lora": {"rank": 8}, "data": {"max_tokens": 64, "val_pairs": 4}, "optim": {**OPTIM, "epochs": 2},
    }  # fmt: skip
    path = tmp_path / "dpo.yaml"
    path.write_text(yaml.safe_dump(config))
    out = recipe.adapter("dpo")
    assert "dpo" not in load_profile(str(recipe.profile)).ids
    forks.run("training.dpo", "--config", path, "--data", tiny_data, "--runs", tmp_path / "runs", "--out", out)
    record = recipe.record("dpo")
    assert record.keys() >= KEYS
    assert (record["stacked_on"], record["train_pairs"], record["val_pairs"]) == ("grpo", 8, 4)
    losses = record["curves"]["eval_loss"]
    assert losses[-1][1] < losses[0][1]
    assert record["curves"]["eval_rewards/accuracies"][-1][1] == 1.0
    assert load_profile(str(recipe.profile)).ids[-1] == "dpo"


def test_missing_data_is_said_with_the_command_to_run(forks: Forks, tiny_profile: Path, tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, tiny_profile, lite_configs())
    config = recipe.configs / "sft-r8-low.yaml"
    printed = forks.run("training.sft", "--config", config, "--data", tmp_path / "nowhere", code=2)
    assert "prepare_medquad" in printed
    assert "Traceback" not in printed
