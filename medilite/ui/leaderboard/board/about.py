"""Where a board's numbers come from, in words, and what to do without a board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import SIMILARITY, Cell, View

TEMPLATE = "leaderboard/board.html"

_STATED = ("clean/known", "distinct/test")
"""What is known of each model is of the first of these splits that a board has (eval.statements)."""


def empty_html() -> Markup:
    """Return what to do without a board."""
    return templates(TEMPLATE).empty()


def intro_html(view: View, split: str, profile: str) -> Markup:
    """Return what the board is about, in two lines."""
    answered = sum(view.answered(split, spec.id).n or 0 for spec in view.models)
    other = "" if view.about["profile"] == profile else profile
    precision = view.about["provenance"]["setup"].get("precision")
    said = view.statements
    known = [(spec, said[spec.id]) for spec in view.models if spec.id in said]
    main = view.split(next((name for name in _STATED if name in view.splits), view.splits[0]))["questions"]
    shown = view.split(split)
    return templates(TEMPLATE).intro(view.about, answered, shown, precision, other, known, _read_by(view), main)


def _read_by(view: View) -> dict[str, Any] | None:
    """Return who read answers, how well they agree, and which metrics agree with them; None without a reading."""
    reading = view.about.get("reading")
    if not reading:
        return None
    labels = {column.key: column.label for column in view.columns}
    good = [labels[row["metric"]] for row in reading["auc"] if row["measures_truth"] and row["metric"] in labels]
    similar = next((row["value"] for row in reading["auc"] if row["metric"] == SIMILARITY), None)
    read = reading.get("models", {})
    shares = [
        (spec.label, Cell(share["value"], share["low"], share["high"], read[spec.id]["n"], None, None))
        for spec in view.models
        if spec.id in read and (share := read[spec.id].get("right_or_partly"))
    ]
    return {"metrics_read": reading, **reading, "good": good, "similar": similar, "shares": shares}


def provenance_html(view: View) -> Markup:
    """Return everything that it takes to compute the numbers again, folded away."""
    folder = f"assets/leaderboard/{view.board.folder.name}"
    return templates(TEMPLATE).provenance(origins(view), view.about["missing"], folder)


def origins(view: View) -> Iterator[tuple[str, str]]:
    """Yield (what, in words) of everything that made a board's numbers."""
    record = view.about["provenance"]
    setup = record["setup"]
    yield "Base", setup["base"]
    yield "Precision", setup.get("precision") or "not recorded"
    yield "Data", f"fingerprint {setup['data'][:16]}…"
    yield "Decoding", ", ".join(f"{name} {value:g}" for name, value in setup["decoding"].items())
    yield "Seed", str(setup["seed"])
    bootstrap = record["bootstrap"]
    yield (
        "Intervals",
        f"{bootstrap.get('method', 'bootstrap over questions')}; {bootstrap['resamples']:,} resamples, "
        f"seed {bootstrap['seed']}",
    )
    for session in record["generation"]:
        yield "Generated", _session(session)
    scoring = record["scoring"]
    yield "Scored", _versions(scoring.get("commit"), scoring.get("commit_dirty"), scoring.get("versions") or {})
    if judge := record.get("judge"):
        yield "Judge", f"{judge['judge']}, prompt {judge['prompt']}: {judge['judged']:,} of {judge['asked']:,} judged"
    for model in view.about["models"]:
        if model.get("adapter"):
            yield model["label"], f"adapter SHA-256 {model['adapter'][:16]}…"


def _session(session: dict[str, Any]) -> str:
    parts = [
        f"{session['answers']:,} answers" if session.get("answers") is not None else "",
        f"{session['kept']:,} of them in this table" if session.get("kept") is not None else "",
        f"in {session['duration_s'] / 60:,.0f} min" if session.get("duration_s") is not None else "",
        f"on {session['device']}" if session.get("device") else "",
        _versions(session.get("commit"), session.get("commit_dirty"), session.get("versions") or {}),
    ]
    return ", ".join(part for part in parts if part)


def _versions(commit: str | None, dirty: bool | None, versions: dict[str, str | None]) -> str:
    named = [f"{name} {version}" for name, version in versions.items() if version]
    at = f"commit {commit[:10]}{' with changes' if dirty else ''}" if commit else ""
    return ", ".join(filter(None, (at, *named)))


def split_label(view: View, split: str) -> str:
    """Return what a set of questions is called, and how many it has."""
    questions = view.split(split)["questions"]
    names = {"study": "The study’s test split", "distinct": "Test split without shared questions"}
    names |= {"clean/known": "Sealed questions, known diseases", "clean/new": "Sealed questions, new diseases"}
    label = names.get(split) or names.get(split.partition("/")[0], split)
    return f"{label} ({questions:,})"
