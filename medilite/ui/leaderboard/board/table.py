"""The leaderboard's table: every number with its interval and rank; sorted and searched in the browser.

All columns are in the HTML; which of them show, in which order the rows stand,
and what the search finds is the page's doing (assets/style/leaderboard.js).
"""

from __future__ import annotations

from html import escape

from medilite.models import ModelSpec
from medilite.ui.compare.cards import name_html
from medilite.ui.leaderboard.board.view import GROUPS, Cell, Column, View, count_text
from medilite.ui.page.words import interval_text, number_word

_BETTER = {"lower": ("↓", "lower is better"), "higher": ("↑", "higher is better")}
TRAINED = "◆"


def controls_html() -> str:
    """Return the search field and the choice of columns."""
    choices = "".join(
        f'<label class="lb-choice"><input type="radio" name="lb-group" value="{key}"'
        f"{' checked' if key == 'overview' else ''}><span>{escape(label)}</span></label>"
        for key, label in GROUPS.items()
    )
    return (
        '<div class="lb-controls"><label class="lb-search"><span class="ml-hidden">Search models and metrics</span>'
        '<input type="search" id="lb-search" placeholder="Search models and metrics" autocomplete="off" '
        'spellcheck="false"></label>'
        f'<fieldset class="lb-groups"><legend class="ml-hidden">Columns</legend>{choices}</fieldset></div>'
    )


def table_html(view: View, split: str) -> str:
    """Return the table of one split."""
    head = "".join(_head(column) for column in view.columns)
    rows = "".join(_row(view, split, spec) for spec in view.models)
    questions = next(one["questions"] for one in view.about["splits"] if one["name"] == split)
    return (
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Leaderboard">'
        f'<table class="lb-table" id="lb-table" data-show="overview" data-split="{escape(split)}">'
        f'<caption class="ml-hidden">Means over {questions:,} questions with 95 % intervals</caption>'
        '<thead><tr><th scope="col" class="lb-model" aria-sort="none">'
        '<button type="button" class="lb-sort" data-sort="">Model</button></th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        '<p class="lb-nothing ml-quiet" hidden>Nothing here has that name.</p></div>'
        f"{_legend(view)}"
    )


def _head(column: Column) -> str:
    sign, words = _BETTER.get(column.better or "", ("", ""))
    arrow = f'<span class="lb-arrow" aria-hidden="true">{sign}</span>' if sign else ""
    spoken = f'<span class="ml-hidden">, {words}</span>' if words else ""
    mark = trained_html(column) if column.trained_on else ""
    tip = f"{column.explanation}{f' {words.capitalize()}.' if words else ''} Unit: {column.unit}."
    return (
        f'<th scope="col" class="lb-num" aria-sort="none" {_attributes(column)}>'
        f'<button type="button" class="lb-sort" data-sort="{escape(column.key)}" '
        f'data-better="{column.better or "higher"}" data-tip="{escape(tip)}">'
        f"{escape(column.label)}{arrow}{spoken}</button>{mark}"
        f'<span class="ml-unit">{escape(column.unit)}</span></th>'
    )


def trained_html(column: Column) -> str:
    """Return the mark of a metric that a reward trained for."""
    return (
        f'<span class="lb-trained"><span aria-hidden="true">{TRAINED}</span><span class="ml-hidden"> trained for this'
        f" ({escape(', '.join(column.trained_on))})</span></span>"
    )


def _attributes(column: Column) -> str:
    return f'data-key="{escape(column.key)}" data-groups="{" ".join(column.groups)}" data-name="{escape(column.label)}"'


def _row(view: View, split: str, spec: ModelSpec) -> str:
    answered = view.answered(split, spec.id)
    has = count_text(answered) if answered.n else "no answers"
    cells = "".join(_cell_html(column, view.cell(split, spec.id, column.key), spec) for column in view.columns)
    return (
        f'<tr data-model="{escape(spec.id)}" data-name="{escape(f"{spec.label} {spec.id}")}">'
        f'<th scope="row" class="lb-model">{name_html(spec)}<span class="lb-n">{has}</span></th>{cells}</tr>'
    )


def _cell_html(column: Column, cell: Cell, spec: ModelSpec) -> str:
    trained = " lb-cell-trained" if spec.id in column.trained_on else ""
    value = "" if cell.value is None else f' data-value="{cell.value!r}"'
    rank = ""
    if cell.rank is not None:
        rank = f'<span class="lb-rank{" lb-first" if cell.rank == 1 else ""}" data-tip="{_rank_tip(cell)}">'
        rank += f'<span class="ml-hidden">rank </span>{cell.rank}</span>'
    # How many were scored stands under every number that is not there for all.
    below = {"lb-interval": interval_text(cell, column.digits), "lb-n": count_text(cell) if cell.n != cell.of else ""}
    lines = "".join(f'<span class="{name}">{text}</span>' for name, text in below.items() if text)
    return (
        f'<td class="lb-num{trained}" {_attributes(column)}{value}>'
        f'<span class="lb-value">{rank}<span class="lb-mean">{column.text(cell.value)}</span></span>{lines}</td>'
    )


def _rank_tip(cell: Cell) -> str:
    better = (cell.rank or 1) - 1
    if not better:
        return "No model’s interval lies wholly on the better side."
    verb = "model’s interval lies" if better == 1 else "models’ intervals lie"
    return f"{number_word(better).capitalize()} {verb} wholly on the better side."


def _legend(view: View) -> str:
    trained = sorted({model for column in view.columns for model in column.trained_on})
    labels = ", ".join(spec.label for spec in view.models if spec.id in trained)
    mark = (
        f' <span class="lb-trained" aria-hidden="true">{TRAINED}</span> {escape(labels)} was rewarded for this in '
        "training: it was told to be good at this, so a gain there says less than one elsewhere."
        if trained
        else ""
    )
    return (
        '<p class="ml-fine lb-legend">Means over questions. Below each, the 95 % interval (bootstrap over questions), '
        "and how many of the questions were scored where it isn’t all. ↓ lower is better, ↑ higher is better. The "
        "small number is the rank: models whose intervals overlap share one, so ranks can skip."
        f"{mark}</p>"
    )
