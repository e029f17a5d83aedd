"""The whole recipe in one command: `python -m training.reproduce --profile lite|paper`.

Prepares the data, trains the SFT adapters, selects the best by validation loss, trains GRPO on top of it, measures test
losses, puts the adapters where the app looks for them and writes a report. Killed at any moment and started again, it
resumes from the last checkpoint; what is finished is not run again unless its inputs have changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from medilite.cli.terminal import positive_int, say
from medilite.data import load_manifest
from medilite.errors import DataError, MediLiteError, TrainingError, suggestion
from training import prepare_medquad
from training.hub import push_adapter
from training.job import Job
from training.recipe.commands import Command, run_side_by_side
from training.recipe.overview import Overview
from training.recipe.place import put_into_place
from training.recipe.plan import Recipe, adopt, load_recipe
from training.recipe.report import write_report
from training.recipe.seeds import spread_lines, write_spread
from training.recipe.selection import say_selection
from training.stage import alone

STAGES = ("data", "sft", "grpo", "sourced", "place", "report")

Launch = Callable[[Sequence[Command], int, Callable[[str], None], Callable[[list[str]], None]], None]
"""Runs commands, some at a time: `run_side_by_side`, or a test's substitute."""


def main(arguments: list[str] | None = None, launch: Launch = run_side_by_side) -> int:
    """Run the command line; 0 when everything asked for is finished, 2 for an error that a user can fix."""
    options = parse_arguments(arguments)
    try:
        recipe = load_recipe(options.profile, options.data, options.runs)
        only = chosen_stages(options.only, recipe)
        if options.plan:
            print("\n".join(plan_lines(recipe, only, options.seeds)))
            return 0
        with alone(recipe.folder):
            reproduce(recipe, only, options.source, options.jobs, launch)
            if options.push_to_hub:
                publish(recipe, options.push_to_hub, options.private)
            if options.seeds > 1:
                repeat(recipe, only, options.seeds, options.jobs, launch)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("stopped; the same command resumes from the last checkpoints")
        return 130
    return 0


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m training.reproduce", description="Reproduce a profile's checkpoints, from data to report."
    )
    parser.add_argument(
        "--profile", required=True, help="recipe: lite, paper, or a folder of configurations of your own"
    )
    parser.add_argument(
        "--only",
        metavar="STAGE,…",
        help=f"these alone ({', '.join(STAGES)}, or a model's id); what they build on has to be finished",
    )
    parser.add_argument("--source", default="hub", help="where missing data come from: hub (default), kaggle or a path")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configurations'")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where everything goes (default: runs)")
    parser.add_argument("--push-to-hub", metavar="OWNER", help="publish the finished adapters as repositories of OWNER")
    parser.add_argument("--private", action="store_true", help="make published repositories private")
    parser.add_argument("--jobs", type=positive_int, default=1, help="SFT runs side by side (default: 1)")
    parser.add_argument(
        "--seeds",
        type=positive_int,
        default=1,
        metavar="N",
        help="train the same from N - 1 further seeds, to see how much of a result is chance (default: 1)",
    )
    parser.add_argument("--plan", action="store_true", help="only say what is finished and what would be run, and why")
    return parser.parse_args(arguments)


def chosen_stages(only: str | None, recipe: Recipe) -> set[str]:
    """Return the stages asked for, models' ids among them; raises TrainingError for one that isn't there."""
    known = [*STAGES, *recipe.models]
    names = [name.strip() for name in only.split(",") if name.strip()] if only else list(STAGES)
    for name in names:
        if name not in known:
            raise TrainingError(f"--only {name}: no such stage.{suggestion(name, known)} Stages: {', '.join(known)}.")
    chosen = set(names)
    if "sft" in chosen:
        chosen |= {run.model for run in recipe.sft}
    if "grpo" in chosen and recipe.grpo:
        chosen.add(recipe.grpo.model)
    return chosen


def reproduce(recipe: Recipe, only: set[str], source: str, jobs: int, launch: Launch = run_side_by_side) -> None:
    """Run the recipe, leaving out what is finished."""
    if "data" in only:
        prepare_data(recipe, source)

    sft = recipe.sft_jobs()
    train_and_measure(recipe, [job for job in sft if job.run.model in only], jobs, launch)

    if recipe.grpo and recipe.grpo.model in only:
        require_finished([recipe.job(run) for run in recipe.parents], "GRPO can begin")
        say(f"selected {say_selection([recipe.record(run.model) for run in recipe.parents])}")
        train_and_measure(recipe, [job for job in [recipe.grpo_job()] if job], 1, launch)

    if "sourced" in only:
        train_and_measure(recipe, recipe.sourced_jobs(), 1, launch)

    if "place" in only:
        require_finished(
            [*sft, *filter(None, [recipe.grpo_job()]), *recipe.sourced_jobs()], "adapters are put in place"
        )
        for line in put_into_place(recipe):
            say(line)

    if "report" in only:
        for path in write_report(recipe):
            say(f"report: {path}")


def prepare_data(recipe: Recipe, source: str) -> None:
    """Prepare the splits unless they are there, unchanged since they were written."""
    try:
        load_manifest(recipe.data_dir)
    except DataError as missing:
        say(f"data: {missing}")
        arguments = ["--source", source, "--out", str(recipe.data_dir)]
        prepare_medquad.prepare(prepare_medquad.parse_arguments(arguments))


