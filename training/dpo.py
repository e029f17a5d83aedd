"""Train one adapter by DPO on preference pairs: `python -m training.dpo --config FILE.yaml`.

The pairs are a JSONL file of prompt, chosen and rejected answer, as `training.preferences` or the app's export of votes
write it. The parent model is merged into the base in memory and is the reference; the new adapter is stacked on it.
Resumes from the last checkpoint after a kill.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medilite.data import SEALED, SPLITS_OF, load_split, question_key
from medilite.errors import DataError
from training.config import DPORun
from training.preferences import Preference, read_preferences
from training.stage import Start, arguments_with_validation, peft_config, run_stage, train_to_end, write_result

CURVES = (
    "loss", "eval_loss", "rewards/accuracies", "rewards/margins", "eval_rewards/accuracies", "eval_rewards/margins",
)  # fmt: skip
HELD_OUT = 10
"""One in this many questions is held out for choosing the best checkpoint, unless `data.val_pairs` is set."""


def train(run: DPORun, start: Start) -> dict[str, Any]:
    """Train one adapter, write it with its record, and return the record."""
    import torch

    from training.base_model import load_base, merge_parents
    from training.tracking import trackers

    job = start.job
    pairs = read_preferences(run.preferences)
    # Read so that their questions are refused, also the sealed ones: nothing that is reported on may be learnt.
    reported = {"test", *SEALED}.intersection(SPLITS_OF[run.data.splits])
    examples = [example for split in sorted(reported) for example in load_split(job.splits, split)]
    refuse_test_questions(pairs, [example.question for example in examples], run.preferences)
    kept, held_out = hold_out(pairs, run)

    torch.manual_seed(run.seed)
    trainer = _trainer_class()(
        model=merge_parents(load_base(start.base_folder, run.base), job.parents),
        args=trainer_arguments(run, job.work_dir),
        train_dataset=as_dataset(start.tokenizer, kept),
        eval_dataset=as_dataset(start.tokenizer, held_out),
        processing_class=start.tokenizer,
        peft_config=peft_config(run.lora),
        callbacks=trackers(job),
    )
    train_to_end(trainer, start)
    about = {"train_pairs": len(kept), "val_pairs": len(held_out)}
    return write_result(trainer, start, "dpo", CURVES, about)


def refuse_test_questions(pairs: Sequence[Preference], test_questions: Sequence[str], file: Path) -> None:
    """Raise DataError if pairs ask questions of the test split, on which results would then mean nothing."""
    tested = {question_key(question) for question in test_questions}
    shared = sum(question_key(pair.prompt) in tested for pair in pairs)
    if shared:
        raise DataError(
            f"{shared} of the {len(pairs)} pairs in {file} ask a question of the test split. Make the pairs from "
            "answers to other questions, those of the training split for instance."
        )


def hold_out(pairs: Sequence[Preference], run: DPORun) -> tuple[list[Preference], list[Preference]]:
    """Return (pairs to train on, pairs to choose the best checkpoint by); no question is in both."""
    import random

    questions = sorted({pair.prompt for pair in pairs})
    random.Random(run.seed).shuffle(questions)
    wanted = run.data.val_pairs or max(1, len(pairs) // HELD_OUT)
    held: list[Preference] = []
    while questions and len(held) < wanted:
        question = questions.pop()
        held += [pair for pair in pairs if pair.prompt == question]
    kept = [pair for pair in pairs if pair.prompt in set(questions)][: run.data.train_pairs]
    if not kept:
        asked = len({pair.prompt for pair in pairs})
        raise DataError(
            f"{run.preferences} holds pairs of {asked} questions; with {wanted} pairs held out there is none left to "
            "train on. Add pairs, or lower data.val_pairs."
        )
    return kept, held


def as_dataset(tokenizer: Any, pairs: Sequence[Preference]) -> Any:
    """Return the pairs as TRL's token ids, by the project's one prompt: texts never contain control tokens."""
    from datasets import Dataset

    from medilite.prompts import training_ids

    rows = []
    for pair in pairs:
        prompt, chosen = training_ids(tokenizer, pair.prompt, pair.chosen)
        _, rejected = training_ids(tokenizer, pair.prompt, pair.rejected)
        rows.append({"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected})
    return Dataset.from_list(rows)


def _trainer_class() -> Any:
    from trl import DPOTrainer

    class PretokenisedDPOTrainer(DPOTrainer):
        """DPOTrainer on token ids, without its own preparation of texts."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    return PretokenisedDPOTrainer


def trainer_arguments(run: DPORun, work_dir: Path) -> Any:
    """Return TRL's arguments for a run; the best checkpoint by the loss on held-out pairs is kept."""
    from trl import DPOConfig

    return DPOConfig(
        **arguments_with_validation(run, work_dir),
        max_length=run.data.max_tokens,
        beta=run.beta,
        loss_type=[run.loss_type],
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter is written, 2 for an error that a user can fix."""
    code, _ = run_stage("dpo", __doc__, DPORun, train, arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
