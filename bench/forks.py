"""Whether the Lab's forks are where answers part, and what a map costs: `python -m bench.forks [--questions 40]`.

Every model of the profile answers each question greedily; a pair is an answer and its parent's. Each fork is checked
against the parent itself: every token before the fork has to be its likeliest, and from there it must continue with its
own answer. Scoring all answers by all models is timed against writing them, in the same process, answer by answer as
the Lab does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.command import run_command, write_result
from medilite.cli.terminal import positive_int, say
from medilite.engine import Engine, open_engine
from medilite.errors import EngineError
from medilite.lab.forks import Fork, ForkMap, Scoring, Written
from medilite.models import Profile, load_profile
from medilite.prompts import question_messages
from medilite.provenance import commit, device_name, precision_name, versions
from medilite.questions import load_questions
from medilite.records import Decoding, Request
from medilite.settings import load_settings

VISITOR = "bench"
"""Who asks: as in the Lab, what was computed for one's last answers is reused."""

NEAR = 1e-6
"""Logarithms that differ by less are ties: float32 has no more digits."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A fork and whether the parent's own choices agree: `at` is None if the two answers are the same."""

    question: str
    model: str
    parent: str
    at: int | None
    agrees: bool


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds that one question's answers took to write, and all of them to score by all models."""

    writing_s: float
    scoring_s: float
    tokens: int

    @property
    def ratio(self) -> float:
        """Scoring over writing."""
        return self.scoring_s / self.writing_s


def written(engine: Engine, profile: Profile, question: str, decoding: Decoding) -> ForkMap:
    """Return the answers of all models to a question, by their tokens; raises EngineError if one fails."""
    found = ForkMap(question, profile, decoding, 0)
    requests = [Request(model, question_messages(question), decoding, visitor=VISITOR) for model in profile.ids]
    rows: list[list[Any]] = [[] for _ in requests]
    for step in engine.stream(requests):
        for own, row in zip(rows, step.rows, strict=True):
            if row.ids or row.stopped == "error":
                own.append(row)
    for request, own in zip(requests, rows, strict=True):
        if not own or own[-1].stopped == "error":
            raise EngineError(f"{request.model} gave no answer: {own[-1].error if own else 'no token'}")
        ids = tuple(token for row in own for token in row.ids)
        found.answers[request.model] = Written(
            request.model, ids, tuple(row.text for row in own), own[-1].stopped or "end"
        )
    return found


def score(engine: Engine, found: ForkMap) -> dict[str, dict[str, list[float]]]:
    """Score every answer by every model into `found`; return by answer and model how far its token is from the best."""
    behind: dict[str, dict[str, list[float]]] = {}
    done: list[Scoring] = []
    for answer in found.answers.values():
        scoring = Scoring(answer, found.profile.ids, done)
        for step in engine.stream(scoring.requests(question_messages(found.question), VISITOR)):
            scoring.take(step)
        done.append(scoring)
        found.scored[answer.model] = scoring.result()
        behind[answer.model] = {
            model: [one.best[0][1] - one.logprob for one in scores] for model, scores in scoring.scores.items()
        }
    return behind


def pairs(engine: Engine, found: ForkMap, behind: dict[str, dict[str, list[float]]]) -> list[Pair]:
    """Return every answer's fork from its parent's, held against what the parent does."""
    forks = {model: found.fork(model) for model in found.answers if found.parent_of(model)}
    gone_on = _gone_on(engine, found, [fork for fork in forks.values() if fork])
    held = []
    for model, fork in forks.items():
        parent = found.parent_of(model) or ""
        far = behind[model][parent]
        if fork is None:
            agrees = all(value < NEAR for value in far)
        else:
            goes_on = gone_on[model] == found.answers[parent].ids
            agrees = goes_on and all(value < NEAR for value in far[: fork.at]) and far[fork.at] > 0
        held.append(Pair(found.question, model, parent, fork.at if fork else None, agrees))
    return held


def _gone_on(engine: Engine, found: ForkMap, forks: Sequence[Fork]) -> dict[str, tuple[int, ...]]:
    """Return by model what its parent writes from the tokens before the fork on, these included."""
    begun = [found.answers[fork.model].ids[: fork.at] for fork in forks]
    requests = [
        Request(
            fork.parent,
            question_messages(found.question),
            Decoding(found.decoding.max_new_tokens - fork.at),
            begun=some,
        )
        for fork, some in zip(forks, begun, strict=True)
    ]
    steps = list(engine.stream(requests)) if requests else []
    ids = [tuple(token for step in steps for token in step.rows[row].ids) for row in range(len(forks))]
    return {fork.model: (*some, *own) for fork, some, own in zip(forks, begun, ids, strict=True)}


def measure(engine: Engine, profile: Profile, questions: Sequence[str], tokens: int) -> dict[str, Any]:
    """Return forks and times of `questions`, with what they were measured on."""
    decoding = Decoding(max_new_tokens=tokens)
    all_pairs: list[Pair] = []
    timed: list[Timed] = []
    for number, question in enumerate(questions, 1):
        began = time.perf_counter()
        found = written(engine, profile, question, decoding)
        middle = time.perf_counter()
        behind = score(engine, found)
        done = time.perf_counter()
        count = sum(len(answer.ids) for answer in found.answers.values())
        timed.append(Timed(middle - began, done - middle, count))
        all_pairs += pairs(engine, found, behind)
        say(f"{number} of {len(questions)}: {sum(p.agrees for p in all_pairs)} of {len(all_pairs)} forks agree")
    ratios = [one.ratio for one in timed]
    return {
        "pairs": len(all_pairs),
        "agree": sum(pair.agrees for pair in all_pairs),
        "same_answers": sum(pair.at is None for pair in all_pairs),
        "disagree": [asdict(pair) for pair in all_pairs if not pair.agrees],
        "scoring_over_writing": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
        "seconds": [asdict(one) for one in timed],
        "questions": len(questions),
        "max_new_tokens": tokens,
    }


def run(options: argparse.Namespace) -> int:
    """Measure, say what was found, and return 1 where a fork is not where the answers part."""
    settings = load_settings()
    profile = load_profile(settings.profile)
    engine = open_engine(profile, settings)
    engine.load()
    asked = [question.question for question in load_questions()[: options.questions]]
    written(engine, profile, asked[0], Decoding(max_new_tokens=4))  # warm-up: compiles and reads everything once
    result = measure(engine, profile, asked, options.max_new_tokens)
    result |= {
        "precision": precision_name(settings), "device": device_name(), "versions": versions(("numpy", "numba")),
        "commit": dict(zip(("id", "dirty"), commit(("medilite", "bench")), strict=True)),
    }  # fmt: skip
    ratio = result["scoring_over_writing"]
    text = (
        f"{result['agree']} of {result['pairs']} forks are the first token at which the answers differ"
        f" ({result['same_answers']} pairs are the same). Scoring takes {ratio['median']:.2f} times as long as writing"
        f" ({ratio['min']:.2f} to {ratio['max']:.2f}, n = {result['questions']} questions)."
    )
    write_result(result, text, options.json)
    return 0 if result["agree"] == result["pairs"] else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; 1 where a fork is not where the answers part."""
    parser = argparse.ArgumentParser(prog="python -m bench.forks", description="Check the Lab's forks and their cost.")
    parser.add_argument("--questions", type=positive_int, default=40, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--max-new-tokens", type=positive_int, default=128, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here too")
    return run_command(parser, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
