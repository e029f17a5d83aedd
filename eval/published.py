"""The study's own table as a board, marked as reported: beside ours in the app, never mixed with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from eval.board_files import BoardFiles
from eval.metrics.catalogue import BLEU_ABOUT, JUDGED, METRICS
from eval.tables import Row
from medilite.leaderboard import FORMAT
from medilite.models import load_profile

FILE = Path(__file__).with_name("published.yaml")
PROFILE = "paper"


def published_board() -> BoardFiles:
    """Return the files of `assets/leaderboard/paper`: what FILE says, in the tables' form."""
    study = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    profile = load_profile(PROFILE)
    judged = study["judged_questions"]
    about: dict[str, Any] = {
        "format": FORMAT,
        "profile": PROFILE,
        "title": profile.title,
        "reported": True,
        "by": study["by"],
        "notes": study["notes"],
        "models": [
            {key: getattr(spec, key) for key in ("id", "label", "colour", "colour_dark", "stacked_on")}
            for spec in profile.models
        ],
        "splits": [{"name": study["split"], "about": "The study's test split.", "questions": None}],
        "metrics": [{**METRICS[key].as_dict(), "lead": "mean"} for key in ("flesch_kincaid_grade", *JUDGED)],
        "floors": [],
        "statements": {},
        "bleu": {"bleu_study": dict(zip(("label", "explanation"), BLEU_ABOUT["bleu_study"], strict=True))},
        "losses": [{"model": model, **row} for model, row in study["losses"].items()],
    }
    means: list[Row] = []
    bleu: list[Row] = []
    for model in profile.ids:
        row = study["means"].get(model, {})
        for metric in ("flesch_kincaid_grade", *JUDGED):
            means.append(
                _row(study["split"], model, row.get(metric), judged if metric in JUDGED else None, metric=metric)
            )
        bleu.append(_row(study["split"], model, row.get("bleu_study"), None, bleu="bleu_study", part="score"))
        for part, printed in study["bleu"].get(model, {}).items():
            bleu.append(_row(study["split"], model, printed, judged, bleu="bleu_study", part=part))
    return BoardFiles(about, {"means": means, "bleu": bleu})


def _row(split: str, model: str, printed: str | None, n: int | None, **what: str) -> Row:
    """Return one reported number; BLEU and its precisions from 0 to 100 as in our tables, with the text as printed."""
    scale = 100 if what.get("part", "").startswith(("score", "precision")) else 1
    # Decimal gives exactly 100 times the printed number.
    value = None if printed is None else float(Decimal(printed) * scale)
    key = "mean" if "metric" in what else "value"
    n = None if printed is None else n
    return {
        **{"split": split, "model": model, **what, key: value, "low": None, "high": None},
        **{"n": n, "of": n, "rank": None, "reported": printed},
    }
