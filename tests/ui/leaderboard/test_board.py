"""The leaderboard's pure parts: every number where it belongs, and the sentences that the numbers allow."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
import threading
import time
from contextlib import ExitStack
from html import unescape
from types import SimpleNamespace

import gradio as gr
import pytest

from medilite.leaderboard import Board, load_board
from medilite.readability import measure
from medilite.settings import load_settings
from medilite.ui.guard.limits import Admission, VisitorLimits
from medilite.ui.leaderboard.board import differences, own_slice, questions, study, table
from medilite.ui.leaderboard.board.about import intro_html, provenance_html
from medilite.ui.leaderboard.board.view import GRADE, View, find_boards
from medilite.ui.leaderboard.tab import LeaderboardTab
from medilite.ui.page.words import number_text
from tests.ui.html import read

SPLIT = "study/test"


@pytest.fixture(scope="module")
def view(made_boards) -> View:
    return find_boards("lite", made_boards[0])[0]


@pytest.fixture(scope="module")
def reported(made_boards) -> View:
    return find_boards("lite", made_boards[0])[1]


def committed(view: View, **wanted: str) -> dict:
    (row,) = view.rows("means", **wanted)
    return row


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 1, "–"),
        (1234.56, 1, "1,234.6"),
        (-0.04, 1, "0.0"),
        (-0.05, 2, "−0.05"),
        (0.5, 0, "0"),
        (12.0, 2, "12.00"),
    ],
)
def test_numbers_as_people_read_them(value, digits, text):
    assert number_text(value, digits) == text


# -- table -----------------------------------------------------------------------------


def test_every_cell_is_the_committed_number_with_interval_count_and_rank(view):
    rows = {row.attributes["data-model"]: row for row in read(table.table_html(view, SPLIT)).all("tbody")[0].all("tr")}
    assert list(rows) == [spec.id for spec in view.models]
    cells = {cell.attributes["data-key"]: cell for cell in rows["grpo"].all("td")}
    assert list(cells) == [column.key for column in view.columns]
    row = committed(view, split=SPLIT, model="grpo", metric=GRADE)
    cell = cells[GRADE]
    assert float(cell.attributes["data-value"]) == row["median"]
    assert cell.one("span", "lb-mean").text == number_text(row["median"], 1)
    assert cell.one("span", "lb-interval").text == (
        f"{number_text(row['median_low'], 1)} to {number_text(row['median_high'], 1)}"
    )
    # Its one empty answer has no grade, and that stands there.
    assert cell.one("span", "lb-n").text == f"{row['of'] - 1} of {row['of']}"
    assert cell.one("span", "lb-rank").text == f"rank {row['rank']}"
    # The easiest is not marked as the best.
    firsts = [key for key, one in cells.items() if any("lb-first" in r.attributes["class"] for r in one.all("span"))]
    led = [column for column in view.columns if view.cell(SPLIT, "grpo", column.key).rank == 1]
    assert firsts == [column.key for column in led if not column.of_ease] != []
    assert GRADE in [column.key for column in led]
    assert not cells["words"].all("span", "lb-n")
    score = view.part(SPLIT, "grpo", "bleu_study", "score")
    assert cells["bleu_study"].one("span", "lb-mean").text == f"{score.value:.2f}"


def test_a_model_without_answers_shows_as_such_and_a_judge_without_scores_too(view):
    rows = {row.attributes["data-model"]: row for row in read(table.table_html(view, SPLIT)).all("tbody")[0].all("tr")}
    nobody = rows["sft-r16-low"]
    assert "no answers" in nobody.one("th").text
    assert {cell.one("span", "lb-mean").text for cell in nobody.all("td")} == {"–"}
    assert not any("data-value" in cell.attributes for cell in nobody.all("td"))
    judged = next(cell for cell in rows["base"].all("td") if cell.attributes["data-key"] == "correctness")
    assert judged.text == f"–0 of {committed(view, split=SPLIT, model='base', metric=GRADE)['of']}"
    # A visitor sees it among a judge's scores, not as a column of dashes in the overview.
    assert view.column("correctness").groups == ("judge",)
    assert "overview" in view.column(GRADE).groups
    assert "No answer was judged" in provenance_html(view)
    assert "No answer was judged" not in intro_html(view, SPLIT, "lite")


def test_heads_say_which_way_is_better_and_what_was_trained_for(view):
    heads = {head.attributes.get("data-key"): head for head in read(table.table_html(view, SPLIT)).all("th")}
    # A first-time visitor must not read easier as better.
    assert "↓, lower is easier" in heads[GRADE].text
    assert "better" not in heads[GRADE].text
    assert "not a better one" in heads[GRADE].one("button").attributes["data-tip"]
    assert "↑, higher is better" in heads["content_precision"].text
    assert "better" not in heads["words"].text
    assert "trained for this (grpo)" in heads[GRADE].text
    assert "trained" not in heads["rouge_l"].text
    assert heads[GRADE].one("button").attributes["data-better"] == "lower"
    trained = read(table.table_html(view, SPLIT)).all("td", "lb-cell-trained")
    (grpo,) = (model for model in view.about["models"] if model["id"] == "grpo")
    assert {cell.attributes["data-key"] for cell in trained} == set(grpo["trained_on"]) >= {GRADE}


def test_floors_stand_below_the_models_and_have_no_rank(view):
    _, floors = read(table.table_html(view, SPLIT)).all("tbody")
    rows = {row.attributes["data-model"]: row for row in floors.all("tr") if "data-model" in row.attributes}
    assert list(rows) == [floor["id"] for floor in view.floors] != []
    assert not floors.all("span", "lb-rank")
    echo = {cell.attributes["data-key"]: cell for cell in rows["floor-echo"].all("td")}
    assert echo["question_echo"].one("span", "lb-mean").text == "1.000"
    reference = {cell.attributes["data-key"]: cell for cell in rows["ceiling-reference"].all("td")}
    assert reference["content_precision"].one("span", "lb-mean").text == "1.000"
    assert "Not models" in floors.text
    (similar,) = (column for column in view.columns if column.key == "topic_similarity")
    assert "the echoed question has " in similar.explanation


def test_the_same_is_there_by_kind_of_question():
    about = {
        "models": [{"id": i, "label": i.upper(), "colour": "#000000", "colour_dark": "#ffffff"} for i in "ab"],
        "metrics": [
            {"key": key, "label": key, "unit": "", "better": "lower", "explanation": "", "digits": 1, "lead": "mean"}
            for key in table.KINDS
        ],
        "bleu": {},
    }
    rows = [
        {"split": SPLIT, "kind": kind, "model": model, "metric": key, "value": 9.0, "low": 8.0, "high": None,
         "n": 4 if key == GRADE and model == "b" else 30, "of": 30}
        for kind in ("<b>causes</b>", "outlook") for model in "ab" for key in table.KINDS
    ]  # fmt: skip
    html = read(table.kinds_html(View(Board(None, about, {"kinds": rows})), SPLIT))
    lines = [row.text for row in html.one("tbody").all("tr")]
    assert len(lines) == 2 * len(table.KINDS)
    assert lines[0].startswith("<b>causes</b>n 30median grade9.08.0 to")
    assert lines[0].endswith("–"), "four of thirty say nothing"
    assert table.kinds_html(View(Board(None, about, {"kinds": []})), SPLIT) == ""
    few = read(table.kinds_html(View(Board(None, about, {"kinds": [row | {"n": 4} for row in rows]})), SPLIT))
    assert len(few.one("tbody").all("tr")) == len(lines), "kinds of which too few answers were scored are named"


def test_what_is_known_of_each_model_is_one_sentence_and_easier_is_not_better(view):
    html = intro_html(view, SPLIT, "lite")
    assert "Easier is not better" in html
    for model in ("base", "grpo"):
        said = view.about["statements"][model]
        assert said in unescape(html)
        assert "of its answers loop. The others have a median grade of" in said
        assert "in the references" in said
        assert "loop" in said
        assert "better" not in said
    assert "sft-r16-low" not in view.about["statements"]


def test_what_other_seeds_gave_follows_what_is_known(made_boards, tmp_path):
    folder = shutil.copytree(made_boards[0], tmp_path / "boards")
    said = "From other seeds the same training gives other results."
    board = load_board(folder / "lite")
    here = next(model["adapter"] for model in board.about["models"] if model["id"] == "grpo")
    for adapters, whole in (({"grpo": "0" * 64}, False), ({}, False), ({"grpo": here}, True)):
        between = {"statements": {"grpo": said}, "rows": [], "adapters": adapters}
        (folder / "lite" / "between.json").write_text(json.dumps(between))
        assert (said in board.statements()["grpo"]) is whole, "of another adapter than the board's nothing is said"
    view = find_boards("lite", folder)[0]
    html = unescape(intro_html(view, SPLIT, "lite"))
    assert f"{view.about['statements']['grpo']} {said}" in html
    assert html.count(said) == 1


def test_the_board_says_in_which_numbers_the_answers_were_computed(view):
    assert "questions, computed in int8." in intro_html(view, SPLIT, "lite")
    assert "<dt>Precision</dt><dd>int8</dd>" in provenance_html(view)
    assert "<code>python -m eval.judge</code>" in provenance_html(view)


def test_every_column_is_in_a_group_but_for_none(view):
    assert [column.key for column in view.columns if not column.groups] == []


def test_differences_are_the_committed_ones_with_what_they_come_to(view):
    pair = ("grpo", "base")
    html = read(differences.differences_html(view, SPLIT, pair))
    rows = {row["metric"]: row for row in view.rows("comparisons", split=SPLIT, model="grpo", against="base")}
    shown = {row.attributes["data-metric"]: row for row in html.all("tr") if "data-metric" in row.attributes}
    # Everything that could be compared, once; nobody was judged.
    assert set(shown) == {metric for metric, row in rows.items() if row["difference"] is not None}
    cells = [cell.text for cell in shown[GRADE].all("td")]
    grade = rows[GRADE]
    assert cells[0].startswith(differences.signed(grade["median"], 1))
    # Twelve questions and a correction for hundreds of comparisons leave nothing clear.
    assert cells[1:] == ["not clear", "over 99 %", differences.p_text(grade["p_holm"]), f"{grade['n']:,}"]
    assert grade["difference"] < 0, "easier"
    assert "corrected for all" in html.text


def test_what_a_difference_comes_to_is_said_only_where_it_is_clear():
    lower = SimpleNamespace(of_ease=False, better="lower", lead="mean")
    neither = SimpleNamespace(better=None, lead="mean")

    def said(difference, p, column=lower):
        return differences.verdict({"difference": difference, "p_holm": p}, column)

    assert [said(-1, 0.04), said(1, 0.04), said(-1, 0.05), said(-1, None)] == ["better", "worse"] + 2 * ["not clear"]
    assert [said(1, 1e-9, neither), said(-1, 1e-9, neither)] == ["more", "less"]
    assert [differences.p_text(p) for p in (None, 1e-30, 0.0456, 1)] == ["–", "below 0.001", "0.046", "1.000"]
    said = [differences.likely_text(p) for p in (None, 1.0, 0.996, 0.994, 0.5, 0.004, 0.0)]
    assert said == ["–", "over 99 %", "over 99 %", "99 %", "50 %", "below 1 %", "below 1 %"], (
        "an estimate is never sure"
    )
    assert [differences.signed(v, 1) for v in (1.25, -1.25, 0.01, 0)] == ["+1.2", "−1.2", "0.0", "0.0"]


def test_a_formula_is_lower_or_higher_and_clear_only_where_the_number_that_is_shown_is():
    """What is easier, four of five formulas decide together; a median leads, and p is the mean's."""
    grade = SimpleNamespace(of_ease=True, better="lower", lead="median")

    def said(low, high, difference=-1.2):
        row = {"difference": difference, "p_holm": 0.03, "median": -0.8, "median_low": low, "median_high": high}
        return differences.verdict(row, grade)

    assert said(-1.8, -0.1) == "lower"
    assert said(-1.8, 0.0) == "not clear"
    assert said(-1.8, -0.1, difference=0.4) == "not clear", "the mean is on the other side"
    assert said(0.1, 0.9, difference=0.4) == "higher"


