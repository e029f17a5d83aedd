"""The tab Leaderboard: the committed numbers as table and plots, and single questions; no model needed."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from medilite.errors import MediLiteError
from medilite.leaderboard import FOLDER
from medilite.models import Profile
from medilite.ui.compare.cards import grid_html
from medilite.ui.guard.limits import Admission
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.about import empty_html, intro_html, provenance_html, split_label
from medilite.ui.leaderboard.board.bleu import bleu
from medilite.ui.leaderboard.board.differences import differences_html
from medilite.ui.leaderboard.board.grades import grades
from medilite.ui.leaderboard.board.own_slice import OwnSlice
from medilite.ui.leaderboard.board.quarters import MEASURES, measures, pair_label, pairs, quarters
from medilite.ui.leaderboard.board.questions import (
    ALL,
    DATA,
    ORDERS,
    Listed,
    Text,
    choices,
    comparison_of,
    listed,
    listing,
    texts_of,
)
from medilite.ui.leaderboard.board.scatter import scatter
from medilite.ui.leaderboard.board.study import study_html
from medilite.ui.leaderboard.board.table import controls_html, kinds_html, table_html
from medilite.ui.leaderboard.board.view import GRADE, View, find_boards
from medilite.ui.leaderboard.chart_slot import ChartSlot
from medilite.ui.leaderboard.votes.tab import VotesResults
from medilite.ui.page import notices
from medilite.ui.page.controls import LIGHT, html_slot

log = logging.getLogger(__name__)

Update = dict[Any, Any]


class LeaderboardTab:
    """Builds the tab and answers its events; it holds no visitor's data.

    The files are read when the tab is first opened, so the page itself doesn't
    wait for them.
    """

    def __init__(
        self, profile: Profile, folder: Path = FOLDER, data: Path = DATA, votes: VotesResults | None = None,
        admission: Admission | None = None,
    ) -> None:  # fmt: skip
        self.profile = profile
        self.folder = folder
        self.data = data
        self.votes = votes
        self.slice = OwnSlice(admission)
        self._same_for_all = lru_cache(maxsize=8)(self._of_board)

    # --- what is on the page -------------------------------------------------------------

    def build(self, tab: gr.Tab) -> None:
        """Lay out the tab inside the current Blocks; `tab` is the one that contains it."""
        heads = templates("leaderboard/board.html")
        self.error = html_slot("", "lb-error", "ml-slot")
        self.intro = html_slot('<p class="ml-quiet lb-reading">Reading the leaderboard.</p>', "lb-intro", "lb-slot")
        with gr.Column(visible=False, elem_classes="lb-body") as self.body:
            self.split = gr.Radio([], label="Questions", elem_id="lb-split", elem_classes="lb-pick")
            html_slot(controls_html(), "lb-controls", "lb-slot")
            self.table = html_slot("", "lb-means", "lb-slot")
            self.scatter = ChartSlot("lb-scatter")
            self.grades = ChartSlot("lb-grades")
            with gr.Column(elem_classes="lb-section") as self.trade:
                html_slot(heads.pair_head(), "lb-pair-head", "lb-slot")
                with gr.Row(elem_classes="lb-row"):
                    self.pair = gr.Dropdown([], label="Models", filterable=False, elem_id="lb-pair", min_width=240)
                self.differences = html_slot("", "lb-differences", "lb-slot")
                self.slice.build()
                html_slot(heads.quarters_head(), "lb-trade-head", "lb-slot")
                with gr.Row(elem_classes="lb-row"):
                    self.measure = gr.Radio([], label="Content by", elem_id="lb-measure", elem_classes="lb-pick")
                self.quarters = ChartSlot("lb-quarters")
            self.bleu = ChartSlot("lb-bleu")
        if self.votes:
            self.votes.build(tab)
        self.study = html_slot("", "lb-study", "lb-slot")
        with gr.Column(visible=False, elem_classes="lb-section") as self.browser:
            html_slot(heads.questions_head(), "lb-browser-head", "lb-slot")
            with gr.Row(elem_classes="lb-row"):
                self.source = gr.Dropdown([ALL], value=ALL, label="Source", filterable=False, elem_id="lb-source")
                self.qtype = gr.Dropdown([ALL], value=ALL, label="Type", filterable=False, elem_id="lb-qtype")
                self.order = gr.Dropdown(
                    [(name, key) for key, name in ORDERS.items()],
                    value=GRADE,
                    label="Order",
                    filterable=False,
                    elem_id="lb-order",
                )
            with gr.Row(elem_classes="lb-row lb-steps"):
                # The choice is checked here, not by Gradio: the choices change with the filter.
                self.question = gr.Dropdown(
                    [], label="Question", elem_id="lb-question", allow_custom_value=True, scale=3, min_width=240
                )
                self.previous = gr.Button("Previous", elem_id="lb-previous", elem_classes="ml-button", scale=0)
                self.next = gr.Button("Next", elem_id="lb-next", elem_classes="ml-button", scale=0)
            self.place = html_slot("", "lb-place", "lb-slot")
            self.answers = html_slot("", "lb-answers", "ml-grid-slot")
        self.provenance = html_slot("", "lb-provenance", "lb-slot")
        self._wire(tab)

    # --- what happens --------------------------------------------------------------------

    def _wire(self, tab: gr.Tab) -> None:
        picks = [self.split, self.pair, self.measure]
        shown = [self.split, self.source, self.qtype, self.order]
        everything = [
            self.error, self.intro, self.body, self.browser, self.study, self.provenance, self.table, self.trade,
            self.differences, *self.scatter.parts, *self.grades.parts, *self.quarters.parts, *self.bleu.parts,
            *picks, *shown[1:], self.question, self.place, self.answers, *self.slice.controls, self.slice.result,
        ]  # fmt: skip
        tab.select(self.open, self.split, everything, **LIGHT)
        self.split.input(self.open, self.split, everything, **LIGHT)
        of_pair = [self.measure, self.differences, *self.quarters.parts]
        self.pair.input(self.show_trade, picks, of_pair, **LIGHT)
        gr.on(
            [self.slice.run.click, self.slice.pattern.submit], self.show_slice,
            [self.split, self.pair, *self.slice.controls], self.slice.result, **LIGHT,
        )  # fmt: skip
        self.measure.input(self.show_trade, picks, of_pair, **LIGHT)
        browser = [self.question, self.place, self.answers]
        for choice in (self.source, self.qtype, self.order):
            choice.input(self.filter, shown, browser, **LIGHT)
        self.question.input(self.show, [*shown, self.question], browser, **LIGHT)
        self.previous.click(lambda *given: self.step(-1, *given), [*shown, self.question], browser, **LIGHT)
        self.next.click(lambda *given: self.step(1, *given), [*shown, self.question], browser, **LIGHT)

    def open(self, split: str | None) -> Update:
        """Return everything for a split (the first unless one is chosen), or what to do without a board."""
        try:
            view, reported = find_boards(self.profile.name, self.folder)
            if view is None:
                beside = study_html(reported, None, None) if reported else ""
                return {self.intro: empty_html(), self.study: beside, self.error: ""}
            split = split if split in view.splits else view.splits[0]
            return {**self._same_for_all(view, reported, split), **self._browser(view, split)}
        except MediLiteError as error:
            log.error("The board can't be shown: %s", error)
            return {self.error: notices.error_html(str(error)), self.intro: ""}

    def _of_board(self, view: View, reported: View | None, split: str) -> Update:
        """Return what every visitor sees of a split: made once, for it takes some 50 ms of a processor."""
        return {
            self.error: "",
            self.intro: intro_html(view, split, self.profile.name),
            self.split: gr.Radio(choices=[(split_label(view, name), name) for name in view.splits], value=split),
            self.body: gr.Column(visible=True),
            self.table: table_html(view, split) + kinds_html(view, split),
            **self.scatter.show(scatter(view, split)),
            **self.grades.show(grades(view, split)),
            **self._trade(view, split, None, None),
            **self.bleu.show(bleu(view, split)),
            self.study: study_html(reported, view, split) if reported else "",
            self.provenance: provenance_html(view),
        }

    def show_trade(self, split: str, pair: str, measure: str) -> Update:
        """Return the differences and the plot of the quarters for the chosen pair and measure."""
        view = self._view()
        if view is None or split not in view.splits or not pairs(view, split):
            return gr.skip()
        return self._trade(view, split, pair, measure, chosen=True)

    def show_slice(self, split: str, pair: str, *given: Any) -> Any:
        """Return what the two models differ in on the questions that are chosen."""
        view = self._view()
        known = {f"{one}|{other}": (one, other) for one, other in pairs(view, split)} if view else {}
        if view is None or pair not in known:
            return gr.skip()
        return self.slice.show(view, split, known[pair], self.data, *given)

    def filter(self, split: str, source: str, qtype: str, order: str) -> Update:
        """Return the filtered questions, and show the first of them."""
        return self.show(split, source, qtype, order, None)

    def show(self, split: str, source: str, qtype: str, order: str, qid: str | None, by: int = 0) -> Update:
        """Return a question's answers, `by` places from it in the list; the first one's if it isn't in the list."""
        view = self._view()
        if view is None or split not in view.splits:
            return gr.skip()
        order = order if order in ORDERS else GRADE
        texts, missing = texts_of(view, split, self.data)
        found = listed(view, split, source, qtype, order)
        places = {one.qid: i for i, one in enumerate(found)}
        at = (places[qid] + by) % len(found) if qid in places else 0
        dropdown = gr.Dropdown(
            choices=listing(view, split, source, qtype, order, texts),
            value=found[at].qid if found else None,
        )
        if not found:
            nothing = '<p class="ml-quiet">No question has both this source and this type.</p>'
            return {self.question: dropdown, self.place: nothing, self.answers: ""}
        comparison = comparison_of(view, self.profile, found[at].qid, texts, at + 1)
        return {
            self.question: dropdown,
            self.place: _place_html(view, found, at, order, texts, missing),
            self.answers: grid_html(comparison),
        }

    def step(self, by: int, split: str, source: str, qtype: str, order: str, qid: str | None) -> Update:
        """Return the question before or after the visible one."""
        return self.show(split, source, qtype, order, qid, by)

    def _view(self) -> View | None:
        try:
            return find_boards(self.profile.name, self.folder)[0]
        except MediLiteError:
            # Its error was shown when the tab was opened.
            return None

    def _trade(self, view: View, split: str, pair: str | None, measure: str | None, *, chosen: bool = False) -> Update:
        """Return two models' differences and quarters; `chosen`: a person made these choices, so they stay."""
        known = {f"{one}|{other}": (one, other) for one, other in pairs(view, split)}
        if not known:
            return {self.trade: gr.Column(visible=False)}
        key = pair if pair in known else next(iter(known))
        by = measures(view, split, known[key])
        one = measure if measure in by else by[0]
        update: Update = {
            self.measure: gr.Radio(choices=[(MEASURES[key], key) for key in by], value=one),
            self.differences: differences_html(view, split, known[key]),
            **self.quarters.show(quarters(view, split, known[key], one)),
        }
        if chosen:
            return update
        dropdown = gr.Dropdown(choices=[(pair_label(view, pair), key) for key, pair in known.items()], value=key)
        return {**update, self.pair: dropdown, self.trade: gr.Column(visible=True)}

    def _browser(self, view: View, split: str) -> Update:
        return {
            self.browser: gr.Column(visible=True),
            self.source: gr.Dropdown(choices=choices(view, split, "source"), value=ALL),
            self.qtype: gr.Dropdown(choices=choices(view, split, "qtype"), value=ALL),
            self.order: GRADE,
            **self.filter(split, ALL, ALL, GRADE),
            **self.slice.opened(
                choices(view, split, "source"),
                choices(view, split, "qtype"),
                max(view.questions[split]["reference_words"], default=0),
                bool(texts_of(view, split, self.data)[0]),
            ),
        }


def _place_html(view: View, found: list[Listed], at: int, order: str, texts: dict[str, Text], missing: str) -> Markup:
    """Return a question's place in the list, its source and type, and its references if available."""
    one = found[at]
    line = [f"{at + 1:,} of {len(found):,}", one.source, one.qtype or "no type", one.qid]
    references = texts[one.qid].references if one.qid in texts else ()
    return templates("leaderboard/board.html").place(line, missing, references)
