"""Each reward by hand, and their form for TRL."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest

from medilite.records import Example
from training.config import RewardsConfig
from training.rewards import (
    Limit,
    closeness_reward,
    copied_reward,
    echo_reward,
    ending_reward,
    grounded_reward,
    jargon_reward,
    key_terms_reward,
    length_reward,
    readability_reward,
    repetition_reward,
    reward_columns,
    reward_functions,
    sentences_reward,
)

LIMIT = Limit(max_new_tokens=3, end_ids=frozenset({2}))


@pytest.mark.parametrize(
    ("words", "reward"),
    [(0, -1), (15, 0), (29, -1 + 58 / 30), (30, 1), (300, 1), (301, 0.98), (350, 0), (400, -1), (5000, -1)],
)
def test_length(words: int, reward: float) -> None:
    assert length_reward("word " * words) == pytest.approx(reward)


def test_the_upper_length_of_the_studys_script_is_a_choice() -> None:
    assert length_reward("word " * 2000, high=3000) == 1


def test_readability_by_hand() -> None:
    # "The cat sat on the mat." 6 words, 1 sentence, 6 syllables: 206.835 - 1.015·6 - 84.6·1 = 116.145, clipped to 100.
    assert readability_reward("The cat sat on the mat.") == 1
    # "Medicine can alleviate hypertension." 4 words, 12 syllables: far below 0, clipped to 0.
    assert readability_reward("Medicine can alleviate hypertension.") == -1
    # "My doctor gave me some water today." 7 words, 10 syllables: 206.835 - 7.105 - 84.6·10/7 = 78.873.
    assert readability_reward("My doctor gave me some water today.") == pytest.approx(78.873 / 50 - 1, abs=1e-3)


def test_beyond_what_is_easy_enough_nothing_is_earned() -> None:
    assert readability_reward("The cat sat on the mat.", enough=70) == pytest.approx(0.4)
    assert readability_reward("My doctor gave me some water today.", enough=70) == pytest.approx(0.4)
    assert readability_reward("Medicine can alleviate hypertension.", enough=70) == -1


@pytest.mark.parametrize(
    ("text", "question", "reward"),
    [
        # "crystals" and "uric" are difficult, 2 words of 8: 1 - 2·(2/8)/0.5.
        ("Sharp crystals of uric salt hurt your foot.", "What is gout?", 0),
        # The question's own are not counted, in any form: 1 - 2·(1/8)/0.5.
        ("Sharp crystals of uric salt hurt your foot.", "What does a Crystal do?", 0.5),
        ("Drink water and rest.", "What is gout?", 1),
        # Two words of three are far over the limit.
        ("Nonsteroidal medications help.", "What is gout?", -1),
        ("", "What is gout?", -1),
        ("…", "What is gout?", -1),
    ],
)
def test_jargon(text: str, question: str, reward: float) -> None:
    assert jargon_reward(text, question) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        ("Rest the joint and put ice on it.", 1),
        # Of nine 4-grams of the twelve words the ninth is the first again: 1 - 2·(1/9)/0.25.
        ("a b c d e f g h a b c d", 1 - 8 / 9),
        ("Rest now. " * 20, -1),
        ("Rest now.", -1),
        ("", -1),
    ],
)
def test_repetition(text: str, reward: float) -> None:
    assert repetition_reward(text) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        ("Ice helps the joint.", 1),
        # Four words of sixteen: 1 - 2·(4/16)/0.5.
        ("What are the treatments? Put ice on the joint, drink some water, and rest for days.", 0),
        # Four of eight.
        ("What are the treatments? Ice helps the joint.", -1),
        ("What are the treatments for gout?", -1),
        ("", -1),
    ],
)
def test_echo(text: str, reward: float) -> None:
    assert echo_reward(text, "What are the treatments for gout ?") == pytest.approx(reward)


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        # Words a sentence: 3; 12; 21, half-way to 30; 30; 40.
        ("Drink more water.", 1),
        ("word " * 11 + "end. " + "word " * 11 + "end.", 1),
        ("word " * 20 + "end.", 0),
        ("word " * 29 + "end.", -1),
        ("word " * 39 + "end.", -1),
        # One short sentence and one long one count by their mean: (3 + 21) / 2.
        ("Drink more water. " + "word " * 20 + "end.", 1),
        ("", -1),
        ("...", -1),
    ],
)
def test_sentences(text: str, reward: float) -> None:
    assert sentences_reward(text) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("text", "ended", "reward"),
    [
        ("Drink water.", True, 1),
        ("Drink water! ", True, 1),
        ("(Or “drink water.”)\n", True, 1),
        ("Drink water and", True, 0),
        ("Drink water.", False, -1),
        ("Drink water and", False, -1),
        ("", True, -1),
        ("...", True, -1),
    ],
)
def test_ending(text: str, ended: bool, reward: float) -> None:
    assert ending_reward(text, ended) == reward


@pytest.mark.parametrize(
    ("ids", "ended"), [([5, 6, 2], True), ([5, 6, 7], False), ([5, 2], True), ([5, 6], True), ([], True)]
)
def test_a_completion_as_long_as_the_limit_did_not_end_unless_by_its_last_token(ids: list[int], ended: bool) -> None:
    assert LIMIT.ended(ids) is ended


@pytest.mark.parametrize(
    ("answer", "question", "reward"),
    [
        (0.6, 0.6, 0),
        (0.8, 0.6, 0.5),
        (1, 0.6, 1),
        (0.3, 0.6, -0.5),
        (0, 0.6, -1),
        (-0.2, 0.6, -1),
        # A question that is its reference leaves room on both sides all the same.
        (1, 1, 1),
        (0.475, 1, -0.5),
        (0.05, -0.1, 0),
        (None, 0.6, -1),
        (0.6, None, None),
        (None, None, None),
    ],
)
def test_closeness(answer: float | None, question: float | None, reward: float | None) -> None:
    assert closeness_reward(answer, question) == (None if reward is None else pytest.approx(reward))


@pytest.mark.parametrize(
    ("recall", "reward"), [(0, -1), (0.125, 0), (0.25, sqrt(2) - 1), (0.5, 1), (0.9, 1), (None, None)]
)
def test_key_terms(recall: float | None, reward: float | None) -> None:
    assert key_terms_reward(recall) == (None if reward is None else pytest.approx(reward))


class Plane:
    """An encoder that knows four texts."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        known = {"Gout?": (1, 0), "Put ice on it.": (0.6, 0.8), "Ice.": (0.8, 0.6), "Walk.": (0, 1)}
        return np.array([known[text] for text in texts], np.float32)


