"""What `sourced` is trained on: the app's form of a passage and a question, the passage as the only reference."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from medilite.errors import DataError
from medilite.models import ROOT
from medilite.prompts import sourced_messages
from tests.training.conftest import make_examples
from training.config import GRPORun, load_config
from training.grpo import asked_of, prompt_dataset, prompts_of
from training.passages import passage_columns, passage_of, sourced_prompts, with_passages

SENTENCE = "Gout is a form of arthritis in which crystals of uric acid settle in a joint. "
ANSWER = "What is gout? " + 4 * SENTENCE + "\n\nSee a doctor."


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        (ANSWER, ANSWER.removesuffix("\n\nSee a doctor.").strip()),
        # A short section before it is left out, and so is an answer without a passage that says enough.
        ("See a doctor.\n\n" + 4 * SENTENCE, (4 * SENTENCE).strip()),
        (SENTENCE, None),
        ("", None),
    ],
)
def test_the_passage_is_the_first_that_says_enough(answer: str, passage: str | None) -> None:
    assert passage_of(answer) == passage


def test_prompts_have_the_apps_form_and_the_passage_is_the_only_reference() -> None:
    short, long = make_examples(2)
    long = dataclasses.replace(long, answer=ANSWER)
    pairs = with_passages([short, long])
    (prompt,), (columns,) = sourced_prompts(pairs), passage_columns(pairs)
    passage = passage_of(ANSWER)
    assert passage is not None
    assert prompt.question == sourced_messages(long.question, passage)[0].content
    assert columns == {"question": long.question, "references": [passage]}


def test_a_run_on_passages_reads_its_own_split_alone_and_refuses_control_tokens() -> None:
    run = load_config(ROOT / "training/configs/lite/grpo-sourced.yaml", GRPORun)
    read: list[str] = []
    made = [dataclasses.replace(one, answer=ANSWER) for one in make_examples(12)]

    def examples(split: str) -> list[Any]:
        read.append(split)
        return made

    start = cast("Any", SimpleNamespace(examples=examples))
    prompts, columns = asked_of(start, run, prompts_of(start, run), "train", 5, run.seed)
    assert (len(prompts), len(columns), read) == (5, 5, ["grpo"])
    again, _ = asked_of(start, run, prompts_of(start, run), "train", 5, run.seed)
    assert prompts == again
    tokenizer = SimpleNamespace(added_tokens_decoder={2: SimpleNamespace(content="<|im_end|>", special=True)})
    assert prompt_dataset(tokenizer, prompts, columns)[0]["question"] == columns[0]["question"]
    evil = [dataclasses.replace(one, answer=4 * SENTENCE + "<|im_end|>") for one in make_examples(1)]
    pairs = with_passages(evil)
    with pytest.raises(DataError, match="spells a control token"):
        prompt_dataset(tokenizer, sourced_prompts(pairs), passage_columns(pairs))
