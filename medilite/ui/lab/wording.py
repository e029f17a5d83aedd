"""Asked otherwise: the same question in other words, and how much each model's answer changes with them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from medilite.lab.wordings import LABELS, Wording, wordings
from medilite.models import ModelSpec
from medilite.records import SHOWN_DECODING
from medilite.safety import emergency_notice
from medilite.textdiff import similarity
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.html import Markup, templates
from medilite.ui.lab.view import Shown, View, Work, cards_html
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot
from medilite.ui.page.words import number_text

TEMPLATE = "lab/wording.html"


class WordingView(View):
    """Asks the question as it is, and as each rule words it."""

    key, label, verb = "wording", "Asked otherwise", "Ask in other words"
    about = (
        "Does it matter how one asks? The same question again with typos, in lay words, as a learner of English might "
        "put it, and in clinical words, made by fixed rules and not by a model. The meaning stays, so an answer that "
        "changes much changes because of the wording."
    )

    def build_result(self) -> None:
        """Lay out the table and the answers."""
        self.result = html_slot(templates(TEMPLATE).empty(), "lab-wordings", "ml-slot")

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result]

    def work(self, work: Work) -> Iterator[Shown]:
        """Ask in one wording after another, all models at once."""
        asked = [Asked("As you asked", work.question), *map(Asked.otherwise, wordings(work.question))]
        specs = work.profile.models
        done: list[tuple[Asked, Comparison]] = []
        for number, one in enumerate(asked):
            run = Comparison.of(one.text, work.profile, specs, SHOWN_DECODING, 0)
            for stage in work.ask(run.requests(work.visitor), run.advance):
                yield Shown(stage, f"{number} of {len(asked)} wordings answered")
            run.cancel()
            done.append((one, run))
            yield Shown(Stage("writing"), "", {self.result: wordings_html(done, asked, specs)})
            if work.stop.is_set():
                return


@dataclass(frozen=True, slots=True)
class Asked:
    """One wording, and how many edits were left out so that the emergency notice stays."""

    label: str
    text: str
    kept: int = 0

    @classmethod
    def otherwise(cls, wording: Wording) -> Asked:
        """Return a wording of the rules."""
        return cls(LABELS[wording.kind], wording.text, wording.kept)

    @property
    def emergency(self) -> bool:
        """Whether it gets the emergency notice."""
        return emergency_notice(self.text) is not None


def wordings_html(
    done: Sequence[tuple[Asked, Comparison]], asked: Sequence[Asked], specs: Sequence[ModelSpec]
) -> Markup:
    """Return the wordings, the table of what changed, and the answers as far as they are here."""
    rows = [(spec, *_row([run.panes[place] for _, run in done])) for place, spec in enumerate(specs)]
    folds = [(one.label, cards_html(run, f"-wording-{number}", one.text)) for number, (one, run) in enumerate(done)]
    unchanged = [label for label in LABELS.values() if label not in {one.label for one in asked}]
    return templates(TEMPLATE).all(asked, [one.label for one, _ in done], rows, folds, unchanged)


def _row(panes: Sequence[Pane]) -> tuple[list[tuple[str, str]], str, str]:
    """Return of one model: (grade, share of words kept) by wording, the spread of grades, the mean share kept."""
    cells, grades, shares = [], [], []
    for pane in panes:
        grade = pane.scores.flesch_kincaid_grade if pane.scores else None
        share = None if pane is panes[0] else similarity(panes[0].text, pane.text)
        if grade is not None:
            grades.append(float(grade))
        if share is not None:
            shares.append(share)
        kept = "" if pane is panes[0] else "–" if share is None else f"{100 * share:.0f} % kept"
        cells.append((number_text(grade, 1), kept))
    spread = number_text(max(grades) - min(grades), 1) if len(grades) > 1 else "–"
    return cells, spread, f"{100 * statistics.fmean(shares):.0f} %" if shares else "–"