def train_and_measure(recipe: Recipe, jobs: Sequence[Job], side_by_side: int, launch: Launch) -> None:
    """Train and measure the runs' adapters, several at a time."""
    for job in jobs:
        if adopt(job):
            say(f"{job.run.model}: taken from its place, trained already")
    todo = [job for job in jobs if job.why_unfinished()]
    if not todo:
        return
    for job in todo:
        say(f"{job.run.model}: {job.why_unfinished()}")
    commands = [recipe.command(job) for job in todo]
    if side_by_side > 1:
        # Each run needs the base's losses at its end; measured now, none waits for another.
        commands.insert(0, recipe.base_command(todo[0]))
    overview = Overview(recipe, say)
    launch(commands, side_by_side, overview.relay, overview.running)
    require_finished(todo, "the recipe can go on")


def repeat(recipe: Recipe, only: set[str], seeds: int, jobs: int, launch: Launch = run_side_by_side) -> None:
    """Train the chosen models from further seeds too, and write how much the seed alone changes."""
    repetitions = further_seeds(recipe, only, seeds)
    for again in repetitions:
        say(f"seed {again.seed}")
        train_and_measure(again, [again.job(run) for run in again.sft if again.wants(run.model, only)], jobs, launch)
        if again.grpo and again.grpo.model in only:
            train_and_measure(again, [job for job in [again.grpo_job()] if job], 1, launch)
    for line in spread_lines(write_spread(recipe, repetitions, [model for model in recipe.models if model in only])):
        say(line)


def further_seeds(recipe: Recipe, only: set[str], seeds: int) -> list[Recipe]:
    """Return the recipe from each further seed; GRPO, if asked for, is trained on the first run's parent."""
    parent = recipe.best() if recipe.grpo and recipe.grpo.model in only else None
    first = recipe.sft[0].seed
    return [recipe.with_seed(seed, parent) for seed in range(first + 1, first + seeds)]


def publish(recipe: Recipe, owner: str, private: bool) -> None:
    """Put every finished adapter on the Hub, each as a repository of its own."""
    require_finished([*recipe.sft_jobs(), *filter(None, [recipe.grpo_job()])], "anything is published")
    for model in recipe.models:
        say(f"{model}: published as {push_adapter(recipe.adapters / model, owner, private)}")


def require_finished(jobs: Sequence[Job], purpose: str) -> None:
    """Raise TrainingError if one of the runs is not finished."""
    unfinished = {job.run.model: why for job in jobs if (why := job.why_unfinished())}
    if unfinished:
        whys = "; ".join(f"{model} is {why}" for model, why in unfinished.items())
        raise TrainingError(
            f"Before {purpose}: {whys}. Run the recipe without --only, or --only {','.join(unfinished)}."
        )


def plan_lines(recipe: Recipe, only: set[str], seeds: int) -> list[str]:
    """Return what is finished and what is not, and why, without running anything."""
    try:
        load_manifest(recipe.data_dir)
        lines = [f"data: finished, in {recipe.data_dir}"]
    except DataError as missing:
        lines = [f"data: to be prepared ({missing})"]
        known = recipe.data_in_place()
        if not known:
            return [*lines, *(f"{model}: after that" for model in recipe.models)]
        # A fresh clone has the adapters and no data: the plan can still say whether anything is left to train.
        recipe = replace(recipe, data=known)
        lines = [f"data: not here; the adapters in their place were trained on {known[:12]}…"]
    sft = recipe.sft_jobs()
    for job in sft:
        adopt(job)
    # The best SFT model, and so GRPO's job, is known only once the adapters are taken over.
    grpo = recipe.grpo_job()
    if grpo:
        adopt(grpo)
    sourced = recipe.sourced_jobs()
    for job in sourced:
        adopt(job)
    jobs = [job for job in [*sft, grpo, *sourced] if job]
    whys = [job.why_unfinished() for job in jobs]
    lines += [f"{job.run.model}: {why or 'finished'}" for job, why in zip(jobs, whys, strict=True)]
    if recipe.grpo and not grpo:
        lines.append(f"{recipe.grpo.model}: after that, on the best of the others")
    elif not any(whys):
        lines.append("nothing is left to do")
    return [*lines, *plan_of_seeds(recipe, only, seeds)] if seeds > 1 else lines


def plan_of_seeds(recipe: Recipe, only: set[str], seeds: int) -> list[str]:
    """Return the same of the further seeds' runs."""
    if recipe.grpo and recipe.grpo.model in only and not recipe.grpo_job():
        return ["further seeds: after that"]
    lines = []
    for again in further_seeds(recipe, only, seeds):
        jobs = [again.job(run) for run in again.sft if again.wants(run.model, only)]
        lines += [f"seed {again.seed}, {job.run.model}: {job.why_unfinished() or 'finished'}" for job in jobs]
        if again.grpo and again.grpo.model in only:
            job = again.grpo_job()
            state = (job.why_unfinished() or "finished") if job else f"after {again.parent}"
            lines.append(f"seed {again.seed}, {again.grpo.model}: {state}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
