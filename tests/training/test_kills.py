"""`kill -9` at random moments of a whole recipe on a tiny base: every start goes on, and the end is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from medilite.models import ROOT

pytestmark = [pytest.mark.model, pytest.mark.slow]

KILLS = int(os.environ.get("RECIPE_KILLS", "3"))
"""How often; each costs a few seconds. Ten and more: RECIPE_KILLS=10."""

OPTIM = {
    "learning_rate": 0.01, "epochs": 2, "batch_size": 4, "accumulation_steps": 1, "warmup_steps": 2,
    "eval_every": 2, "save_every": 2,
}  # fmt: skip


def write_recipe(folder: Path, profile: Path) -> Path:
    """Write a recipe of two SFT runs and one GRPO run; return the configurations' folder."""
    folder.mkdir()
    shared = {"base": {"profile": str(profile)}, "lora": {"rank": 8}, "data": {"max_tokens": 64}}
    for model, rate in (("sft-r8-low", 0.002), ("sft-r8-high", 0.01)):
        run = {**shared, "model": model, "optim": {**OPTIM, "learning_rate": rate}}
        (folder / f"{model}.yaml").write_text(yaml.safe_dump(run))
    grpo = {
        **shared,
        "stacked_on": "sft-r8-high",
        "optim": {**OPTIM, "epochs": 1, "batch_size": 8},
        "generation": {"num_generations": 4, "max_new_tokens": 8},
    }
    (folder / "grpo.yaml").write_text(yaml.safe_dump(grpo))
    return folder


class Forks:
    """Starts the recipe in forks of one process, so that a start doesn't import everything anew."""

    def __init__(self, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.training.forks", str(log)]
        env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self.server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: list[str]) -> int:
        """Start one and return its process id."""
        self.server.stdin.write(json.dumps(arguments) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def wait(self) -> int:
        """Return the exit status of the one that was started."""
        return int(self.server.stdout.readline())


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    served = Forks(tmp_path / "log.txt")
    yield served
    served.server.stdin.close()
    served.server.wait(timeout=60)


def test_killed_at_random_moments_it_ends_as_the_undisturbed_one(
    forks: Forks, tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    configs = write_recipe(tmp_path / "configs", tiny_profile)

    def arguments(name: str) -> list[str]:
        # Without "place", so that no run finds what another has finished.
        places = ["--profile", str(configs), "--data", str(tiny_data), "--runs", str(tmp_path / name)]
        return [*places, "--only", "sft,grpo,report"]

    forks.start(arguments("warm"))
    assert forks.wait() == 0, forks.log.read_text()[-3000:]
    began = time.monotonic()
    forks.start(arguments("undisturbed"))
    assert forks.wait() == 0
    took = time.monotonic() - began

    moments = []
    for _ in range(KILLS):
        pid = forks.start(arguments("killed"))
        moments.append(random.uniform(0, 2 * took / KILLS))
        time.sleep(moments[-1])
        os.kill(pid, signal.SIGKILL)
        assert forks.wait() in (-signal.SIGKILL, 0), f"{moments}\n{forks.log.read_text()[-3000:]}"
    forks.start(arguments("killed"))
    assert forks.wait() == 0, f"{moments}\n{forks.log.read_text()[-3000:]}"

    log = forks.log.read_text()
    print(
        f"undisturbed {took:.1f} s, killed after {[round(m, 1) for m in moments]} s,", log.count("going on from step")
    )
    for model in ("sft-r8-low", "sft-r8-high", "grpo"):
        undisturbed, killed = (tmp_path / name / "tiny" / "adapters" / model for name in ("undisturbed", "killed"))
        records = [json.loads((folder / "training.json").read_text()) for folder in (undisturbed, killed)]
        assert records[0]["test_loss"] == pytest.approx(records[1]["test_loss"], abs=1e-5)
        for curve, values in records[0]["curves"].items():
            assert [step for step, _ in values] == [step for step, _ in records[1]["curves"][curve]]
        first, second = (load_file(folder / "adapter_model.safetensors") for folder in (undisturbed, killed))
        for name, tensor in first.items():
            torch.testing.assert_close(second[name], tensor, rtol=1e-4, atol=1e-6, msg=lambda m: f"{moments}\n{m}")
