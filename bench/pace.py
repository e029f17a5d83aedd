"""How fast `eval.generate` is against the study's way: `python -m bench.pace [--questions 32] [--rounds 3]`.

Both answer the same questions with the same models in one process, in turn, greedy and with as many new tokens at most;
the result is their ratio, because answers a second depend on the machine and its load. Loading the models counts for
neither, writing the answers down counts for ours. Ours computes in MEDILITE_PRECISION, the study's way in float32 (on a
GPU both in bfloat16). It makes 2 × rounds × questions × models answers: choose them by the time you have.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.speed.report import ratio, spread
from bench.study_way import BATCH_SIZE, answer_all
from eval.answers import read_answers
from eval.command import chosen, run_command, write_result
from eval.generate import AT_ONCE, Plan, generate, questions_of
from eval.questions import Question
from eval.run import CODE, DATA, PACKAGES, Run
from medilite.cli.terminal import positive_int, say
from medilite.engine import Engine, open_engine
from medilite.errors import EngineError
from medilite.provenance import commit, device_name, precision_name, versions
from medilite.records import Decoding
from medilite.settings import Settings
from medilite.weights import ensure_base

WARM_UP_TOKENS = 4


Said = dict[tuple[str, str], str]
"""Texts of answers by (qid, model)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One way's round: how long its answers took, what they were, how many tokens, and how long loading took."""

    seconds: float
    said: Said
    tokens: int
    load_s: float = 0.0


def measure(plan: Plan, settings: Settings, engine: Engine, rounds: int) -> dict[str, Any]:
    """Return both ways' answers a second over `rounds` rounds, and the ratio of each round.

    Raises EngineError if an answer fails: a time for the others would be of something else.
    """
    base = ensure_base(plan.profile, settings)
    questions = questions_of(plan)
    engine.load()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        few = Decoding(max_new_tokens=min(WARM_UP_TOKENS, plan.decoding.max_new_tokens))
        warm_up = replace(plan, decoding=few, limit=1, models=plan.models[:1])
        ours(replace(warm_up, run=Run(place / "warm-up")), settings, engine)
        in_the_studys_way(warm_up, base, questions[:1])
        taken: list[tuple[Taken, Taken]] = []
        for number in range(1, rounds + 1):
            own = ours(replace(plan, run=Run(place / str(number))), settings, engine)
            say(f"round {number} of {rounds}: ours {own.seconds:.1f} s")
            other = in_the_studys_way(plan, base, questions)
            say(f"round {number} of {rounds}: the study's way {other.seconds:.1f} s")
            taken.append((own, other))
    return record(plan, settings, taken)


def ours(plan: Plan, settings: Settings, engine: Engine) -> Taken:
    """Have `eval.generate` answer everything."""
    began = time.perf_counter()
    _, failed = generate(plan, settings, engine)
    seconds = time.perf_counter() - began
    saved = read_answers(plan.run.answers).answers
    if failed or {answer.model for answer in saved} != set(plan.models):
        raise EngineError("Some answers failed, so there is nothing to measure; the reasons are above.")
    said = {(answer.qid, answer.model): answer.text for answer in saved}
    return Taken(seconds, said, sum(answer.tokens for answer in saved))


def in_the_studys_way(plan: Plan, base: Path, questions: Sequence[Question]) -> Taken:
    """Have the study's way answer the same."""
    texts = [question.text for question in questions]
    made = list(answer_all(plan.profile, base, plan.models, texts, plan.decoding.max_new_tokens))
    said = {(q.qid, one.model): text for one in made for q, text in zip(questions, one.texts, strict=True)}
    seconds, load_s = (sum(getattr(one, name) for one in made) for name in ("answer_s", "load_s"))
    return Taken(seconds, said, sum(one.tokens for one in made), load_s)


def record(plan: Plan, settings: Settings, taken: Sequence[tuple[Taken, Taken]]) -> dict[str, Any]:
    """Return everything that was measured, and on what."""
    own, other = taken[-1]
    answers = len(own.said)
    precision = precision_name(settings)
    seconds = {"ours": [one.seconds for one, _ in taken], "study": [one.seconds for _, one in taken]}
    return {
        "questions": answers // len(plan.models),
        "models": list(plan.models),
        "answers": answers,
        "rounds": len(taken),
        "max_new_tokens": plan.decoding.max_new_tokens,
        "at_once": plan.at_once,
        "batch_size": BATCH_SIZE,
        "precision": {"ours": precision, "study": precision if precision == "bfloat16" else "float32"},
        "seconds": seconds,
        "tokens": {"ours": own.tokens, "study": other.tokens},
        "answers_per_s": {way: spread([answers / one for one in each]) for way, each in seconds.items()},
        # Answers a second: the study's seconds over ours.
        "ratio": ratio(seconds["study"], seconds["ours"]),
        "same_answers": sum(own.said[key] == text for key, text in other.said.items()) / answers,
        "study_load_s": statistics.fmean(one.load_s for _, one in taken),
        "device": device_name(),
        "versions": versions((*PACKAGES, "peft")),
        "commit": dict(zip(("id", "dirty"), commit(CODE), strict=True)),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """Return the result for people."""
    found = [
        f"{name:12}{rate['median']:8.3f} answers/s ({rate['min']:.3f} to {rate['max']:.3f}), "
        f"{result['precision'][way]}, {result['tokens'][way]:,} tokens a round"
        for way, name in (("ours", "ours"), ("study", "the study's"))
        for rate in (result["answers_per_s"][way],)
    ]
    times = result["ratio"]
    between = "" if times["low"] is None else f", 95 % interval {times['low']:.2f} to {times['high']:.2f}"
    return [
        *found,
        f"ours / the study's {times['mean']:.2f} ({times['min']:.2f} to {times['max']:.2f}{between}), "
        f"n = {result['rounds']} rounds of {result['answers']:,} answers; {result['same_answers']:.0%} of the answers "
        f"are the same; {result['device']}",
    ]


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.pace", description="Measure eval.generate against the study's way of answering."
    )
    parser.add_argument(
        "--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file (default: MEDILITE_PROFILE)"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument("--split", default="study/test", metavar="SET/SPLIT", help="(default: %(default)s)")
    parser.add_argument("--models", default="all", metavar="all|id,id", help="which models answer (default: all)")
    parser.add_argument(
        "--questions", type=positive_int, default=32, metavar="N", help="the first N questions (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=positive_int, default=3, metavar="R", help="each way so often (default: 3)")
    parser.add_argument("--max-new-tokens", type=positive_int, default=256, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--at-once", type=positive_int, default=AT_ONCE, metavar="K", help="as in eval.generate")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here too")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    settings, profile = chosen(options)
    plan = Plan(
        profile=profile,
        data=options.data,
        splits=(options.split,),
        models=tuple(spec.id for spec in profile.select(options.models)),
        run=Run(Path()),
        decoding=Decoding(max_new_tokens=options.max_new_tokens),
        at_once=options.at_once,
        limit=options.questions,
    )
    result = measure(plan, settings, open_engine(profile, settings), options.rounds)
    write_result(result, "\n".join(lines(result)), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 measured, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
