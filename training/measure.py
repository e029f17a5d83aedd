"""Measure test losses of an adapter and its base: `python -m training.measure --config FILE.yaml`.

`training.sft` and `training.grpo` end with this. It measures the adapter as it was written, on top of its parents.
Every pair's loss is saved at once, so a start after a kill resumes with the next pair; the base's losses are measured
once for all runs with the same test pairs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

from medilite.checkpoints import read_record
from medilite.errors import MediLiteError, TrainingError
from medilite.settings import load_settings
from training.card import write_card
from training.command import command_line, job_of
from training.config import load_run
from training.inputs import digest
from training.job import Job
from training.losses import LossLog, PairLoss, of_answers, of_conversations, pair_losses
from training.pairs import DRAW_SEED, TokenPair, choose, tokenise
from training.record import write_record

ABOUT_LOSS = "mean cross-entropy (nats) per answer token; 95 % bootstrap intervals over pairs"


def measure(job: Job) -> dict[str, Any]:
    """Add the test losses of a trained adapter and of its base to the adapter's record, and return the record."""
    pairs = _test_pairs(job)
    record = read_record(job.out) or {}
    file = _losses_file(job, digest([job.test_key, job.inputs["beneath"], record["adapter_sha256"]]))
    label = f"{job.run.model}: test loss"
    model, products = _model(job, adapters=True)
    tested = pair_losses(model, pairs, LossLog(file), label=label)
    # Its own first: of several runs at once, one measures the base meanwhile and the others need not wait.
    base = _base_losses(job, pairs)

    record = with_losses(record, tested, base, job.run.seed, products) | {"tested_on": job.test_key}
    write_record(job.out, record)
    write_card(job.out, job.profile)
    return record


def measure_base(job: Job) -> list[PairLoss]:
    """Measure the base alone, so that runs side by side find its losses when they need them."""
    return _base_losses(job, _test_pairs(job))


def with_losses(
    record: dict[str, Any], tested: list[PairLoss], base: list[PairLoss], seed: int, products: str
) -> dict[str, Any]:
    """Return a record with the losses of adapter and base, their difference, how many of what, and how computed."""
    ours, theirs = of_answers(tested), of_answers(base)
    fields = {
        "test_loss": ours.mean,
        "test_loss_interval": ours.interval(seed),
        "base_test_loss": theirs.mean,
        "base_test_loss_interval": theirs.interval(seed),
        "test_loss_minus_base": ours.mean - theirs.mean,
        "test_loss_minus_base_interval": ours.difference_interval(theirs, seed),
        "test_pairs": len(ours.sums),
        "test_tokens": sum(ours.tokens),
        "test_loss_about": ABOUT_LOSS,
        "test_products": products,
        # As in the study: prompt tokens too.
        "test_conversation_loss": of_conversations(tested).mean,
        "test_conversation_loss_interval": of_conversations(tested).interval(seed),
        "base_test_conversation_loss": of_conversations(base).mean,
        "base_test_conversation_loss_interval": of_conversations(base).interval(seed),
    }
    # Before the curves, which fill pages.
    before = {name: value for name, value in record.items() if name not in fields}
    names = list(before)
    at = names.index("curves") if "curves" in names else len(names)
    return {**{n: before[n] for n in names[:at]}, **fields, **{n: before[n] for n in names[at:]}}


def _test_pairs(job: Job) -> list[TokenPair]:
    """Return the test pairs as token ids."""
    from medilite.data import load_split
    from training.base_model import base_folder, load_tokenizer

    run = job.run
    tokenizer = load_tokenizer(base_folder(job.profile, load_settings()))
    examples = choose(load_split(job.splits, "test"), run.data.test_pairs, DRAW_SEED)
    return tokenise(tokenizer, examples, run.data.max_tokens)


def _base_losses(job: Job, pairs: list[TokenPair]) -> list[PairLoss]:
    file = _losses_file(job, job.test_key)
    # Two runs that end together need the same losses: the second waits and finds them done.
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        model, _ = _model(job, adapters=False)
        return pair_losses(model, pairs, LossLog(file), label=f"{job.profile.base.model}: test loss")


def _losses_file(job: Job, key: str) -> Path:
    return job.runs / "losses" / f"{key}.jsonl"


def _model(job: Job, adapters: bool) -> tuple[Any, str]:
    """Return the base, or the base with the run's adapter and its parents, and the type of its products."""
    import torch
    from peft import PeftModel

    from training.base_model import base_folder, load_base, merge_parents, set_products

    model = load_base(base_folder(job.profile, load_settings()), job.run.base)
    if torch.cuda.is_available() and not job.run.base.quantize_4bit:  # one in 4 bits is there already
        model = model.cuda()
    if adapters:
        model = merge_parents(model, job.parents)
    products = set_products(model, job.run.base)
    return (PeftModel.from_pretrained(model, str(job.out)) if adapters else model), products


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the losses are written, 2 for an error that a user can fix."""
    parser = command_line("measure", __doc__)
    parser.add_argument("--base-only", action="store_true", help="measure the base alone; needs no adapter")
    options = parser.parse_args(arguments)
    try:
        job = job_of(load_run(options.config), options)
        if options.base_only:
            loss = of_answers(measure_base(job))
            print(f"{job.profile.base.model}: test loss {loss.mean:.4f} on {len(loss.sums)} pairs")
            return 0
        if why := job.why_untrained():
            raise TrainingError(f"{job.run.model}: no adapter to measure in {job.out} ({why}). Train it first.")
        print(say_losses(measure(job)))
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def say_losses(record: dict[str, Any]) -> str:
    """Return a record's test losses as a line, or that there are none."""
    if "test_loss" not in record:
        return f"{record['model']}: no losses, it answers from a passage"
    losses = f"test loss {record['test_loss']:.4f}, base {record['base_test_loss']:.4f}"
    return f"{record['model']}: {losses} on {record['test_pairs']} pairs"


if __name__ == "__main__":
    sys.exit(main())