def test_slices_and_other_seeds_stand_below(tmp_path):
    about = {
        "models": [{"id": i, "label": i.upper(), "colour": "#000000", "colour_dark": "#ffffff"} for i in "ab"],
        "metrics": [
            {"key": GRADE, "label": "Grade", "unit": "grade", "better": "lower", "explanation": "", "digits": 1}
        ],
        "bleu": {},
    }
    row = {"split": SPLIT, "model": "b", "against": "a", "metric": GRADE, "difference": -2.0, "low": -2.5, "high": -1.5}
    row |= {"n": 29, "of": 30, "p_holm": 0.001, "probability_better": 1.0}
    slices = [
        row | {"dimension": "source", "slice": "<b>Clinic</b>"},
        row | {"dimension": "reference_words", "slice": "1–50 words", "p_holm": 0.4},
        row | {"dimension": "reference_words", "slice": "51–90 words", "n": 4},
    ]
    seeds = {"split": "clean/val", "model": "b", "against": "a", "difference": -1.5, "low": -2.25, "high": -1, "n": 299}
    between = {"commit": "0123456789abc", "rows": [seeds | {"metric": GRADE, "runs": 3, "each": [-1, -2.25, -1.25]}]}
    (tmp_path / "between.json").write_text(json.dumps(between))
    board = View(Board(tmp_path, about, {"comparisons": [row], "slices": slices}))
    html = read(differences.differences_html(board, SPLIT, ("b", "a")))
    _, runs, table = html.all("table")
    assert [cell.text for cell in runs.all("td")[1:]] == ["−1.5−2.2 to −1.0", "−1.0, −2.2, −1.2", "299"]
    assert "B was trained 3 times" in html.text
    assert "commit 0123456789." in html.text
    assert [line.text for line in table.all("tr")[1:]] == [
        "Source", "<b>Clinic</b>n 30−2.0−2.5 to −1.5lowern 29", "Length of the reference",
        "1–50 wordsn 30−2.0−2.5 to −1.5not clearn 29", "51–90 wordsn 30–",
    ]  # fmt: skip
    assert differences.differences_html(board, SPLIT, ("a", "b")) == ""


