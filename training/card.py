"""Model cards from training.json: `python -m training.card --profile lite [--push-to-hub OWNER]`.

Writes README.md beside each adapter, in PEFT's conventions, and publishes the
adapters if asked to. Training writes the same card when it ends.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.checkpoints import read_record
from medilite.errors import MediLiteError, TrainingError
from medilite.files import write_whole
from medilite.leaderboard import FOLDER, Board, load_board
from medilite.models import HubBase, Profile, load_profile
from medilite.provenance import adapter_sha256
from medilite.safety import NOT_MEDICAL_ADVICE_LONG
from training.hub import CARD, push_adapter, repo_name
from training.job import placed

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

DATASET = "lavita/MedQuAD"

_METHODS = {
    "sft": "supervised fine-tuning on questions and answers (TRL's SFTTrainer)",
    "grpo": "GRPO, reinforcement learning from rewards computed on its own answers (TRL's GRPOTrainer)",
    "dpo": "DPO on pairs of answers of which one is preferred (TRL's DPOTrainer)",
}
_SPLITS = {
    "study": "the study's test split",
    "distinct": "a test split that shares no question with training",
    "clean": "a test split that shares no question with training, lists of resources and symptom tables left out",
}

_REPORTED = ("flesch_kincaid_grade", "content_precision", "content_f1", "claims_at_odds", "loops", "ended")
"""Of the leaderboard, what the Hub's metadata hold: how easy, how much of it supported, how often it loops or ends."""


def write_card(folder: Path, profile: Profile) -> Path:
    """Write an adapter's README.md from its training.json, and return its path; raises TrainingError without one."""
    record = read_record(folder)
    if record is None:
        raise TrainingError(f"{folder} holds no training.json to write a model card from. Train the adapter first.")
    write_whole(folder / CARD, model_card(record, profile).encode())
    return folder / CARD


def model_card(record: dict[str, Any], profile: Profile) -> str:
    """Return the card: the Hub's metadata, what it is, results, how to load it, limits, licence."""
    return f"---\n{_metadata(record, profile)}\n---\n\n{_body(record, profile)}"


def _metadata(record: dict[str, Any], profile: Profile) -> str:
    """Return the YAML that the Hub reads; unknown values are left out."""
    from huggingface_hub import EvalResult, ModelCardData

    base, results = _base_on_hub(profile), _board_results(profile, record["model"])
    if "test_loss" in record:
        low, high = record["test_loss_interval"]
        result = EvalResult(
            task_type="text-generation",
            dataset_type=DATASET,
            dataset_name=f"MedQuAD, {_SPLITS[record['config']['data']['splits']]}",
            metric_type="loss",
            metric_name="test loss, nats per answer token",
            metric_value=round(record["test_loss"], 4),
            metric_args={"interval_95": [round(low, 4), round(high, 4)], "pairs": record["test_pairs"]},
        )
        results = [result, *results]
    data = ModelCardData(
        base_model=base,
        library_name="peft",
        license="apache-2.0",
        language="en",
        datasets=[DATASET],
        pipeline_tag="text-generation",
        tags=[*([f"base_model:adapter:{base}"] if base else []), "lora", "trl", record["method"], "medical", "health"],
        model_name=repo_name(record) if results else None,
        eval_results=results or None,
    )
    return data.to_yaml().strip()


