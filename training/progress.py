"""Progress of a run on stderr, with the expected end, and the curves for its record."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from training.checkpoints import keep_adapter, seal
from training.record import RunProgress, Stopwatch, note_progress


class Progress(TrainerCallback):
    """One line a logged step: step of steps, loss, seconds left and the clock time of the end.

    Steps before a resume are not counted in the pace.
    """

    def __init__(self, label: str, stopwatch: Stopwatch) -> None:
        self.label = label
        self.stopwatch = stopwatch

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remember where this start began."""
        self._first_step, self._began = state.global_step, time.monotonic()
        if state.global_step:
            print(f"{self.label}: resuming from step {state.global_step}", file=sys.stderr)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Print the line."""
        done = state.global_step - self._first_step
        if not logs or not done or state.global_step >= state.max_steps:
            return
        left = (time.monotonic() - self._began) / done * (state.max_steps - state.global_step)
        progress = RunProgress(state.global_step / state.max_steps, self.stopwatch.elapsed_s(), left)
        note_progress(Path(args.output_dir), progress)
        end = datetime.datetime.now() + datetime.timedelta(seconds=left)
        shown = ("loss", "eval_loss", "reward", "kl")
        values = " ".join(f"{name} {float(logs[name]):.4f}" for name in shown if name in logs)
        step = f"step {state.global_step} of {state.max_steps}"
        print(f"{self.label}: {step} {values} – {left:.0f} s left, ends {end:%H:%M:%S}", file=sys.stderr, flush=True)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint as whole, and keep the time so far."""
        seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self.stopwatch.save()


class KeepAdapters(TrainerCallback):
    """Keeps the adapter of each save, without the optimiser's state."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Copy it out of the checkpoint, which the trainer deletes when newer ones are there."""
        keep_adapter(Path(args.output_dir) / f"checkpoint-{state.global_step}")


class EvaluateAt(TrainerCallback):
    """Evaluates at given numbers of pairs, and at the end; saves checkpoints more often than that."""

    def __init__(self, pairs: Sequence[int], pairs_a_step: int, save_every: int) -> None:
        self._steps = {-(-count // pairs_a_step) for count in pairs}
        self._save_every = save_every

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Request the evaluation or checkpoint that is due after this step."""
        due = state.global_step in self._steps or state.global_step == state.max_steps
        control.should_evaluate |= due
        control.should_save |= due or state.global_step % self._save_every == 0


def curves(log_history: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, list[list[float]]]:
    """Return, by name, [step, value] pairs of what was logged."""
    return {
        name: [[entry["step"], round(float(entry[name]), 5)] for entry in log_history if name in entry]
        for name in names
    }


def joined(
    first: dict[str, list[list[float]]], then: dict[str, list[list[float]]], steps: int
) -> dict[str, list[list[float]]]:
    """Return the curves of two stages as one's; the first has taken `steps`."""
    return {name: [*curve, *([steps + step, value] for step, value in then[name])] for name, curve in first.items()}