def test_the_study_s_table_stands_beside_ours_and_not_in_it(view, reported):
    theirs, ours = read(study.study_html(reported, view, SPLIT)).all("table")
    assert "4.90" in theirs.text
    assert [cell.attributes.get("title") for cell in theirs.all("td") if cell.text.startswith("4.90")] == [
        "printed as 0.04900"
    ]
    assert not theirs.all("span", "lb-interval") or "to" not in theirs.text
    grade = committed(view, split=SPLIT, model="grpo", metric=GRADE)["mean"]
    assert f"{grade:.1f}" in ours.text
    assert f"{grade:.1f}" not in theirs.text
    assert "n 16" in ours.text
    assert len(read(study.study_html(reported, None, None)).all("table")) == 1


# -- single questions --------------------------------------------------------------------


def test_the_largest_disagreement_comes_first(view):
    found = questions.listed(view, SPLIT)
    spreads = [-1 if one.spread is None else one.spread for one in found]
    assert spreads == sorted(spreads, reverse=True)
    grades = [view.score(SPLIT, found[0].qid, spec.id, GRADE) for spec in view.models]
    known = [grade for grade in grades if grade is not None]
    assert found[0].spread == max(known) - min(known)
    assert [one.qid for one in questions.listed(view, SPLIT, order="")] == view.questions[SPLIT]["qid"]


