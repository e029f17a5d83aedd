"""The cards of a comparison, as HTML made here: every text that comes from outside is escaped.

One path for all: the empty page, an answer that streams in, a finished one, a
failed one. A card keeps its height throughout, and the order of its elements,
so that the page updates in place and nothing jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from medilite.models import ModelSpec
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.compare.marks import Mark, marked_html
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.scores import grade_html, headline_html, rest_html

SHORT_NOTICE = "Not medical advice"


def empty_grid_html(specs: Sequence[ModelSpec]) -> str:
    """Return the grid before any question: what each model is, and what to do next."""
    return _grid('<h2 class="ml-hidden">Answers</h2>', [_empty_card(spec) for spec in specs])


def grid_html(comparison: Comparison) -> str:
    """Return the grid of a comparison as it stands, under the question that was asked."""
    how = decoding_words(comparison.decoding, comparison.seed)
    heading = (
        f'<div class="ml-asked"><h2 class="ml-text">{escape(comparison.question)}</h2>'
        f'<p class="ml-fine">{escape(how)}</p></div>'
    )
    cards = [card_html(pane, comparison.decoding.max_new_tokens) for pane in comparison.panes]
    return _grid(heading, cards, comparison.run)


def _grid(heading: str, cards: Sequence[str], run: int = 0) -> str:
    return f'{heading}<div class="ml-grid" data-run="{run}">{"".join(cards)}</div>'


def colours(spec: ModelSpec) -> str:
    """Return the style attribute that gives an element its model's colour in both themes."""
    return f'style="--model-light:{spec.colour};--model-dark:{spec.colour_dark}"'


def name_html(spec: ModelSpec) -> str:
    """Return a model's name as everywhere: a dot of its colour and its label."""
    dot = '<span class="ml-dot" aria-hidden="true"></span>'
    return f'<span class="ml-name" {colours(spec)}>{dot}{escape(spec.label)}</span>'


def answer_html(pane: Pane) -> str:
    """Return the answer's text, escaped, with its marks (which the page shows when asked to)."""
    marks: list[Mark] = [(span.start, span.end, f"ml-{span.kind}") for span in pane.hard]
    marks += [(span.start, span.end, "ml-differs") for span in pane.differs]
    return marked_html(pane.text, marks)


def stop_words(pane: Pane, limit: int) -> tuple[str, str, str]:
    """Return (kind for the style, a few words, the same at length): how an answer stopped, or that it goes on."""
    tokens = f"{pane.tokens} token{'' if pane.tokens == 1 else 's'}"
    if pane.stopped is None:
        return ("writing", f"writing · {tokens}", "") if pane.tokens else ("waiting", "waiting", "")
    return {
        "end": ("end", "ended by itself", f"The model ended its answer by itself, after {tokens}."),
        "length": ("length", f"cut at {limit} tokens", "The longest answer that the settings allow; it may break off."),
        "cancelled": ("cancelled", "stopped by you", f"You stopped it after {tokens}."),
        "error": ("error", "failed", "This model gave no whole answer; the reason stands in the text."),
    }[pane.stopped]


def card_html(pane: Pane, limit: int, *, key: str = "", extra_class: str = "") -> str:
    """Return one card: model, answer, how it stopped, grade and scores.

    `limit` is the most tokens it was given; `key` tells apart cards of the same
    model on one page.
    """
    spec = pane.spec
    kind, words, at_length = stop_words(pane, limit)
    tip = f' tabindex="0" role="note" data-tip="{escape(at_length)}"' if at_length else ""
    pending = pane.stopped is None
    more = (
        f'<details class="ml-more" data-keep="{escape(spec.id + key)}"><summary>All scores</summary>'
        f"{rest_html(pane.scores, pane.tokens)}</details>"
        if pane.scores
        else ""
    )
    copy = (
        f'<button type="button" class="ml-copy" data-copy="answer" aria-label="Copy the answer of {escape(spec.label)}"'
        f"{' disabled' if pending or not pane.text else ''}>Copy</button>"
    )
    return (
        f'<article class="ml-card {extra_class}" data-model="{escape(spec.id)}" data-tokens="{pane.tokens}" '
        f'data-state="{kind}" aria-label="{escape(spec.label)}" {colours(spec)}>'
        f'<header class="ml-card-head"><h3 class="ml-card-name">{name_html(spec)}</h3>'
        f'<span class="ml-stop ml-stop-{kind}"{tip}>{escape(words)}</span></header>'
        f'<div class="ml-answer" tabindex="0" role="region" aria-label="Answer of {escape(spec.label)}">'
        f'{_body(pane)}</div><footer class="ml-card-foot">'
        f'<div class="ml-card-first">{grade_html(pane.scores, pending=pending)}{copy}</div>'
        f'<div class="ml-card-second">{headline_html(pane.scores, pending=pending)}{more}</div>'
        f'<p class="ml-fine">{SHORT_NOTICE}</p></footer></article>'
    )


def _body(pane: Pane) -> str:
    text = f'<p class="ml-text">{answer_html(pane)}</p>'
    if pane.stopped == "error":
        reason = escape(pane.error or "The model gave no reason.")
        return f'{text}<p class="ml-failed"><strong>No answer.</strong> {reason}</p>'
    if pane.stopped and not pane.text.strip():
        said = "Stopped before the first word." if pane.stopped == "cancelled" else "The model answered without a word."
        return f'{text}<p class="ml-quiet">{said}</p>'
    return text


def _empty_card(spec: ModelSpec) -> str:
    return (
        f'<article class="ml-card ml-card-empty" data-model="{escape(spec.id)}" data-tokens="0" data-state="empty" '
        f'aria-label="{escape(spec.label)}" {colours(spec)}>'
        f'<header class="ml-card-head"><h3 class="ml-card-name">{name_html(spec)}</h3></header>'
        f'<div class="ml-answer"><p class="ml-quiet">{escape(spec.about)}</p></div>'
        '<footer class="ml-card-foot"><p class="ml-fine">Its answer comes here, with how hard it is to read.</p>'
        "</footer></article>"
    )
