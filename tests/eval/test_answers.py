"""The answers file: whole lines only, never mixed, one writer."""

from __future__ import annotations

import dataclasses

import pytest

from eval.answers import AnswerWriter, SavedAnswer, Setup, check_fits, read_answers
from medilite.errors import DataError
from medilite.records import Decoding

SETUP = Setup("lite", "tiny", "d" * 64, Decoding(), 42, "int8")


def answer(qid="q1", model="base", text="Rest.\u2028And «water»\n", adapter=None, **setup):
    return SavedAnswer(
        qid=qid,
        question="0" * 16,
        model=model,
        text=text,
        tokens=3,
        stopped="end",
        setup=dataclasses.replace(SETUP, **setup),
        adapter=adapter,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


def write(path, *answers, tail=b""):
    path.write_bytes("".join(f"{one.to_json()}\n" for one in answers).encode() + tail)


def test_what_was_written_is_read_back(path):
    with AnswerWriter(path) as writer:
        writer.append([answer(), answer("q2", text="")])
    file = read_answers(path)
    assert file.answers == (answer(), answer("q2", text=""))
    assert file.dropped is None


def test_no_file_is_no_answers(path):
    assert read_answers(path).answers == ()


TAILS = [b'{"qid":"q2","te', answer("q2").to_json().encode(), b"\x00\x00\n"]


@pytest.mark.parametrize("tail", TAILS, ids=["cut", "without a line break", "no JSON"])
def test_a_broken_last_line_is_dropped_and_said(path, tail):
    write(path, answer(), tail=tail)
    assert "line 2" in read_answers(path).dropped
    said = []
    with AnswerWriter(path, said.append) as writer:
        writer.append([answer("q3")])
    assert len(said) == 1
    assert [one.qid for one in read_answers(path).answers] == ["q1", "q3"]


def test_a_file_with_nothing_but_a_cut_line(path):
    write(path, tail=b'{"qid"')
    with AnswerWriter(path, lambda text: None) as writer:
        writer.append([answer()])
    assert read_answers(path).answers == (answer(),)


FOREIGN = [
    ({"data": "e" * 64}, "another data (eeeeeeeeeeee…, not dddddddddddd…)"),
    ({"seed": 7}, "another seed (7, not 42)"),
    ({"precision": "float32"}, "another precision (float32, not int8)"),
    ({"precision": None}, "another precision (none noted, not int8)"),
    ({"decoding": Decoding(max_new_tokens=9)}, "another decoding (max_new_tokens=9"),
    ({"adapter": "a" * 64}, "another adapter of base"),
]


@pytest.mark.parametrize(("changed", "said"), FOREIGN)
def test_lines_of_another_setup_are_named(path, changed, said):
    write(path, answer("q1"), answer("q2", **changed), answer("q3"))
    with pytest.raises(DataError) as caught:
        read_answers(path)
    assert f"line 2: {said}" in str(caught.value)
    assert "line 3" not in str(caught.value)


def test_a_file_of_a_version_that_noted_no_precision_is_read_but_not_gone_on_with(path):
    lines = [answer(f"q{number}", precision=None).to_json().replace('"precision":null,', "") for number in (1, 2)]
    assert "precision" not in lines[0]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    file = read_answers(path)
    assert [one.setup.precision for one in file.answers] == [None, None]
    with pytest.raises(DataError, match=r"line 1: another precision \(none noted, not int8\)"):
        check_fits(path, file, SETUP, {"base": None})


def test_an_answer_that_comes_twice_is_named(path):
    write(path, answer("q1"), answer("q2"), answer("q1", text="Another."))
    with pytest.raises(DataError, match="line 3: base answers q1 in line 1 already"):
        read_answers(path)


PRECISION_8 = answer().to_json().replace('"int8"', "8").encode() + b"\n"


@pytest.mark.parametrize("line", [b"{}\n", b"[1]\n", b'{"qid": 3}\n', b"nonsense\n", PRECISION_8])
def test_a_broken_line_inside_is_an_error(path, line):
    path.write_bytes(line + f"{answer().to_json()}\n".encode())
    with pytest.raises(DataError, match="line 1: it is no answer"):
        read_answers(path)


def test_a_run_does_not_go_on_with_other_adapters(path):
    write(path, answer(), answer(model="grpo", adapter="a" * 64))
    file = read_answers(path)
    check_fits(path, file, SETUP, {"base": None, "grpo": "a" * 64})
    with pytest.raises(DataError, match="line 2: another adapter of grpo"):
        check_fits(path, file, SETUP, {"base": None, "grpo": "b" * 64})
    with pytest.raises(DataError, match="2 lines don't belong"):
        check_fits(path, file, dataclasses.replace(SETUP, seed=1), {})


def test_two_writers_at_once_are_refused(path):
    with AnswerWriter(path), pytest.raises(DataError, match="another process"), AnswerWriter(path):
        pass
    with AnswerWriter(path):
        pass
