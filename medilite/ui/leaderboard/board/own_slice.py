"""A visitor's own slice: questions of the board chosen by filters and a pattern, and two models' differences there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from medilite.errors import EngineError, MediLiteError, QuestionError
from medilite.safety import NOT_MEDICAL_ADVICE_LONG
from medilite.slices import FEWEST, LONGEST_PATTERN, difference, matches
from medilite.ui.compare.downloads import data_uri
from medilite.ui.guard.limits import Admission
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.about import origins, split_label
from medilite.ui.leaderboard.board.differences import Pair, signed
from medilite.ui.leaderboard.board.questions import ALL, Text, texts_of
from medilite.ui.leaderboard.board.view import AT_ODDS, F1, GRADE, LOOPS, PRECISION, RECALL, WORDS, View
from medilite.ui.page import notices
from medilite.ui.page.controls import html_slot
from medilite.ui.page.words import number_text

TEMPLATE = "leaderboard/slice.html"

SHOWN = (GRADE, PRECISION, RECALL, F1, AT_ODDS, "claims_not_found", LOOPS, WORDS)

QUESTIONS, ANSWERS = "questions", "answers"
WHERE = {QUESTIONS: "The questions", ANSWERS: "The two models’ answers"}

MOST_WORDS = 100_000

KEPT = 64
"""Slices without words of a visitor's whose tables are kept: a class looks at the same ones."""

WAITING = 16
"""Visitors who may wait for their slices, each for a third of a second: they hold threads that other events need."""


class OwnSlice:
    """Its fields and its table; holds no visitor's data. `admission` counts the slices that are computed."""

    def __init__(self, admission: Admission | None = None) -> None:
        self._admission = admission
        self._seats = Admission(WAITING)
        self._one_at_a_time = threading.Lock()
        # Typed: True is no number of words, though it is equal to 1. The outer memory is looked into before anybody
        # waits, the inner one after the wait, in which the same slice may have been computed for another.
        kept = lru_cache(maxsize=KEPT, typed=True)
        inner = kept(self._compare)
        self._kept = kept(lambda *given: self._in_turn(inner, *given))

    def build(self) -> None:
        """Lay it out inside the current Blocks."""
        html_slot(templates(TEMPLATE).head(), "lb-own-head", "lb-slot")
        with gr.Row(elem_classes="lb-row"):
            self.source = gr.Dropdown([ALL], value=ALL, label="Source", filterable=False, elem_id="lb-own-source")
            self.qtype = gr.Dropdown([ALL], value=ALL, label="Type", filterable=False, elem_id="lb-own-qtype")
            self.shortest = gr.Number(
                0, label="Reference’s words: at least", precision=0, minimum=0, maximum=MOST_WORDS,
                elem_id="lb-own-shortest", min_width=140,
            )  # fmt: skip
            self.longest = gr.Number(
                MOST_WORDS, label="Reference’s words: at most", precision=0, minimum=0, maximum=MOST_WORDS,
                elem_id="lb-own-longest", min_width=140,
            )  # fmt: skip
        with gr.Row(elem_classes="lb-row"):
            self.pattern = gr.Textbox(
                label="Words, or a regular expression", info="Empty is any. Capitals make no difference.",
                placeholder="For example: gene|mutation", max_lines=1, max_length=LONGEST_PATTERN,
                elem_id="lb-own-pattern", scale=2, min_width=240,
            )  # fmt: skip
            self.where = gr.Radio(
                [(label, key) for key, label in WHERE.items()], value=QUESTIONS, label="Looked for in",
                elem_id="lb-own-where", elem_classes="lb-pick",
            )  # fmt: skip
            self.run = gr.Button("Compare on this slice", elem_id="lb-own-run", elem_classes="ml-button", scale=0)
        self.result = html_slot("", "lb-own-slice", "lb-slot")

    @property
    def controls(self) -> list[Any]:
        """What chooses the questions."""
        return [self.source, self.qtype, self.shortest, self.longest, self.pattern, self.where]

    def opened(self, sources: list[str], kinds: list[str], longest: int, texts: bool) -> dict[Any, Any]:
        """Return the update for a split with these sources, kinds and longest reference.

        Without the questions' texts the answers are left to look in.
        """
        return {
            self.shortest: 0,
            self.longest: longest,
            self.source: gr.Dropdown(choices=sources, value=ALL),
            self.qtype: gr.Dropdown(choices=kinds, value=ALL),
            self.where: QUESTIONS if texts else ANSWERS,
            self.result: "",
        }

    def show(self, view: View, split: str, pair: Pair, data: Path, *given: Any) -> Markup | str:
        """Return the differences on the questions that are chosen, or a sentence on what is wrong."""
        try:
            # Nothing that a visitor types is kept.
            if _words_of(given):
                return self._in_turn(self._compare, view, split, pair, data, *given)
            return self._kept(view, split, pair, data, *given)
        except EngineError:  # no seat is free, of which the seats speak as Compare's do
            return notices.error_html("Several slices are being compared. Try again in a few seconds.")
        except MediLiteError as error:
            return notices.error_html(str(error))

    def _in_turn(self, compare: Callable[..., Markup], *given: Any) -> Markup:
        with self._seats.seat(""), self._one_at_a_time:
            return compare(*given)

    def _compare(self, view: View, split: str, pair: Pair, data: Path, *given: Any) -> Markup:
        if self._admission:
            self._admission.reading("")
        texts, missing = texts_of(view, split, data)
        return slice_html(view, split, pair, chosen(view, split, pair, texts, missing, *given), given)


