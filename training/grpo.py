"""Train one adapter by GRPO on top of an SFT adapter: `python -m training.grpo --config FILE.yaml`.

The SFT adapter is merged into the base in memory; the new adapter is trained on
that with TRL's GRPOTrainer and stacked on the SFT adapter by the engine, which
is the same function. Goes on from the last checkpoint after a kill.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from medilite.errors import DataError, MediLiteError
from medilite.models import ROOT, load_profile
from medilite.records import Example
from medilite.settings import load_settings
from training.config import GRPORun, load_config
from training.sft import parse_arguments

REWARD_CURVES = ("reward", "rewards/readability/mean", "rewards/length/mean", "kl", "completions/mean_length")


def train(run: GRPORun, data_dir: Path, work_dir: Path, out: Path) -> dict[str, Any]:
    """Train one adapter, write it with its record to `out`, and return the record."""
    import torch
    from peft import LoraConfig
    from transformers.trainer_utils import get_last_checkpoint
    from trl import GRPOTrainer

    from training.base_model import base_folder, load_base, load_tokenizer, merge_beneath
    from training.data.manifest import load_manifest, load_split
    from training.losses import answer_losses
    from training.pairs import choose, tokenise
    from training.progress import Progress, curves
    from training.record import Stopwatch
    from training.results import base_losses, loss_fields, provenance, write_adapter
    from training.rewards import reward_functions

    profile = load_profile(run.base.profile)
    folder = base_folder(profile, load_settings())
    tokenizer = load_tokenizer(folder)
    manifest = load_manifest(data_dir)
    came_from = provenance(run, manifest["fingerprint"])  # now: the checkout may move on while this runs
    splits = data_dir / run.data.splits if run.data.splits == "distinct" else data_dir
    prompts = choose(_distinct_questions(load_split(splits, "grpo")), run.data.train_pairs, run.seed)
    test = tokenise(tokenizer, choose(load_split(splits, "test"), run.data.test_pairs, run.seed), run.data.max_tokens)
    work_dir.mkdir(parents=True, exist_ok=True)
    stopwatch = Stopwatch(work_dir)

    torch.manual_seed(run.seed)
    functions, weights = reward_functions(run.rewards)
    trainer = GRPOTrainer(
        model=merge_beneath(load_base(folder, run.base), profile, run.stacked_on),
        reward_funcs=[*functions],
        args=trainer_arguments(run, weights, work_dir),
        train_dataset=prompt_dataset(tokenizer, prompts),
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

    model, pad_id = trainer.model, tokenizer.pad_token_id
    tested = answer_losses(model, test, pad_id, label=f"{run.model}: test loss")
    # The merged model beneath is the SFT checkpoint; the base itself is loaded anew, if its losses are not kept.
    bare = load_base(folder, run.base)
    base = base_losses(bare, _nothing(), test, pad_id, work_dir.parent)
    record = {
        "model": run.model,
        "base": profile.base.model,
        "stacked_on": run.stacked_on,
        "method": "grpo",
        "rank": run.lora.rank,
        "learning_rate": run.optim.learning_rate,
        "steps": trainer.state.global_step,
        "train_prompts": len(prompts),
        **loss_fields(tested, base, run.seed),
        "curves": curves(trainer.state.log_history, REWARD_CURVES),
        "duration_s": round(duration_s, 1),
        **came_from,
    }
    write_adapter(model, out, profile.base.model, record)
    return record


def prompt_dataset(tokenizer: Any, examples: list[Example]) -> Any:
    """Return the prompts in TRL's conversational form.

    TRL renders them with the chat template itself, so a question that spells a
    control token would become one: such data is refused.
    """
    from datasets import Dataset

    from medilite.prompts import clean_text

    control = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    for example in examples:
        if any(token in example.question for token in control):
            raise DataError(f"The question of {example.qid} spells a control token; take it out of the data.")
    return Dataset.from_list([{"prompt": [{"role": "user", "content": clean_text(e.question)}]} for e in examples])


def trainer_arguments(run: GRPORun, reward_weights: list[float], work_dir: Path) -> Any:
    """Return TRL's arguments for a run."""
    import torch
    from trl import GRPOConfig

    optim, generation = run.optim, run.generation
    return GRPOConfig(
        output_dir=str(work_dir),
        seed=run.seed,
        data_seed=run.seed,
        learning_rate=optim.learning_rate,
        num_train_epochs=optim.epochs,
        per_device_train_batch_size=optim.batch_size,
        gradient_accumulation_steps=optim.accumulation_steps,
        warmup_steps=optim.warmup_steps,
        weight_decay=optim.weight_decay,
        lr_scheduler_type=optim.schedule,
        num_generations=generation.num_generations,
        max_completion_length=generation.max_new_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        repetition_penalty=generation.repetition_penalty,
        use_vllm=generation.use_vllm,
        beta=run.kl_beta,
        loss_type=run.loss_type,
        reward_weights=reward_weights,
        save_strategy="steps",
        save_steps=optim.save_every,
        save_total_limit=2,
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _distinct_questions(examples: list[Example]) -> list[Example]:
    """Return one example a question: GRPO needs the prompt alone, and a repeated one would count twice."""
    return list({" ".join(e.question.casefold().split()): e for e in reversed(examples)}.values())[::-1]


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the adapter stands, 2 for an error a user can mend."""
    options = parse_arguments(arguments, "grpo", __doc__)
    try:
        run = load_config(options.config, GRPORun)
        name = load_profile(run.base.profile).name  # the configuration may give a path
        out = options.out or ROOT / "assets" / "adapters" / name / run.model
        record = train(run, options.data or run.data.dir, options.runs / name / run.model, out)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rewards = [value for _, value in record["curves"]["reward"]]
    print(f"{run.model}: reward {rewards[0]:.3f} at first, {rewards[-1]:.3f} at last; adapter in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
