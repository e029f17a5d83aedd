"""The cards of a comparison, as HTML.

One path for all: the empty page, an answer that streams in, a finished one, a
failed one. A card keeps its height throughout, and the order of its elements,
so that the page updates in place and nothing jumps.
"""

from __future__ import annotations

from collections.abc import Sequence

from medilite.lab.lay_words import plain_words
from medilite.models import ModelSpec
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.compare.links import settings_of
from medilite.ui.compare.marks import hard_marks, marked_html
from medilite.ui.html import Markup, templates
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.scores import grade_html, headline_html, rest_html
from medilite.ui.page.source import count_html, held_html

SHORT_NOTICE = "Not medical advice"


FROM_SOURCE = "answered from the source’s passage"
NOT_FROM_SOURCE = "no passage to answer from, so from the models alone"

TEMPLATE = "compare/cards.html"


def empty_grid_html(specs: Sequence[ModelSpec]) -> Markup:
    """Return the grid before any question: what each model is, and what to do next."""
    macros = templates(TEMPLATE)
    return macros.grid([macros.empty_card(spec) for spec in specs])


def grid_html(comparison: Comparison) -> Markup:
    """Return the grid of a comparison as far as it is, under the question that was asked."""
    limit = comparison.decoding.max_new_tokens
    cards = [card_html(pane, limit, earlier=comparison.turns(pane.spec.id)) for pane in comparison.panes]
    how = decoding_words(comparison.decoding, comparison.seed)
    # Of answers that were stopped before their first word it isn't said where they are from.
    unwritten = comparison.done and not any(pane.text.strip() for pane in comparison.panes)
    if comparison.from_source and not unwritten:
        how = f"{FROM_SOURCE if comparison.given else NOT_FROM_SOURCE} · {how}"
    first = comparison.earlier[0].question if comparison.earlier else ""
    return templates(TEMPLATE).grid(cards, comparison.run, comparison.question, how, settings_of(comparison), first)


def answer_html(pane: Pane) -> Markup:
    """Return the answer's text, escaped, with its marks (which the page shows when asked to)."""
    marks = hard_marks(pane.hard)
    marks += [(span.start, span.end, "ml-differs") for span in pane.differs]
    return marked_html(pane.text, marks) if pane.checked is None else held_html(pane.text, marks, pane.checked)


def stop_words(pane: Pane, limit: int) -> tuple[str, str, str]:
    """Return (kind for the style, a few words, the same at length): how an answer stopped, or that it is not over."""
    tokens = f"{pane.tokens} token{'' if pane.tokens == 1 else 's'}"
    if pane.stopped is None:
        return ("writing", f"writing · {tokens}", "") if pane.tokens else ("waiting", "waiting", "")
    return {
        "end": ("end", "ended", f"The model ended its answer after {tokens}."),
        "length": (
            "length",
            f"cut at {limit} tokens",
            "Cut at the longest answer that the settings allow; it may end in mid-sentence.",
        ),
        "cancelled": ("cancelled", "stopped by you", f"You stopped it after {tokens}."),
        "error": (
            "error",
            "broke off" if pane.text.strip() else "failed",
            "This model gave no complete answer; the text says why.",
        ),
    }[pane.stopped]


def card_html(
    pane: Pane, limit: int, *, key: str = "", extra_class: str = "", earlier: Sequence[tuple[str, str]] = ()
) -> Markup:
    """Return one card: model, answer, how it stopped, grade and scores.

    `limit` is the most tokens it was given; `key` tells apart cards of the same
    model on one page; `earlier` are the questions and answers that this one follows.
    """
    kind, words, at_length = stop_words(pane, limit)
    pending = pane.stopped is None
    return templates(TEMPLATE).card(
        pane,
        {"kind": kind, "words": words, "help": at_length},
        answer_html(pane),
        grade_html(pane.scores, pending=pending),
        headline_html(pane.scores, pending=pending),
        rest_html(pane.scores, pane.tokens) if pane.scores else "",
        key,
        extra_class,
        SHORT_NOTICE,
        count_html(pane.text, pane.checked),
        plain_words(pane.text) if pane.stopped else (),
        earlier,
    )