def test_an_answer_that_loops_is_no_disagreement_in_grade(view, monkeypatch):
    first = questions.listed(view, SPLIT)[0]
    grades = {spec.id: view.score(SPLIT, first.qid, spec.id, GRADE) for spec in view.models}
    grades = {model: grade for model, grade in grades.items() if grade is not None}
    hardest = max(grades, key=grades.__getitem__)
    lengths = questions.spread(view, SPLIT, first.qid, "words")
    loops = list(view.scores[SPLIT]["loops"])
    loops[view.by_answer[SPLIT, first.qid, hardest]] = 1.0
    monkeypatch.setitem(view.scores[SPLIT], "loops", loops)
    rest = [grade for model, grade in grades.items() if model != hardest]
    assert questions.spread(view, SPLIT, first.qid, GRADE) == max(rest) - min(rest) < first.spread
    assert questions.spread(view, SPLIT, first.qid, "words") == lengths


def test_questions_are_filtered_by_source_and_type(view):
    some = questions.listed(view, SPLIT, "Clinic", "treatment")
    assert some
    assert {(one.source, one.qtype) for one in some} == {("Clinic", "treatment")}
    assert questions.choices(view, SPLIT, "source") == ["All", "Clinic", "Library"]


def test_a_question_s_answers_are_those_of_the_board(view, lite):
    comparison = questions.comparison_of(view, lite, "q/4", {}, 1)
    texts = {pane.spec.id: pane.text for pane in comparison.panes}
    assert texts["grpo"] == view.answers["q/4", "grpo"]["text"]
    assert comparison.panes[0].scores == measure(texts["base"])
    gone = next(pane for pane in comparison.panes if pane.spec.id == "sft-r16-low")
    assert (gone.stopped, gone.text) == ("error", "")
    assert comparison.decoding.max_new_tokens == 64


