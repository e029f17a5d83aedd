"""Tables of pairs: which columns, which rows, and what is said of rows that can't be read."""

from __future__ import annotations

import pytest

from medilite.errors import DataError
from tests.training.data_fixtures import SMALL_CSV, read_text, reasons

HEADER = "question,answer,source,focus_area,qtype,qid\n"


def test_a_row_becomes_a_pair_with_white_space_folded():
    collection = read_text(HEADER + '"What  is\tgout ?","A swelling.\n\n It hurts.",Clinic,Gout,information,7-1\n')

    pair = collection.pairs[0]
    assert (pair.question, pair.answer) == ("What is gout ?", "A swelling. It hurts.")
    assert (pair.source, pair.focus_area, pair.qtype, pair.qid) == ("Clinic", "Gout", "information", "7-1")
    assert collection.counts == {"rows_read": 1, "rows_malformed": 0}


def test_a_cell_of_synonyms_is_parted_and_other_tables_have_none():
    named = read_text("question,answer,focus,synonyms\nWhy ?,Sugar.,Gout,Podagra | Uric  arthritis|\n")

    assert named.pairs[0].synonyms == ("Podagra", "Uric arthritis")
    assert read_text("question,answer\nWhy ?,Sugar.\n").pairs[0].synonyms == ()


@pytest.mark.parametrize(
    "header",
    [
        "Answer,QUESTION",
        " answer , question ",
        "response,Query",
        "\ufeffanswer,question",
        "Answer Text,question-text",
    ],
)
def test_columns_are_found_under_their_usual_names_whatever_the_order(header):
    collection = read_text(f"{header}\nA swelling.,What is gout ?\n")

    assert (collection.pairs[0].question, collection.pairs[0].answer) == ("What is gout ?", "A swelling.")
    assert (collection.pairs[0].source, collection.pairs[0].qid) == ("", "")


def test_the_hubs_and_kaggles_column_names_are_known():
    hub = read_text(
        "document_source,question_id,question_focus,question_type,question,answer\nCDC,1-1,Gout,causes,Why ?,Sugar.\n"
    )
    kaggle = read_text("question,answer,source,focus_area\nWhy ?,Sugar.,CDC,Gout\n")

    assert hub.pairs[0].focus_area == kaggle.pairs[0].focus_area == "Gout"
    assert hub.pairs[0].source == kaggle.pairs[0].source == "CDC"
    assert (hub.pairs[0].qtype, hub.pairs[0].qid) == ("causes", "1-1")


def test_columns_can_be_named_by_hand_and_win_over_the_usual_names():
    text = "question,title,answer,body\nnot this,What is gout ?,nor this,A swelling.\n"

    pair = read_text(text, question_column="Title", answer_column="body").pairs[0]

    assert (pair.question, pair.answer) == ("What is gout ?", "A swelling.")


def test_a_column_taken_by_hand_is_not_taken_twice():
    pair = read_text("answer,response\nWhat is gout ?,A swelling.\n", question_column="answer").pairs[0]

    assert (pair.question, pair.answer) == ("What is gout ?", "A swelling.")


def test_a_missing_column_is_an_error_that_lists_what_is_there_and_suggests():
    with pytest.raises(DataError, match=r"no column for the answer.*Did you mean 'answr'\?.*'question', 'answr'"):
        read_text("question,answr\na,b\n")
    with pytest.raises(DataError, match=r"no column 'titel'.*--question-column.*Did you mean 'title'"):
        read_text("title,answer\na,b\n", question_column="titel")
    with pytest.raises(DataError, match="no column for the question and the answer"):
        read_text("a,b\n1,2\n")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_delimit_too(delimiter):
    collection = read_text(
        delimiter.join(("question", "answer")) + "\n" + delimiter.join(("Why ?", "So, there.")) + "\n"
    )

    assert collection.pairs[0].answer == "So, there."


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_will_do_and_blank_lines_are_no_rows(ending):
    collection = read_text(ending.join(["question,answer", "a ?,b.", "", "c ?,d.", ""]))

    assert [pair.question for pair in collection.pairs] == ["a ?", "c ?"]
    assert collection.counts == {"rows_read": 2, "rows_malformed": 0}


