"""How far int8 is from float32, model by model: `python -m bench.fidelity [--questions 300] [--only losses|answers]`.

Two measures, each of every model and paired over questions:

- **losses**: mean cross-entropy (nats) of a reference's tokens, from the int8
  engine and from transformers with PEFT in float32, on the same token ids;
- **answers**: greedy answers by the engine in either precision, what their
  grades and their topic similarity to the references differ by. Greedy answers part at
  the first token on which two logits nearly tie, so single answers differ; the
  question is whether they do in a direction.

Everything is saved under `runs/PROFILE-fidelity` as it is computed; after a kill the same command resumes. float32's
answers take several times as long as int8's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.fidelity_losses import Pair, float32_losses, int8_losses, pairs_of
from eval.answers import read_answers
from eval.command import add_run, chosen, run_command, write_result
from eval.generate import Plan, generate
from eval.intervals import RESAMPLES, SEED, mean_intervals
from eval.questions import Question, load_questions
from eval.run import CODE, DATA, PACKAGES, RUNS, Run
from medilite.cli.terminal import positive_int, say
from medilite.content import topic_similarities
from medilite.engine import open_engine
from medilite.errors import DataError
from medilite.files import append_lines, whole_lines
from medilite.models import Profile
from medilite.provenance import adapter_sha256, base_name, commit, device_name, precision_name, versions
from medilite.readability import measure
from medilite.settings import Settings
from medilite.weights import ensure_base

LOSSES = "losses.jsonl"
PRECISIONS = ("int8", "float32")

TOGETHER = 16
"""Questions a call in float32, whose calls run one after another: 96 rows give more tokens a second than six."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, where it is kept, and on which questions."""

    profile: Profile
    settings: Settings
    data: Path
    split: str
    folder: Path
    count: int

    def questions(self) -> list[Question]:
        """Return the first `count` questions of the split."""
        return load_questions(self.data, self.split, self.count)


def compare_losses(asked: Asked) -> dict[str, dict[str, Any]]:
    """Return by model both precisions' mean loss, and the mean of int8 / float32 − 1 over references with its interval.

    The ratio is of sums over all references (per token); its interval is the
    bootstrap's of the paired differences, divided by float32's mean.
    """
    base = ensure_base(asked.profile, asked.settings)
    named = base_name(asked.profile, asked.settings.weights)
    pairs = pairs_of(base, asked.questions())
    kept = KeptLosses(asked.folder / LOSSES)
    found = {}
    for model in asked.profile.ids:
        adapter = adapter_sha256(asked.profile, model)
        sums: list[np.ndarray] = []
        for precision, losses_of in (("int8", int8_losses), ("float32", float32_losses)):
            numbers = f"{named}, {precision_name(asked.settings.model_copy(update={'precision': precision}))}"
            todo = [pair for pair in pairs if kept.key(model, adapter, numbers, pair) not in kept.found]
            if todo:
                say(f"{model}: losses of {len(todo):,} references in {precision}")
                for pair, loss in losses_of(asked.profile, asked.settings, base, model, todo):
                    kept.add(kept.key(model, adapter, numbers, pair), loss)
            sums.append(np.array([kept.found[kept.key(model, adapter, numbers, pair)] for pair in pairs]))
        found[model] = relative(sums[0], sums[1], np.array([len(pair.answer) for pair in pairs]))
    return found


def relative(ours: np.ndarray, exact: np.ndarray, tokens: np.ndarray) -> dict[str, Any]:
    """Return both mean losses a token and their relative difference, from sums and token counts (n,) of references."""
    mean = float(exact.sum() / tokens.sum())
    # Of a ratio of sums: each reference weighs as many tokens as it has.
    differences = (ours - exact) * len(tokens) / tokens.sum() / mean
    interval = mean_intervals(differences[:, None])
    return {
        "int8": float(ours.sum() / tokens.sum()),
        "float32": mean,
        "relative": float(interval.mean[0]),
        "low": float(interval.low[0]),
        "high": float(interval.high[0]),
        "n": len(tokens),
        "tokens": int(tokens.sum()),
    }


