"""`readability` and `leaderboard`: the endpoints that need no model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from medilite.errors import ArgumentError, DataError
from medilite.leaderboard import FOLDER, boards, current_board
from medilite.leaderboard import Board as Tables
from medilite.models import Profile
from medilite.readability import RECOMMENDED_GRADES, grade_word, measure
from medilite.ui.api.arguments import choice, some_text
from medilite.ui.api.schemas import Board, Figure, Measured, MetricTold
from medilite.ui.guard.address import caller, network_of
from medilite.ui.guard.bodies import TEXT_CHARS
from medilite.ui.guard.limits import Admission
from medilite.ui.leaderboard.board.view import GROUP_KEYS

GRADE = "flesch_kincaid_grade"

FORMULA_NOTICE = (
    "These are formulas for English: they count syllables, words and sentences, and don't know whether a text is "
    "right, or clear."
)


class Reading:
    """Measures texts and reads the leaderboards' files."""

    def __init__(
        self,
        profile: Profile,
        admission: Admission,
        folder: Path = FOLDER,
        who: Callable[[], str | None] = caller,
    ) -> None:
        self._profile = profile
        self._admission = admission
        self._folder = folder
        self._who = who

    def readability(self, text: str) -> Measured:
        """Return how hard a text is to read. Raises ArgumentError, RateLimitError."""
        asked = some_text(text, TEXT_CHARS)
        self._count()
        scores = measure(asked)
        if scores.is_foreign:
            raise ArgumentError(
                "text is not in English, and these are formulas for English alone. Send an English text."
            )
        return {
            "scores": cast("Any", scores.as_dict()),
            "grade": grade_word(scores.flesch_kincaid_grade),
            "recommended_grades": list(RECOMMENDED_GRADES),
            "notice": FORMULA_NOTICE,
        }

    def leaderboard(self, metric: str = GRADE, split: str | None = None, board: str | None = None) -> Board:
        """Return the figures of one metric on one split of one board, and the names of the others.

        By default the grade, the board's first split, and the board of the running
        profile. Raises ArgumentError, RateLimitError, and DataError if there is no such board.
        """
        self._count()
        names = boards(self._folder)
        if not names:
            raise DataError(f"There is no leaderboard here: {self._folder} has none. Make it: make leaderboard")
        own = self._profile.name if self._profile.name in names else names[0]
        name = own if board is None else choice("board", board, names)
        tables = current_board(self._folder / name)
        about = tables.about
        metrics = {metric["metric"]: metric for metric in _metrics(tables)}
        splits = [one["name"] for one in about["splits"]]
        wanted = choice("metric", metric, list(metrics))
        here = splits[0] if split is None else choice("split", split, splits)
        which = next(one for one in about["splits"] if one["name"] == here)
        reported = bool(about["reported"])
        return {
            "board": name,
            "title": about["title"],
            "origin": "reported" if reported else "measured",
            "by": about.get("by"),
            "notes": [*about.get("notes", []), *about.get("missing", [])],
            "metric": metrics[wanted],
            "split": {"split": here, "about": which["about"], "questions": which["questions"]},
            "figures": _figures(tables, wanted, here, reported=reported),
            "provenance": about.get("provenance"),
            "boards": list(names),
            "metrics": list(metrics),
            "splits": splits,
        }

    def _count(self) -> None:
        self._admission.reading(f"programs at {network_of(self._who() or '')}")


def _metrics(tables: Tables) -> list[MetricTold]:
    metrics = [
        MetricTold(
            metric=one["key"],
            label=one["label"],
            unit=one["unit"],
            better=None if one["key"] in GROUP_KEYS["reading"] else one["better"],  # easier is not better
            explanation=one["explanation"],
        )
        for one in tables.about["metrics"]
    ]
    metrics += [
        MetricTold(metric=key, label=one["label"], unit="", better="higher", explanation=one["explanation"])
        for key, one in tables.about.get("bleu", {}).items()
    ]
    return metrics


def _figures(tables: Tables, metric: str, split: str, *, reported: bool) -> list[Figure]:
    means = [
        (row, row["mean"]) for row in tables.tables.get("means", []) if (row["metric"], row["split"]) == (metric, split)
    ]
    bleu = [
        (row, row["value"])
        for row in tables.tables.get("bleu", [])
        if (row["bleu"], row["part"], row["split"]) == (metric, "score", split)
    ]
    labels = {model["id"]: model["label"] for model in tables.about["models"]}
    return [
        Figure(
            model=row["model"],
            label=labels[row["model"]],
            metric=metric,
            split=split,
            value=value,
            low=row["low"],
            high=row["high"],
            n=row["n"],
            of=row["of"],
            rank=row["rank"],
            origin="reported" if reported else "measured",
            reported=row.get("reported"),
        )
        for row, value in means + bleu
    ]