def test_the_data_s_text_is_joined_only_where_it_is_the_same_data(view, made_boards, tmp_path):
    for split in view.splits:
        texts, why = questions.texts_of(view, split, made_boards[1])
        assert why == ""
        assert set(texts) == set(view.questions[split]["qid"])
        counts = [len(texts[qid].references) for qid in view.questions[split]["qid"]]
        assert counts == view.questions[split]["references"]
    assert questions.texts_of(view, SPLIT, tmp_path)[0] == {}
    from tests.eval.boards import write_data

    texts, why = questions.texts_of(view, SPLIT, write_data(tmp_path / "other", 9))
    assert (texts, "fingerprint" in why) == ({}, True)


# -- the tab's answers ---------------------------------------------------------------------


def built(profile, *folders, **options) -> LeaderboardTab:
    made = LeaderboardTab(profile, *folders, **options)
    with gr.Blocks(), gr.Tab("Leaderboard") as inside:
        made.build(inside)
    return made


@pytest.fixture
def tab(lite, made_boards):
    return built(lite, *made_boards)


def test_opening_fills_everything(tab, view):
    update = tab.open(None)
    assert 'id="lb-table"' in update[tab.table]
    assert update[tab.split].value == SPLIT
    assert update[tab.pair].value == "grpo|sft-r16-high"
    assert len(update[tab.question].choices) == len(view.questions[SPLIT]["qid"])
    assert "What the reference" in update[tab.place] or "references say" in update[tab.place]
    other = tab.open("distinct/test")
    assert 'data-split="distinct/test"' in other[tab.table]


def test_pages_share_a_list_of_questions(tab):
    """Else every page that is open holds a copy of more than a thousand questions."""
    one, other = (tab.open(None)[tab.question].choices for _ in range(2))
    assert all(a is b for a, b in zip(one, other, strict=True))
    assert tab.open("distinct/test")[tab.question].choices != one


def test_stepping_goes_round_and_unknown_words_from_outside_harm_nothing(tab):
    chosen = (SPLIT, "All", "All", GRADE)
    first = tab.show(*chosen, None)[tab.question].value
    last = tab.step(-1, *chosen, first)[tab.question].value
    assert last != first
    assert tab.step(1, *chosen, last)[tab.question].value == first
    assert tab.show(*chosen, "<script>")[tab.question].value == first
    assert tab.show(SPLIT, "All", "All", "no such order", None)[tab.question].value == first
    assert tab.show("no/split", "All", "All", GRADE, None) == gr.skip()
    assert tab.show_trade("no/split", "who|whom", "what") == tab.show_trade(None, None, None) == gr.skip()
    assert "No question has both" in tab.filter(SPLIT, "Nobody", "All", GRADE)[tab.place]
    plot = tab.quarters.plot
    assert tab.show_trade(SPLIT, "who|whom", "what")[plot].value == tab.open(SPLIT)[plot].value


PAIR = "grpo|sft-r16-high"


def sliced(tab, *given, pair=PAIR, split=SPLIT):
    return tab.show_slice(split, pair, *given)


def test_a_slice_of_ones_own_has_differences_with_n_and_what_could_have_been_found(tab, view):
    whole = sliced(tab, "All", "All", 0, None, "", "questions")
    qids = view.questions[SPLIT]["qid"]
    assert f"{len(qids)} questions of {len(qids)}" in whole
    values = {row.attributes["data-metric"]: row for row in read(whole).one("tbody").all("tr")}
    (row,) = (
        row for row in view.rows("comparisons", split=SPLIT, model="grpo", against="sft-r16-high", metric="words")
    )
    assert differences.signed(row["difference"], view.column("words").digits) in values["words"].text
    assert [cell.text for cell in values["words"].all("td")][2] == str(row["n"])
    assert "or more" in values["words"].text
    for row in values.values():
        between, clear = row.one(cls="lb-interval").text.replace("−", "-").split(" to "), row.all("td")[1].text
        assert clear == ("no" if float(between[0]) <= 0 <= float(between[1]) else "yes")
    assert {row.all("td")[1].text for row in values.values()} == {"yes", "no"}
    assert "Nothing is corrected" in whole
    some = sliced(tab, "Clinic", "treatment", None, None, "  ", "questions")
    assert f"{len(questions.listed(view, SPLIT, 'Clinic', 'treatment'))} questions of" in some


