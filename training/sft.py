"""Fine-tune one adapter on question-answer pairs: `python -m training.sft --config FILE.yaml`.

Reads the splits that prepare_medquad wrote, trains with TRL's SFTTrainer and PEFT, resumes from the last checkpoint
after a kill, writes the adapter with its training.json, and measures the loss on test pairs of base and adapter.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from training.config import SFTRun
from training.stage import (
    Start,
    arguments_with_validation,
    peft_config,
    run_stage,
    schedule_arguments,
    train_to_end,
    write_result,
)


def train(run: SFTRun, start: Start) -> dict[str, Any]:
    """Train one adapter, write it with its record, and return the record."""
    import torch
    from trl import SFTTrainer

    from training.base_model import load_base, set_products
    from training.lean.memory import keep_freed_memory
    from training.lean.sft import LeanSFTTrainer
    from training.pairs import as_dataset
    from training.progress import Progress
    from training.tracking import trackers

    job = start.job
    pairs = {
        "train": start.pairs("train", run.data.train_pairs),
        "val": start.pairs("val", run.data.val_pairs),
    }

    keep_freed_memory()
    torch.manual_seed(run.seed)
    base_model = load_base(start.base_folder, run.base)
    products = set_products(base_model, run.base)
    trainer = (LeanSFTTrainer if run.loop == "lean" else SFTTrainer)(
        model=base_model,
        args=trainer_arguments(run, job.work_dir, len(pairs["train"])),
        train_dataset=as_dataset(pairs["train"], run.loss_on),
        eval_dataset=as_dataset(pairs["val"], run.loss_on),
        processing_class=start.tokenizer,
        peft_config=peft_config(run.lora),
        callbacks=[Progress(run.model, start.stopwatch), *evaluations(run), *trackers(job)],
    )
    train_to_end(trainer, start, len(pairs["train"]))
    validation = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    about = {
        "products": products,
        "train_pairs": len(pairs["train"]),
        "val_pairs": len(pairs["val"]),
        "best_val_loss": min(validation, default=None),
    }
    return write_result(trainer, start, "sft", ("loss", "eval_loss"), about)


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
