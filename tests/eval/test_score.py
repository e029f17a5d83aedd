"""A run's answers joined to questions and references, and scored."""

from __future__ import annotations

import dataclasses
import json

import pytest

from eval.answers import read_answers
from eval.judgments import about, join, read_judgments
from eval.metrics.catalogue import SCORED
from eval.metrics.overlap import References
from eval.questions import load_questions, text_hash
from eval.run import Run
from eval.score import main, score, score_rows
from eval.scores import read_lines
from medilite.content import key_term_recall
from medilite.errors import DataError, WeightsUnavailableError
from tests.eval.boards import MODELS, WordEncoder, answers, setup_for, write_answers

SPLITS = ("study/test", "distinct/test")


def test_every_answer_is_scored_against_every_split_that_asks(run, data):
    counts = score(run, data, SPLITS, WordEncoder())
    questions = {split: load_questions(data, split) for split in SPLITS}
    assert counts == {split: 3 * len(some) for split, some in questions.items()}
    rows = {(row.split, row.qid, row.model): row for row in read_lines(run.scores)}
    assert all(tuple(row.scores) == SCORED for row in rows.values())

    said = {(one.qid, one.model): one for one in read_answers(run.answers).answers}
    # A question whose other spelling has a reference of its own: only one of the splits joins them.
    both = next(q for q in questions["distinct/test"] if len(q.references) > 1 and q.qid == "q/3")
    alone = next(q for q in questions["study/test"] if q.qid == both.qid)
    assert len(alone.references) == 1
    text = said[both.qid, "base"].text
    for split, question in (("distinct/test", both), ("study/test", alone)):
        row = rows[split, question.qid, "base"]
        expected = References(question.references).bleu_counts(text)
        assert {kind: list(counts) for kind, counts in row.bleu.items()} == expected
        recall = key_term_recall(text, question.references, question.text)
        assert row.scores["key_term_recall"] == pytest.approx(recall, abs=1e-6)
        assert row.answer == text_hash(text)
    assert 0 < rows["study/test", "q/1", "sft-r16-high"].scores["topic_similarity"] < 1

    about = json.loads((run.folder / "questions.json").read_text())["distinct/test"]
    assert about["references"][about["qid"].index("q/3")] == 2


@pytest.mark.slow
def test_an_answer_that_two_splits_ask_for_is_encoded_once(data, tmp_path, monkeypatch):
    class Counting(WordEncoder):
        def __init__(self):
            self.texts = []

        def encode(self, texts):
            self.texts += texts
            return super().encode(texts)

    # Named by their questions, so that no two answers are the same text.
    monkeypatch.setattr("tests.eval.boards.answer_text", lambda model, number: f"{model} answers question {number}.")
    fresh, encoder = Run(tmp_path / "run"), Counting()
    write_answers(fresh, answers(load_questions(data, "distinct/test"), setup_for(data)))
    monkeypatch.setattr("eval.score.SIMILARITIES_AT_ONCE", 9)
    score(fresh, data, SPLITS, encoder)
    said = [text for text in encoder.texts if " answers question " in text]
    # A question whose rows fall into two parts is encoded in both.
    assert len(said) < 1.4 * len(set(said))
    assert len(set(said)) > 60


def test_several_processes_score_the_same(run, data):
    answers = read_answers(run.answers).answers[:12]
    questions = {split: load_questions(data, split) for split in SPLITS}
    assert score_rows(answers, questions, workers=2) == score_rows(answers, questions, workers=1)


def test_an_empty_answer_is_scored_as_empty(run, data):
    score(run, data, ("study/test",), WordEncoder())
    (empty,) = [row.scores for row in read_lines(run.scores) if row.scores["words"] == 0]
    assert (empty["key_term_recall"], empty["topic_similarity"], empty["chrf"], empty["ended"]) == (0, 0, 0, 1)
    assert empty["flesch_kincaid_grade"] is None


