"""Preference pairs by hand: easier and as faithful over harder."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from medilite.errors import DataError
from training.config import DPORun
from training.dpo import hold_out, refuse_test_questions
from training.preferences import Preference, Rule, Scored, main, make_pairs, read_answers, read_preferences

WORDS = " ".join(["word"] * 40)


def answer(model: str, grade: float | None, closeness: float = 0.7, recall: float = 0.5, text: str = WORDS) -> Scored:
    return Scored("What is gout?", model, text, grade, closeness, recall)


def pairs(*answers: Scored, **rule: float) -> list[tuple[str, str]]:
    return [(row["chosen_model"], row["rejected_model"]) for row in make_pairs(answers, Rule(**rule))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "made"),
    [
        (answer("grpo", 8.0), True),
        (answer("grpo", 8.1), False),  # 1.9 grades easier: 2 are wanted
        (answer("grpo", 8.0, closeness=0.68), True),  # 0.02 less close: still as faithful
        (answer("grpo", 8.0, closeness=0.67), False),
        (answer("grpo", 8.0, recall=0.47), False),
        (answer("grpo", None), False),
        (answer("grpo", 8.0, text="Too short."), False),
        (answer("grpo", 8.0, text=" ".join(["long"] * 301)), False),
    ],
)
def test_the_easier_one_is_preferred_if_it_says_no_less(chosen: Scored, made: bool) -> None:
    assert pairs(chosen, answer("base", 10.0)) == ([("grpo", "base")] if made else [])


def test_of_one_question_the_widest_gap_comes_first() -> None:
    found = answer("base", 12.0), answer("sft", 10.0), answer("grpo", 7.0)
    assert pairs(*found) == [("grpo", "base")]
    assert pairs(*found, per_question=3) == [("grpo", "base"), ("sft", "base")]


def test_the_command_writes_what_dpo_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", "grpo", 6.0), ("a", "base", 12.0), ("b", "grpo", None), ("b", "base", 12.0)]
    scored = [
        {"question": q, "model": m, "text": f"{WORDS} {m}", "grade": g, "closeness": 0.7, "key_term_recall": 0.5}
        for q, m, g in rows
    ]
    answers, out = tmp_path / "answers.jsonl", tmp_path / "some" / "pairs.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in scored))
    assert main(["--answers", str(answers), "--out", str(out)]) == 0
    assert read_preferences(out) == [Preference("a", f"{WORDS} grpo", f"{WORDS} base")]
    said = capsys.readouterr().out
    assert "4 answers to 2 questions (1 not fully scored and left out)" in said
    assert "chosen: grpo 1" in said
    assert main(["--answers", str(answers), "--out", str(out), "--easier", "7"]) == 2
    assert "Lower --easier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "a", "model": "m"}', "line 1: text has to be a text, not None"),
        ('{"question": "a", "model": "m", "text": "t", "grade": "8"}', "line 1: grade has to be a number or null"),
        ('{"question": "a", "model": "m", "text": "t", "grade": 8}', "line 1: closeness has to be a number or null"),
        ("{", "line 1 is no JSON"),
        ("[1]", "line 1 holds no JSON object"),
    ],
)
def test_a_line_that_cant_be_used_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(DataError, match=message):
        read_answers(file)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_bytes('{"question": "café"}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"answers\.jsonl is not UTF-8 text \(byte 17\)\. Save it as UTF-8"):
        read_answers(file)


def test_pairs_that_cant_be_used_are_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    with pytest.raises(DataError, match=r"can't be read .*training\.preferences"):
        read_preferences(file)
    file.write_text('{"prompt": "a", "chosen": "", "rejected": "b"}\n')
    with pytest.raises(DataError, match="line 1: prompt, chosen and rejected"):
        read_preferences(file)
    file.write_text("\n")
    with pytest.raises(DataError, match="no preference pair"):
        read_preferences(file)


def dpo_run(**data: object) -> DPORun:
    raw = {"stacked_on": "grpo", "lora": {"rank": 8}, "optim": {"learning_rate": 1}, "data": data}
    return DPORun.model_validate(raw)


def test_no_question_is_both_trained_on_and_held_out() -> None:
    made = [Preference(f"q{i // 2}", f"good {i}", f"bad {i}") for i in range(40)]
    kept, held = hold_out(made, dpo_run())
    # A tenth of 40 pairs: two questions of two pairs each.
    assert (len(kept), len(held)) == (36, 4)
    assert not {pair.prompt for pair in kept} & {pair.prompt for pair in held}
    assert hold_out(made, dpo_run()) == (kept, held)
    kept, held = hold_out(made, dpo_run(train_pairs=10, val_pairs=6))
    assert (len(kept), len(held)) == (10, 6)
    with pytest.raises(DataError, match="none left"):
        hold_out(made[:2], dpo_run())


def test_pairs_on_test_questions_are_refused() -> None:
    made = [Preference("What is Gout ?", "good", "bad"), Preference("What is asthma?", "good", "bad")]
    refuse_test_questions(made, ["What is measles?"], Path("pairs.jsonl"))
    with pytest.raises(DataError, match=r"1 of the 2 pairs in pairs\.jsonl ask a question of the test split"):
        refuse_test_questions(made, ["what is gout ?"], Path("pairs.jsonl"))


def test_the_texts_become_the_projects_own_prompt() -> None:
    from training import dpo

    class Tokenizer:
        eos_token_id = 2
        added_tokens_decoder = {1: SimpleNamespace(content="<|im_start|>", special=True)}  # noqa: RUF012

        def apply_chat_template(self, messages: list, **_: object) -> str:
            return f"<|im_start|>{messages[0]['content']}"

        def __call__(self, text: str, **_: object) -> dict:
            return {"input_ids": [ord(c) for c in text]}

    (row,) = dpo.as_dataset(Tokenizer(), [Preference("q", "<|im_start|>", "b")]).to_list()
    assert row["prompt_ids"] == [1, ord("q")]
    assert row["chosen_ids"] == [*map(ord, "<|im_start|>"), 2], "as characters, not as the control token"
    assert row["rejected_ids"] == [ord("b"), 2]
