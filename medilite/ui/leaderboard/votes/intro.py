"""What the votes' results stand on: how many there are, which count, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from medilite.arena.marks import MARKS
from medilite.arena.results import Results
from medilite.ui.leaderboard.board.view import number_text
from medilite.ui.leaderboard.votes.names import Names, between, percent, votes_word

EMPTY = (
    '<section class="lb-figure vb-empty"><h3>What people prefer</h3>'
    "<p>Nobody has voted here yet. Take a few pairs in the tab Blind vote: two answers, no names, one choice. What the "
    "votes say comes here, with how sure one can be of it.</p></section>"
)


def intro_html(results: Results) -> str:
    """Return the heading, how many votes speak, and the left's advantage."""
    counts, ratings = results.counts, results.ratings
    people = f"{ratings.voters:,} {'person' if ratings.voters == 1 else 'people'}"
    questions = f"{ratings.questions:,} question{'' if ratings.questions == 1 else 's'}"
    said = f"{votes_word(counts.counted)} by {people} on {questions} count. " if counts.counted else ""
    out = f"{counts.left_out:,} of the {counts.given:,} given are left out, as told below. " if counts.left_out else ""
    return (
        '<section class="lb-figure"><h3>What people prefer</h3>'
        "<p>Two answers to one question, no names, one choice. "
        f"{said}{out}Higher is better; the base stands at 1,000, and 400 points are odds of 10 to 1.</p>"
        f"{_left_html(results)}</section>"
    )


def _left_html(results: Results) -> str:
    share = results.ratings.left_share
    if share is None:
        return ""
    width = 100 * share.half_width
    verdict = (
        "The interval holds 50 %: no side is favoured for all one can tell."
        if share.low <= 0.5 <= share.high
        else "That is taken out of the ratings."
    )
    return (
        f'<p class="vb-said">Between equal answers <strong>left is chosen {100 * share.value:.0f} ± {width:.0f} %'
        f"</strong> of the time. {verdict}</p>"
    )


def counts_html(results: Results) -> str:
    """Return the public counts: given, counted, left out by reason, and pairs that were the same."""
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{number:,}</td><td class="vb-means">{escape(means)}</td></tr>'
        for label, number, means in _counts(results)
    )
    return (
        '<section class="lb-figure"><h3>Every vote accounted for</h3>'
        "<p>A vote that says little about the answers is kept, marked and left out of the ratings. A vote with two "
        "marks stands under both.</p>"
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Counts of votes">'
        '<table class="lb-small vb-counts"><caption class="ml-hidden">Votes given, counted and left out</caption>'
        '<thead><tr><th scope="col" class="vb-first">Votes</th><th scope="col">Number</th>'
        f'<th scope="col" class="vb-means">What it means</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _counts(results: Results) -> Iterator[tuple[str, int, str]]:
    counts = results.counts
    yield "Given", counts.given, f"{counts.live:,} of them on visitors' own questions"
    yield "Counted", counts.counted, "in the ratings"
    yield "Left out", counts.left_out, "for the reasons below"
    yield "Taken back", counts.undone, "by the voter, before the names were told"
    for mark, means in MARKS.items():
        yield mark.capitalize(), counts.marked.get(mark, 0), means
    for mark, number in counts.marked.items():
        if mark not in MARKS:
            yield mark, number, "a mark of another version"


def sames_html(results: Results, names: Names) -> str:
    """Return how often two models gave the same answer, word for word; "" where they never did."""
    if not results.sames:
        return ""
    order = {row.contestant: i for i, row in enumerate(results.ratings.rows)}
    rows = []
    for two, (same, of, live) in results.sames.items():
        first, second = sorted(two, key=lambda c: (order.get(c, len(order)), c))
        share = same / of if of else None
        ready = f"{same:,} of {of:,} ({percent(share)})" if of else "–"
        rows.append(
            (
                -same - live,
                f'<tr><th scope="row">{names.html(first)} <span class="ml-unit">and</span> {names.html(second)}</th>'
                f"<td>{ready}</td><td>{live:,}</td></tr>",
            )
        )
    body = "".join(html for _, html in sorted(rows))
    return (
        '<section class="lb-figure"><h3>The same, word for word</h3>'
        "<p>Two answers without a difference are never offered for a vote.</p>"
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Answers that are the same">'
        '<table class="lb-small"><caption class="ml-hidden">How often two models gave the same answer</caption>'
        '<thead><tr><th scope="col" class="vb-first">Models</th><th scope="col">Ready-made answers</th>'
        f'<th scope="col">Live</th></tr></thead><tbody>{body}</tbody></table></div></section>'
    )


def effects_words(results: Results) -> str:
    """Return what a difference in grade or length is worth to an answer, in a sentence; "" where it isn't known."""
    told = [
        f"an answer {effect.name} gains {number_text(effect.points.value, 0)} points ({between(effect.points)})"
        for effect in results.ratings.effects
    ]
    return f"All else equal, {' and '.join(told)}." if told else ""
