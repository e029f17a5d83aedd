"""Every shipped configuration is whole; a wrong one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from medilite.errors import ConfigError
from medilite.models import ROOT, load_profile
from training.config import DPORun, GRPORun, RewardsConfig, SFTRun, load_config, load_run

CONFIGS = ROOT / "training" / "configs"


def test_there_is_a_configuration_for_every_adapter_of_lite() -> None:
    profile = load_profile("lite", with_absent=True)
    models = set(profile.ids) - {"base"}
    rewriters = {f"grpo-{spec.id}" for spec in profile.rewriters}
    assert {path.stem for path in (CONFIGS / "lite").glob("*.yaml")} == models | rewriters
    # DPO is ours, not the study's.
    assert {path.stem for path in (CONFIGS / "paper").glob("*.yaml")} == models - {"dpo"}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_configuration_is_read(path: Path) -> None:
    run = load_run(path)
    profile = load_profile(run.base.profile, with_absent=True)
    assert profile.name == path.parent.name
    assert run.model == (path.stem.removeprefix("grpo-") if run.data.passages else path.stem)
    assert profile.get(run.model) in (profile.rewriters if run.data.passages else profile.models)
    assert f"r{run.lora.rank}-" in run.model or not isinstance(run, SFTRun)
    assert profile.get(run.model).stacked_on == getattr(run, "stacked_on", None)


@pytest.mark.parametrize("profile", ["lite", "paper"])
def test_low_and_high_learning_rates_are_one_to_five(profile: str) -> None:
    for rank in (8, 16):
        low, high = (load_config(CONFIGS / profile / f"sft-r{rank}-{name}.yaml", SFTRun) for name in ("low", "high"))
        assert high.optim.learning_rate == pytest.approx(5 * low.optim.learning_rate)
        # An ending's rate is chosen for loops, so its ratio is another; all else of it is the same.
        other = {"optim": high.optim, "model": high.model, "ending": high.ending}
        assert low.model_copy(update=other) == high
        if low.ending and high.ending:
            assert low.ending.learning_rate < high.ending.learning_rate
            assert low.ending.model_copy(update={"learning_rate": high.ending.learning_rate}) == high.ending
        else:
            assert low.ending is high.ending is None


def test_rejection_sampling_needs_the_lean_loop(tmp_path: Path) -> None:
    path = tmp_path / "grpo.yaml"
    text = (CONFIGS / "lite" / "grpo.yaml").read_text() + "learn_from: best\n"
    path.write_text(text)
    assert load_config(path, GRPORun).learn_from == "best"
    path.write_text(text.replace("loop: lean", "loop: trl"))
    with pytest.raises(ConfigError, match="learn_from: best needs loop: lean"):
        load_config(path, GRPORun)


@pytest.mark.parametrize("kind", [SFTRun, DPORun])
def test_every_step_that_is_evaluated_is_saved(tmp_path: Path, kind: type[SFTRun | DPORun]) -> None:
    path = tmp_path / "run.yaml"
    parent = "stacked_on: b\n" if kind is DPORun else ""

    def read(optim: str) -> SFTRun | DPORun:
        path.write_text(f"model: a\n{parent}lora: {{rank: 8}}\noptim: {{learning_rate: 1, {optim}}}")
        return load_config(path, kind)

    for unequal in ("eval_every: 30, save_every: 100", "eval_every: 50, save_every: 100", "save_every: 200"):
        with pytest.raises(ConfigError, match=r"optim\.eval_every .*and optim\.save_every .* have to be the same"):
            read(unequal)
    assert read("eval_every: 20, save_every: 20").optim.save_every == 20
    if kind is SFTRun:  # steps that are evaluated by pairs are saved besides
        assert read("eval_at_pairs: [64], save_every: 10").optim.save_every == 10


@pytest.mark.parametrize("kind", [DPORun, GRPORun])
def test_a_stage_refuses_points_of_a_curve_that_it_would_not_evaluate(
    tmp_path: Path, kind: type[DPORun | GRPORun]
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("stacked_on: b\nlora: {rank: 8}\noptim: {learning_rate: 1, batch_size: 8, eval_at_pairs: [64]}")
    with pytest.raises(ConfigError, match=r"optim\.eval_at_pairs is for SFT alone: give optim\.eval_every here"):
        load_config(path, kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: a\nlora: {rank: 8, alfa: 3}\noptim: {learning_rate: 1}", r"'lora\.alfa'\. Did you mean 'alpha'"),
        ("model: a\nlora: {rank: 8}\noptim: {learning_rate: 1, epoch: 2}", r"'optim\.epoch'\. Did you mean 'epochs'"),
        ("model: a\nlora: {rank: 8}\noptim: {learning_rate: 1}\nzzz: 1", r"'zzz'\. Known here: model, seed"),
        ("model: a\nlora: {rank: 0}\noptim: {learning_rate: 1}", r"lora\.rank: .*greater than or equal to 1 \(got 0\)"),
        ("model: a\nlora: {rank: 8}\noptim: {learning_rate: -1}", r"optim\.learning_rate"),
        ("- a\n- b", "keys and values, not list"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_configuration_names_key_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path, SFTRun)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model: café".encode("latin-1"), r"run\.yaml is not UTF-8 text \(byte 10\)"),
        (b"model: a\nseed: 2024-13-45", r"run\.yaml is not valid YAML: month must be in 1\.\.12"),
        (b"[" * 5000, r"run\.yaml is nested too deeply"),
    ],
    ids=["latin-1", "no date", "deep"],
)
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config(path, SFTRun)


def test_a_step_of_grpo_has_whole_groups(tmp_path: Path) -> None:
    path = tmp_path / "grpo.yaml"
    optim = "{learning_rate: 1, batch_size: 16, accumulation_steps: 2}"
    path.write_text(f"lora: {{rank: 8}}\noptim: {optim}\ngeneration: {{num_generations: 6}}")
    with pytest.raises(ConfigError, match=r"accumulation_steps \(32\) .* generation\.num_generations \(6\)"):
        load_config(path, GRPORun)
    path.write_text(f"lora: {{rank: 8}}\noptim: {optim}\ngeneration: {{num_generations: 8}}")
    assert load_config(path, GRPORun).generation.num_generations == 8


def test_a_file_says_by_its_name_which_stage_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"begin with the stage.*Did you mean 'grpo'"):
        load_run(tmp_path / "gpro.yaml")


def test_a_space_needs_trackio() -> None:
    raw = {"model": "a", "lora": {"rank": 8}, "optim": {"learning_rate": 1}, "tracking": {"space": "me/curves"}}
    with pytest.raises(ValueError, match="set to: trackio"):
        SFTRun.model_validate(raw)


def test_paper_is_the_studys_recipe() -> None:
    """reference figures of the study: four SFT runs that differ in rank and learning rate alone, and GRPO."""
    runs = [load_config(CONFIGS / "paper" / f"sft-{name}.yaml", SFTRun) for name in ("r8-low", "r16-high")]
    assert [(run.lora.rank, run.optim.learning_rate) for run in runs] == [(8, 1e-5), (16, 5e-5)]
    for run in runs:
        assert (run.base.quantize_4bit, run.base.dtype, run.loss_on) == (True, "bfloat16", "conversation")
        assert (run.lora.alpha, run.lora.dropout, run.lora.target_modules) == (16, 0.1, ("q_proj", "v_proj"))
        optim = run.optim
        assert (optim.epochs, optim.batch_size, optim.accumulation_steps, optim.warmup_steps) == (5, 4, 8, 50)
        assert (optim.weight_decay, optim.group_by_length, run.seed) == (0.01, True, 42)
        assert (run.data.splits, run.data.max_tokens, run.data.train_pairs) == ("study", 2048, None)
    grpo = load_config(CONFIGS / "paper" / "grpo.yaml", GRPORun)
    assert (grpo.optim.epochs, grpo.optim.batch_size, grpo.optim.accumulation_steps) == (3, 4, 8)
    assert (grpo.optim.learning_rate, grpo.loss_type, grpo.kl_beta) == (5e-5, "dapo", 0.2)
    assert (grpo.generation.num_generations, grpo.generation.repetition_penalty) == (4, 1.5)
    assert (grpo.rewards.readability, grpo.rewards.length, grpo.rewards.length_high) == (1, 1, 300)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ("{readabilty: 1}", r"'rewards\.readabilty'\. Did you mean 'readability'"),
        ("{echo: -1}", r"rewards\.echo: .*greater than or equal to 0"),
        ("{readability: 0, length: 0}", r"rewards: .*every weight is 0"),
    ],
)
def test_wrong_rewards_are_named(tmp_path: Path, rewards: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(f"stacked_on: a\nlora: {{rank: 8}}\noptim: {{learning_rate: 1}}\nrewards: {rewards}")
    with pytest.raises(ConfigError, match=message):
        load_config(path, GRPORun)


def test_the_studys_two_rewards_are_the_default() -> None:
    used = {name: weight for name, weight in RewardsConfig().weights.items() if weight}
    assert used == {"readability": 1, "length": 1}


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml can't be read \(No such file"):
        load_config(tmp_path / "none.yaml", SFTRun)
