"""The recipe as a whole, with stages that only pretend to train: what runs, in which order, and what doesn't again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from medilite.models import PROFILES_DIR, load_profile
from medilite.weights import ensure_adapter
from tests.training import pretend
from tests.training.pretend import Pretence, write_recipe
from training import reproduce
from training.recipe.selection import say_selection, select_best

ALL = ["sft-r8-low", "sft-r8-high", "sft-r16-low", "sft-r16-high", "grpo", "sourced"]


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return write_recipe(tmp_path / "recipe", PROFILES_DIR / "lite.yaml")


class Runner:
    """`python -m training.reproduce` on the pretended recipe."""

    def __init__(self, configs: Path, data: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.pretence, self.capsys, self.runs = Pretence(), capsys, runs
        self.configs, self.data = configs, data

    def __call__(self, *more: str, code: int = 0) -> list[str]:
        """Run it and return the stages that were launched."""
        self.pretence.launched = []
        places = ["--profile", str(self.configs), "--data", str(self.data), "--runs", str(self.runs)]
        assert reproduce.main([*places, *more], self.pretence) == code
        captured = self.capsys.readouterr()
        self.printed = captured.err + captured.out
        return self.pretence.launched

    def change(self, model: str, **values: object) -> None:
        """Change a configuration's section by section."""
        path = self.configs / f"{model}.yaml"
        raw = yaml.safe_load(path.read_text())
        for section, value in values.items():
            raw[section] = raw.get(section, {}) | value  # type: ignore[operator]
        path.write_text(yaml.safe_dump(raw))


