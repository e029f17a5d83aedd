"""Votes over time, counted and left out: one bar per period."""

from __future__ import annotations

from datetime import UTC, datetime

from medilite.arena.results import Results
from medilite.arena.vote_statistics import DAY_S, HOUR_S, Period
from medilite.ui.leaderboard.chart import ACCENT, INK, MUTED, Chart, Spec, Table, axis, figure

_EVERY = {HOUR_S: "hour", 6 * HOUR_S: "six hours", DAY_S: "day", 7 * DAY_S: "week", 28 * DAY_S: "four weeks"}


FEW = 5
"""So many votes have a tick each: plotly would divide the axis into parts of a vote, and print 0, 0, 0, 1, 1, 1."""


def timeline(results: Results) -> Chart | None:
    """Return the votes over time, None without votes."""
    periods = results.periods
    if not periods:
        return None
    length_s = periods[0].length_s
    every = _EVERY.get(length_s, f"{length_s / DAY_S:,.0f} days")
    starts = [_start(period) for period in periods]
    most = max(period.counted + period.left_out for period in periods)
    return Chart(
        "Votes over time",
        f"One bar per {every} (UTC).",
        figure(
            "votes-over-time",
            [
                _bars("Counted", ACCENT, "", starts, [period.counted for period in periods]),
                _bars("Left out", MUTED, "/", starts, [period.left_out for period in periods]),
            ],
            320,
            barmode="stack",
            xaxis=axis(type="date", showgrid=False),
            yaxis=axis("Votes", rangemode="tozero", tickformat=",d", **({"dtick": 1} if most <= FEW else {})),
        ),
        Table(
            f"Votes per {every}",
            ("From (UTC)", "Counted", "Left out"),
            [(_start(p), f"{p.counted:,}", f"{p.left_out:,}") for p in periods if p.counted or p.left_out],
        ),
    )


def _bars(name: str, colour: str, shape: str, starts: list[str], votes: list[int]) -> Spec:
    look = {"color": colour, "pattern": {"shape": shape, "fgcolor": INK, "size": 5}}
    hover = f"%{{x}}: %{{y:,}} {name.lower()}<extra></extra>"
    return {"type": "bar", "name": name, "x": starts, "y": votes, "marker": look, "hovertemplate": hover}


def _start(period: Period) -> str:
    start = datetime.fromtimestamp(period.start, UTC)
    return f"{start:%Y-%m-%d %H:%M}" if period.length_s < DAY_S else f"{start:%Y-%m-%d}"