def _body(record: dict[str, Any], profile: Profile) -> str:
    model = record["model"]
    spec = profile.find(model)
    about = f"{spec.about} " if spec else ""
    parts = [
        f"# {spec.label if spec else model}: {record['base']} on MedQuAD",
        f"{about}A LoRA adapter for {record['base']}, one of the checkpoints that MediLite shows side by side.",
        f"> **Not medical advice.** {NOT_MEDICAL_ADVICE_LONG}",
        "## How it was made",
        _table(_facts(record)),
        "## Results",
        " ".join(filter(None, [_results(record), spec.loss_note if spec else ""])),
        *_known(profile, model),
        "## How to load it",
        _loading(record, profile),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(record, profile)),
        "## Data and licence",
        "Trained on MedQuAD (Asma Ben Abacha and Dina Demner-Fushman, A Question-Entailment Approach to Question "
        "Answering, BMC Bioinformatics 20:511, 2019), CC BY 4.0. The adapter is under Apache-2.0; its base "
        f"({profile.base.licence}) is not part of it.",
        "Generated from training.json, which holds the whole configuration, the curves and the versions used, by "
        "`python -m training.card`.",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(record: dict[str, Any]) -> list[tuple[str, str]]:
    config, lora = record["config"], record["config"]["lora"]
    what = "pairs" if "train_pairs" in record else "prompts"
    commit = str(record.get("commit") or "unknown") + (" with changes" if record.get("commit_dirty") else "")
    return [
        ("Method", _METHODS[record["method"]]),
        ("On top of", record["stacked_on"] or "the base itself"),
        ("LoRA", f"rank {lora['rank']}, alpha {lora['alpha']:g}, on {', '.join(lora['target_modules'])}"),
        ("Base held in", "4 bits (nf4)" if config["base"]["quantize_4bit"] else config["base"]["dtype"]),
        ("Learning rate", f"{record['learning_rate']:g}{_last_rate(record)}"),
        ("Trained on", f"{record[f'train_{what}']:,} {what}{_last(record)}, {record['steps']:,} steps"),
        ("Longest pair", f"{config['data']['max_tokens']:,} tokens"),
        ("Seed", str(record["seed"])),
        ("Took", f"{record['duration_s'] / 60:,.0f} minutes on {record['device']}"),
        ("Data", f"fingerprint `{record['data_fingerprint']}`"),
        ("Code", f"MediLite, commit `{commit}`"),
    ]


def _last_rate(record: dict[str, Any]) -> str:
    return f", then {record['config']['ending']['learning_rate']:g}" if record.get("ending") else ""


def _last(record: dict[str, Any]) -> str:
    ending = record.get("ending")
    return f", then {ending['pairs']:,} short ones in prose" if ending else ""


def _results(record: dict[str, Any]) -> str:
    if record["config"]["data"].get("passages"):
        return _from_passages(record)
    if "test_loss" not in record:
        return "Not measured yet."
    rows = [("This checkpoint", "test_loss"), ("The base", "base_test_loss"), ("Difference", "test_loss_minus_base")]
    lines = ["| | mean | 95 % interval |", "| --- | --- | --- |"]
    for name, key in rows:
        low, high = record[f"{key}_interval"]
        lines.append(f"| {name} | {record[key]:.3f} | {low:.3f} to {high:.3f} |")
    n = f"{record['test_pairs']:,} pairs ({record['test_tokens']:,} tokens)"
    split = _SPLITS[record["config"]["data"]["splits"]]
    about = f"Test loss on {n} of {split}, lower is better: {record['test_loss_about']}."
    extra = []
    if isinstance(record.get("best_val_loss"), float):
        extra.append(f"Lowest validation loss: {record['best_val_loss']:.3f}.")
    if reward := record["curves"].get("reward"):
        extra.append(f"Mean reward: {reward[0][1]:.3f} at the first step, {reward[-1][1]:.3f} at the last.")
    return "\n".join(["\n".join(lines), "", " ".join([about, *extra])])


def _from_passages(record: dict[str, Any]) -> str:
    """Return the results of a model that answers from a passage, which a loss without one says nothing of."""
    reward = record["curves"]["reward"]
    return (
        "It answers from a passage, so no loss was measured. docs/sources.md has its answers to validation and sealed "
        "questions, measured beside those of the other models and the passages themselves. Mean reward: "
        f"{reward[0][1]:.3f} at the first step, {reward[-1][1]:.3f} at the last."
    )


def _board(profile: Profile, model: str) -> Board | None:
    """Return the committed leaderboard; None where there is none, or it is of another adapter of this name."""
    try:
        board = load_board(FOLDER / profile.name)
        known = {one["id"]: one.get("adapter") for one in board.about["models"]}
        return board if model in known and known[model] == adapter_sha256(profile, model) else None
    except MediLiteError:
        return None