@pytest.fixture
def run(configs: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(configs, tiny_data, tmp_path / "runs", capsys)


def test_everything_runs_once_and_comes_to_its_place(run: Runner) -> None:
    assert run() == ALL
    # sft-r16-high has the lower test loss: what is reported on doesn't choose.
    assert "selected sft-r8-high: lowest validation loss" in run.printed
    assert "sft-r16-high 2.060" in run.printed
    placed = run.configs.parent / "placed"
    assert {path.name for path in placed.iterdir()} == set(ALL)
    assert all((placed / model / "training.json").is_file() for model in ALL)
    assert {"report.md", "report.html"} <= {path.name for path in (run.runs / "tiny").iterdir()}
    assert run() == []
    assert "in their place already" in run.printed


def test_side_by_side_the_base_is_measured_first(run: Runner) -> None:
    assert run("--jobs", "2") == ["base", *ALL]


def test_further_seeds_train_the_same_again_and_say_how_far_they_lie_apart(run: Runner) -> None:
    assert run("--seeds", "3", "--only", "sft,grpo") == ALL[:5] * 3
    folder = run.runs / "tiny"
    spread = json.loads((folder / "seeds.json").read_text())
    assert [one["seed"] for one in spread["grpo"]["runs"]] == [42, 43, 44]
    assert len({one["adapter_sha256"] for one in spread["grpo"]["runs"]}) == 3
    assert spread["grpo"]["test_loss"] == {"n": 3, "mean": pytest.approx(2.2), "sd": pytest.approx(0)}
    assert spread["grpo"]["best_val_loss"] is None
    profile = load_profile(str(folder / "seeds.yaml"))
    assert [spec.id for spec in profile.chain("grpo.seed-44")] == ["sft-r8-high.seed-44", "grpo.seed-44"]
    assert not (run.configs.parent / "placed").exists()
    assert run("--seeds", "3", "--only", "sft,grpo") == []


def test_a_further_seed_repeats_what_is_asked_for_and_the_parent_of_the_first(run: Runner) -> None:
    assert run("--seeds", "2", "--only", "grpo", "--plan") == []
    assert "further seeds: after that" in run.printed
    run()
    assert run("--seeds", "2", "--only", "grpo", "--plan") == []
    assert "seed 43, sft-r8-high: to be trained (not trained yet)" in run.printed
    assert "seed 43, grpo: after sft-r8-high" in run.printed
    assert run("--seeds", "2", "--only", "grpo") == ["sft-r8-high", "grpo"]
    assert "grpo: test loss 2.2000 over 2 seeds, standard deviation 0.0000" in run.printed


@pytest.mark.parametrize("only", ["all", "further seeds"])
def test_adapters_trained_again_are_no_longer_refused_by_the_hash_that_was_pinned(run: Runner, only: str) -> None:
    file = run.configs.parent / "profile.yaml"
    lines = file.read_text().splitlines(keepends=True)
    pin = f"  adapter_sha256: '{'0' * 64}' # pinned\n"
    file.write_text("".join(line + pin * (line.removeprefix("  adapter: placed/").strip() in ALL) for line in lines))
    assert file.read_text().count("# pinned") == len(ALL)
    if only == "all":
        run()
        assert "adapter_sha256 of sft-r8-low, " in run.printed
        assert file.read_text().count("# pinned") == len(ALL), "comments stay"
        run()
        assert "in their place already" in run.printed
    else:
        run("--seeds", "2", "--only", "sft,grpo")
        file = run.runs / "tiny" / "seeds.yaml"
    profile = load_profile(str(file))
    for spec in profile.every:
        assert spec.adapter is None or ensure_adapter(profile, spec).is_dir()
    assert all(spec.adapter_sha256 for spec in profile.every if spec.adapter) == (only == "all")


def test_after_a_stop_it_goes_on_where_it_was(run: Runner) -> None:
    run.pretence.fail = "sft-r16-low"
    assert run(code=130) == ALL[:2]
    run.pretence.fail = None
    assert run() == ALL[2:]


def test_another_machine_takes_what_stands_in_its_place(run: Runner) -> None:
    run()
    shutil.rmtree(run.runs)
    assert run("--plan") == []
    assert "grpo: finished" in run.printed
    shutil.rmtree(run.runs)
    assert run() == []
    assert "grpo: taken from its place" in run.printed


def test_a_fresh_clone_says_without_data_that_nothing_is_left_to_do(run: Runner, tmp_path: Path) -> None:
    run()
    shutil.rmtree(run.runs)
    run.data = tmp_path / "none"
    assert run("--plan") == []
    assert "data: not here; the adapters in their place were trained on" in run.printed
    assert "nothing is left to do" in run.printed
    run.change("sft-r8-low", optim={"epochs": 7})
    assert run("--plan") == []
    assert "sft-r8-low: to be trained (changed since: optim.epochs (default to 7.0))" in run.printed
    assert "nothing is left" not in run.printed
    shutil.rmtree(run.configs.parent / "placed" / "grpo")
    assert run("--plan") == []
    assert "data: to be prepared" in run.printed
    assert "grpo: after that" in run.printed


def test_a_changed_configuration_trains_its_run_and_what_stands_on_it(run: Runner) -> None:
    run()
    run.change("sft-r8-low", optim={"epochs": 7})
    assert run("--plan") == []
    assert "sft-r8-low: to be trained (changed since: optim.epochs (default to 7.0))" in run.printed
    assert run() == ["sft-r8-low"]
    run.change("sft-r8-high", optim={"epochs": 7})
    assert run() == ["sft-r8-high", "grpo"]
    assert "grpo: to be trained (changed since: the parent adapter)" in run.printed


def test_where_the_data_lie_and_how_much_is_tested_trains_nothing(run: Runner, tmp_path: Path) -> None:
    run()
    moved = tmp_path / "moved"
    shutil.copytree(run.data, moved)
    run.data = moved
    run.change("sft-r8-low", data={"test_pairs": 5})
    run("--plan")
    assert "sft-r8-low: test losses to be measured (measured on other pairs)" in run.printed
    assert "sft-r8-high: finished" in run.printed


def test_a_damaged_adapter_is_trained_again(run: Runner) -> None:
    run()
    (run.runs / "tiny" / "adapters" / "sft-r8-low" / "adapter_model.safetensors").write_text("spoilt")
    (run.configs.parent / "placed" / "sft-r8-low" / "adapter_model.safetensors").write_text("spoilt")
    assert run() == ["sft-r8-low"]


def test_grpo_on_another_parent_is_told_to_the_profile(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pretend.VAL_LOSSES, "sft-r16-low", 1.9)
    run()
    assert "grpo is stacked on sft-r16-low now" in run.printed
    assert load_profile(str(run.configs.parent / "profile.yaml")).get("grpo").stacked_on == "sft-r16-low"
    assert run() == []


def test_a_profile_that_cannot_name_the_parent_leaves_every_adapter_where_it_is(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    profile, placed = run.configs.parent / "profile.yaml", run.configs.parent / "placed"
    monkeypatch.setitem(pretend.VAL_LOSSES, "sft-r16-low", 1.9)
    raw = yaml.safe_load(profile.read_text())
    next(model for model in raw["models"] if model["id"] == "grpo").pop("stacked_on")
    profile.write_text(yaml.safe_dump(raw, sort_keys=False))
    run.change("sft-r16-low", optim={"learning_rate": 0.02})
    before = {path: path.read_bytes() for path in placed.rglob("*") if path.is_file()}
    run(code=2)
    assert "The profile gives grpo no stacked_on" in run.printed
    assert {path: path.read_bytes() for path in placed.rglob("*") if path.is_file()} == before


def test_only_runs_what_is_named_and_says_what_is_missing(run: Runner) -> None:
    assert run("--only", "sft-r8-low") == ["sft-r8-low"]
    assert run("--only", "grpo", code=2) == []
    assert "Before GRPO can begin: sft-r8-high is to be trained (not trained yet)" in run.printed
    assert "--only sft-r8-high,sft-r16-low,sft-r16-high" in run.printed
    assert run("--only", "sft") == ALL[1:4]
    assert not (run.configs.parent / "placed").exists()
    assert run("--only", "gpro", code=2) == []
    assert "no such stage. Did you mean 'grpo'?" in run.printed


def test_data_that_are_missing_are_prepared_from_the_source(run: Runner, tmp_path: Path) -> None:
    table = tmp_path / "small.csv"
    rows = [f"What is disease {i}?,It is the disease with number {i}.,S,area {i % 3}" for i in range(60)]
    table.write_text("question,answer,source,focus_area\n" + "\n".join(rows) + "\n", encoding="utf-8")
    run.data = tmp_path / "data"
    assert run("--plan") == []
    assert "data: to be prepared" in run.printed
    assert run("--only", "data", "--source", str(table)) == []
    assert (run.data / "manifest.json").is_file()
    assert run("--only", "sft-r8-low") == ["sft-r8-low"]


def test_a_recipe_that_is_none_is_refused(run: Runner, tmp_path: Path) -> None:
    run.configs = tmp_path / "lit"
    run(code=2)
    assert "Did you mean 'lite'" in run.printed
    run.configs.mkdir()
    run(code=2)
    assert "holds 0 SFT and 0 GRPO" in run.printed


def test_the_report_holds_ours_and_the_studys(run: Runner) -> None:
    run()
    text = (run.runs / "tiny" / "report.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| sft-r8-high |"))
    assert "| 2.101 (2.051 to 2.151) |" in row
    assert row.endswith("| 5e-05 | 1.13 | 1.14 |")
    assert "4 of 4 SFT checkpoints have a lower test loss than the base" in text
    assert "Rank 8: the high learning rate gives a lower test loss than the low one (2.101 against 2.400)." in text
    # Rewards 1/40 … 40/40: the first ten average 5.5/40, the last ten 35.5/40.
    assert "mean reward 0.138 over the first 10 logged steps, 0.887 over the last" in text
    page = (run.runs / "tiny" / "report.html").read_text()
    for figure in ("test-loss", "curve-eval_loss", "curve-loss", "curve-reward", "curve-kl"):
        assert f'id="figure-{figure}"' in page
    assert "<script src=" not in page


def test_the_loss_before_an_ending_selects_grpos_parent() -> None:
    runs = [
        {"model": "gentle", "rank": 8, "best_val_loss": 1.92, "before_ending": {"best_val_loss": 1.87}},
        {"model": "strong", "rank": 16, "best_val_loss": 1.94, "before_ending": {"best_val_loss": 1.86}},
        {"model": "without", "rank": 8, "best_val_loss": 1.88},
    ]
    assert select_best(runs)["model"] == "strong"
    assert say_selection(runs) == (
        "strong: lowest validation loss before endings (gentle 1.870, strong 1.860, without 1.880)"
    )
    assert select_best(runs[2:])["model"] == "without"
