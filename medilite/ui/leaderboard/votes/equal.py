"""Still preferred when equally easy? Ratings beside what they are at equal grade and equal length."""

from __future__ import annotations

from html import escape

from medilite.arena.ratings import Interval, Rating
from medilite.arena.results import Results
from medilite.ui.leaderboard.board.view import number_text
from medilite.ui.leaderboard.votes.intro import effects_words
from medilite.ui.leaderboard.votes.names import Names, between, votes_word


def equal_html(results: Results, names: Names) -> str:
    """Return both ratings side by side, and why there is none where there is none."""
    heading = "<h3>Still preferred when equally easy?</h3>"
    rows = [row for row in results.ratings.rows if row.equal and row.rating]
    if not rows:
        return (
            f'<section class="lb-figure">{heading}<p>Not told yet: it takes votes on answers that differ in grade and '
            "in length.</p></section>"
        )
    base = next((row for row in rows if row.contestant == results.base), None)
    body = "".join(_row(row, base, names) for row in rows)
    return (
        f'<section class="lb-figure">{heading}<p>A second fit takes out what voters give for an easier or a longer '
        f"answer. {escape(effects_words(results))} From {votes_word(results.ratings.equal_votes)} on answers whose "
        "grades are known.</p>"
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Ratings at equal grade and length">'
        '<table class="lb-small"><caption class="ml-hidden">Ratings as they are, and at equal grade and length, with '
        '95 % intervals</caption><thead><tr><th scope="col" class="vb-first">Model</th><th scope="col">Rating ↑</th>'
        '<th scope="col">At equal grade and length ↑</th><th scope="col" class="vb-means">Against the base</th></tr>'
        f"</thead><tbody>{body}</tbody></table></div></section>"
    )


def _row(row: Rating, base: Rating | None, names: Names) -> str:
    assert row.rating is not None
    assert row.equal is not None
    said = "" if base is None or row is base else _against(row, base)
    return (
        f'<tr><th scope="row">{names.html(row.contestant)}</th>{_cell(row.rating)}{_cell(row.equal)}'
        f'<td class="vb-means">{said or "the base itself"}</td></tr>'
    )


def _cell(interval: Interval) -> str:
    return (
        f'<td><span class="lb-mean">{number_text(interval.value, 0)}</span>'
        f'<span class="lb-interval">{between(interval)}</span></td>'
    )


def _against(row: Rating, base: Rating) -> str:
    before, after = _stands(row.rating, base.rating), _stands(row.equal, base.equal)
    if before == after:
        return f"{before} either way"
    return f"{before}; when equally easy, {after}"


def _stands(one: Interval | None, other: Interval | None) -> str:
    assert one is not None
    assert other is not None
    if one.low > other.high:
        return "ahead"
    if one.high < other.low:
        return "behind"
    return "not told apart"