def test_a_slice_can_be_kept_as_a_page_that_needs_no_server(tab, view):
    whole = sliced(tab, "All", "All", 3, None, "</script><b>x|^", "questions")
    head, encoded = read(whole).one("a", "ml-tool").attributes["href"].split(",", 1)
    assert head == "data:text/html;charset=utf-8;base64"
    text = base64.b64decode(encoded).decode("utf-8")
    kept, shown = read(text), read(whole)
    assert [row.text for row in kept.one("tbody").all("tr")] == [row.text for row in shown.one("tbody").all("tr")]
    for said in ("</script><b>x|^", "3 to", "Not", "Seed", "95 % intervals", "Easier is not better", "study’s test"):
        assert said in kept.text
    assert kept.all("script") == kept.all("b") == []
    # On a phone the table scrolls, not the page.
    assert ".lb-table-scroll { overflow-x: auto" in text.replace(".scroll, ", "")
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://", text)


def test_a_slice_is_chosen_by_words_in_questions_or_answers_and_by_length(tab, view, made_boards):
    texts, _ = questions.texts_of(view, SPLIT, made_boards[1])
    word = next(iter(texts.values())).question.split()[-1].strip("?")
    named = sum(word.casefold() in text.question.casefold() for text in texts.values())
    assert f'data-n="{named}"' in sliced(tab, "All", "All", 0, None, word.upper(), "questions")
    asked = view.questions[SPLIT]["qid"]
    said = next(text for qid in asked if (text := view.answers[qid, "grpo"]["text"].strip())).split()[0]
    answered = sliced(tab, "All", "All", 0, None, f"^{said}", "answers")
    assert 'data-n="0"' not in answered
    assert "partly of your own making" in answered
    lengths = view.questions[SPLIT]["reference_words"]
    assert f'data-n="{lengths.count(max(lengths))}"' in sliced(tab, "All", "All", max(lengths), None, "", "questions")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("All", "All", 0, None, "(", "questions"), "unclosed group"),
        (("All", "All", 9, 3, "", "questions"), "exchange the two"),
        (("All", "All", -1, None, "", "questions"), "no number of words"),
        (("All", "All", True, None, "", "questions"), "no number of words"),
        (("Nobody", "All", 0, None, "", "questions"), "too few to say anything"),
        (("All", "All", 0, None, "<script>", "answers"), "too few to say anything"),
    ],
)  # fmt: skip
def test_a_slice_that_cannot_be_is_a_sentence(tab, given, why):
    assert why in sliced(tab, *given)


def test_slices_are_computed_once_one_at_a_time_and_counted(lite, made_boards, monkeypatch):
    limits = VisitorLimits(load_settings(readings_per_address="2/minute"), lambda: "203.0.113.7")
    tab = built(lite, *made_boards, admission=Admission(9, limits))
    computed, running, both, made = [], [], threading.Event(), own_slice.slice_html
    other = threading.Thread(target=sliced, args=(tab, "All", "All", 0, None, "", "questions"))

    def compare(*given):
        computed.append(1)
        running.append(1)
        if len(running) > 1:
            both.set()
        if len(computed) == 1:
            other.start()
            both.wait(0.5)
        running.pop()
        return made(*given)

    monkeypatch.setattr(own_slice, "slice_html", compare)
    first = sliced(tab, "All", "All", 1, None, "", "questions")
    assert "questions of" in first
    other.join()
    assert not both.is_set()
    assert sliced(tab, "All", "All", 1, None, "", "questions") == first
    assert len(computed) == 2
    assert "which is the limit" in sliced(tab, "All", "All", 2, None, "", "questions")