@pytest.mark.parametrize(("run", "reward"), [(0, 1), (7, 1), (16, 0), (25, -1), (40, -1)])
def test_copied_by_the_longest_run_of_words(run: int, reward: float) -> None:
    source = [f"word{n}" for n in range(50)]
    text = " ".join(["Other", *source[5 : 5 + run], "words", *source[:4]][: max(1, run + 2)])
    assert copied_reward(text, ["Nothing here.", " ".join(source)]) == pytest.approx(reward)
    assert copied_reward(text, []) is None


PASSAGE = (
    "Borders syndrome causes pain in the joints, swelling of the hands and a rash on the face. "
    "It does not shorten a person's life. Physical therapy and rest may ease the pain."
)


def test_grounded_pays_no_filler_no_mixture_and_no_lost_negation() -> None:
    """The fillers and mixtures are what a policy wrote that had learned to be easy alone."""

    def reward(text: str) -> float:
        found = grounded_reward(text, [PASSAGE], "What is Borders syndrome?")
        assert found is not None
        return found

    plain = "Borders syndrome causes joint pain and swelling of the hands. It does not shorten a life."
    filler = "This is pain. This happens. Some people have it. These can. This is a rash. This is called rest."
    mixture = "Physical therapy causes a rash on the face. Rest causes swelling of the hands."
    assert reward(plain) > 0.6
    assert reward(filler) < -0.2
    assert reward(mixture) < reward(plain) - 0.3
    assert reward("It shortens a person's life.") < reward("It does not shorten a person's life.")
    assert reward("Borders syndrome does not cause pain in the joints.") == -1
    assert reward("") == -1
    assert grounded_reward(plain, [], "What?") is None


def test_trl_form_gives_every_reward_its_columns() -> None:
    config = RewardsConfig(**dict.fromkeys(RewardsConfig().weights, 1.0))
    functions, weights = reward_functions(config, LIMIT, Plane())
    assert [function.__name__ for function in functions] == [*config.weights]
    assert weights == [1.0] * len(functions)
    # As TRL calls them: all columns, completions as conversations, and things of its own.
    answer = [{"role": "assistant", "content": "Ice."}]
    columns = {
        "completions": [answer, answer, "Walk.", "…"],
        "prompts": [[]] * 4,
        "completion_ids": [[5, 6, 2], [5, 6, 7], [5], [5]],
        "question": ["Gout?"] * 4,
        "references": [["Put ice on it.", "Put ice on it."], [], ["Put ice on it."], ["Put ice on it."]],
        "trainer_state": None,
    }
    rewards = {function.__name__: function(**columns) for function in functions}
    # Cosines: question 0.6, "Ice." 0.96, "Walk." 0.8; no reference, no reward; no word, the worst.
    assert rewards["closeness"] == pytest.approx([0.9, None, 0.5, -1])
    assert rewards["key_terms"] == [1, None, -1, -1]
    assert rewards["ending"] == [1, -1, 1, -1]
    assert rewards["copied"] == [1, None, 1, 1]
    assert rewards["grounded"] == pytest.approx([-1 + 2 / 3 / 0.8, None, -1, -1])
    assert rewards["length"] == pytest.approx([-1 + 2 / 30] * 4)
    assert rewards["readability"] == [1, 1, 1, -1]
    assert rewards["sentences"] == [1, 1, 1, -1]
    assert rewards["jargon"] == [1, 1, 1, -1]
    assert rewards["repetition"] == [-1] * 4
    assert rewards["echo"] == [1, 1, 1, -1]


def test_trl_form_leaves_out_weightless_rewards() -> None:
    functions, weights = reward_functions(RewardsConfig(readability=2.0, length=0.0, ease_enough=80), LIMIT)
    assert [function.__name__ for function in functions] == ["readability"]
    assert weights == [2.0]
    assert functions[0](completions=["The cat sat on the mat."]) == pytest.approx([0.6])


def test_columns_hold_all_references_of_a_question() -> None:
    def example(question: str, answer: str) -> Example:
        return Example("q", question, answer, "source", "gout", "treatment")

    split = [
        example("What helps?", "Ice."),
        example("What is it?", "A swelling."),
        example("what  helps?", "Rest."),
        example("What helps?", "Ice."),
    ]
    assert reward_columns([split[2], split[1], example("Why?", "So.")], split) == [
        {"question": "what  helps?", "references": ["Ice.", "Rest."]},
        {"question": "What is it?", "references": ["A swelling."]},
        {"question": "Why?", "references": []},
    ]
