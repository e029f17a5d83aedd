"""The part of the tab Leaderboard with the results of the votes, which are read when the tab is first opened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gradio as gr

from medilite.arena.results import LiveResults
from medilite.errors import MediLiteError
from medilite.leaderboard import FOLDER
from medilite.models import Profile
from medilite.ui.leaderboard.board.view import View, find_boards
from medilite.ui.leaderboard.chart_slot import ChartSlot
from medilite.ui.leaderboard.votes.agreement import agreement_html
from medilite.ui.leaderboard.votes.apart import apart_html
from medilite.ui.leaderboard.votes.downloads import downloads_html
from medilite.ui.leaderboard.votes.equal import equal_html
from medilite.ui.leaderboard.votes.intro import counts_html, empty_html, intro_html, same_answers_html
from medilite.ui.leaderboard.votes.matrix import matrix
from medilite.ui.leaderboard.votes.mirror import mirror_html
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.leaderboard.votes.ratings import ratings, ratings_html, trust_html
from medilite.ui.leaderboard.votes.timeline import timeline
from medilite.ui.page import notices
from medilite.ui.page.controls import LIGHT, html_slot

EVERY_S = 30.0
"""How often an open tab checks for new votes."""

Update = dict[Any, Any]


class VotesResults:
    """Builds the part and answers its events; it holds no visitor's data."""

    def __init__(self, profile: Profile, results: LiveResults, boards: Path = FOLDER) -> None:
        self.profile = profile
        self.results = results
        self.boards = boards

    def build(self, tab: gr.Tab) -> None:
        """Lay out the part inside the current Blocks; `tab` is the one that contains it."""
        self.error = html_slot("", "votes-error", "ml-slot")
        with gr.Column(elem_classes="lb-section vb-results"):
            self.intro = html_slot('<p class="ml-quiet">Reading the votes.</p>', "votes-intro", "lb-slot")
            self.ratings = ChartSlot("votes-ratings")
            self.models = html_slot("", "votes-models", "lb-slot")
            self.matrix = ChartSlot("votes-matrix")
            self.agreement = html_slot("", "votes-agreement", "lb-slot")
            self.timeline = ChartSlot("votes-timeline")
            self.counts = html_slot("", "votes-counts", "lb-slot")
        self.mirror = html_slot("", "votes-mirror", "ml-slot")
        seen = gr.State(0.0)
        timer = gr.Timer(EVERY_S, active=False)
        charts = [*self.ratings.parts, *self.matrix.parts, *self.timeline.parts]
        texts = [self.error, self.intro, self.models, self.agreement, self.counts, self.mirror]
        everything = [*texts, *charts, seen, timer]

        def look(at: float) -> Update:
            return {**self.show(at, seen), **self.show_mirror()}

        tab.select(lambda at: {**look(at), timer: gr.Timer(active=True)}, seen, everything, **LIGHT)
        timer.tick(look, seen, everything, **LIGHT)

    def show(self, seen_at: float, seen: gr.State) -> Update:
        """Return the results, or nothing if the page has them already; after a failure the page keeps what it shows."""
        try:
            results = self.results.get()
            if results is not None and results.at == seen_at:
                return {self.error: ""}
            board = self._board()
        except MediLiteError as error:
            message = notices.error_html(f"The votes can't be shown at the moment. {error}")
            return {self.error: message, **({} if seen_at else {self.intro: ""})}
        if results is None or not results.counts.given:
            return {self.error: "", self.intro: empty_html(), seen: 0.0}
        names = Names(self.profile, results)
        return {
            self.error: "",
            self.intro: intro_html(results),
            **self.ratings.show(ratings(results, names)),
            self.models: ratings_html(results, names)
            + trust_html(results, names)
            + apart_html(results, names)
            + equal_html(results, names),
            **self.matrix.show(matrix(results, names)),
            self.agreement: agreement_html(results, board),
            **self.timeline.show(timeline(results)),
            self.counts: counts_html(results) + same_answers_html(results, names) + downloads_html(),
            seen: results.at,
        }

    def show_mirror(self) -> Update:
        """Return how old the votes' mirror is; a database that can't be reached is reported above."""
        try:
            return {self.mirror: mirror_html(self.results.settings, self.results.mirror(), time.time())}
        except MediLiteError:
            return {}

    def _board(self) -> View | None:
        """Return the measured board of this profile; another's says nothing about these votes."""
        try:
            board, _ = find_boards(self.profile.name, self.boards)
        except MediLiteError:
            # The tab itself reports a broken board.
            return None
        return board if board and board.about["profile"] == self.profile.name else None
