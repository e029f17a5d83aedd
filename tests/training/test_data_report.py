"""The report: its numbers by hand, one page without the network, and names that stay text."""

from __future__ import annotations

import html
import re

import pytest

from tests.training.data_fixtures import SMALL_CSV, make_examples, read_text
from training.data.collection import Collection, Problem, RawPair
from training.data.describe import describe_set, describe_source
from training.data.filtering import Filter, apply_filter
from training.data.manifest import write_splits
from training.data.report import write_report
from training.data.report_charts import bars
from training.data.report_numbers import Spread, by_source, explore, histogram, spread
from training.data.report_sections import all_sections
from training.data.splits import split_as_study, without_shared_questions


def prepare(collection, folder):
    filtered = apply_filter(collection.pairs, Filter())
    study = split_as_study(filtered.kept, 42)
    sets = {"study": study, "distinct": without_shared_questions(study)}
    manifest = write_splits(
        folder,
        {name: splits.named() for name, splits in sets.items()},
        describe_source(collection, Filter(), filtered, 42),
        {name: describe_set(name, splits) for name, splits in sets.items()},
    )
    return filtered, manifest


def without_plotly(page):
    return re.sub(r"<script>/\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def test_a_spread_is_that_of_the_numbers_by_hand():
    assert spread([float(i) for i in range(101)]) == Spread(101, 5, 25, 50, 75, 95, 100)
    assert spread([7]).median == 7


def test_a_histogram_counts_lower_edges_in_and_outliers_in_the_outer_bins():
    assert histogram([-5, 0, 0.5, 1, 1.9, 2, 99], [0, 1, 2, 3]) == [3, 2, 2]


def test_spreads_leave_out_what_has_no_value_and_sort_by_size():
    examples = make_examples(["F"] * 4)

    found = by_source(examples, [1.0, None, 3.0, None])

    assert found["Clinic"].n == 2
    assert found["Clinic"].median == 2


def test_questions_are_counted_by_their_answers():
    collection = read_text(SMALL_CSV.read_bytes())
    filtered = apply_filter(collection.pairs, Filter())

    data = explore(filtered.answered, filtered.kept)

    # Of 31 answers: cold, its symptoms, migraine, asthma and hay fever are asked twice.
    assert data.answers_per_question == {1: 21, 2: 5}
    assert {question for question, _ in data.most_answered} >= {"What is (are) Migraine ?", "What is (are) Asthma ?"}
    assert len(data.kept_ids) == 30
    assert len(data.words) == len(data.grades) == 31
    assert data.words[5] == 12  # "Keep a diary, sleep regularly, and talk to a doctor about medicines."


def test_an_answer_without_words_has_no_grade(tmp_path):
    pairs = [RawPair(f"q {i} ?", "12345", "Clinic", "F") for i in range(30)]
    filtered, manifest = prepare(Collection("t.csv", "csv", pairs), tmp_path)
    data = explore(filtered.answered, filtered.kept)

    assert data.grades == [None] * 30
    assert "grades" not in {section.key for section in all_sections(data, manifest)}


def test_every_section_stands_on_the_page_with_its_n_and_its_table(tmp_path):
    collection = read_text(SMALL_CSV.read_bytes())
    filtered, manifest = prepare(collection, tmp_path)

    page = write_report(tmp_path, filtered, manifest).read_text()

    keys = re.findall(r'<h2 id="([a-z-]+)">', page)
    assert keys == [
        "stages",
        "sources",
        "question-types",
        "focus-areas",
        "answer-lengths",
        "lengths-by-source",
        "grades",
        "grades-by-source",
        "several-answers",
        "overlap",
    ]
    assert "The filter keeps 30 of 31 answered pairs (97 %)" in page
    assert "5 of 26 questions (19 %) have more than one answer" in page
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.DOTALL)
    assert all("n = " in caption for caption in captions[:-1])
    assert len(re.findall(r"<details>.*?<table>", page, flags=re.DOTALL)) == len(keys)
    assert manifest["fingerprint"] in page


def test_the_page_asks_nothing_of_the_network_and_carries_plotly_once(tmp_path):
    filtered, manifest = prepare(read_text(SMALL_CSV.read_bytes()), tmp_path)

    page = write_report(tmp_path, filtered, manifest).read_text()

    ours = without_plotly(page)
    assert page.count("plotly.js v") == 1
    assert len(ours) < 200_000
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", ours)
    assert "@import" not in ours
    assert "url(" not in ours


def test_names_from_the_data_are_text_and_never_markup(tmp_path):
    evil = "</script><script>alert(1)</script><b>x</b>"
    pairs = [RawPair(f"{evil} {i % 25} ?", f"An answer of {i} words.", evil, evil, evil) for i in range(30)]
    collection = Collection(f"{evil}.csv", "csv", pairs, [Problem(evil, evil)])
    filtered, manifest = prepare(collection, tmp_path)

    page = write_report(tmp_path, filtered, manifest).read_text()

    assert "<script>alert" not in page
    assert "<b>x" not in page
    assert f"{html.escape(evil)}.csv" in page


def test_labels_are_spelled_out_for_plotly_which_draws_the_tags_it_finds_and_long_ones_are_cut():
    figure = bars([("<b>x</b> & y", 3), ("w" * 40, 2), ("w" * 41, 1)], "pairs")

    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;x&lt;/b&gt; &amp; y", "w" * 31 + "…", "w" * 31 + "…")
    assert list(figure.data[0].y) == [0, 1, 2]
    assert list(figure.data[0].x) == [3, 2, 1]


def test_a_table_without_sources_types_or_focus_areas_has_the_other_sections(tmp_path):
    pairs = [RawPair(f"q {i} ?", f"An answer of {i} plain words.") for i in range(30)]
    filtered, manifest = prepare(Collection("mine.csv", "csv", pairs), tmp_path)

    sections = all_sections(explore(filtered.answered, filtered.kept), manifest)

    assert [section.key for section in sections] == [
        "stages",
        "answer-lengths",
        "grades",
        "several-answers",
        "overlap",
    ]
    assert manifest["source"]["credit"] is None


def test_medquad_is_credited(tmp_path):
    pairs = [RawPair(f"q {i} ?", f"An answer of {i} plain words.", "GHR", "Gout") for i in range(30)]
    filtered, manifest = prepare(Collection("medquad.csv", "csv", pairs), tmp_path)

    page = write_report(tmp_path, filtered, manifest).read_text()

    assert "Asma Ben Abacha and Dina Demner-Fushman" in page
    assert "BMC Bioinformatics 20:511, 2019" in page
    assert "CC BY 4.0" in page


@pytest.mark.parametrize("count", [1, 150])
def test_malformed_items_are_listed_up_to_a_hundred(tmp_path, count):
    collection = read_text(SMALL_CSV.read_bytes())
    collection.problems = [Problem(f"file {i}.xml", "it is broken") for i in range(count)]
    filtered, manifest = prepare(collection, tmp_path)

    page = write_report(tmp_path, filtered, manifest).read_text()

    assert len(re.findall(r"file \d+\.xml", page)) == min(count, 100)
    assert ("The manifest lists all 150." in page) == (count == 150)
    assert len(manifest["malformed"]) == count
