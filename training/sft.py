"""Fine-tune one adapter on question-answer pairs: `python -m training.sft --config FILE.yaml`.

Reads the splits that prepare_medquad wrote, trains with TRL's SFTTrainer and PEFT, resumes from the last checkpoint
after a kill, writes the adapter with its training.json, and measures the loss on test pairs of base and adapter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medilite.checkpoints import read_record
from training.config import EndingConfig, SFTRun
from training.pairs import TokenPair
from training.record import Stopwatch
from training.stage import (
    Start,
    alone,
    arguments_with_validation,
    peft_config,
    run_stage,
    schedule_arguments,
    train_to_end,
    write_result,
)

CURVES = ("loss", "eval_loss")

KEPT = ("best_val_loss", "commit", "commit_dirty", "versions", "device", "adapter_sha256")
"""What an adapter's record keeps of its first stage."""


def train(run: SFTRun, start: Start) -> dict[str, Any]:
    """Train one adapter, write it with its record, and return the record."""
    if run.ending:
        return train_ending(run, run.ending, start)
    pairs = start.pairs("train", run.data.train_pairs)
    trainer, about = make_trainer(run, start, pairs)
    train_to_end(trainer, start, len(pairs))
    return write_result(trainer, start, "sft", CURVES, about | {"best_val_loss": best_loss(trainer)})


def train_ending(run: SFTRun, ending: EndingConfig, start: Start) -> dict[str, Any]:
    """Train a run's first stage, unless that is done, then its ending; write the adapter and return its record.

    Curves go on from one stage to the next. What the record says of learning
    rate and pairs is the first stage's; `ending` and `before_ending` have the rest.
    """
    from training.progress import curves, joined

    job = start.job.before_ending
    with alone(job.work_dir):
        if job.why_untrained():
            train(run.model_copy(update={"ending": None}), Start.of(job))
    first = read_record(job.out) or {}
    start = replace(start, stopwatch=Stopwatch(start.job.work_dir))  # or the first stage's time would count twice
    pairs = start.short_pairs(ending.max_tokens, ending.pairs)
    optim = run.optim.model_copy(
        update={
            "learning_rate": ending.learning_rate, "warmup_steps": ending.warmup_steps, "schedule": "linear",
            "epochs": 1, "eval_at_pairs": (len(pairs),),
        }
    )  # fmt: skip
    trainer, about = make_trainer(run.model_copy(update={"optim": optim}), start, pairs, job.out)
    train_to_end(trainer, start)
    steps = trainer.state.global_step
    about |= {
        "train_pairs": first["train_pairs"],
        "best_val_loss": best_loss(trainer),
        "steps": first["steps"] + steps,
        "ending": {"pairs": len(pairs), "steps": steps, "tokens": sum(len(pair.ids) for pair in pairs)},
        "before_ending": {key: first[key] for key in KEPT},
        "curves": joined(first["curves"], curves(trainer.state.log_history, CURVES), first["steps"]),
        "duration_s": round(first["duration_s"] + start.stopwatch.elapsed_s(), 1),
    }
    return write_result(trainer, start, "sft", CURVES, about)


def make_trainer(
    run: SFTRun, start: Start, pairs: Sequence[TokenPair], begun: Path | None = None
) -> tuple[Any, dict[str, Any]]:
    """Return the trainer of a new adapter, or of the one in the folder `begun`, and what the record says of it."""
    import torch
    from peft import PeftModel
    from trl import SFTTrainer

    from training.base_model import load_base, set_products
    from training.lean.memory import keep_freed_memory
    from training.lean.sft import LeanSFTTrainer
    from training.pairs import as_dataset
    from training.tracking import trackers

    validation = start.pairs("val", run.data.val_pairs)
    keep_freed_memory()
    torch.manual_seed(run.seed)
    model = load_base(start.base_folder, run.base)
    products = set_products(model, run.base)
    if begun:
        model = PeftModel.from_pretrained(model, str(begun), is_trainable=True)
    trainer = (LeanSFTTrainer if run.loop == "lean" else SFTTrainer)(
        model=model,
        args=trainer_arguments(run, start.job.work_dir, len(pairs)),
        train_dataset=as_dataset(pairs, run.loss_on),
        eval_dataset=as_dataset(validation, run.loss_on),
        processing_class=start.tokenizer,
        peft_config=None if begun else peft_config(run.lora),
        callbacks=[*evaluations(run), *trackers(start.job)],
    )
    return trainer, {"products": products, "train_pairs": len(pairs), "val_pairs": len(validation)}


def best_loss(trainer: Any) -> float | None:
    """Return the lowest validation loss of a run; None if none was measured."""
    return min((entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry), default=None)


def evaluations(run: SFTRun) -> list[Any]:
    """Return the callback that evaluates by pairs seen, if the run asks for it."""
    from training.progress import EvaluateAt

    optim = run.optim
    return [EvaluateAt(optim.eval_at_pairs, optim.pairs_a_step, optim.save_every)] if optim.eval_at_pairs else []


def trainer_arguments(run: SFTRun, work_dir: Path, pairs: int | None = None) -> Any:
    """Return TRL's arguments for a run; `pairs` is needed by schedules that count them."""
    from trl import SFTConfig

    given = arguments_with_validation(run, work_dir) | (schedule_arguments(run.optim, pairs) if pairs else {})
    return SFTConfig(
        **given,
        train_sampling_strategy="group_by_length" if run.optim.group_by_length else "random",
        max_length=None,  # pairs are cut when they are tokenised, so that every stage cuts alike
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter is written, 2 for an error that a user can fix."""
    code, _ = run_stage("sft", __doc__, SFTRun, train, arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