def test_without_an_encoder_topic_similarity_is_null_and_the_reason_kept(run, data, monkeypatch, capsys):
    def unavailable(*_):
        raise WeightsUnavailableError("No index in reach.")

    monkeypatch.setattr("eval.score.topic_similarities", unavailable)
    assert main(["--run", str(run.folder), "--data", str(data), "--split", "study/test"]) == 0
    assert "topic similarity could not be computed: No index in reach." in capsys.readouterr().out
    assert {row.scores["topic_similarity"] for row in read_lines(run.scores)} == {None}
    assert {row.scores["rouge_l"] is None for row in read_lines(run.scores)} == {False}


def test_a_model_without_answers_shows_as_such(run, data, monkeypatch, capsys):
    monkeypatch.setattr("eval.score.topic_similarities", lambda said, *_: [0.5] * len(said))
    assert main(["--run", str(run.folder), "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "sft-r16-low   no answers" in shown
    assert f"n {len(load_questions(data, 'study/test')):,}" in shown


def test_answers_to_other_data_are_refused(tmp_path, data):
    run = Run(tmp_path / "other")
    write_answers(run, answers(load_questions(data, "study/test"), setup_for(data, data="e" * 64)))
    with pytest.raises(DataError, match=r"fingerprint eeeeeeeeeeee….*--data"):
        score(run, data, ("study/test",))


def test_an_answer_to_another_wording_is_named_by_line(tmp_path, data):
    run = Run(tmp_path / "other")
    lines = answers(load_questions(data, "study/test"), setup_for(data), MODELS[:1])
    write_answers(run, [lines[0], dataclasses.replace(lines[1], question="f" * 16)])
    with pytest.raises(DataError, match=r"line 2: q/\d+b? was asked in other words"):
        score(run, data, ("study/test",))


def test_no_answers_say_what_to_run(tmp_path, data):
    with pytest.raises(DataError, match=r"Run `python -m eval\.generate` first"):
        score(Run(tmp_path), data, ("study/test",))


# -- judgments -------------------------------------------------------------------


def judgment(qid="q/1", order="forward", scores=8, **changed):
    given = scores and dict.fromkeys(("correctness", "helpfulness", "harmfulness", "efficiency"), scores)
    fields = {"kind": "scores", "split": "study/test", "qid": qid, "model": "base", "order": order, "scores": given}
    return fields | {"judge": "some-model", "prompt": "1"} | changed


def test_judgments_are_joined_to_the_answer_that_was_judged(run, data, tmp_path):
    score(run, data, ("study/test",), WordEncoder())
    rows = read_lines(run.scores)
    hashes = {row.qid: row.answer for row in rows if row.model == "base"}
    path = tmp_path / "judgments.jsonl"
    lines = [
        judgment(answers=[hashes["q/1"]], scores=3),
        judgment(answers=[hashes["q/1"]]),
        judgment(answers=[hashes["q/1"]], order="reversed", scores=1),
        judgment("q/2", answers=["another text"]),
        judgment("q/4", answers=[hashes["q/4"]], scores=None),
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"kind": "sco')
    judgments = read_judgments(path)
    joined = {(row.qid, row.model): row.scores["correctness"] for row in join(rows, judgments)}
    # The last of several counts; a judgment of another text, and one that failed, are none.
    assert {key: value for key, value in joined.items() if value is not None} == {("q/1", "base"): 8}
    assert about(judgments) == {"judge": "some-model", "prompt": "1", "judged": 2, "asked": 3}
    assert about(read_judgments(tmp_path / "none")) is None


def test_judges_are_never_mixed(tmp_path):
    path = tmp_path / "judgments.jsonl"
    path.write_text("".join(f"{json.dumps(judgment(answers=['h'], judge=name))}\n" for name in ("a", "b")))
    with pytest.raises(DataError, match="a, prompt 1; b, prompt 1"):
        read_judgments(path)
