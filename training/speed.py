"""Measure training throughput of the lean loop against TRL's own: `python -m training.speed --config FILE.yaml`.

Both take forward and backward over the same batches in turn, in one process.
What is told is their ratio: absolute rates depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from medilite.errors import MediLiteError
from training.config import SFTRun, load_config
from training.job import Job
from training.record import device_name, versions
from training.stage import Start, peft_config


def compare(run: SFTRun, data_dir: Path, rounds: int, batch_size: int) -> dict[str, Any]:
    """Return medians and ranges of both loops' tokens a second and of their ratio, over `rounds` batches each.

    Tokens are those of the pairs themselves; padding does not count.
    """
    from trl import SFTTrainer

    from training.lean.memory import keep_freed_memory
    from training.lean.sft import LeanSFTTrainer

    stock_run = run.model_copy(update={"base": run.base.model_copy(update={"products": "float32"})})
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        start = Start.of(Job.of(run, data_dir, runs=Path(folder)))
        rows = _rows(start, run, (rounds + 1) * batch_size)
        loops = {
            "trl": _trainer(SFTTrainer, stock_run, start, rows),
            "lean": _trainer(LeanSFTTrainer, run, start, rows),
        }
        seconds: dict[str, list[float]] = {name: [] for name in loops}
        losses: dict[str, list[float]] = {name: [] for name in loops}
        tokens: list[int] = []
        for number in range(rounds + 1):
            batch = rows[number * batch_size : (number + 1) * batch_size]
            for name, trainer in loops.items():
                began = time.perf_counter()
                loss = float(trainer.training_step(trainer.model, trainer.data_collator(batch)))
                if number:  # the first is for warming up
                    seconds[name].append(time.perf_counter() - began)
                    losses[name].append(loss)
                trainer.model.zero_grad()
            if number:
                tokens.append(sum(len(row["input_ids"]) for row in batch))
    ratios = [a / b for a, b in zip(seconds["trl"], seconds["lean"], strict=True)]
    return {
        "rounds": rounds,
        "batch_size": batch_size,
        "tokens_per_s": {
            name: _spread([n / s for n, s in zip(tokens, taken, strict=True)]) for name, taken in seconds.items()
        },
        "ratio": _spread(ratios),
        "largest_relative_loss_difference": max(
            abs(a - b) / a for a, b in zip(losses["trl"], losses["lean"], strict=True)
        ),
        "device": device_name(),
        "versions": versions(),
    }


def _rows(start: Start, run: SFTRun, count: int) -> list[dict[str, list[int]]]:
    from training.pairs import as_dataset

    return list(as_dataset(start.pairs("train", count), run.loss_on))


def _trainer(kind: type, run: SFTRun, start: Start, rows: list[dict[str, list[int]]]) -> Any:
    import torch
    from datasets import Dataset

    from training.base_model import load_base, set_products
    from training.sft import trainer_arguments

    base = load_base(start.base_folder, run.base)
    set_products(base, run.base)
    torch.manual_seed(run.seed)
    dataset = Dataset.from_list(rows)
    trainer = kind(
        model=base,
        args=trainer_arguments(run, start.job.work_dir),
        train_dataset=dataset,
        eval_dataset=dataset,
        processing_class=start.tokenizer,
        peft_config=peft_config(run.lora.model_copy(update={"dropout": 0.0})),
    )
    trainer.current_gradient_accumulation_steps = 1
    return trainer


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error a user can mend."""
    parser = argparse.ArgumentParser(prog="python -m training.speed", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True, help="an SFT run's YAML file with `loop: lean`")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configuration's")
    parser.add_argument("--rounds", type=int, default=9, help="batches measured, each by both loops (default: 9)")
    parser.add_argument("--batch-size", type=int, default=16, help="pairs a batch (default: 16)")
    parser.add_argument("--json", type=Path, help="write the result here too")
    options = parser.parse_args(arguments)
    try:
        run = load_config(options.config, SFTRun)
        result = compare(run, options.data or run.data.dir, options.rounds, options.batch_size)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, rate in result["tokens_per_s"].items():
        print(f"{name:5} {rate['median']:7.0f} tokens/s ({rate['min']:.0f} to {rate['max']:.0f})")
    ratio = result["ratio"]
    print(
        f"lean / trl {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f}), n = {result['rounds']} batches"
    )
    print(f"losses differ by at most {result['largest_relative_loss_difference']:.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