def chosen(
    view: View, split: str, pair: Pair, texts: dict[str, Text], missing: str, source: object, qtype: object,
    shortest: object, longest: object, pattern: object, where: object,
) -> list[int]:  # fmt: skip
    """Return the places of a split's questions that are chosen; raises QuestionError for what can't be used."""
    columns = view.questions[split]
    low, high = _words(shortest, 0), _words(longest, MOST_WORDS)
    if low > high:
        raise QuestionError(f"No reference has at least {low:,} and at most {high:,} words: exchange the two.")
    found = [
        place
        for place, (of, kind, words) in enumerate(
            zip(columns["source"], columns["qtype"], columns["reference_words"], strict=True)
        )
        if source in (ALL, None, of) and qtype in (ALL, None, kind) and low <= words <= high
    ]
    looked_for = str(pattern or "").strip()
    if not looked_for:
        return found
    qids = [columns["qid"][place] for place in found]
    if where == ANSWERS:
        groups = [tuple(view.answers[qid, one]["text"] for one in pair if (qid, one) in view.answers) for qid in qids]
    elif texts:
        groups = [(texts[qid].question,) if qid in texts else () for qid in qids]
    else:
        raise QuestionError(f"{missing} Or look for it in the two models’ answers.")
    return [place for place, hit in zip(found, matches(looked_for, groups), strict=True) if hit]


def _words_of(given: Sequence[Any]) -> str:
    """Return the words, or the pattern, that a visitor typed."""
    return str(given[4] or "").strip()


def _words(value: object, empty: int) -> int:
    if value is None or value == "":
        return empty
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_WORDS:
        raise QuestionError(f"{value!r:.40} is no number of words: give a whole number from 0 to {MOST_WORDS:,}.")
    return int(value)


def slice_html(view: View, split: str, pair: Pair, places: Sequence[int], given: Sequence[Any]) -> Markup:
    """Return the table of a slice: each difference with n, its interval, and how large a one could have been found."""
    columns, labels = view.questions[split], {spec.id: spec.label for spec in view.models}
    qids = [columns["qid"][place] for place in places]
    kinds = [(columns["source"][place] or "", columns["qtype"][place] or "") for place in places]
    rows = []
    for column in (view.column(key) for key in SHOWN if key in view.scores[split]):
        scores = [[view.compared(split, qid, model, column.key) for qid in qids] for model in pair]
        values = [None if a is None or b is None else a - b for a, b in zip(*scores, strict=True)]
        one = difference(values, kinds, column.lead == "median")
        ends = (
            [] if one.low is None or one.high is None else [signed(end, column.digits) for end in (one.low, one.high)]
        )
        rows.append(
            {
                "column": column, "n": one.n, "shown": one.clear, "between": " to ".join(ends),
                "value": None if one.value is None else signed(one.value, column.digits),
                "found": number_text(one.found, column.digits),
            }
        )  # fmt: skip
    by_answers = bool(_words_of(given)) and given[5] == ANSWERS
    said = (labels[pair[0]], labels[pair[1]], len(places), len(columns["qid"]), rows, by_answers)
    macros = templates(TEMPLATE)
    page = macros.page(
        *said, view.about["title"], _chosen_words(view, split, given), [*origins(view)], NOT_MEDICAL_ADVICE_LONG,
        datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
    )  # fmt: skip
    return macros.result(*said, FEWEST, data_uri(str(page), "text/html"))


def _chosen_words(view: View, split: str, given: Sequence[Any]) -> list[tuple[str, str]]:
    """Return what a slice's fields say, as (name, value)."""
    source, qtype, shortest, longest, _, where = given
    words = f"{_words(shortest, 0):,} to {_words(longest, MOST_WORDS):,} words"
    looked_for = _words_of(given)
    return [
        ("Questions of", split_label(view, split)), ("Source", str(source or ALL)), ("Type", str(qtype or ALL)),
        ("Reference", words),
        *([("Words", f"{looked_for} (in: {WHERE[where].lower()})")] if looked_for else []),
    ]  # fmt: skip
