"""What SFT and GRPO share: the command line, what a run starts from, and the adapter's shape."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from medilite.checkpoints import read_record
from medilite.data import load_split_for_choosing
from medilite.errors import MediLiteError, TrainingError
from medilite.records import Example
from medilite.settings import load_settings
from training.card import write_card
from training.checkpoints import newest_of_another, newest_whole, publish_saves
from training.command import command_line, job_of
from training.config import AnyRun, DPORun, LoraConfig, OptimConfig, SFTRun, StageRun, load_config
from training.data.cleaning import CleanRule, is_prose
from training.job import Job
from training.measure import measure, say_losses
from training.pairs import DRAW_SEED, TokenPair, choose, draw_whole, tokenise
from training.record import Stopwatch
from training.results import provenance


@dataclass(frozen=True, slots=True)
class Start:
    """What a run starts from: its job, the base's folder and tokenizer, where it came from, and its clock."""

    job: Job
    base_folder: Path
    tokenizer: Any
    came_from: dict[str, Any]
    stopwatch: Stopwatch

    @classmethod
    def of(cls, job: Job) -> Start:
        """Collect everything; raises WeightsError if the base is unavailable."""
        from training.base_model import base_folder, load_tokenizer

        # Now, not at the end: the checkout may change while the run is running.
        came_from = provenance(job.run, job.data, job.inputs)
        folder = base_folder(job.profile, load_settings())
        job.work_dir.mkdir(parents=True, exist_ok=True)
        return cls(
            job=job,
            base_folder=folder,
            tokenizer=load_tokenizer(folder),
            came_from=came_from,
            stopwatch=Stopwatch(job.work_dir),
        )

    def examples(self, split: str) -> list[Example]:
        """Return a split's examples; raises DataError for one that is for reporting."""
        return load_split_for_choosing(self.job.splits, split)

    def pairs(self, split: str, count: int | None) -> list[TokenPair]:
        """Return `count` pairs of a split (all if None) as token ids, the same draw for the same seed."""
        run = self.job.run
        examples, limit = self.examples(split), run.data.max_tokens
        if split == "train" and run.data.long_pairs == "drop":
            return draw_whole(self.tokenizer, examples, limit, count, run.seed)
        return tokenise(self.tokenizer, choose(examples, count, run.seed if split == "train" else DRAW_SEED), limit)

    def short_pairs(self, max_tokens: int, count: int) -> list[TokenPair]:
        """Return `count` training pairs, or as many as there are, of at most `max_tokens`, their answers in prose.

        Raises TrainingError if there are none.
        """
        prose = [example for example in self.examples("train") if is_prose(example, CleanRule())]
        pairs = draw_whole(self.tokenizer, prose, max_tokens, count, self.job.run.seed)
        if not pairs:
            raise TrainingError(
                f"ending.max_tokens: no training pair whose answer is prose has at most {max_tokens} tokens, system "
                "prompt and question among them. Raise it."
            )
        return pairs

    def last_checkpoint(self, pairs: int | None = None) -> str | None:
        """Return the folder of the newest whole checkpoint that an earlier start left, or None.

        A run that stops early, after `pairs`, begins with the whole run's newest from before its rate falls.
        """
        found = newest_whole(self.job.work_dir)
        optim = self.job.run.optim
        if not found and optim.stop_at_pairs and pairs:
            at_most = optim.steps(pairs) - optim.decay_steps(pairs)
            found = newest_of_another(self.job.whole_run_dir, at_most)
        return str(found) if found else None


NEVER = 10**9
"""An interval in steps that no run reaches."""


def peft_config(lora: LoraConfig) -> Any:
    """Return PEFT's configuration of an adapter."""
    import peft

    return peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )


