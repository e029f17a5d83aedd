"""Votes over time: counted and left out, a bar a period, with the same numbers as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from medilite.arena.results import Results
from medilite.arena.tallies import DAY_S, HOUR_S, Period

_EVERY = {HOUR_S: "hour", 6 * HOUR_S: "six hours", DAY_S: "day", 7 * DAY_S: "week", 28 * DAY_S: "four weeks"}


def timeline_html(results: Results) -> str:
    """Return the bars and the table, "" where there are no votes."""
    periods = results.periods
    if not periods:
        return ""
    every = _EVERY.get(periods[0].length_s, f"{periods[0].length_s / DAY_S:,.0f} days")
    highest = max(period.counted + period.left_out for period in periods) or 1
    bars = "".join(_bar(period, highest) for period in periods)
    rows = "".join(
        f'<tr><th scope="row">{escape(_when(period))}</th><td>{period.counted:,}</td><td>{period.left_out:,}</td></tr>'
        for period in periods
        if period.counted or period.left_out
    )
    total = sum(period.counted + period.left_out for period in periods)
    said = f"{total:,} votes from {_when(periods[0])} to {_when(periods[-1])}, at most {highest:,} in one {every}"
    return (
        '<figure class="lb-figure"><figcaption><h3>Votes over time</h3><p>One bar a '
        f'{every} (UTC), at most {highest:,} votes. <span class="vb-key vb-key-counted"></span> counted '
        '<span class="vb-key vb-key-out"></span> left out</p></figcaption>'
        f'<div class="vb-bars" role="img" aria-label="{escape(said)}">{bars}</div>'
        f'<div class="lb-quarters-axis ml-fine vb-ends" aria-hidden="true"><span>{escape(_when(periods[0]))}</span>'
        f"<span>{escape(_when(periods[-1]))}</span></div>"
        '<details class="lb-fold" data-keep="vb-timeline"><summary>The same as a table</summary>'
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Votes over time">'
        f'<table class="lb-small"><caption class="ml-hidden">Votes a {every}</caption><thead><tr>'
        '<th scope="col" class="vb-first">From (UTC)</th><th scope="col">Counted</th><th scope="col">Left out</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div></details></figure>"
    )


def _bar(period: Period, highest: int) -> str:
    parts = "".join(
        f'<i class="vb-bar-{name}" style="height:{100 * votes / highest:.2f}%"></i>'
        for name, votes in (("out", period.left_out), ("counted", period.counted))
        if votes
    )
    tip = f"{_when(period)}: {period.counted:,} counted, {period.left_out:,} left out"
    return f'<span class="vb-bar" title="{escape(tip)}">{parts}</span>'


def _when(period: Period) -> str:
    start = datetime.fromtimestamp(period.start, UTC)
    return f"{start:%Y-%m-%d %H:%M}" if period.length_s < DAY_S else f"{start:%Y-%m-%d}"
