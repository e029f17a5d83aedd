"""The runs of a recipe, one YAML a run in one folder, and which of them are unfinished."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medilite.checkpoints import RECORD_FILE, SAVES, read_record
from medilite.errors import ConfigError, suggestion
from medilite.files import write_whole
from medilite.models import ROOT, Profile, load_profile
from training.config import GRPORun, SFTRun, load_run
from training.job import Job, placed
from training.recipe.commands import Command
from training.recipe.selection import select_best

CONFIGS = ROOT / "training" / "configs"


@dataclass(frozen=True)
class Recipe:
    """SFT runs, one GRPO run on top of the best, and one on passages (`sourced`), all on one profile's base.

    Adapters are collected under `adapters`, one folder a model, and copied to where the app looks for them only once
    all are finished: an incomplete recipe never puts a GRPO adapter on another parent than its own.
    """

    profile: Profile
    configs: dict[str, Path]
    sft: tuple[SFTRun, ...]
    grpo: GRPORun | None
    sourced: GRPORun | None
    data_dir: Path
    runs: Path
    # Set in a repetition from another seed: the seed, and the parent of the first run's GRPO.
    seed: int | None = None
    parent: str | None = None
    # The splits' fingerprint in a plan without the splits.
    data: str | None = None

    @property
    def folder(self) -> Path:
        """The folder of everything that the recipe writes, except the adapters in their place."""
        whole = self.runs / self.profile.name
        return whole if self.seed is None else whole / f"seed-{self.seed}"

    def with_seed(self, seed: int, parent: str | None) -> Recipe:
        """Return the same recipe from another seed, in a folder of its own; its adapters are never put into place.

        GRPO is trained on `parent`, even if another SFT run is best with this
        seed.
        """
        sft = tuple(run.model_copy(update={"seed": seed}) for run in self.sft)
        grpo = self.grpo.model_copy(update={"seed": seed}) if self.grpo else None
        return replace(self, sft=sft, grpo=grpo, seed=seed, parent=parent)

    @property
    def adapters(self) -> Path:
        """The folder where adapters are collected."""
        return self.folder / "adapters"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are compared, in order; `sourced` answers from a passage, so it is not among them."""
        return tuple(run.model for run in (*self.sft, self.grpo) if run)

    @property
    def trained(self) -> tuple[str, ...]:
        """All that the recipe trains, in order."""
        return (*self.models, *([self.sourced.model] if self.sourced else []))

    def job(self, run: SFTRun | GRPORun) -> Job:
        """Return a run's job; raises DataError where there are no data yet."""
        return Job.of(run, self.data_dir, self.runs, self.adapters, data=self.data)

    def sft_jobs(self) -> list[Job]:
        """Return the SFT runs' jobs."""
        return [self.job(run) for run in self.sft]

    @property
    def parents(self) -> tuple[SFTRun, ...]:
        """The runs whose adapters GRPO may be stacked on: those that train the same layers."""
        if self.parent:
            return tuple(run for run in self.sft if run.model == self.parent)
        layers = self.grpo.lora.target_modules if self.grpo else ()
        return tuple(run for run in self.sft if run.lora.target_modules == layers) or self.sft

    def wants(self, model: str, only: Collection[str]) -> bool:
        """Return whether a model was asked for, or is the parent of one in a repetition."""
        return model in only or model == self.parent

    def best(self) -> str:
        """Return the SFT model that is selected; all of them have to be trained."""
        return str(select_best([self.record(run.model) for run in self.parents])["model"])

    def grpo_job(self) -> Job | None:
        """Return the GRPO run's job on the selected SFT model; None without a GRPO run, or before the selection."""
        if self.grpo is None or any(self.job(run).why_unfinished() for run in self.parents):
            return None
        return self.job(self.grpo.model_copy(update={"stacked_on": self.best()}))

    def sourced_jobs(self) -> list[Job]:
        """Return the job of the run on passages, if there is one; it needs no other run."""
        return [self.job(self.sourced)] if self.sourced else []

    def data_in_place(self) -> str | None:
        """Return the fingerprint of the data that the adapters in place were trained on; None if it is not one."""
        records = [read_record(placed(self.profile, model)) or {} for model in self.models]
        found = {(record.get("inputs") or {}).get("data") for record in records}
        return found.pop() if len(found) == 1 else None

    def command(self, job: Job) -> Command:
        """Return the command that trains and measures a run, as a person could type it."""
        stacked_on = getattr(job.run, "stacked_on", None)
        extra = ("--stacked-on", stacked_on) if stacked_on else ()
        stage = self.configs[job.run.model].stem.partition("-")[0]
        log = self.folder / job.run.model / "log.txt"
        return Command(job.run.model, f"training.{stage}", (*self._places(job.run.model), *extra), log)

    def base_command(self, job: Job) -> Command:
        """Return the command that measures the base on a run's test pairs."""
        arguments = (*self._places(job.run.model), "--base-only")
        return Command("base", "training.measure", arguments, self.folder / "base-log.txt")

    def _places(self, model: str) -> tuple[str, ...]:
        paths = {
            "--config": self.configs[model],
            "--data": self.data_dir,
            "--runs": self.runs,
            "--adapters": self.adapters,
        }
        words = [word for option, path in paths.items() for word in (option, str(path.resolve()))]
        return (*words, "--seed", str(self.seed)) if self.seed is not None else tuple(words)

    def record(self, model: str) -> dict[str, Any]:
        """Return what is known of a model's training; empty if it has none."""
        return read_record(self.adapters / model) or {}


