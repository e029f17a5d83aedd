"""Fine-tune one adapter on question-answer pairs: `python -m training.sft --config FILE.yaml`.

Reads the splits that prepare_medquad wrote, trains with TRL's SFTTrainer and
PEFT, goes on from the last checkpoint after a kill, writes the adapter with its
training.json, and measures the loss on test pairs of base and adapter.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from training.config import SFTRun
from training.stage import Start, peft_config, run_stage, shared_arguments


def train(run: SFTRun, start: Start) -> dict[str, Any]:
    """Train one adapter, write it with its record, and return the record."""
    import torch
    from trl import SFTTrainer

    from training.base_model import load_base, set_products
    from training.lean.memory import keep_freed_memory
    from training.lean.sft import LeanSFTTrainer
    from training.order import order_by_epoch
    from training.pairs import as_dataset
    from training.progress import Progress, curves
    from training.results import write_adapter

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
        args=trainer_arguments(run, job.work_dir),
        train_dataset=as_dataset(pairs["train"], run.loss_on),
        eval_dataset=as_dataset(pairs["val"], run.loss_on),
        processing_class=start.tokenizer,
        peft_config=peft_config(run.lora),
        callbacks=[Progress(run.model, start.stopwatch)],
    )
    order_by_epoch(trainer)
    trainer.train(resume_from_checkpoint=start.last_checkpoint())
    duration_s = start.stopwatch.elapsed_s()

    history = trainer.state.log_history
    record = {
        "model": run.model,
        "base": job.profile.base.model,
        "stacked_on": None,
        "method": "sft",
        "rank": run.lora.rank,
        "learning_rate": run.optim.learning_rate,
        "steps": trainer.state.global_step,
        "products": products,
        "train_pairs": len(pairs["train"]),
        "val_pairs": len(pairs["val"]),
        "best_val_loss": min((entry["eval_loss"] for entry in history if "eval_loss" in entry), default=None),
        "curves": curves(history, ("loss", "eval_loss")),
        "duration_s": round(duration_s, 1),
        **start.came_from,
    }
    return write_adapter(trainer.model, job.out, job.profile.base.model, record)


def trainer_arguments(run: SFTRun, work_dir: Path) -> Any:
    """Return TRL's arguments for a run; the best checkpoint by validation loss is kept."""
    from trl import SFTConfig

    optim = run.optim
    return SFTConfig(
        **shared_arguments(run, work_dir),
        per_device_eval_batch_size=optim.batch_size,
        train_sampling_strategy="group_by_length" if optim.group_by_length else "random",
        max_length=None,  # pairs are cut when they are tokenised, so that every stage cuts alike
        eval_strategy="steps",
        eval_steps=optim.eval_every,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        logging_steps=max(1, optim.eval_every // 4),
        logging_first_step=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter stands, 2 for an error a user can mend."""
    code, _ = run_stage("sft", __doc__, SFTRun, train, arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
