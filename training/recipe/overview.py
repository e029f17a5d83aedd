"""The progress of a whole recipe, and its expected end."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from medilite.data import load_manifest
from training.config import AnyRun, GRPORun, SFTRun
from training.job import Job
from training.recipe.forecast import Task, measured_units, say_end, seconds_left, units
from training.recipe.plan import Recipe
from training.record import read_progress

EVERY_S = 60.0
"""Least seconds between two lines while stages run."""


class Overview:
    """Reports it through `say` when a stage begins or ends, and now and then in between."""

    def __init__(self, recipe: Recipe, say: Callable[[str], None]) -> None:
        self._recipe, self._say = recipe, say
        sets = load_manifest(recipe.data_dir)["sets"]
        self._rows = {name: {s: e["rows"] for s, e in about["splits"].items()} for name, about in sets.items()}
        self._running: list[str] = []
        self._reported_at = 0.0

    def relay(self, line: str) -> None:
        """Pass on a line that a stage printed."""
        self._say(line)
        if self._running and time.monotonic() - self._reported_at > EVERY_S:
            self._report()

    def running(self, names: list[str]) -> None:
        """Note the running stages."""
        self._running = names
        if names:
            self._report()

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        tasks = self.tasks()
        done = sum(task.trained and task.measured for task in tasks)
        left_s, unknown = seconds_left(tasks, len(self._running))
        finished = f"{done} of {len(tasks)} checkpoints finished, now {', '.join(self._running)}"
        end = say_end(left_s, unknown, datetime.datetime.now())
        self._say(f"{self._recipe.profile.name}: {finished}; {end}")

    def tasks(self) -> list[Task]:
        """Return the recipe's runs as a forecast sees them."""
        recipe = self._recipe
        jobs: list[tuple[AnyRun, Job | None]] = [(job.run, job) for job in recipe.sft_jobs()]
        if recipe.grpo:
            jobs.append((recipe.grpo, recipe.grpo_job()))
        jobs += [(job.run, job) for job in recipe.sourced_jobs()]
        return [self._task(run, job) for run, job in jobs]

    def _task(self, run: AnyRun, job: Job | None) -> Task:
        rows = self._rows[run.data.splits]
        progress, told = read_progress(job.work_dir) if job else None, units(run, rows)
        trained = job is not None and job.why_untrained() is None
        if job and isinstance(run, SFTRun) and run.ending and not trained:
            # Each stage tells of itself alone; the ending's time is not in what is left of the first.
            ending = run.ending.pairs * run.ending.max_tokens
            progress, told = (
                (progress, ending) if progress else (read_progress(job.before_ending.work_dir), told - ending)
            )
        # A run on passages has a pace of its own: most of what it reads are prompts.
        method = "sourced" if run.data.passages else "grpo" if isinstance(run, GRPORun) else "sft"
        return Task(
            model=run.model,
            method=method,
            units=told,
            test_units=measured_units(run, rows),
            trained=trained,
            measured=job is not None and job.why_unmeasured() is None,
            progress=progress,
            duration_s=self._recipe.record(run.model).get("duration_s") if job else None,
        )