def load_recipe(name_or_folder: str, data_dir: Path | None, runs: Path) -> Recipe:
    """Return the recipe of that name (a folder under training/configs), or from your own folder.

    Raises ConfigError naming what is wrong with it.
    """
    folder = CONFIGS / name_or_folder
    if not folder.is_dir():
        folder = Path(name_or_folder).expanduser()
    if not folder.is_dir():
        known = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir())
        raise ConfigError(
            f"There is no recipe {name_or_folder!r}: neither one of training/configs ({', '.join(known)}) nor a folder "
            f"of configurations.{suggestion(Path(name_or_folder).name, known)}"
        )
    runs_by_file = {path: load_run(path) for path in sorted(folder.glob("*.yaml"))}
    sft = tuple(run for run in runs_by_file.values() if isinstance(run, SFTRun))
    every_grpo = [run for run in runs_by_file.values() if isinstance(run, GRPORun)]
    sourced = [run for run in every_grpo if run.data.passages]
    grpo = [run for run in every_grpo if run not in sourced]
    if not sft or len(grpo) > 1 or len(sourced) > 1:
        raise ConfigError(
            f"{folder} holds {len(sft)} SFT and {len(grpo)} GRPO configurations, and {len(sourced)} with passages; a "
            "recipe has at least one of the first and at most one of each other."
        )
    used: list[SFTRun | GRPORun] = [*sft, *every_grpo]
    profiles, dirs = {run.base.profile for run in used}, {run.data.dir for run in used}
    if len(profiles) > 1 or (len(dirs) > 1 and not data_dir):
        what = f"profiles {', '.join(sorted(profiles))}" if len(profiles) > 1 else "data.dir of different folders"
        raise ConfigError(f"{folder}: its configurations name {what}; a recipe has one base and one set of data.")
    profile = load_profile(profiles.pop(), with_absent=True)
    return Recipe(
        profile=profile,
        configs={run.model: path for path, run in runs_by_file.items()},
        sft=tuple(sorted(sft, key=lambda run: (*profile.ids, run.model).index(run.model))),
        grpo=grpo[0] if grpo else None,
        sourced=sourced[0] if sourced else None,
        data_dir=data_dir or dirs.pop(),
        runs=runs,
    )


def adopt(job: Job) -> bool:
    """Take over an adapter that is in its place already if it is the job's result; return whether it did."""
    place = placed(job.profile, job.run.model)
    if job.why_untrained() is None or replace(job, out=place).why_untrained() is not None:
        return False
    copy_adapter(place, job.out)
    return True


def copy_adapter(source: Path, target: Path) -> None:
    """Copy an adapter's files and saves, its record last, so that a kill in between leaves no valid adapter."""
    (target / RECORD_FILE).unlink(missing_ok=True)
    shutil.rmtree(target / SAVES, ignore_errors=True)
    if (source / SAVES).is_dir():
        shutil.copytree(source / SAVES, target / SAVES)
    for path in sorted(source.iterdir(), key=lambda path: path.name == RECORD_FILE):
        if path.is_file() and not path.name.startswith("."):
            write_whole(target / path.name, path.read_bytes())