def test_a_slice_in_memory_waits_for_nobody_and_the_same_one_at_the_same_time_is_computed_once(tab, monkeypatch):
    given = ("All", "All", 0, None, "", "questions")
    computed, made, second = [], own_slice.slice_html, []
    other = threading.Thread(target=lambda: second.append(sliced(tab, *given)))

    def compare(*given):
        computed.append(1)
        if len(computed) == 1:
            other.start()
            while tab.slice._seats._taken.total() < 2:
                time.sleep(0.01)
        return made(*given)

    monkeypatch.setattr(own_slice, "slice_html", compare)
    first = sliced(tab, *given)
    other.join()
    assert second == [first]
    with ExitStack() as held:
        for number in range(own_slice.WAITING):
            tab.slice._seats._who = lambda number=number: f"203.0.113.{number}"
            held.enter_context(tab.slice._seats.seat(""))
        held.enter_context(tab.slice._one_at_a_time)
        assert sliced(tab, *given) == first
        assert "Several slices are being compared" in sliced(tab, "All", "All", 1, None, "", "questions")
    assert len(computed) == 1


def test_a_slice_that_was_chosen_by_a_visitor_s_words_is_not_kept(tab):
    assert "questions of" in sliced(tab, "All", "All", 0, None, "my own words", "answers")
    assert not tab.slice._kept.cache_info().currsize


def test_true_is_not_taken_for_the_number_that_was_sent_before(tab):
    assert "questions of" in sliced(tab, "All", "All", 1, None, "", "questions")
    assert "no number of words" in sliced(tab, "All", "All", True, None, "", "questions")


def test_one_address_does_not_take_all_places_before_slices(tab):
    with ExitStack() as held:
        tab.slice._seats._who = lambda: "203.0.113.7"
        for _ in range(own_slice.WAITING // 2):
            held.enter_context(tab.slice._seats.seat(""))
        assert "Several slices are being compared" in sliced(tab, "All", "All", 0, None, "", "questions")
        tab.slice._seats._who = lambda: "203.0.113.8"
        assert "questions of" in sliced(tab, "All", "All", 0, None, "", "questions")


def test_without_the_questions_texts_answers_are_left_to_look_in(lite, made_boards, tmp_path):
    tab = built(lite, made_boards[0], tmp_path)
    opened = tab.open(None)
    assert opened[tab.slice.where] == "answers"
    # As the page sends it when nothing is changed: all questions. Gradio shows an empty number as 0.
    shown = [getattr(part := opened.get(field, field.value), "value", part) for field in tab.slice.controls]
    whole = sliced(tab, *shown)
    assert f"{len(opened[tab.question].choices)} questions of" in whole
    assert "look for it in the two models’ answers" in sliced(tab, "All", "All", 0, None, "x", "questions")
    assert sliced(tab, pair="who|whom") == sliced(tab, split="no/split") == gr.skip()


def test_without_a_board_it_says_what_to_do(lite, made_boards, tmp_path):
    made = built(lite, tmp_path)
    empty = made.open(None)
    assert "make leaderboard" in empty[made.intro]
    assert empty[made.study] == ""
    shutil.copytree(made_boards[0] / "paper", tmp_path / "paper")
    assert "What the study reported" in made.open(None)[made.study]
    assert made.body not in made.open(None)


def test_a_broken_board_is_a_message(lite, made_boards, tmp_path):
    shutil.copytree(made_boards[0] / "lite", tmp_path / "lite")
    about = json.loads((tmp_path / "lite" / "board.json").read_text(encoding="utf-8"))
    (tmp_path / "lite" / "board.json").write_text(json.dumps(about | {"format": 99}), encoding="utf-8")
    made = built(lite, tmp_path)
    assert "has format 99" in made.open(None)[made.error]
    assert made.show_trade(SPLIT, "a|b", "c") == made.show(SPLIT, "All", "All", GRADE, None) == gr.skip()


def test_a_tab_that_was_opened_once_ahead_has_nothing_left_to_read_or_load(lite, made_boards, tmp_path, monkeypatch):
    folder = tmp_path / "boards"
    shutil.copytree(made_boards[0], folder)
    made = built(lite, folder, tmp_path)
    made.open(None)
    loaded = set(sys.modules)
    monkeypatch.setattr("medilite.leaderboard._read", lambda path: pytest.fail(f"{path} was read at the opening"))
    monkeypatch.setattr("medilite.leaderboard._read_lines", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setattr("medilite.ui.leaderboard.tab.table_html", lambda *_: "made again")
    assert 'id="lb-table"' in made.open(None)[made.table]
    assert set(sys.modules) == loaded

    monkeypatch.undo()
    monkeypatch.setattr("medilite.ui.leaderboard.tab.table_html", lambda *_: "made again")
    for board in folder.glob("*/board.json"):
        os.utime(board, (1, 1))
    assert made.open(None)[made.table].startswith("made again")
