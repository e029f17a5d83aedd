"""A judge's scores, joined to the answers that they were given for.

Reads `runs/NAME/judgments.jsonl` as `eval.judge` writes it: of the lines about
single answers, criteria in their usual order, the last of each answer counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eval.metrics.catalogue import JUDGED
from eval.scores import Row
from medilite.errors import DataError

FILE = "judgments.jsonl"

NONE = "No answer was judged: no key for a judge was set. Set MEDILITE_JUDGE_KEYS and run `python -m eval.judge`."


def read_judgments(path: Path) -> list[dict[str, Any]]:
    """Return the lines about single answers; [] without a file. A last line that a kill cut short is left out.

    Raises DataError naming the line that is broken, or if two judges or prompts
    are mixed, whose scores would not compare.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            judgment = json.loads(line)
            if (judgment["kind"], judgment["order"]) == ("scores", "forward"):
                found.append(judgment)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no judgment ({error}). Remove the line.") from error
    judges = sorted({(judgment["judge"], judgment["prompt"]) for judgment in found})
    if len(judges) > 1:
        names = "; ".join(f"{judge}, prompt {prompt}" for judge, prompt in judges)
        raise DataError(f"{path} mixes judgments that don't compare: {names}. Keep those of one in the file.")
    return found


def join(rows: Iterable[Row], judgments: Iterable[dict[str, Any]]) -> list[Row]:
    """Return the rows with the judge's scores among their own; null where none came or it was of another text."""
    given = {
        (judgment["split"], judgment["qid"], judgment["model"], judgment["answers"][0]): judgment["scores"] or {}
        for judgment in judgments
    }
    joined = []
    for row in rows:
        scores = given.get((row.split, row.qid, row.model, row.answer), {})
        own = {**row.scores, **{key: scores.get(key) for key in JUDGED}}
        joined.append(Row(row.split, row.qid, row.model, row.answer, own, row.bleu))
    return joined


def about(judgments: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return which judge it was and how much it judged, None if there was none."""
    judgments = list(judgments)
    if not judgments:
        return None
    return {
        "judge": judgments[-1]["judge"],
        "prompt": judgments[-1]["prompt"],
        "judged": len({(j["split"], j["qid"], j["model"]) for j in judgments if j["scores"]}),
        "asked": len({(j["split"], j["qid"], j["model"]) for j in judgments}),
    }
