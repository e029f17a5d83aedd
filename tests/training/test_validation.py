"""What GRPO's validation measures, by hand, and when it does."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medilite.records import Message
from training.validation import MEASURES, Completion, Validation, measured


class Same:
    """An encoder to which texts are the same (1) or have nothing in common (0)."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        places = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        return np.eye(8, dtype=np.float32)[[places[text] for text in texts]]


def test_means_by_hand() -> None:
    ice = "Ice eases swelling. Rest eases pain."
    answers = [Completion(ice, True), Completion("rest now " * 20, False), Completion("", True)]
    found = measured(answers, ["Gout?"] * 3, [[ice], ["Walk."], ["Ice."]], Same())
    assert tuple(found) == MEASURES
    assert found["words"] == pytest.approx((6 + 40 + 0) / 3)
    # An empty answer has no sentence, no 4-gram, no closeness and no grade; its recall is 0 and it ended.
    assert found["words_a_sentence"] == pytest.approx((3 + 40) / 2)
    # Of 37 4-grams of "rest now rest now …" two are distinct; "Ice eases swelling. Rest eases pain." repeats none.
    assert found["repeated_4grams"] == pytest.approx((0 + 35 / 37) / 2)
    assert found["closeness"] == pytest.approx((1 + 0) / 2)
    assert found["key_term_recall"] == pytest.approx((1 + 0 + 0) / 3)
    assert found["fit_length"] == pytest.approx(1 / 3)
    assert found["ended"] == pytest.approx(2 / 3)
    # One of three repeats itself, and is left out of the median grade: six words of nine syllables are left.
    assert found["looped"] == pytest.approx(1 / 3)
    assert found["median_grade"] == pytest.approx(0.39 * 3 + 11.8 * 9 / 6 - 15.59, abs=1e-6)
    # The first says all that its reference does and no more, the second nothing of it; the empty one has no term.
    assert found["content_precision"] == pytest.approx((1 + 0) / 2)
    assert found["content_f1"] == pytest.approx((1 + 0 + 0) / 3)
    assert (found["claims_not_found"], found["claims_at_odds"]) == (0, 0)


def test_claims_that_no_reference_has_are_counted_an_answer() -> None:
    invented = "It is caused by mutations in the COL4A5 gene and affects 1 in 10,000 people."
    found = measured([Completion(invented, True)] * 2, ["Gout?"] * 2, [["Ice."], [invented]], Same())
    assert found["claims_not_found"] == pytest.approx((2 + 0) / 2)


def test_a_measure_that_no_answer_has_is_left_out_not_0() -> None:
    found = measured([Completion("", False)], ["Gout?"], [["Ice."]], Same())
    assert found == {
        "key_term_recall": 0, "words": 0, "fit_length": 0, "ended": 0, "looped": 0, "content_f1": 0,
        "claims_not_found": 0, "claims_at_odds": 0,
    }  # fmt: skip


def test_it_measures_the_parent_then_every_few_steps_and_the_last() -> None:
    asked: list[int] = []
    noted: dict[str, list[float]] = {}

    def answer(model: Any, conversations: Sequence[Sequence[Message]]) -> list[Completion]:
        assert [conversation[0].content for conversation in conversations] == ["From the source: Gout?"]
        asked.append(model)
        return [Completion("word " * model, True)]

    def note(name: str, value: float) -> None:
        noted.setdefault(name, []).append(value)

    columns = [{"question": "Gout?", "references": ["Ice."]}]
    validation = Validation(answer, note, columns, ["From the source: Gout?"], every=2, encoder=Same())
    for done in range(5):
        state = SimpleNamespace(global_step=done, max_steps=5)
        validation.on_step_begin(None, state, None, model=done)
        state.global_step += 1
        validation.on_step_end(None, state, None, model=state.global_step)
    assert asked == [0, 2, 4, 5]
    assert noted["validation/words"] == [0, 2, 4, 5]
