"""Fine-tune one adapter on question-answer pairs: `python -m training.sft --config FILE.yaml`.

Reads the splits that prepare_medquad wrote, trains with TRL's SFTTrainer and
PEFT, goes on from the last checkpoint after a kill, measures the loss on test
pairs of base and adapter, and writes the adapter with its training.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.errors import MediLiteError
from medilite.models import ROOT, load_profile
from medilite.settings import load_settings
from training.config import SFTRun, load_config

if TYPE_CHECKING:
    from training.losses import PairLosses


def parse_arguments(arguments: list[str] | None, stage: str, about: str | None) -> argparse.Namespace:
    """Return the command line's arguments, the same for every stage that trains."""
    parser = argparse.ArgumentParser(prog=f"python -m training.{stage}", description=(about or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True, help="the run's YAML file")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configuration's")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints go (default: runs)")
    parser.add_argument("--out", type=Path, help="the adapter's folder (default: assets/adapters/PROFILE/MODEL)")
    return parser.parse_args(arguments)


def train(run: SFTRun, data_dir: Path, work_dir: Path, out: Path) -> dict[str, Any]:
    """Train one adapter, write it with its record to `out`, and return the record."""
    import torch
    from peft import LoraConfig
    from transformers.trainer_utils import get_last_checkpoint
    from trl import SFTTrainer

    from training.base_model import base_folder, load_base, load_tokenizer
    from training.data.manifest import load_manifest, load_split
    from training.losses import answer_losses
    from training.pairs import as_dataset, choose, tokenise
    from training.progress import Progress
    from training.record import Stopwatch
    from training.results import base_losses, provenance, write_adapter

    profile = load_profile(run.base.profile)
    folder = base_folder(profile, load_settings())
    tokenizer = load_tokenizer(folder)
    manifest = load_manifest(data_dir)
    came_from = provenance(run, manifest["fingerprint"])  # now: the checkout may move on while this runs
    splits = data_dir / run.data.splits if run.data.splits == "distinct" else data_dir

    counts = {"train": run.data.train_pairs, "val": run.data.val_pairs, "test": run.data.test_pairs}
    pairs = {
        split: tokenise(tokenizer, choose(load_split(splits, split), count, run.seed), run.data.max_tokens)
        for split, count in counts.items()
    }
    work_dir.mkdir(parents=True, exist_ok=True)
    stopwatch = Stopwatch(work_dir)

    torch.manual_seed(run.seed)
    trainer = SFTTrainer(
        model=load_base(folder, run.base),
        args=trainer_arguments(run, work_dir),
        train_dataset=as_dataset(pairs["train"], run.loss_on),
        eval_dataset=as_dataset(pairs["val"], run.loss_on),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=run.lora.rank,
            lora_alpha=run.lora.alpha,
            lora_dropout=run.lora.dropout,
            target_modules=list(run.lora.target_modules),
            bias="none",
            task_type="CAUSAL_LM",
        ),
        callbacks=[Progress(run.model, stopwatch)],
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work_dir)))
    duration_s = stopwatch.elapsed_s()

    model: Any = trainer.model
    pad_id = tokenizer.pad_token_id
    tested = answer_losses(model, pairs["test"], pad_id, label=f"{run.model}: test loss")
    base = base_losses(model, model.disable_adapter(), pairs["test"], pad_id, work_dir.parent)
    record = {
        "model": run.model,
        "base": profile.base.model,
        "stacked_on": None,
        "method": "sft",
        "rank": run.lora.rank,
        "learning_rate": run.optim.learning_rate,
        **describe(run, trainer, base, tested, pairs),
        "duration_s": round(duration_s, 1),
        **came_from,
    }
    write_adapter(model, out, profile.base.model, record)
    return record


def trainer_arguments(run: SFTRun, work_dir: Path) -> Any:
    """Return TRL's arguments for a run; the best checkpoint by validation loss is kept."""
    import torch
    from trl import SFTConfig

    optim = run.optim
    return SFTConfig(
        output_dir=str(work_dir),
        seed=run.seed,
        data_seed=run.seed,
        learning_rate=optim.learning_rate,
        num_train_epochs=optim.epochs,
        per_device_train_batch_size=optim.batch_size,
        per_device_eval_batch_size=optim.batch_size,
        gradient_accumulation_steps=optim.accumulation_steps,
        warmup_steps=optim.warmup_steps,
        weight_decay=optim.weight_decay,
        lr_scheduler_type=optim.schedule,
        train_sampling_strategy="group_by_length" if optim.group_by_length else "random",
        max_length=None,  # pairs are cut when they are tokenised, so that every stage cuts alike
        eval_strategy="steps",
        eval_steps=optim.eval_every,
        save_strategy="steps",
        save_steps=optim.save_every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        logging_steps=max(1, optim.eval_every // 4),
        logging_first_step=True,
        disable_tqdm=True,
        report_to="none",
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def describe(
    run: SFTRun, trainer: Any, base: PairLosses, tested: PairLosses, pairs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the record's fields about the run itself and its losses."""
    from training.progress import curves
    from training.results import loss_fields

    history = trainer.state.log_history
    return {
        "steps": trainer.state.global_step,
        "train_pairs": len(pairs["train"]),
        "val_pairs": len(pairs["val"]),
        "best_val_loss": min((entry["eval_loss"] for entry in history if "eval_loss" in entry), default=None),
        **loss_fields(tested, base, run.seed),
        "curves": curves(history, ("loss", "eval_loss")),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter stands, 2 for an error a user can mend."""
    options = parse_arguments(arguments, "sft", __doc__)
    try:
        run = load_config(options.config, SFTRun)
        name = load_profile(run.base.profile).name  # the configuration may give a path
        out = options.out or ROOT / "assets" / "adapters" / name / run.model
        record = train(run, options.data or run.data.dir, options.runs / name / run.model, out)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    losses = f"test loss {record['test_loss']:.4f}, base {record['base_test_loss']:.4f}"
    print(f"{run.model}: {losses} on {record['test_pairs']} pairs; adapter in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
