"""The command line that all stages share, and the job that it describes."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from medilite.errors import ConfigError
from training.config import AnyRun, OptimConfig
from training.job import Job


def command_line(stage: str, about: str | None) -> argparse.ArgumentParser:
    """Return a stage's parser with the options of all stages."""
    parser = argparse.ArgumentParser(prog=f"python -m training.{stage}", description=(about or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True, help="the run's YAML file")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configuration's")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints go (default: runs)")
    parser.add_argument("--out", type=Path, help="the adapter's folder (default: assets/adapters/PROFILE/MODEL)")
    parser.add_argument(
        "--adapters", type=Path, help="read and write adapters as MODEL in this folder, instead of the profile's"
    )
    if stage in ("sft", "measure"):
        parser.add_argument(
            "--stop-at-pairs",
            type=int,
            metavar="N",
            help="end after N pairs, a point of the curve of loss against pairs, from the whole run's checkpoints on",
        )
    parser.add_argument("--seed", type=int, metavar="N", help="the run's seed, instead of the configuration's")
    parser.add_argument("--stacked-on", metavar="MODEL", help="the parent model, instead of the configuration's")
    parser.add_argument(
        "--end-with-stdin", action="store_true", help="end at once when standard input closes: for who starts this"
    )
    return parser


def job_of(run: AnyRun, options: argparse.Namespace) -> Job:
    """Return the job that the command line asks for; raises ConfigError, DataError or WeightsError."""
    if options.end_with_stdin:
        end_with_stdin()
    if options.stacked_on:
        if not hasattr(run, "stacked_on"):
            raise ConfigError(f"--stacked-on: {run.model} is trained on the base itself.")
        run = run.model_copy(update={"stacked_on": options.stacked_on})
    if options.seed is not None:
        run = run.model_copy(update={"seed": options.seed})
    stop = getattr(options, "stop_at_pairs", None)
    if stop is not None:
        run = run.model_copy(update={"optim": stopped(run.optim, stop), "ending": None})
    job = Job.of(run, options.data, options.runs, options.adapters, options.out)
    if stop is None or options.out or options.adapters:
        return job
    # Never by default where the whole run's adapter belongs.
    return replace(job, out=job.work_dir / "adapter")


def stopped(optim: OptimConfig, pairs: int) -> OptimConfig:
    """Return the settings of a run that ends after that many pairs; raises ConfigError if its schedule can't."""
    try:
        return OptimConfig.model_validate(optim.model_dump() | {"stop_at_pairs": pairs})
    except ValidationError as error:
        raise ConfigError(f"--stop-at-pairs {pairs}: {error.errors()[0]['msg']}.") from error


def end_with_stdin() -> None:
    """End this process as soon as its standard input closes, as it does whenever the parent process ends."""

    def wait() -> None:
        # Not sys.stdin.read(): its lock, held by a thread that never ends, would abort the interpreter's own end.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(130)

    threading.Thread(target=wait, daemon=True).start()
