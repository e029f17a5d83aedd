"""The tab About: what the models are and how they differ, what the scores mean, limits, credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import medilite
from medilite.checkpoints import read_training_record
from medilite.errors import DataError
from medilite.leaderboard import FOLDER, current_board
from medilite.models import ModelSpec, Profile
from medilite.readability import BANDS, METRICS, RECOMMENDED_GRADES, grade_word
from medilite.safety import NOT_MEDICAL_ADVICE_LONG
from medilite.ui.html import Markup, templates
from medilite.ui.page.scores import metric_help

Record = Mapping[str, Any]
Cell = Mapping[str, str]

_NONE = {"text": "–", "between": ""}
_COLUMNS = ("rank", "learning_rate", "steps", "test_loss", "test_pairs", "seed")


def about_html(profile: Profile) -> Markup:
    """Return the whole tab; the training records are read from the adapters' folders."""
    records = {spec.id: read_training_record(profile, spec) for spec in profile.every}
    low, high = (grade_word(grade) for grade in RECOMMENDED_GRADES)
    bands = ("up to 5th grade", f"{low} to {high}", "9th to 12th grade", "college and beyond", "no English words")
    return templates("page/about.html").about(
        profile,
        _as_what(profile),
        model_rows(profile, records),
        test_loss_about(records),
        list(zip(BANDS, bands, strict=True)),
        [(metric, metric_help(metric)) for metric in METRICS.values()],
        f"{low} to {high}",
        NOT_MEDICAL_ADVICE_LONG,
        medilite.__version__,
        known_of(profile),
    )


def known_of(profile: Profile, folder: Path = FOLDER) -> list[tuple[ModelSpec, str]]:
    """Return what the committed leaderboard knows of each model, in words; [] without one for the profile."""
    try:
        said = current_board(folder / profile.name).statements()
    except DataError:
        return []
    return [(spec, said[spec.id]) for spec in profile.models if spec.id in said]


def models_table_html(profile: Profile, records: Mapping[str, Record | None]) -> Markup:
    """Return the table of the models, with a dash for what is unknown."""
    return templates("page/about.html").models(model_rows(profile, records), test_loss_about(records))


def test_loss_about(records: Mapping[str, Record | None]) -> str:
    """Return the test losses in the training records, "" without any."""
    return next((str(r["test_loss_about"]) for r in records.values() if r and r.get("test_loss_about")), "")


def model_rows(profile: Profile, records: Mapping[str, Record | None]) -> list[dict[str, Any]]:
    """Return the rows of the table of the models."""
    measured = next((r for r in records.values() if r and isinstance(r.get("base_test_loss"), int | float)), {})
    # The base's loss was measured with an adapter's, on the same pairs.
    base = {
        "test_loss": measured.get("base_test_loss"),
        "test_loss_interval": measured.get("base_test_loss_interval"),
        "test_pairs": measured.get("test_pairs"),
    }
    rows = []
    for spec in profile.every:
        record = records.get(spec.id) or (base if spec.adapter is None else {})
        parent = f" Stacked on {profile.get(spec.stacked_on).label}." if spec.stacked_on else ""
        rows.append({
            "spec": spec,
            "about": f"{spec.about}{parent}",
            "numbers": [_cell(record, name) for name in _COLUMNS],
            "trained": _trained(spec, records.get(spec.id), profile),
        })  # fmt: skip
    return rows


def _as_what(profile: Profile) -> str:
    """Return in which form the base answers: what a package carries needn't be what was published."""
    base = profile.base
    if base.source == "package":
        return f"as the package {base.package} carries it"
    return "as published" if base.source == "hub" else "as it is in its folder"


def _trained(spec: ModelSpec, record: Record | None, profile: Profile) -> str:
    if record:
        commit = str(record.get("commit") or "")[:7]
        parts = (str(record.get("device") or ""), f"commit {commit}" if commit else "")
        return " · ".join(part for part in parts if part) or "–"
    if spec.adapter is None:
        return _as_what(profile)
    return f"published as {spec.adapter.removeprefix('hub:')}" if spec.adapter.startswith("hub:") else "not trained yet"


def _cell(record: Record, name: str) -> Cell:
    value, interval = record.get(name), record.get(f"{name}_interval")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _NONE
    if name != "test_loss":
        return {**_NONE, "text": f"{value:,}" if isinstance(value, int) else f"{value:g}"}
    known = isinstance(interval, Sequence) and len(interval) == 2 and all(isinstance(x, int | float) for x in interval)
    between = f"{interval[0]:.3f} to {interval[1]:.3f}" if known and interval else ""
    return {"text": f"{value:.3f}", "between": between}
