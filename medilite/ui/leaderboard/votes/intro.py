"""What the results are based on: how many votes there are, how many count, and why others are left out."""

from __future__ import annotations

from collections.abc import Iterator

from medilite.arena.marks import MARKS
from medilite.arena.results import Results
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.page.words import counted, interval_text, number_text, percent


def empty_html() -> Markup:
    """Return what to do while there are no votes."""
    return templates("leaderboard/votes.html").empty()


def intro_html(results: Results) -> Markup:
    """Return the heading, how many votes there are, and the advantage of the left side."""
    counts, ratings, apart = results.counts, results.ratings, _apart(results)
    voters, questions = counted(ratings.voters, "voter"), counted(ratings.questions, "question")
    on = f"{counted(ratings.votes, 'vote')} by {voters} on {questions} {_verb(ratings.votes)}"
    looked_up = "pairs from the public repository, whose models anybody can look up"
    which = f", all on {looked_up}. " if results.of_public else ". "
    others = "other pairs" if results.of_public else looked_up
    more = f"{counted(apart, 'vote')} on {others} {_verb(apart)} separately. "
    out = f"{counts.left_out:,} of the {counts.given:,} given are left out, as explained below. "
    said = (on + which) * bool(ratings.votes) + more * bool(apart) + out * bool(counts.left_out)
    return templates("leaderboard/votes.html").intro(said, ratings.left_share, counts.given)


def _apart(results: Results) -> int:
    """Return how many votes count, but not in the ratings: those on public pairs, or those on all others."""
    return results.counts.counted - results.ratings.votes


def _verb(votes: int) -> str:
    return "counts" if votes == 1 else "count"


def counts_html(results: Results) -> Markup:
    """Return the public counts: given, counted, left out by reason."""
    return templates("leaderboard/votes.html").counts(_counts(results))


def _counts(results: Results) -> Iterator[tuple[str, int, str]]:
    counts = results.counts
    followed = f", {counts.followed:,} of these after follow-ups" * bool(counts.followed)
    yield "Given", counts.given, f"{counts.live:,} of them on visitors’ own questions{followed}"
    apart = _apart(results)
    which = f" above, and {apart:,} separately, on {'other' if results.of_public else 'public'} pairs" * bool(apart)
    yield "Counted", counts.counted, f"in the ratings{which}"
    yield "Left out", counts.left_out, "for the reasons below"
    yield "Taken back", counts.undone, "by the voter, before the names were shown"
    for mark, means in MARKS.items():
        yield mark.capitalize(), counts.marked.get(mark, 0), means
    for mark, number in counts.marked.items():
        if mark not in MARKS:
            yield mark, number, "a mark of another version"


def same_answers_html(results: Results, names: Names) -> Markup:
    """Return how often two models gave the same answer, word for word; "" if no two did."""
    if not results.same_answers:
        return Markup()
    order = {row.contestant: i for i, row in enumerate(results.ratings.rows)}
    rows = []
    for two, (same, of, live) in sorted(results.same_answers.items(), key=lambda item: -item[1][0] - item[1][2]):
        first, second = sorted(two, key=lambda c: (order.get(c, len(order)), c))
        ready = f"{same:,} of {of:,} ({percent(same / of)})" if of else "–"
        rows.append((names.of(first), names.of(second), ready, live))
    return templates("leaderboard/votes.html").same_answers(rows)


def effects_words(results: Results) -> str:
    """Return a sentence on the effect of grade and length on a vote; "" if unknown."""
    effects = [
        f"an answer {effect.name} gains {number_text(effect.points.value)} points ({interval_text(effect.points)})"
        for effect in results.ratings.effects
    ]
    return f"All else equal, {' and '.join(effects)}." if effects else ""
