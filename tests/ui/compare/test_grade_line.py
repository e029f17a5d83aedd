"""The plot of the grades, as a picture and in words."""

from __future__ import annotations

import re

import pytest

from medilite.ui.compare.comparison import Pane
from medilite.ui.compare.grade_line import plot_html
from tests.ui.html import read


class Scored:
    def __init__(self, grade: float | None) -> None:
        self.flesch_kincaid_grade = grade


def pane(lite, model: str, grade: float | None) -> Pane:
    made = Pane(lite.get(model), "text", 1, "end")
    made.scores = Scored(grade)  # type: ignore[assignment]
    return made


def left(row) -> float:
    return float(re.search(r"left:([\d.]+)%", row.one("span", "ml-point").attributes["style"])[1])


@pytest.mark.parametrize(
    ("grade", "at", "number"),
    [(0.0, 0.0, "0.0"), (9.0, 50.0, "9.0"), (18.0, 100.0, "18.0"), (25.04, 100.0, "25.0"), (-3.2, 0.0, "−3.2")],
)
def test_a_grade_stands_at_its_place(lite, grade, at, number):
    row = read(plot_html([pane(lite, "base", grade)])).one("div", "ml-plot-row")
    assert left(row) == pytest.approx(at)
    assert row.one("span", "ml-plot-number").text == number


def test_the_recommended_band_is_marked(lite):
    figure = read(plot_html([pane(lite, "base", 7.0)])).one("figure")
    # Grades 6 and 8 on an axis from 0 to 18.
    assert figure.attributes["style"] == "--from:33.33%;--to:44.44%"
    assert "6th grade to 8th grade" in figure.one("figcaption").text


def test_it_says_the_same_in_words(lite):
    body = read(plot_html([pane(lite, "base", 12.34), pane(lite, "grpo", None)])).one("div", "ml-plot-body")
    assert body.attributes["role"] == "img"
    assert body.attributes["aria-label"] == (
        "Grades: Base 12.3 (12th grade), GRPO no grade. Recommended for patients: 6th grade to 8th grade."
    )


def test_rows_are_there_before_the_grades(lite):
    before = read(plot_html([Pane(spec) for spec in lite.models]))
    assert len(before.all("div", "ml-plot-row")) == 6
    assert not before.all("span", "ml-point")
    assert {e.text for e in before.all("span", "ml-plot-number")} == {"…"}
    assert before.one("div", "ml-plot-body").attributes["aria-label"] == "No grades yet."


def test_the_axis_says_that_its_end_holds_what_lies_beyond() -> None:
    assert ">18+</span>" in plot_html([], asked=False)
