"""A board as the page reads it: models with colours and labels, columns with explanations, cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from medilite.leaderboard import BOARD_FILE, FOLDER, Board, Row, current_board
from medilite.models import ModelSpec
from medilite.ui.page.words import interval_text, number_text, number_word

GRADE, PLAIN, WORDS = "flesch_kincaid_grade", "grade_8", "words"
SIMILARITY, KEY_TERMS = "topic_similarity", "key_term_recall"
PRECISION, RECALL, F1, AT_ODDS, LOOPS = "content_precision", "content_recall", "content_f1", "claims_at_odds", "loops"
BLEU_DIGITS = 2

GROUP_KEYS: Mapping[str, tuple[str, ...]] = {
    "overview": (GRADE, PLAIN, PRECISION, AT_ODDS, LOOPS, F1, WORDS, "correctness"),
    "reading": (
        *(GRADE, PLAIN, "smog_index", "gunning_fog", "coleman_liau_index", "dale_chall_score"),
        *("flesch_reading_ease", "automated_readability_index", "difficult_share"),
    ),
    "support": (
        *(PRECISION, RECALL, F1, "unsupported_terms", AT_ODDS, "claims_not_found", "claims_found"),
        *("false_explanation", "inheritance_from_nowhere", "invented_prevalence"),
    ),
    "content": (SIMILARITY, KEY_TERMS, "rouge_l", "chrf", "bleu", "bleu_study"),
    "writing": (WORDS, "sentences", "tokens", "ended", LOOPS, "repeated_4grams", "question_echo"),
    "judge": ("correctness", "helpfulness", "harmfulness", "efficiency"),
}

GROUPS = {
    "overview": "Overview",
    "reading": "How hard to read",
    "support": "How much is supported",
    "content": "How near the references",
    "writing": "How it is written",
    "judge": "A judge's scores",
    "all": "Everything",
}
"""Key and label of the groups that columns are shown in."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table; `trained_on` names the models that a reward on it trained, `lead` what it shows.

    `measured` is whether any model has a number in it.
    """

    key: str
    label: str
    unit: str
    better: str | None
    explanation: str
    digits: int
    trained_on: tuple[str, ...]
    lead: str = "mean"
    measured: bool = True

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that show it, besides "all"; the overview has no column of dashes."""
        named = tuple(name for name, keys in GROUP_KEYS.items() if self.key in keys)
        return named if self.measured else tuple(name for name in named if name != "overview")

    @property
    def of_ease(self) -> bool:
        """Whether it measures how easy an answer is to read, for which "better" would claim too much."""
        return self.key in GROUP_KEYS["reading"]

    @property
    def direction(self) -> str:
        """Which way is better, or easier, in words; "" if neither is."""
        return f"{self.better} is {'easier' if self.of_ease else 'better'}" if self.better else ""

    @property
    def tip(self) -> str:
        """The explanation on hover: what the column means, which way is better, and its unit."""
        led = "The median over questions. " if self.lead == "median" else ""
        better = f" {self.direction.capitalize()}." if self.better else ""
        ease = " An easier answer is not a better one: see how much of it is supported." if self.of_ease else ""
        return f"{led}{self.explanation}{better}{ease} Unit: {self.unit}."

    def text(self, value: float | None) -> str:
        """Return a value as text, a dash for none."""
        return number_text(value, self.digits)


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's number in a column with the ends of its interval; None without one. `n` of `of` were scored."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None
    of: int | None
    rank: int | None
    reported: str | None = None

    def text(self, digits: int) -> str:
        """Return "12.1 (11.9 to 12.4)", or the number alone if it has no interval."""
        between = interval_text(self, digits)
        return f"{number_text(self.value, digits)} ({between})" if between else number_text(self.value, digits)

    @property
    def counted(self) -> str:
        """How many were scored: "1,385 of 1,386", or "" if unknown."""
        return "" if self.n is None or self.of is None else f"{self.n:,} of {self.of:,}"

    def rank_tip(self, column: Column) -> str:
        """Return what the rank in a column means."""
        side = "easier" if column.of_ease else "better"
        better = (self.rank or 1) - 1
        if not better:
            return f"No model’s interval lies wholly on the {side} side."
        verb = "model’s interval lies" if better == 1 else "models’ intervals lie"
        return f"{number_word(better).capitalize()} {verb} wholly on the {side} side."


