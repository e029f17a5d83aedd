"""The leaderboard's plots: what is drawn is what was measured, a table says the same, and names are data."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest

from medilite.arena.records import Contestant
from medilite.leaderboard import Board
from medilite.ui.html import templates
from medilite.ui.leaderboard.board import bleu, grades, quarters, scatter
from medilite.ui.leaderboard.board.view import GRADE, RECALL, View, find_boards
from medilite.ui.leaderboard.chart import SYMBOLS, dark_theme_css, figure
from medilite.ui.leaderboard.votes.matrix import matrix
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.leaderboard.votes.ratings import ratings
from medilite.ui.leaderboard.votes.timeline import timeline
from medilite.ui.page.words import number_text
from tests.ui.html import read

SPLIT = "study/test"
ANSWERING = ["Base", "SFT r8 low", "SFT r8 high", "SFT r16 high", "GRPO"]


@pytest.fixture(scope="module")
def view(made_boards) -> View:
    return find_boards("lite", made_boards[0])[0]


@pytest.fixture(scope="module")
def charts(view):
    pair = quarters.pairs(view, SPLIT)[0]
    return {
        "scatter": scatter.scatter(view, SPLIT),
        "grades": grades.grades(view, SPLIT),
        "quarters": quarters.quarters(view, SPLIT, pair, RECALL),
        "bleu": bleu.bleu(view, SPLIT),
    }


def mean(view, model, metric) -> dict:
    (row,) = view.rows("means", split=SPLIT, model=model, metric=metric)
    return row


def test_every_chart_has_words_a_title_and_a_table_of_its_numbers(charts):
    for key, chart in charts.items():
        page = read(templates("leaderboard/parts.html").chart_numbers(chart, key))
        assert page.one("caption").text == chart.table.caption
        assert len(page.one("tbody").all("tr")) == len(chart.table.rows)
        assert {len(row) for row in chart.table.rows} == {len(chart.table.heads)}
        assert page.one("button").attributes["data-plot"] == key
        assert read(templates("leaderboard/parts.html").chart_head(chart)).one("h3").text == chart.title
        json.dumps(chart.figure, allow_nan=False)
        assert chart.figure["config"]["displaylogo"] is False


def test_points_are_where_the_means_are_with_their_intervals(view, charts):
    points = {trace["name"]: trace for trace in charts["scatter"].figure["data"]}
    assert list(points) == ANSWERING
    row = mean(view, "grpo", GRADE)
    assert points["GRPO"]["x"] == [row["median"]]
    error = points["GRPO"]["error_x"]
    assert error["array"] == [row["median_high"] - row["median"]]
    assert error["arrayminus"] == [row["median"] - row["median_low"]]
    low, high = (number_text(row[key], 1) for key in ("median_low", "median_high"))
    assert charts["scatter"].table.rows[-1][1] == f"{row['median']:.1f} ({low} to {high})"
    assert len({trace["marker"]["symbol"] for trace in points.values()}) == 5, "apart without their colours"


def test_a_spread_counts_whole_grades_by_hand():
    spread = grades.spread_of(SimpleNamespace(), [5.4, 5.5, 8.0, 8.1, 30.0, -2.0, None])
    assert {grade: n for grade, n in enumerate(spread.counts) if n} == {0: 1, 5: 1, 6: 1, 8: 2, grades.LAST: 1}
    assert (spread.n, spread.easy, spread.middle) == (6, 4, 6.75)
    assert grades.spread_of(SimpleNamespace(), [None]) is None


def test_the_spread_of_every_answering_model_is_drawn(view, charts):
    traces = charts["grades"].figure["data"]
    assert [trace["name"] for trace in traces] == ANSWERING
    for trace, spread in zip(traces, grades.spreads(view, SPLIT), strict=True):
        assert sum(trace["y"]) == pytest.approx(100)
        assert [count for _, count in trace["customdata"]] == list(spread.counts)
        # As in the table: answers that loop have no part in grades.
        row = mean(view, spread.spec.id, "grade_8")
        assert (spread.n, spread.easy / spread.n) == (row["n"], pytest.approx(row["mean"], abs=1e-4))
    # Each has a row of its own, from the top down.
    tops = [charts["grades"].figure["layout"][f"yaxis{'' if n == 1 else n}"]["domain"][1] for n in range(1, 6)]
    assert tops == sorted(tops, reverse=True)


def test_quarters_are_the_committed_shares_and_hold_every_question(view, charts):
    pair = quarters.pairs(view, SPLIT)[0]
    assert pair == ("grpo", "sft-r16-high"), "against what it is stacked on, first"
    rows = view.rows("quarters", split=SPLIT, model="grpo", against="sft-r16-high", measure=RECALL)
    corners = [note["text"].replace(",<br>", ", ") for note in charts["quarters"].figure["layout"]["annotations"]]
    for row in rows:
        if "same" not in row["quarter"]:  # What lies on the line between is in the table.
            assert sum(f"<b>{100 * row['share']:.0f} %</b>" in corner and row["label"] in corner for corner in corners)
    assert all(f"{100 * row['share']:.0f} %" in str(charts["quarters"].table.rows[0]) for row in rows)
    (dots,) = charts["quarters"].figure["data"]
    assert len(dots["x"]) == len(dots["text"]) == rows[0]["n"]
    # Counted again from the questions.
    easier_less = sum(g < 0 and c < 0 for g, c in zip(dots["x"], dots["y"], strict=True)) / len(dots["x"])
    assert easier_less == pytest.approx(next(r["share"] for r in rows if r["quarter"] == "easier_less"), abs=1e-6)
    assert quarters.quarters(view, SPLIT, ("base", "grpo"), RECALL) is None


def test_an_answer_that_loops_has_no_dot_among_the_quarters(view, monkeypatch):
    pair = quarters.pairs(view, SPLIT)[0]
    before = quarters.changes(view, SPLIT, pair, RECALL)
    loops = list(view.scores[SPLIT]["loops"])
    loops[view.by_answer[SPLIT, before[0][0], pair[1]]] = 1.0
    monkeypatch.setitem(view.scores[SPLIT], "loops", loops)
    assert quarters.changes(view, SPLIT, pair, RECALL) == before[1:]


def test_the_sentence_says_less_only_where_the_interval_does():
    row = {"split": SPLIT, "model": "b", "against": "a", "measure": RECALL, "n": 50, "left_out": 2, "easier": 40}
    row |= {
        "grade_change": -2.04,
        "grade_change_low": -2.5,
        "grade_change_high": -1.5,
        "change": -0.1,
        "change_low": -0.15,
        "change_high": -0.05,
    }
    models = [{"id": i, "label": i.upper(), "colour": "#000000", "colour_dark": "#ffffff"} for i in "ab"]

    def said(**changed) -> str:
        view = View(Board(None, {"models": models}, {"easier": [row | changed]}))
        return quarters.sentence(view, SPLIT, ("b", "a"), RECALL)

    assert "On 40 of 50 questions B’s answer has a lower grade than A’s. These differ by −2.0 (−2.5 to −1.5)" in said()
    assert "they were chosen for it" in said()
    assert "easier" not in said(), "one formula decides nothing"
    assert "In them “what it says of the references” is lower: it changes by −0.100 (−0.150 to −0.050)." in said()
    assert "Left out, without a grade or a score: 2." in said()
    assert "neither clearly lower nor clearly higher" in said(change_high=0.01)
    assert "is higher: it" in said(change=0.1, change_low=0.05, change_high=0.15)
    assert "No answer of B has a lower grade" in said(easier=0)


def bleu_view(**models: dict[str, tuple[float, float, float]]) -> View:
    rows = [
        {"split": SPLIT, "model": model, "bleu": "bleu_study", "part": part, "value": value, "low": low, "high": high,
         "n": 9, "of": 9, "rank": None}
        for model, parts in models.items() for part, (value, low, high) in parts.items()
    ]  # fmt: skip
    about = [{"id": m, "label": m.upper(), "colour": "#000000", "colour_dark": "#ffffff"} for m in models]
    return View(Board(None, {"models": about}, {"bleu": rows, "means": []}))


def test_the_paradox_is_told_where_it_is_and_only_there():
    base = {"score": (4.9, 4.5, 5.3), "precision_1": (32.0, 31.0, 33.0), "brevity_penalty": (0.93, 0.9, 0.95)}
    tuned = {"score": (2.0, 1.8, 2.2), "precision_1": (46.0, 45.0, 47.0), "brevity_penalty": (0.14, 0.1, 0.2)}
    tuned |= {"length_ratio": (0.337, 0.3, 0.4)}
    said = bleu.paradox(bleu_view(base=base, sft=tuned), SPLIT)
    assert "More of SFT’s words are in the references than of BASE’s (46.0 % against 32.0 %)" in said
    assert "yet its BLEU is lower (2.00 against 4.90)" in said
    assert "only 0.34 times as long" in said
    assert "multiplied by 0.14" in said
    unsure = tuned | {"score": (4.4, 4.0, 4.8)}
    assert "yet its BLEU is not clearly higher (4.40 against 4.90)" in bleu.paradox(
        bleu_view(base=base, sft=unsure), SPLIT
    )
    rightly = tuned | {"score": (6.4, 6.0, 6.8)}
    assert "no model shares clearly more" in bleu.paradox(bleu_view(base=base, sft=rightly), SPLIT)
    plain = {"score": (3.9, 3.6, 4.1), "precision_1": (38.0, 37.0, 39.0), "brevity_penalty": (0.95, 0.9, 0.99)}
    plain |= {"precision_4": (1.3, 1.2, 1.4)}
    phrases = base | {"score": (5.3, 4.9, 5.8), "precision_4": (2.6, 2.4, 3.0)}
    told = bleu.paradox(bleu_view(base=phrases, grpo=plain), SPLIT)
    assert "More of GRPO’s words are in the references than of BASE’s (38.0 % against 32.0 %)" in told
    assert "yet its BLEU is lower (3.90 against 5.30): fewer of its runs of four words do (1.3 % against 2.6 %)" in told
    overlapping = plain | {"precision_4": (2.3, 2.0, 2.5)}
    assert "no model shares clearly more" in bleu.paradox(bleu_view(base=phrases, grpo=overlapping), SPLIT)
    # Of any two models, not only against the first: a shorter answer with more of every run.
    parent = {"score": (5.3, 4.9, 5.8), "precision_1": (25.0, 24.0, 26.0), "precision_4": (2.6, 2.4, 3.0)}
    parent |= {"brevity_penalty": (0.8, 0.75, 0.85)}
    shorter = {"score": (5.5, 5.0, 6.1), "precision_1": (37.5, 36.4, 38.7), "precision_4": (4.2, 3.8, 4.8)}
    shorter |= {"brevity_penalty": (0.53, 0.48, 0.57), "length_ratio": (0.61, 0.58, 0.64)}
    far = {"score": (3.4, 3.2, 3.5), "precision_1": (27.0, 26.0, 28.0), "precision_4": (0.7, 0.6, 0.8)}
    far |= {"brevity_penalty": (0.88, 0.83, 0.94)}
    of_three = bleu.paradox(bleu_view(base=far, sft=parent, grpo=shorter), SPLIT)
    assert "More of GRPO’s words are in the references than of SFT’s (37.5 % against 25.0 %)" in of_three
    assert "not clearly higher (5.50 against 5.30)" in of_three
    assert "multiplied by 0.53 (by 0.80 for SFT)" in of_three
    no_nearer = tuned | {"precision_1": (33.0, 32.0, 34.0)}
    assert "no model shares clearly more" in bleu.paradox(bleu_view(base=base, sft=no_nearer), SPLIT)


def test_bleu_s_parts_are_the_committed_ones(view, charts):
    traces = charts["bleu"].figure["data"]
    assert [trace["y"] for trace in traces] == [ANSWERING] * len(bleu.PARTS)
    score = view.part(SPLIT, "base", "bleu_study", "score")
    assert traces[0]["x"][0] == score.value
    assert traces[0]["error_x"]["array"][0] == score.high - score.value


def test_where_there_is_nothing_there_is_no_chart(view):
    nothing = View(Board(None, view.about, {"means": [], "bleu": []}))
    assert scatter.scatter(nothing, SPLIT) is bleu.bleu(nothing, SPLIT) is None


def test_a_property_that_plotly_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="colr"):
        figure("x", [{"type": "bar", "x": [1], "y": [1], "marker": {"colr": "red"}}], 100)


def test_a_dark_page_exchanges_every_colour_of_a_figure(lite, charts):
    rules = dark_theme_css(lite.models)
    drawn = json.dumps([chart.figure for chart in charts.values()])
    for spec in lite.models:
        red, green, blue = bytes.fromhex(spec.colour[1:])
        assert f'[style*="fill: rgb({red}, {green}, {blue})"]{{fill:{spec.colour_dark} !important}}' in rules
        assert spec.id == "sft-r16-low" or spec.colour in drawn
    assert len(lite.models) <= len(SYMBOLS)


# -- votes -------------------------------------------------------------------------------


def test_ratings_are_drawn_with_their_intervals_best_on_top(results, names):
    traces = ratings(results, names).figure["data"]
    rows = [row for row in results.ratings.rows if row.rating]
    assert len(traces) == len(rows) == 7
    for trace, row in zip(traces, rows, strict=True):
        assert trace["x"] == [row.rating.value]
        assert trace["error_x"]["array"] == [row.rating.high - row.rating.value]
    assert "GRPO (earlier, eeeeeee)" in [trace["name"] for trace in traces]


def test_the_matrix_says_by_number_and_word_who_is_ahead(results, names):
    chart = matrix(results, names)
    (heat,) = chart.figure["data"]
    order = [row.contestant for row in results.ratings.rows]
    at = {c: i for i, c in enumerate(results.matrix.contestants)}
    for one, shares, texts, (_, *cells) in zip(order, heat["z"], heat["text"], chart.table.rows, strict=True):
        for other, share, text, cell in zip(order, shares, texts, cells, strict=True):
            score, votes = results.matrix.score(at[one], at[other]), results.matrix.votes(at[one], at[other])
            if one == other or score is None:
                assert (share, cell) == (None, "itself" if one == other else "no votes")
                continue
            assert share == 100 * score
            assert text == f"{100 * score:.0f} %<br>n {votes}"
            word = "even" if abs(score - 0.5) < 0.005 else "ahead" if score > 0.5 else "behind"
            assert cell == f"{100 * score:.0f} %, {word}, {votes} vote{'' if votes == 1 else 's'}"


def test_the_matrix_s_numbers_are_read_on_every_cell_of_both_pages(lite, results, names):
    def light(colour: str) -> float:
        parts = (part / 255 for part in bytes.fromhex(colour[1:]))
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    (heat,) = matrix(results, names).figure["data"]
    text = heat["textfont"]["color"]
    for _, cell in heat["colorscale"]:
        assert (light(cell) + 0.05) / (light(text) + 0.05) >= 4.5, cell
    # A dark page exchanges colours of texts, not of cells.
    assert "fill: rgb({}, {}, {})".format(*bytes.fromhex(text[1:])) not in dark_theme_css(lite.models)


def test_the_timeline_counts_every_vote(results):
    counted, out = timeline(results).figure["data"]
    assert (sum(counted["y"]), sum(out["y"])) == (597, 3)
    assert len(counted["x"]) == len(results.periods)
    rows = timeline(results).table.rows
    assert sum(int(row[1]) for row in rows) == 597
    assert timeline(dataclasses.replace(results, periods=())) is None
    assert "dtick" not in timeline(results).figure["layout"]["yaxis"]
    few = [dataclasses.replace(results.periods[0], counted=1, left_out=2)]
    axis = timeline(dataclasses.replace(results, periods=tuple(few))).figure["layout"]["yaxis"]
    assert axis["dtick"] == 1, "no parts of a vote: 0, 0, 0, 1, 1, 1"


def test_names_from_outside_are_data_in_a_plot_too(lite, results):
    """Plotly reads tags in texts: it would make a link of one."""
    evil = Contestant("<a href='https://evil.example'>x</a>", "f" * 64)
    row = dataclasses.replace(results.ratings.rows[0], contestant=evil)
    swapped = tuple(evil if c == results.ratings.rows[0].contestant else c for c in results.matrix.contestants)
    changed = dataclasses.replace(
        results,
        ratings=dataclasses.replace(results.ratings, rows=(row, *results.ratings.rows[1:])),
        matrix=dataclasses.replace(results.matrix, contestants=swapped),
    )
    named = Names(lite, changed)
    for chart in (ratings(changed, named), matrix(changed, named)):
        assert "evil.example" in json.dumps(chart.figure)
        assert "<a" not in json.dumps(chart.figure)
