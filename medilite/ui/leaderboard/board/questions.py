"""Single questions of a board: chosen by source and type, those on which models differ most first.

The questions' text is MedQuAD's and not part of a board. If the data is on this
machine it is joined by `qid`; otherwise the answers are listed under the qid alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from medilite.data import FOLDERS, data_fingerprint, load_split, question_key
from medilite.errors import DataError
from medilite.models import ROOT, Profile
from medilite.records import Decoding
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.leaderboard.board.view import GRADE, PRECISION, RECALL, WORDS, View
from medilite.ui.page.words import number_text

DATA = ROOT / "data" / "medquad"

ALL = "All"

ORDERS = {
    GRADE: "Largest disagreement: grade",
    RECALL: "Largest disagreement: content said",
    PRECISION: "Largest disagreement: supported content",
    WORDS: "Largest disagreement: length",
    "": "As in the split",
}
"""The metrics that can order the questions, by their spread over the models; and their labels."""

LABEL_CHARS = 110


@dataclass(frozen=True, slots=True)
class Text:
    """MedQuAD's question and its references."""

    question: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One question of a list, with how far apart the models are on it (None: unknown)."""

    qid: str
    source: str
    qtype: str
    spread: float | None


def choices(view: View, split: str, field: str) -> list[str]:
    """Return the values of "source" or "qtype" with "All" before them."""
    return [ALL, *sorted({value for value in view.questions[split][field] if value})]


def listed(view: View, split: str, source: str = ALL, qtype: str = ALL, order: str = GRADE) -> list[Listed]:
    """Return the questions of that source and type, by how far apart the models' answers are in `order`.

    The spread is the highest minus the lowest score. Equal spreads, and
    questions with fewer than two scores (last), stay in the split's order.
    """
    columns = view.questions[split]
    found = [
        Listed(qid, of, kind, spread(view, split, qid, order) if order else None)
        for qid, of, kind in zip(columns["qid"], columns["source"], columns["qtype"], strict=True)
        if source in (ALL, of) and qtype in (ALL, kind)
    ]
    return sorted(found, key=lambda one: -1.0 if one.spread is None else one.spread, reverse=True) if order else found


def spread(view: View, split: str, qid: str, metric: str) -> float | None:
    """Return how far apart the models' scores on a question are, by `View.compared`; None with fewer than two."""
    scores = [view.compared(split, qid, spec.id, metric) for spec in view.models]
    known = [score for score in scores if score is not None]
    return max(known) - min(known) if len(known) > 1 else None


def label(view: View, one: Listed, order: str, texts: dict[str, Text]) -> str:
    """Return a question's line in the list: its text or qid, and how far apart the models are."""
    name = texts[one.qid].question if one.qid in texts else f"{one.qid} ({one.qtype or 'no type'})"
    if len(name) > LABEL_CHARS:
        name = f"{name[:LABEL_CHARS]}…"
    if not order:
        return name
    column = view.column(order)
    apart = "no spread" if one.spread is None else f"{number_text(one.spread, column.digits)} apart"
    return f"{name} · {apart}"


def listing(
    view: View, split: str, source: str, qtype: str, order: str, texts: dict[str, Text]
) -> list[tuple[str, str]]:
    """Return the questions of `listed` as (label, qid), the same list for every visitor."""
    key = (split, source, qtype, order, bool(texts))
    if key not in view.listings:
        view.listings[key] = [
            (label(view, one, order, texts), one.qid) for one in listed(view, split, source, qtype, order)
        ]
    return view.listings[key]


def comparison_of(view: View, profile: Profile, qid: str, texts: dict[str, Text], number: int) -> Comparison:
    """Return a question's answers as a comparison of the tab Compare, scored and marked."""
    setup = view.about["provenance"]["setup"]
    comparison = Comparison(
        question=texts[qid].question if qid in texts else qid,
        profile=profile,
        decoding=Decoding(**setup["decoding"]),
        seed=setup["seed"],
        panes=[Pane(spec) for spec in view.models],
        run=number,
    )
    for pane in comparison.panes:
        if answer := view.answers.get((qid, pane.spec.id)):
            pane.text, pane.tokens = answer["text"], answer["tokens"]
            pane.finish(answer["stopped"])
        else:
            pane.finish("error", "This model has no answer to this question on the board.")
    return comparison


def texts_of(view: View, split: str, data: Path = DATA) -> tuple[dict[str, Text], str]:
    """Return (texts by qid, ""), or ({}, the reason why there are none)."""
    wanted = view.about["provenance"]["setup"]["data"]
    try:
        here = data_fingerprint(data, split.partition("/")[0])
        if here != wanted:
            return {}, (
                f"The data here has the fingerprint {here[:12]}…, the board was made with {wanted[:12]}…: "
                "prepare the same source to see the questions’ text."
            )
        return _texts(data, split, here), ""
    except DataError:
        return {}, (
            "The questions’ text is MedQuAD’s and not part of this repository, so answers are listed under the "
            "question’s id. Prepare the data (make data) and open this again to read the questions and references."
        )


@lru_cache(maxsize=4)
def _texts(data: Path, split: str, fingerprint: str) -> dict[str, Text]:
    """Return the texts of a split's questions by the qid of their first row, as eval.questions groups them."""
    set_name, _, name = split.partition("/")
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for example in load_split(data / FOLDERS[set_name], name):
        key = question_key(example.question) if set_name != "study" else example.question
        rows.setdefault(key, []).append((example.qid, example.question, example.answer))
    return {
        same[0][0]: Text(same[0][1], tuple(dict.fromkeys(answer for _, _, answer in same))) for same in rows.values()
    }