class KeptLosses:
    """Summed losses in a file as they come, one JSON line each; an incomplete last line, left by a kill, is dropped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.found: dict[tuple[str, ...], float] = {}
        for line in whole_lines(file):
            *key, loss = json.loads(line)
            self.found[tuple(key)] = loss

    @staticmethod
    def key(model: str, adapter: str | None, numbers: str, pair: Pair) -> tuple[str, ...]:
        """Return what a loss is of: another adapter, base, format of numbers, question or answer is another loss."""
        tokens = hashlib.sha256(repr((pair.prompt, pair.answer)).encode()).hexdigest()
        return model, adapter or "", numbers, pair.qid, tokens[:16]

    def add(self, key: tuple[str, ...], loss: float) -> None:
        """Keep one."""
        self.found[key] = loss
        append_lines(self._file, [json.dumps([*key, loss])])


def compare_answers(asked: Asked) -> dict[str, dict[str, Any]]:
    """Return by model the mean differences (int8 − float32) and how many answers are equal."""
    said: dict[str, dict[tuple[str, str], str]] = {}
    for precision in PRECISIONS:
        settings = asked.settings.model_copy(update={"precision": precision})
        if not precision_name(settings).startswith(precision):
            raise DataError(f"Here a GPU would answer, in {precision_name(settings)}: hide it, CUDA_VISIBLE_DEVICES= .")
        run = Run(asked.folder / precision)
        plan = Plan(asked.profile, asked.data, (asked.split,), asked.profile.ids, run, limit=asked.count)
        if precision == "float32":
            plan = replace(plan, at_once=1, together=TOGETHER)
        _, failed = generate(plan, settings, open_engine(asked.profile, settings))
        if failed:
            raise DataError(f"{failed:,} answers in {precision} failed; run the command again, it asks for those only.")
        said[precision] = {(one.qid, one.model): one.text for one in read_answers(run.answers).answers}
    questions = asked.questions()
    return {
        model: differing(questions, *([said[p][q.qid, model] for q in questions] for p in PRECISIONS))
        for model in asked.profile.ids
    }


def differing(questions: Sequence[Question], ours: Sequence[str], exact: Sequence[str]) -> dict[str, Any]:
    """Return how two lists of answers to the same questions differ, paired."""
    references = [question.references for question in questions]
    grades = [_numbers([measure(text).flesch_kincaid_grade for text in texts]) for texts in (ours, exact)]
    close = [_numbers(topic_similarities(texts, references)) for texts in (ours, exact)]
    found: dict[str, Any] = {"n": len(questions), "same": sum(a == b for a, b in zip(ours, exact, strict=True))}
    for name, (one, other) in {"grade": grades, "topic_similarity": close}.items():
        interval = mean_intervals((one - other)[:, None])
        found[name] = {
            "int8": float(np.nanmean(one)),
            "float32": float(np.nanmean(other)),
            "difference": float(interval.mean[0]),
            "low": float(interval.low[0]),
            "high": float(interval.high[0]),
            "n": int(interval.n[0]),
        }
    return found


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the result for people."""
    for model, one in result.get("losses", {}).items():
        yield (
            f"{model:14}loss {one['int8']:.4f} in int8, {one['float32']:.4f} in float32: {one['relative']:+.2%} "
            f"(95 % interval {one['low']:+.2%} to {one['high']:+.2%}), n = {one['n']:,} references"
        )
    for model, one in result.get("answers", {}).items():
        parts = [
            f"{name} {part['difference']:+.3f} ({part['low']:+.3f} to {part['high']:+.3f})"
            for name, part in ((name, one[name]) for name in ("grade", "topic_similarity"))
        ]
        yield f"{model:14}int8 − float32: {', '.join(parts)}; {one['same']:,} of {one['n']:,} answers are the same"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.fidelity", description="Measure int8 against float32.")
    add_run(parser)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument("--split", default="distinct/test", metavar="SET/SPLIT", help="(default: %(default)s)")
    parser.add_argument(
        "--questions", type=positive_int, default=300, metavar="N", help="the first N questions (default: %(default)s)"
    )
    parser.add_argument("--only", choices=("losses", "answers"), help="one of the two measures (default: both)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here too")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    settings, profile = chosen(options)
    folder = options.run or RUNS / f"{profile.name}-fidelity"
    asked = Asked(profile, settings, options.data, options.split, folder, options.questions)
    head, dirty = commit(CODE)
    result: dict[str, Any] = {
        "profile": profile.name,
        "split": options.split,
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED},
        "commit": {"id": head, "dirty": dirty},
        "versions": versions((*PACKAGES, "peft")),
    }
    if options.only != "answers":
        result["losses"] = compare_losses(asked)
    if options.only != "losses":
        result["answers"] = compare_answers(asked)
    result["device"] = device_name()
    write_result(result, "\n".join(lines(result)), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 measured, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
