"""How often claims are misread: `python -m eval.claims [--data FOLDER] [--split distinct/test]`.

Plants errors in real references (eval.planted) and compares each text with all references of its question: how many
errors of each kind are called at odds, and in how many untouched references anything of that kind is. And, as a harder
measure, the same against the other documents that answer the question, in other words. Writes
medilite/claims/reliability.json, which the page quotes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.command import run_command
from eval.planted import PLANTS, plant
from eval.processes import mapped
from eval.questions import Question, load_questions
from eval.run import CODE, DATA
from medilite import claims
from medilite.arena.ratings import wilson
from medilite.claims.reliability import FEWEST, FILE, HIGHEST_FALSE_ALARMS, LOWEST_SENSITIVITY
from medilite.data import load_manifest
from medilite.files import write_whole
from medilite.provenance import commit

SEED = 42
SPLIT = "distinct/test"
"""The rules were made by looking at validation rows, so they are measured on others. No sealed row is read."""

FOUND_AS: dict[str, tuple[claims.Kind, ...]] = {"inheritance": ("inheritance", "explanation")}
"""Kinds of claim that a planted kind may be found as, where it isn't its own alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The result for one reference and one kind; None where nothing could be planted or misread."""

    kind: str
    found: bool | None
    alarm: bool | None
    found_elsewhere: bool | None
    alarm_elsewhere: bool | None


def look(task: tuple[Question, tuple[Question, ...], int]) -> list[Seen]:
    """Plant every kind in every reference of a question, and compare texts before and after with references."""
    question, others, seed = task
    seen = []
    for place, reference in enumerate(question.references):
        rng = random.Random(f"{seed} {question.qid} {place}")
        rest = question.references[:place] + question.references[place + 1 :]
        before = claims.held_against(reference, question.references, question.text)
        apart = claims.held_against(reference, rest, question.text) if rest else None
        for kind in PLANTS:
            kinds = FOUND_AS.get(kind, (kind,))
            has = any(finding.claim.kind in kinds for finding in before.claims)
            planted = plant(kind, question, reference, others, rng)
            found = elsewhere = None
            if planted:
                after = claims.held_against(planted.text, question.references, question.text)
                found = after.count("at_odds", *kinds) > before.count("at_odds", *kinds)
                # Elsewhere an error can only be found where the fact itself was.
                if apart and (apart.count("found", *kinds) or kind == "condition"):
                    after = claims.held_against(planted.text, rest, question.text)
                    elsewhere = after.count("at_odds", *kinds) > apart.count("at_odds", *kinds)
            seen.append(
                Seen(
                    kind,
                    found,
                    before.count("at_odds", *kinds) > 0 if has else None,
                    elsewhere,
                    apart.count("at_odds", *kinds) > 0 if apart and has else None,
                )
            )
    return seen


def share(hits: Sequence[bool]) -> dict[str, Any]:
    """Return count, total, share and its Wilson 95 % interval; null without any."""
    found = wilson(sum(hits), len(hits))
    if not found:
        return {"n": 0, "hits": 0, "share": None, "low": None, "high": None}
    ends = {"share": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}
    return {"n": len(hits), "hits": sum(hits), **ends}


def measured(seen: Sequence[Seen]) -> dict[str, dict[str, Any]]:
    """Return, by kind, sensitivity and false alarms in both settings, and whether the kind is reliable."""
    result: dict[str, dict[str, Any]] = {}
    for kind in PLANTS:
        own = [one for one in seen if one.kind == kind]
        columns = {
            name: share([value for one in own if (value := asdict(one)[name]) is not None])
            for name in ("found", "alarm", "found_elsewhere", "alarm_elsewhere")
        }
        found, alarm = columns["found"], columns["alarm"]
        result[kind] = {
            "sensitivity": found,
            "false_alarms": alarm,
            "sensitivity_elsewhere": columns["found_elsewhere"],
            "false_alarms_elsewhere": columns["alarm_elsewhere"],
            "reliable": found["n"] >= FEWEST
            and found["share"] >= LOWEST_SENSITIVITY
            and (alarm["share"] or 0.0) <= HIGHEST_FALSE_ALARMS,
        }
    return result


def measure(questions: Sequence[Question], seed: int = SEED, workers: int = 1) -> dict[str, dict[str, Any]]:
    """Return `measured` of all questions."""
    rng = random.Random(seed)
    tasks = [(question, tuple(rng.sample(list(questions), min(60, len(questions)))), seed) for question in questions]
    return measured([one for some in mapped(look, tasks, workers) for one in some])


def lines(result: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the result as a table."""

    def shown(cell: dict[str, Any]) -> str:
        if cell["share"] is None:
            return f"{'–':>28}"
        return f"{cell['share']:8.1%} ({cell['low']:.1%}–{cell['high']:.1%}) n {cell['n']:<5,}".rjust(28)

    yield f"{'kind':12}{'errors found':>28}{'false alarms':>28}{'found elsewhere':>28}{'alarms elsewhere':>28}"
    for kind, row in result.items():
        cells = [
            row[name] for name in ("sensitivity", "false_alarms", "sensitivity_elsewhere", "false_alarms_elsewhere")
        ]
        yield f"{kind:12}" + "".join(map(shown, cells)) + ("" if row["reliable"] else "  not reliable")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.claims", description="Measure how often claims are misread.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument("--split", default=SPLIT, help="whose references (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of what is planted (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=FILE, help="(default: %(default)s)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    questions = load_questions(options.data, options.split)
    result = measure(questions, options.seed, options.workers)
    head, dirty = commit(CODE)
    about = {
        "split": options.split,
        "questions": len(questions),
        "seed": options.seed,
        "data": load_manifest(options.data)["fingerprint"],
        "commit": head,
        "commit_dirty": dirty,
        "interval": "Wilson, 95 %",
    }
    write_whole(options.out, (json.dumps({"about": about, "kinds": result}, indent=1) + "\n").encode())
    print("\n".join([*lines(result), f"Written to {options.out}"]))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the measurement is written, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
