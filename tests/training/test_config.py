"""Every shipped configuration is whole; a wrong one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from medilite.errors import ConfigError
from medilite.models import ROOT, load_profile
from training.config import GRPORun, RewardsConfig, SFTRun, load_config

CONFIGS = ROOT / "training" / "configs"


def test_there_is_a_configuration_for_every_adapter_of_lite() -> None:
    assert {path.stem for path in (CONFIGS / "lite").glob("*.yaml")} == set(load_profile("lite").ids) - {"base"}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_configuration_is_read(path: Path) -> None:
    run = load_config(path, GRPORun if path.stem == "grpo" else SFTRun)
    profile = load_profile(run.base.profile)
    assert run.model == path.stem
    assert run.model in profile.ids
    assert f"r{run.lora.rank}-" in run.model or isinstance(run, GRPORun)
    if isinstance(run, GRPORun):
        assert profile.get(run.model).stacked_on == run.stacked_on


def test_low_and_high_learning_rates_are_one_to_five() -> None:
    for rank in (8, 16):
        low, high = (load_config(CONFIGS / "lite" / f"sft-r{rank}-{name}.yaml", SFTRun) for name in ("low", "high"))
        assert high.optim.learning_rate == pytest.approx(5 * low.optim.learning_rate)
        assert low.model_copy(update={"optim": high.optim, "model": high.model}) == high


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
    with pytest.raises(ConfigError, match=r"none\.yaml can't be read: No such file"):
        load_config(tmp_path / "none.yaml", SFTRun)