def _board_results(profile: Profile, model: str) -> list[EvalResult]:
    """Return what the leaderboard has of an adapter as the Hub's evaluation results, with intervals and n."""
    from huggingface_hub import EvalResult

    board = _board(profile, model)
    if board is None:
        return []
    about = {metric["key"]: metric for metric in board.about["metrics"]}
    found = []
    for row in board.tables["means"]:
        if row["model"] != model or row["metric"] not in _REPORTED or row["mean"] is None:
            continue
        metric = about[row["metric"]]
        middle, low, high = (
            ("median", "median_low", "median_high") if metric.get("lead") == "median" else ("mean", "low", "high")
        )
        found.append(
            EvalResult(
                task_type="text-generation",
                dataset_type=DATASET,
                dataset_name=f"MedQuAD, {row['split']}",
                dataset_split=row["split"],
                metric_type=row["metric"],
                metric_name=f"{metric['label']}, {middle}",
                metric_value=round(row[middle], 4),
                metric_args={"interval_95": [round(row[low], 4), round(row[high], 4)], "questions": row["n"]},
            )
        )
    return found


def _known(profile: Profile, model: str) -> list[str]:
    """Return what the committed leaderboard knows of this very adapter; [] where it knows another, or none."""
    board = _board(profile, model)
    said = board.statements().get(model) if board else None
    if not said:
        return []
    more = "Easier is not better. The leaderboard has every number behind this, and its interval."
    return ["## What was measured of its answers", f"{said} {more}"]


def _loading(record: dict[str, Any], profile: Profile) -> str:
    """Return code that loads the base and every adapter of the chain; stacked ones are merged from below."""
    if repo := _base_on_hub(profile) if isinstance(profile.base, HubBase) else None:
        base = f'base = AutoModelForCausalLM.from_pretrained("{repo}")'
        imports = ""
    else:
        # Not the Hub's weights: these are de-quantised from what a package carries.
        imports = (
            "from medilite.models import load_profile\nfrom medilite.settings import load_settings\n"
            "from medilite.weights import ensure_base\n"
        )
        base = (
            f'base = AutoModelForCausalLM.from_pretrained(ensure_base(load_profile("{profile.name}"), load_settings()))'
        )
    below = record["stacked_on"]
    merged = f'base = PeftModel.from_pretrained(base, "{below}").merge_and_unload()\n' if below else ""
    return (
        f"```python\n{imports}from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f'{base}\n{merged}model = PeftModel.from_pretrained(base, "{record["model"]}")\n```'
    )


def _limits(record: dict[str, Any], profile: Profile) -> list[str]:
    limits = [
        f"{record['base']} is a small language model: it mixes up diseases and makes up facts, and training changes "
        "how it writes more than what it knows.",
        "A lower loss means answers more like MedQuAD's; it does not say that they are true.",
        "English only.",
    ]
    if not isinstance(profile.base, HubBase):
        limits.insert(
            0,
            f"It fits the weights that MediLite's profile {profile.name} names, de-quantised from 4 bits, and not the "
            "full-precision ones from the Hub.",
        )
    if record["config"]["data"].get("passages"):
        limits[-2] = (
            "It answers only from a passage, in the form of `medilite.prompts.sourced_messages`; without one it is not "
            "to be used. It can still leave out what matters, or say what the passage does not."
        )
    if record["stacked_on"]:
        limits.insert(0, f"It is meant on top of {record['stacked_on']}; on the bare base it is another model.")
    return limits


def _base_on_hub(profile: Profile) -> str | None:
    base = profile.base
    return base.repo if isinstance(base, HubBase) else base.hub_id


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when all is written and published, 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description="Write the adapters' model cards.")
    parser.add_argument("--profile", default="lite", help="whose adapters: a profile's name or file (default: lite)")
    parser.add_argument("--models", help="ids, with commas (default: every adapter in its place)")
    parser.add_argument("--push-to-hub", metavar="OWNER", help="also publish the adapters as repositories of OWNER")
    parser.add_argument("--private", action="store_true", help="make the published repositories private")
    options = parser.parse_args(arguments)
    try:
        profile = load_profile(options.profile, with_absent=True)
        models = [
            spec.id
            for spec in (profile.select(options.models, rewriters=True) if options.models else profile.every)
            if spec.adapter is not None
        ]
        folders = [placed(profile, model) for model in models]
        # Those not trained here (yet) are left out, unless they were named.
        for folder in (folder for folder in folders if options.models or read_record(folder)):
            print(write_card(folder, profile))
            if options.push_to_hub:
                print(push_adapter(folder, options.push_to_hub, options.private))
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
