"""A judge's summary as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from eval.judging.asks import Subject
from eval.judging.prompt import CRITERIA, HIGHEST, LOWER_IS_BETTER, LOWEST
from eval.judging.store import Judgment
from eval.judging.summary import Mean, by_model, consistency, pairs

Found = Mapping[Subject, Judgment | None]

NONE = "–"


def score_lines(found: Found, models: Iterable[str], about: str) -> Iterator[str]:
    """Yield the table of mean scores and, if the judge was asked twice, that of its consistency."""
    arrows = [f"{name} {'↓' if name in LOWER_IS_BETTER else '↑'}" for name in CRITERIA]
    rows = [["model", "judged", *arrows]]
    for one in by_model(found, models):
        share = f"{one.judged:,} of {one.answered:,}" if one.answered else "no answers"
        rows.append([one.model, share, *(_mean(one.means[name]) for name in CRITERIA)])
    yield f"Mean scores from {LOWEST} to {HIGHEST} with 95 % intervals, {about}"
    yield from _table(rows)
    if not (agreement := consistency(found)):
        return
    yield ""
    yield f"The judge's own consistency: criteria in the other order, n = {agreement[0].n:,} answers"
    header = ["criterion", "same score", "within 1", "mean shift", "weighted kappa"]
    yield from _table(
        [
            header,
            *(
                [
                    one.criterion,
                    f"{one.same:.0%}",
                    f"{one.within_one:.0%}",
                    f"{one.shift:+.2f}",
                    NONE if one.kappa is None else f"{one.kappa:.2f}",
                ]
                for one in agreement
            ),
        ]
    )


def pair_lines(found: Found, about: str) -> Iterator[str]:
    """Yield the results of a pairwise comparison; a verdict that flips with the order is a tie."""
    results = pairs(found)
    if not results:
        yield f"No question was answered by both models, {about}"
    for one in results:
        yield f"{one.model} against {one.versus}, {about}: {one.judged:,} of {one.asked:,} questions in both orders"
        parts = ((f"{one.model} is better", one.won), (f"{one.versus} is better", one.lost), ("tie", one.tied))
        shares = [(words, f"{count:,}", f"{count / one.judged:.1%}" if one.judged else NONE) for words, count in parts]
        yield from _table(shares)
        yield f"{one.flipped:,} of the ties are verdicts that flipped with the order"
        if one.first_share is not None:
            yield f"the answer shown first was preferred in {one.first_share:.0%} of all preferences"


def _mean(one: Mean | None) -> str:
    if one is None:
        return NONE
    return (
        f"{one.mean:.2f}" if one.low is None or one.high is None else f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]"
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
