"""A run's curves in Trackio while it trains: on this machine, or in a Space if the configuration names one.

Results are in training.json; tracking is only for watching. So a tracker that fails reports it once and doesn't stop
the run.
"""

from __future__ import annotations

import sys
from typing import Any

from transformers import TrainerCallback

from training.inputs import digest
from training.job import Job


def trackers(job: Job) -> list[TrainerCallback]:
    """Return the tracking callbacks that a run's configuration asks for, if any.

    `training.stage` says where Trackio keeps its data.
    """
    return [Tracker(job)] if job.run.tracking.to == "trackio" else []


class Tracker(TrainerCallback):
    """Sends what the trainer logs to one Trackio run, which is continued after a kill.

    Its data are in `runs/trackio` (or TRACKIO_DIR); `make dashboard` shows
    them.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._trackio: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the run."""
        job, tracking = self._job, self._job.run.tracking
        try:
            import trackio

            trackio.init(
                project=tracking.project or f"medilite-{job.profile.name}",
                # Other inputs are another run, the same ones continue it.
                name=f"{job.run.model}-{digest(job.inputs)[:6]}",
                group=job.run.model,
                space_id=tracking.space,
                private=tracking.private,
                config={"run": job.run.model_dump(mode="json"), "data": job.data},
                resume="allow",
                embed=False,
                auto_log_cpu=False,
            )
            self._trackio = trackio
        except Exception as error:  # a run of hours must not end because of its curves
            self._give_up(error)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Send one step's numbers."""
        numbers = {name: float(value) for name, value in (logs or {}).items() if isinstance(value, int | float)}
        if self._trackio is None or not numbers:
            return
        try:
            self._trackio.log({_named(name): value for name, value in numbers.items()}, step=state.global_step)
        except Exception as error:
            self._give_up(error)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Send what is left and close the run."""
        if self._trackio is None:
            return
        try:
            self._trackio.finish()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._trackio = None
        print(f"{self._job.run.model}: not tracked any further ({type(error).__name__}: {error})", file=sys.stderr)


def _named(metric: str) -> str:
    """Return a metric's name as dashboards group it: eval/loss, train/loss."""
    return f"eval/{metric.removeprefix('eval_')}" if metric.startswith("eval_") else f"train/{metric}"