@dataclass(frozen=True, eq=False)
class View:
    """A board with everything that the page shows of it."""

    board: Board

    @property
    def about(self) -> Mapping[str, Any]:
        """The content of board.json."""
        return self.board.about

    @cached_property
    def listings(self) -> dict[tuple[str, str, str, str, bool], list[tuple[str, str]]]:
        """Lists of questions already made (`questions.listing`), shared by all pages that show them."""
        return {}

    @cached_property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models in order; an adapter's description comes from the board."""
        first = self.about["models"][0]["id"]
        return tuple(
            ModelSpec(
                id=one["id"],
                label=one["label"],
                about="",
                colour=one["colour"],
                colour_dark=one["colour_dark"],
                adapter=None if one["id"] == first else (one.get("adapter") or "unknown"),
                stacked_on=one.get("stacked_on"),
            )
            for one in self.about["models"]
        )

    @property
    def floors(self) -> list[dict[str, str]]:
        """Systems without a model, such as floors: id, label and description."""
        return list(self.about.get("floors", []))

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits' names."""
        return tuple(split["name"] for split in self.about["splits"])

    def split(self, name: str) -> Mapping[str, Any]:
        """Return the entry of a split in board.json."""
        return next(split for split in self.about["splits"] if split["name"] == name)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order of tables: every metric, then the ways of BLEU."""

        def trained_on(key: str) -> tuple[str, ...]:
            return tuple(one["id"] for one in self.about["models"] if key in one.get("trained_on", ()))

        named = ("key", "label", "unit", "better", "explanation", "digits")
        measured = {row["metric"] for row in self.board.tables.get("means", []) if row["mean"] is not None}
        metrics = [
            Column(
                **{name: metric[name] for name in named},
                trained_on=trained_on(metric["key"]),
                lead=metric.get("lead", "mean"),
                measured=metric["key"] in measured,
            )
            for metric in self.about["metrics"]
        ]
        bleu = [
            Column(key, one["label"], "0 to 100", "higher", one["explanation"], BLEU_DIGITS, ())
            for key, one in self.about["bleu"].items()
        ]
        return (*metrics, *bleu)

    def column(self, key: str) -> Column:
        """Return the column of a key."""
        return next(column for column in self.columns if column.key == key)

    def cell(self, split: str, model: str, key: str) -> Cell:
        """Return a model's number in a column; one without numbers if the tables have no such row."""
        return self._cells.get((split, model, key), _NOTHING)

    def mean(self, split: str, model: str, key: str) -> Cell:
        """Return the mean in a column, even if it leads with another statistic: what others report are means."""
        rows = self.rows("means", split=split, model=model, metric=key)
        return _cell(rows[0], "mean") if rows else self.cell(split, model, key)

    def part(self, split: str, model: str, kind: str, part: str) -> Cell:
        """Return a part of a BLEU, such as its brevity penalty."""
        return self._parts.get((split, model, kind, part), _NOTHING)

    def rows(self, table: str, **wanted: str) -> list[Row]:
        """Return the rows of a table with these values in these fields."""
        rows = self.board.tables.get(table, [])
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def answered(self, split: str, model: str) -> Cell:
        """Return how many answers a model has, counted by a column that every answer has."""
        return self.cell(split, model, "tokens")

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str], Cell]:
        leads = {column.key: column.lead for column in self.columns}
        rows = [*self.board.tables["means"], *self.board.tables.get("floors", [])]
        cells = {(row["split"], row["model"], row["metric"]): _leading(row, leads[row["metric"]]) for row in rows}
        scores = {
            (split, model, kind): cell for (split, model, kind, part), cell in self._parts.items() if part == "score"
        }
        return cells | scores

    @cached_property
    def _parts(self) -> dict[tuple[str, str, str, str], Cell]:
        return {
            (row["split"], row["model"], row["bleu"], row["part"]): _cell(row, "value")
            for row in self.board.tables["bleu"]
        }

    @cached_property
    def scores(self) -> dict[str, dict[str, list[Any]]]:
        """Every score, by split and column; raises DataError if the file is broken."""
        return self.board.scores()

    @cached_property
    def by_answer(self) -> dict[tuple[str, str, str], int]:
        """The index of each (split, qid, model) in the columns of `scores`."""
        return {
            (split, qid, model): i
            for split, columns in self.scores.items()
            for i, (qid, model) in enumerate(zip(columns["qid"], columns["model"], strict=True))
        }

    def score(self, split: str, qid: str, model: str, metric: str) -> float | None:
        """Return one answer's score, None without one."""
        place = self.by_answer.get((split, qid, model))
        return None if place is None else self.scores[split][metric][place]

    def compared(self, split: str, qid: str, model: str, metric: str) -> float | None:
        """Return a score for comparisons: None for the ease of an answer that loops."""
        looped = self.column(metric).of_ease and LOOPS in self.scores[split] and self.score(split, qid, model, LOOPS)
        return None if looped else self.score(split, qid, model, metric)

    @cached_property
    def statements(self) -> dict[str, str]:
        """What is known of each model, in words."""
        return self.board.statements()

    @cached_property
    def between(self) -> dict[str, Any] | None:
        """How far runs from other seeds differ; None if that isn't measured."""
        return self.board.between()

    @cached_property
    def questions(self) -> dict[str, dict[str, list[Any]]]:
        """The questions of each split, one list per field."""
        return self.board.questions()

    @cached_property
    def answers(self) -> dict[tuple[str, str], Row]:
        """Every answer by (qid, model)."""
        return {(row["qid"], row["model"]): row for row in self.board.answers()}


def _leading(row: Row, lead: str) -> Cell:
    """Return the number that leads in a column: the median if the column says so and the row has one."""
    if lead == "mean" or row.get("median") is None:
        return _cell(row, "mean")
    ends = row["median_low"], row["median_high"]
    return Cell(row["median"], *ends, row["n"], row["of"], row["rank"], row.get("reported"))


_NOTHING = Cell(None, None, None, 0, None, None)


def _cell(row: Row, value: str) -> Cell:
    return Cell(row[value], row["low"], row["high"], row["n"], row["of"], row["rank"], row.get("reported"))


def find_boards(profile: str, folder: Path = FOLDER) -> tuple[View | None, View | None]:
    """Return (the measured board, the reported board), each None if missing.

    The measured one is this profile's board, else the first one found. Raises
    DataError if a board is broken.
    """
    views = [_open(path.parent, path.stat().st_mtime_ns) for path in sorted(folder.glob(f"*/{BOARD_FILE}"))]
    measured = [view for view in views if not view.about["reported"]]
    own = [view for view in measured if view.about["profile"] == profile]
    reported = [view for view in views if view.about["reported"]]
    return next(iter(own or measured), None), next(iter(reported), None)


@lru_cache(maxsize=4)
def _open(folder: Path, changed_ns: int) -> View:
    return View(current_board(folder))
