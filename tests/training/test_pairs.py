"""Which pairs are drawn, and what becomes of the long ones."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace

from medilite.records import Example
from training.pairs import choose, draw_whole


class Words:
    """A tokenizer of words with one control token."""

    eos_token_id = 2
    added_tokens_decoder = MappingProxyType({2: SimpleNamespace(content="<end>", special=True)})

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        return " ".join(m["content"] for m in messages)

    def __call__(self, text, add_special_tokens=False, split_special_tokens=True):
        return {"input_ids": [10] * len(text.split())}


def examples(*lengths: int) -> list[Example]:
    return [Example(f"q{i}", "why", "word " * n, "tests", "focus", "information") for i, n in enumerate(lengths)]


def test_a_pair_that_does_not_fit_whole_is_left_out_and_another_drawn() -> None:
    # One token of question, the answer's, and the end of the turn: 10 fits eight words of answer.
    drawn = draw_whole(Words(), examples(3, 9, 8, 20, 5, 7), 10, 4, seed=1)
    assert sorted(pair.qid for pair in drawn) == ["q0", "q2", "q4", "q5"]
    assert all(pair.ids[-1] == 2 and len(pair.ids) <= 10 for pair in drawn)
    assert draw_whole(Words(), examples(3, 9, 8, 20, 5, 7), 10, 2, seed=1) == drawn[:2]
    assert len(draw_whole(Words(), examples(3, 9, 8), 10, None, seed=1)) == 2


def test_the_same_seed_draws_the_same() -> None:
    all_of_them = examples(*range(1, 30))
    assert choose(all_of_them, 5, 7) == choose(all_of_them, 5, 7) != choose(all_of_them, 5, 8)
    orders = [[p.qid for p in draw_whole(Words(), all_of_them, 40, 9, seed)] for seed in (3, 3, 4)]
    assert orders[0] == orders[1] != orders[2]
