"""A recipe's results, in Markdown and as one page with charts, from the adapters' training.json alone."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from medilite.files import write_whole
from training.page import Rows, chart_section, page, table
from training.recipe import charts, study
from training.recipe.plan import Recipe
from training.recipe.selection import say_selection

Record = dict[str, Any]

SMOOTH_STEPS = 10
NONE = "–"

ABOUT_LOSSES = (
    "Losses are mean cross-entropies in nats a token, lower is better, with 95 % bootstrap intervals over pairs. Ours "
    "count the tokens of the answer; the study's count the whole conversation, so the column “whole conversation” is "
    "the one to hold beside them. The study trained SmolLM2-1.7B-Instruct in 4 bits and gave no intervals: levels "
    "compare only where base, data and lengths are the same, the order of the four does in any case."
)


def write_report(recipe: Recipe) -> list[Path]:
    """Write report.md and report.html into the recipe's folder and return their paths; what is missing is left out."""
    records = [record for model in recipe.models if (record := recipe.record(model))]
    texts = {"report.md": _markdown(recipe, records), "report.html": _html(recipe, records)}
    for name, text in texts.items():
        write_whole(recipe.folder / name, text.encode())
    return [recipe.folder / name for name in texts]


# -- the numbers -----------------------------------------------------------------


def beside_the_study(records: Sequence[Record]) -> Rows:
    """Return our table with the study's figures beside it, the base first."""
    rows: list[Sequence[object]] = [
        (
            "Model", "Rank", "Learning rate", "Lowest validation loss", "Test loss", "Minus base",
            "Test loss, whole conversation", "Study: learning rate", "Study: validation loss", "Study: test loss",
        )
    ]  # fmt: skip
    if measured := [record for record in records if "base_test_loss" in record]:
        first = measured[0]
        losses = _with_interval(first, "base_test_loss"), NONE, _with_interval(first, "base_test_conversation_loss")
        rows.append(("base", NONE, NONE, NONE, *losses, NONE, NONE, NONE))
    for record in records:
        theirs = study.SFT.get(record["model"])
        reported = (f"{theirs.learning_rate:g}", f"{theirs.val_loss:.2f}", f"{theirs.test_loss:.2f}") if theirs else ()
        rows.append(
            (
                record["model"],
                str(record["rank"]),
                f"{record['learning_rate']:g}",
                _number(record.get("best_val_loss")),
                _with_interval(record, "test_loss"),
                _with_interval(record, "test_loss_minus_base"),
                _with_interval(record, "test_conversation_loss"),
                *(reported or (NONE, NONE, NONE)),
            )
        )
    return rows


def how_each_was_made(records: Sequence[Record]) -> Rows:
    """Return each run's size, time, machine and code."""
    header = ("Model", "On top of", "Pairs or prompts", "Steps", "Test pairs", "Minutes", "Seed", "Device", "Commit")
    return [header, *(_made(record) for record in records)]


def _made(record: Record) -> Sequence[object]:
    commit = str(record.get("commit") or "")[:7] + (" and changes" if record.get("commit_dirty") else "")
    return (
        record["model"],
        record.get("stacked_on") or "the base",
        record.get("train_pairs") or record.get("train_prompts") or NONE,
        record["steps"],
        record.get("test_pairs", NONE),
        f"{record['duration_s'] / 60:.0f}",
        record["seed"],
        record["device"],
        commit or NONE,
    )


def findings(records: Sequence[Record]) -> list[str]:
    """Return the findings from the losses, in sentences."""
    sft = [record for record in records if record["method"] == "sft" and "test_loss" in record]
    said = []
    if sft:
        below = sum(record["test_loss_minus_base_interval"][1] < 0 for record in sft)
        said.append(
            f"{below} of {len(sft)} SFT checkpoints have a lower test loss than the base (paired interval below 0)."
        )
    by_model = {record["model"]: record for record in sft}
    for rank in sorted({record["rank"] for record in sft}):
        low, high = by_model.get(f"sft-r{rank}-low"), by_model.get(f"sft-r{rank}-high")
        if low and high:
            which = "lower" if high["test_loss"] < low["test_loss"] else "not lower"
            said.append(
                f"Rank {rank}: the high learning rate gives a {which} test loss than the low one "
                f"({high['test_loss']:.3f} against {low['test_loss']:.3f})."
            )
    if sft and all(isinstance(record.get("best_val_loss"), float) for record in sft):
        said.append(f"Selected for GRPO: {say_selection(sft)}.")
    for record in records:
        if record["method"] == "grpo" and (reward := record["curves"].get("reward")):
            values = [value for _, value in reward]
            count = min(SMOOTH_STEPS, len(values))
            first, last = fmean(values[:count]), fmean(values[-count:])
            said.append(
                f"GRPO on {record['stacked_on']}: mean reward {first:.3f} over the first {count} logged steps, "
                f"{last:.3f} over the last."
            )
    return said


def _with_interval(record: Record, key: str) -> str:
    if key not in record:
        return NONE
    low, high = record[f"{key}_interval"]
    return f"{record[key]:.3f} ({low:.3f} to {high:.3f})"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else NONE


# -- the two forms ---------------------------------------------------------------


