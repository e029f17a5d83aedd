"""Train one adapter by GRPO on the base or an SFT adapter: `python -m training.grpo --config FILE.yaml`.

The SFT adapter is merged into the base in memory; the new adapter is trained on that with TRL's GRPOTrainer and stacked
on the SFT adapter by the engine, which is the same function. Resumes from the last checkpoint after a kill.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from medilite.data import load_manifest, question_key
from medilite.errors import ConfigError, DataError
from medilite.prompts import clean_text
from medilite.records import Example
from training.config import GRPORun, RewardsConfig
from training.pairs import choose
from training.passages import passage_columns, sourced_prompts, with_passages
from training.stage import Start, peft_config, run_stage, shared_arguments, train_to_end, write_result

REWARD_CURVES = (
    "reward",
    *(f"rewards/{name}/mean" for name in RewardsConfig().weights),
    *("kl", "completions/mean_length", "entropy"),
)


def train(run: GRPORun, start: Start) -> dict[str, Any]:
    """Train one adapter, write it with its record, and return the record."""
    import torch
    from trl import GRPOTrainer

    from training.base_model import load_base, merge_parents, set_products
    from training.lean.grpo import LeanGRPOTrainer
    from training.lean.memory import keep_freed_memory
    from training.lean.sampler import PolicySampler
    from training.rewards import Limit, reward_functions
    from training.tracking import trackers
    from training.validation import VALIDATION_CURVES

    job = start.job
    prompts, columns = asked_of(start, run, prompts_of(start, run), "train", run.data.train_pairs, run.seed)

    keep_freed_memory()
    torch.manual_seed(run.seed)
    # The engine ends a row at any control token, TRL only at the end-of-turn token.
    end_ids = frozenset(i for i, token in start.tokenizer.added_tokens_decoder.items() if token.special)
    functions, weights = reward_functions(run.rewards, Limit(run.generation.max_new_tokens, end_ids))
    parent = merge_parents(load_base(start.base_folder, run.base), job.parents)
    products = set_products(parent, run.base)
    lean: dict[str, Any] = {}
    sampler: PolicySampler | None = None
    if run.loop == "lean":
        sampler = lean["rollout_func"] = PolicySampler(start.base_folder, job.parents, start.tokenizer, run.generation)
    trainer = (LeanGRPOTrainer if lean else GRPOTrainer)(
        model=parent,
        **lean,
        reward_funcs=[*functions],
        args=trainer_arguments(run, weights, job.work_dir),
        train_dataset=prompt_dataset(start.tokenizer, prompts, columns),
        processing_class=start.tokenizer,
        peft_config=peft_config(run.lora),
        callbacks=trackers(job),
    )
    if isinstance(trainer, LeanGRPOTrainer):
        trainer.best_alone = run.learn_from == "best"
    validated = add_validation(trainer, run, start, sampler) if sampler and run.data.val_pairs else 0
    train_to_end(trainer, start)
    about = {"products": products, "train_prompts": len(prompts), "val_questions": validated}
    return write_result(trainer, start, "grpo", (*REWARD_CURVES, *VALIDATION_CURVES), about)


def add_validation(trainer: Any, run: GRPORun, start: Start, sampler: Any) -> int:
    """Have a run answer validation questions while it trains (`training.validation`), and return how many."""
    from medilite.content import sentence_encoder
    from training.pairs import DRAW_SEED
    from training.validation import Validation

    questions = distinct_questions(start.examples("val"))
    asked, columns = asked_of(start, run, questions, "val", run.data.val_pairs, DRAW_SEED)

    def note(name: str, value: float) -> None:
        trainer._metrics["train"][name].append(value)  # TRL logs these with the step, as it does rewards

    every = run.optim.eval_every
    turns = [example.question for example in asked]
    trainer.add_callback(Validation(sampler.answer, note, columns, turns, every, sentence_encoder()))
    return len(asked)


def asked_of(
    start: Start, run: GRPORun, examples: list[Example], references: str, count: int | None, seed: int
) -> tuple[list[Example], list[dict[str, Any]]]:
    """Return `count` drawn examples, each with the user's turn as its question, and the columns that the rewards read.

    `references` names the split whose answers a question is held against; on passages each has its own passage alone.
    """
    from training.rewards import reward_columns

    if run.data.passages:
        pairs = choose(with_passages(examples), count, seed)
        return sourced_prompts(pairs), passage_columns(pairs)
    chosen = choose(examples, count, seed)
    return chosen, reward_columns(chosen, start.examples(references))


def prompts_of(start: Start, run: GRPORun) -> list[Example]:
    """Return the rows whose questions are prompts: the study's training rows, or each question once."""
    examples = start.examples("grpo")
    if run.data.splits != "study":
        return distinct_questions(examples)
    made = load_manifest(start.job.data_dir)["sets"]["study"].get("grpo", {})
    return examples[: made.get("train_rows")]


def distinct_questions(examples: list[Example]) -> list[Example]:
    """Return one example a question: GRPO needs the prompt alone, and a repeated one would count twice."""
    return list({question_key(e.question): e for e in reversed(examples)}.values())[::-1]


def prompt_dataset(tokenizer: Any, examples: list[Example], columns: list[dict[str, Any]]) -> Any:
    """Return the prompts in TRL's conversational form, each with the columns that the rewards read.

    TRL renders them with the chat template itself, so a question that spells a
    control token would become one: such data is refused.
    """
    from datasets import Dataset

    control = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    for example in examples:
        if any(token in example.question for token in control):
            raise DataError(f"The question of {example.qid} spells a control token; take it out of the data.")
    prompts = [[{"role": "user", "content": clean_text(example.question)}] for example in examples]
    return Dataset.from_list([{"prompt": p, **own} for p, own in zip(prompts, columns, strict=True)])


def trainer_arguments(run: GRPORun, reward_weights: list[float], work_dir: Path) -> Any:
    """Return TRL's arguments for a run; raises ConfigError if it asks for vLLM where there is none."""
    from importlib.util import find_spec

    from trl import GRPOConfig

    generation = run.generation
    if generation.use_vllm and find_spec("vllm") is None:
        raise ConfigError(
            "generation.use_vllm: vLLM is not installed. Install the one that TRL knows (pip install 'trl[vllm]'), on "
            "a machine with a GPU, or set use_vllm: false, which samples with transformers."
        )
    return GRPOConfig(
        **shared_arguments(run, work_dir),
        num_generations=generation.num_generations,
        max_completion_length=generation.max_new_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        repetition_penalty=generation.repetition_penalty,
        use_vllm=generation.use_vllm,
        vllm_mode="colocate",
        beta=run.kl_beta,
        loss_type=run.loss_type,
        reward_weights=reward_weights,
        logging_steps=1,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter is written, 2 for an error that a user can fix."""
    code, record = run_stage("grpo", __doc__, GRPORun, train, arguments)
    if record:
        rewards = [value for _, value in record["curves"]["reward"]]
        print(f"{record['model']}: reward {rewards[0]:.3f} at first, {rewards[-1]:.3f} at last")
    return code


if __name__ == "__main__":
    sys.exit(main())