def adapters_in_float32(model: Any) -> None:
    """Convert the trained parameters to float32.

    TRL puts adapters on a 4-bit base in bfloat16, where small steps round to none.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def shared_arguments(run: AnyRun, work_dir: Path) -> dict[str, Any]:
    """Return the trainer's arguments that do not depend on the stage (transformers' TrainingArguments)."""
    import torch

    optim, on_gpu = run.optim, torch.cuda.is_available()
    return {
        "output_dir": str(work_dir),
        "seed": run.seed,
        "data_seed": run.seed,
        "learning_rate": optim.learning_rate,
        "num_train_epochs": optim.epochs,
        "per_device_train_batch_size": optim.batch_size,
        "gradient_accumulation_steps": optim.accumulation_steps,
        "warmup_steps": optim.warmup_steps,
        "weight_decay": optim.weight_decay,
        "lr_scheduler_type": optim.schedule,
        "save_strategy": "steps",
        "save_steps": optim.save_every,
        "save_total_limit": 2,
        "disable_tqdm": True,
        "report_to": "none",
        "bf16": False,
        "use_cpu": not on_gpu,
        "gradient_checkpointing": optim.gradient_checkpointing,
        "dataloader_pin_memory": on_gpu,
    }


def arguments_with_validation(run: SFTRun | DPORun, work_dir: Path) -> dict[str, Any]:
    """Return the shared arguments and those of stages that keep the best checkpoint by validation loss."""
    optim = run.optim
    given = {
        **shared_arguments(run, work_dir),
        "per_device_eval_batch_size": optim.batch_size,
        "eval_strategy": "steps",
        "eval_steps": optim.eval_every,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "logging_steps": max(1, optim.eval_every // 4),
        "logging_first_step": True,
    }
    # The trainer insists on saving only evaluated steps; `EvaluateAt` requests both as needed.
    by_pairs = {"eval_steps": NEVER, "save_steps": NEVER, "logging_steps": max(1, optim.save_every // 2)}
    return given | by_pairs if optim.eval_at_pairs else given


def schedule_arguments(optim: OptimConfig, pairs: int) -> dict[str, Any]:
    """Return the trainer's arguments for a schedule that holds the rate and decays at the end; none for others."""
    if optim.schedule != "warmup_stable_decay":
        return {}
    falling = {"num_decay_steps": optim.decay_steps(pairs), "decay_type": "linear"}
    # A shorter run may resume from every checkpoint.
    return {"max_steps": optim.steps(pairs), "lr_scheduler_kwargs": falling, "save_total_limit": None}


def train_to_end(trainer: Any, start: Start, pairs: int | None = None) -> None:
    """Train, resuming from the last checkpoint of an earlier start."""
    from training.order import order_by_epoch
    from training.progress import KeepAdapters, Progress

    if start.job.run.optim.keep_saves:
        trainer.add_callback(KeepAdapters())
    # The last one: it seals the checkpoint, and a save that a kill stops before that is made again.
    trainer.add_callback(Progress(start.job.run.model, start.stopwatch))
    adapters_in_float32(trainer.model)
    order_by_epoch(trainer)
    trainer.train(resume_from_checkpoint=start.last_checkpoint(pairs))


def write_result(
    trainer: Any, start: Start, method: str, curve_names: tuple[str, ...], about: dict[str, Any]
) -> dict[str, Any]:
    """Write the trained adapter with its record, and return the record; `about` has the stage's own fields."""
    from training.progress import curves
    from training.results import write_adapter

    job, run = start.job, start.job.run
    saves = publish_saves(job.work_dir, job.out, job.profile.base.model)
    record = {
        "model": run.model,
        "base": job.profile.base.model,
        "stacked_on": getattr(run, "stacked_on", None),
        "method": method,
        "rank": run.lora.rank,
        "learning_rate": run.optim.learning_rate,
        "steps": trainer.state.global_step,
        "curves": curves(trainer.state.log_history, curve_names),
        "duration_s": round(start.stopwatch.elapsed_s(), 1),
        **about,
        **({"saves": saves} if saves else {}),
        **start.came_from,
    }
    return write_adapter(trainer.model, job.out, job.profile.base.model, record)


def run_stage(
    stage: str,
    about: str | None,
    kind: type[StageRun],
    train: Callable[[StageRun, Start], dict[str, Any]],
    arguments: list[str] | None,
) -> tuple[int, dict[str, Any] | None]:
    """Run a stage's command line; return (0, the record), or (2, None) for an error that a user can fix."""
    options = command_line(stage, about).parse_args(arguments)
    try:
        run: Any = load_config(options.config, kind)
        job = job_of(run, options)
        record = carry_out(job, train)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2, None
    print(f"Adapter and training.json are in {job.out}")
    print(say_losses(record))
    return 0, record


def carry_out(job: Job, train: Callable[[Any, Start], dict[str, Any]]) -> dict[str, Any]:
    """Train and measure, unless done already, and return the record."""
    # Trackio keeps its data there; it reads this once, when TRL imports it.
    os.environ.setdefault("TRACKIO_DIR", str((job.runs.parent / "trackio").resolve()))
    with alone(job.work_dir):
        if why := job.why_untrained():
            print(f"{job.run.model}: to be trained ({why})", file=sys.stderr)
            train(job.run, Start.of(job))
            write_card(job.out, job.profile)
        if job.why_unmeasured():
            measure(job)
    return read_record(job.out) or {}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder against a second process; raises TrainingError if another one has it.

    The system releases the lock however the process ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TrainingError(
            f"Another process is at work in {folder}. Wait for it, stop it, or give another folder with --runs."
        ) from None
    try:
        yield
    finally:
        lock.release()