def _markdown(recipe: Recipe, records: Sequence[Record]) -> str:
    parts = [
        f"# What the recipe `{recipe.profile.name}` gave",
        f"{recipe.profile.title}. Data: fingerprint `{_fingerprint(records)}`.",
        "\n".join(f"- {line}" for line in findings(records)),
        "## Losses, beside the study's",
        _markdown_table(beside_the_study(records)),
        ABOUT_LOSSES,
        "## How each was made",
        _markdown_table(how_each_was_made(records)),
        f"Versions: {_versions(records)}. The charts are in report.html.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(rows: Rows) -> str:
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _html(recipe: Recipe, records: Sequence[Record]) -> str:
    said = "".join(f"<li>{html.escape(line)}</li>" for line in findings(records))
    header = (
        f"<h1>What the recipe {html.escape(recipe.profile.name)} gave</h1>"
        f'<p class="quiet">{html.escape(recipe.profile.title)}</p><ul>{said}</ul>'
    )
    sections = [
        f"<section><h2>Losses, beside the study’s</h2>{table(beside_the_study(records))}"
        f'<p class="quiet">{html.escape(ABOUT_LOSSES)}</p></section>',
        *_chart_sections(recipe, records),
        f"<section><h2>How each was made</h2>{table(how_each_was_made(records))}</section>",
    ]
    data, versions = html.escape(_fingerprint(records)), html.escape(_versions(records))
    footer = f"<p>Data: fingerprint <code>{data}</code>. {versions}.</p>"
    return page(f"MediLite: what the recipe {recipe.profile.name} gave", header, "\n".join(sections), footer)


def _chart_sections(recipe: Recipe, records: Sequence[Record]) -> list[str]:
    colours = {spec.id: spec.colour for spec in recipe.profile.models}
    colours |= {record["model"]: charts.PALETTE[0] for record in records if record["model"] not in colours}
    found = []
    if measured := [record for record in records if "test_loss" in record]:
        rows = [("base", colours.get("base", charts.PALETTE[5]), *_loss(measured[0], "base_test_loss"))]
        rows += [(record["model"], colours[record["model"]], *_loss(record, "test_loss")) for record in measured]
        figure = charts.losses(rows, "test loss, nats an answer token")
        reading = (
            f"Dot: mean over {measured[0]['test_pairs']:,} test pairs; line: 95 % bootstrap interval. Left is better."
        )
        numbers = [("Model", "Mean", "From", "To"), *((r[0], f"{r[2]:.4f}", *(f"{x:.4f}" for x in r[3])) for r in rows)]
        found.append(chart_section("test-loss", "Test loss of base and checkpoints", reading, figure, [numbers]))

    sft = [record for record in records if record["method"] == "sft"]
    for key, name, smooth in (("eval_loss", "Validation loss", 1), ("loss", "Training loss", SMOOTH_STEPS)):
        series = {record["model"]: curve for record in sft if (curve := record["curves"].get(key))}
        found += _curves(key, f"{name} while fine-tuning", "nats a token", series, colours, smooth)

    for record in (record for record in records if record["method"] == "grpo"):
        kept = record["curves"]
        rewards = {_reward_name(key): curve for key, curve in kept.items() if "reward" in key and curve}
        palette = dict(zip(rewards, charts.PALETTE * 4, strict=False))
        found += _curves("reward", "Rewards during GRPO", "mean over a step", rewards, palette, SMOOTH_STEPS)
        for key, name, unit in (
            ("kl", "How far GRPO moved from its parent", "KL divergence, nats a token"),
            ("completions/mean_length", "Length of completions during GRPO", "tokens"),
        ):
            series = {record["model"]: kept[key]} if kept.get(key) else {}
            found += _curves(key.replace("/", "-"), name, unit, series, colours, SMOOTH_STEPS)
    return found


def _curves(
    key: str, name: str, unit: str, series: dict[str, charts.Curve], colours: dict[str, str], smooth: int
) -> list[str]:
    if not series:
        return []
    longest = max(len(curve) for curve in series.values())
    smooth = smooth if longest > 3 * smooth else 1
    reading = f"Bold: mean of {smooth} logged values; faint: each of them." if smooth > 1 else "Every value logged."
    header: Sequence[object] = ("Series", "Values", "First", "Last", "Lowest", "Highest")
    numbers = [header]
    for label, curve in series.items():
        values = [value for _, value in curve]
        numbers.append((label, len(values), *(f"{v:.4f}" for v in (values[0], values[-1], min(values), max(values)))))
    return [chart_section(f"curve-{key}", name, reading, charts.curves(series, colours, unit, smooth), [numbers])]


def _reward_name(key: str) -> str:
    return "sum, weighted" if key == "reward" else key.removeprefix("rewards/").removesuffix("/mean").replace("_", " ")


def _loss(record: Record, key: str) -> tuple[float, Sequence[float]]:
    return record[key], record[f"{key}_interval"]


def _fingerprint(records: Sequence[Record]) -> str:
    return ", ".join(sorted({str(record["data_fingerprint"]) for record in records})) or NONE


def _versions(records: Sequence[Record]) -> str:
    found = {name: version for record in records for name, version in record["versions"].items() if version}
    return ", ".join(f"{name} {version}" for name, version in found.items()) or NONE