def test_utf_16_with_its_mark_is_read():
    assert read_text("question,answer\nÇa va ?,Oui.\n".encode("utf-16")).pairs[0].question == "Ça va ?"


def test_a_missing_question_or_answer_is_kept_for_the_filter_to_count():
    collection = read_text("question,answer\n,b.\nc ?,\n")

    assert [(pair.question, pair.answer) for pair in collection.pairs] == [("", "b."), ("c ?", "")]


def test_the_wrong_number_of_fields_is_reported_by_line():
    collection = read_text("question,answer\na ?,b.\nonly one\nc ?,d.,e\nf ?,g.\n")

    assert [pair.question for pair in collection.pairs] == ["a ?", "f ?"]
    assert reasons(collection) == {
        "table.csv, line 3": "1 fields where 2 are expected",
        "table.csv, line 4": "3 fields where 2 are expected",
    }
    assert collection.counts == {"rows_read": 4, "rows_malformed": 2}


def test_lines_are_counted_through_fields_that_span_several():
    collection = read_text('question,answer\na ?,"b\nb\nb"\nbroken\n')

    assert list(reasons(collection)) == ["table.csv, line 5"]


def test_bytes_that_are_no_text_are_reported_and_the_rest_is_read():
    collection = read_text(b"question,answer\nbad ?,caf\xe9\ngood ?,caf\xc3\xa9\n")

    assert [pair.answer for pair in collection.pairs] == ["café"]
    assert "not UTF-8" in reasons(collection)["table.csv, line 2"]


def test_a_quote_left_open_costs_its_own_row_and_no_other():
    collection = read_text('question,answer\na ?,b.\nc ?,"d.\ne ?,f.\n"g ?","h."\ni ?,j.\n')

    assert [pair.question for pair in collection.pairs] == ["a ?", "e ?", "g ?", "i ?"]
    assert list(reasons(collection)) == ["table.csv, line 3"]


def test_a_quote_left_open_in_the_last_row_is_reported():
    collection = read_text('question,answer\na ?,b.\nc ?,"d.\n')

    assert [pair.question for pair in collection.pairs] == ["a ?"]
    assert "unexpected end of data" in reasons(collection)["table.csv, line 3"]


def test_text_after_a_closing_quote_is_reported():
    collection = read_text('question,answer\n"He said "ouch" to me",b.\nc ?,d.\n')

    assert [pair.question for pair in collection.pairs] == ["c ?"]
    assert list(reasons(collection)) == ["table.csv, line 2"]


def test_many_open_quotes_are_all_reported_in_good_time():
    rows = 'x ?,"open\n' * 2000

    collection = read_text(f"question,answer\n{rows}")

    assert len(collection.problems) + len(collection.pairs) > 0
    assert collection.counts["rows_read"] == len(collection.problems) + len(collection.pairs)


def test_an_empty_or_binary_table_is_an_error():
    with pytest.raises(DataError, match="is empty"):
        read_text("")
    with pytest.raises(DataError, match="begins with binary data"):
        read_text(b"PAR1\x00\x01\x02\x03")
    with pytest.raises(DataError, match="row of column names can't be read"):
        read_text('"question,answer\n')


def test_utf_16_cut_short_is_an_error_and_no_traceback():
    with pytest.raises(DataError, match="Save it as UTF-8"):
        read_text("question,answer\na ?,b.\n".encode("utf-16")[:-1])


def test_nothing_of_the_small_table_is_lost():
    collection = read_text(SMALL_CSV.read_bytes())

    assert (len(collection.pairs), collection.problems) == (31, [])
