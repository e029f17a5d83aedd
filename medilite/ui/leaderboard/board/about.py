"""Where a board's numbers come from, in words, and what to do where there is no board."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from medilite.ui.leaderboard.board.view import View

_CODE = re.compile(r"`([^`]*)`")

EMPTY = (
    '<div class="lb-empty"><h2>No leaderboard yet</h2>'
    "<p>Nothing has been measured for this profile. Prepare the data, have the models answer the test questions, and "
    "lay the results out:</p>"
    "<pre><code>make data\nmake leaderboard</code></pre>"
    "<p>Then open this tab again. Answering all test questions takes hours on a laptop and goes on where it was "
    "stopped.</p></div>"
)


def intro_html(view: View, split: str, profile: str) -> str:
    """Return what the board is about, in two lines."""
    answered = sum(view.answered(split, spec.id).n or 0 for spec in view.models)
    about = next(one for one in view.about["splits"] if one["name"] == split)
    other = ""
    if view.about["profile"] != profile:
        other = (
            f'<p class="ml-note" role="status">There is no board for the profile {escape(profile)}; this one is of '
            f"{escape(view.about['profile'])}.</p>"
        )
    missing = "".join(f'<p class="ml-note">{_with_code(sentence)}</p>' for sentence in view.about["missing"])
    return (
        f'<div class="lb-intro"><h2>{escape(view.about["title"])}</h2>'
        f"<p>{answered:,} answers to {about['questions']:,} questions{_computed_in(view)}. {escape(about['about'])}</p>"
        f"{other}{missing}</div>"
    )


def _with_code(sentence: str) -> str:
    """Return a sentence as HTML, what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(sentence))


def _computed_in(view: View) -> str:
    precision = view.about["provenance"]["setup"].get("precision")
    return f", computed in {escape(precision)}" if precision else ""


def provenance_html(view: View) -> str:
    """Return everything one needs to make the numbers again, folded away."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _provenance(view))
    return (
        '<details class="lb-fold" data-keep="lb-provenance"><summary>Where these numbers come from</summary>'
        f'<dl class="lb-facts">{rows}</dl><p class="ml-fine">make leaderboard makes them anew from the models, '
        "make leaderboard-check from the committed answers. MedQuAD: Ben Abacha and Demner-Fushman 2019, CC BY 4.0."
        "</p></details>"
    )


def _provenance(view: View) -> Iterator[tuple[str, str]]:
    record = view.about["provenance"]
    setup = record["setup"]
    yield "Base", setup["base"]
    yield "Precision", setup.get("precision") or "not noted"
    yield "Data", f"fingerprint {setup['data'][:16]}…"
    yield "Decoding", ", ".join(f"{name} {value:g}" for name, value in setup["decoding"].items())
    yield "Seed", str(setup["seed"])
    bootstrap = record["bootstrap"]
    yield (
        "Intervals",
        f"{bootstrap['level']:.0%}, bootstrap over questions, {bootstrap['resamples']:,} resamples, "
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
