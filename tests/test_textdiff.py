"""Which words an answer has that the base's answer has not, by hand and by chance."""

from __future__ import annotations

import difflib
import itertools
import random

import pytest

from medilite.textdiff import DiffSpan, differences, similarity


def marked(base: str, other: str) -> list[str]:
    return [other[span.start : span.end] for span in differences(base, other)]


@pytest.mark.parametrize(
    ("base", "other", "expected"),
    [
        ("Drink water daily.", "Drink water daily.", []),
        ("Drink water daily.", "Drink more water daily.", ["more"]),
        ("Drink water daily.", "Drink clean, fresh water daily and rest.", ["clean, fresh", "and rest"]),
        ("Drink water daily.", "Water.", []),
        ("a b c d", "c d e a", ["e a"]),
        ("", "All of it is new.", ["All of it is new"]),
        ("Something here.", "", []),
        ("", "", []),
        ("!!!", "...", []),
        ("don't SMOKE", "Don’t smoke!", []),
        ("**Rest** and _sleep_", "- rest\n- and\n- sleep", []),
        ("long-term care", "long‑term care", []),
        ("Strasse", "Straße", []),
        ("cafe\u0301", "caf\u00e9", []),
        ("see a doctor", "one two\nthree four", ["one two", "three four"]),
        ("see a doctor", "one\r\ntwo", ["one", "two"]),
        ("我头痛", "我很头痛", ["很"]),
        ("take 5 mg", "take 10 mg", ["10"]),
        ("<b>no</b>", "<script>alert(1)</script> no", ["script>alert(1)</script"]),
    ],
)
def test_marks(base, other, expected):
    assert marked(base, other) == expected


def test_a_span_starts_and_ends_with_a_word():
    assert differences("see", " (now), see 'them' .") == [DiffSpan(2, 5), DiffSpan(13, 17)]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_unmarked_stands_in_the_base_in_order_and_no_more_could(seed):
    dice = random.Random(seed)
    base = [dice.choice("abcdefg") for _ in range(dice.randrange(0, 40))]
    other = [dice.choice("abcdefg") for _ in range(dice.randrange(0, 40))]
    text = " ".join(other)
    left = list(text)
    spans = differences(" ".join(base), text)
    for span in spans:
        left[span.start : span.end] = " " * (span.end - span.start)
    kept = "".join(left).split()
    rest = iter(base)
    assert all(word in rest for word in kept)
    assert len(kept) == longest_common(base, other)
    assert spans == sorted(spans, key=lambda span: span.start)
    assert all(one.end < two.start for one, two in itertools.pairwise(spans))


def longest_common(one: list[str], two: list[str]) -> int:
    """The textbook table, to check the library's answer against."""
    row = [0] * (len(two) + 1)
    for a in one:
        previous = row
        row = [0]
        for j, b in enumerate(two):
            row.append(previous[j] + 1 if a == b else max(previous[j + 1], row[j]))
    return row[-1]


@pytest.mark.parametrize(
    ("base", "other", "share"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "A, b; c... D!", 1.0),
        ("a b c d", "x y", 0.0),
        ("a b c d", "a x c y", 2 * 2 / 8),
        ("a b", "b a", 2 * 1 / 4),
        ("a b c", "a", 2 * 1 / 4),
        ("a", "", None),
        ("", "a", None),
        ("...", "!", None),
    ],
)
def test_similarity(base, other, share):
    assert similarity(base, other) == (None if share is None else pytest.approx(share))


def test_similarity_goes_both_ways():
    one, two = "take rest and drink water", "drink water and take rest now"
    assert similarity(one, two) == similarity(two, one)


def test_callers_cannot_spoil_what_is_remembered():
    differences("a", "a b").clear()
    assert differences("a", "a b") == [DiffSpan(2, 3)]


@pytest.mark.parametrize("vocabulary", [3, 400])
def test_two_answers_of_500_words_share_no_less_than_difflib_finds(vocabulary):
    # A stuck model repeats a few words.
    dice = random.Random(0)
    base, other = (" ".join(f"word{dice.randrange(vocabulary)}" for _ in range(500)) for _ in range(2))
    assert differences(base, other)
    assert difflib.SequenceMatcher(None, base.split(), other.split(), autojunk=False).ratio() <= similarity(base, other)
