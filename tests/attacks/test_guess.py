"""Whoever guesses a visitor's question can't test the guess: not by what is stored, mirrored or published of it."""

from __future__ import annotations

import json
import random

import pytest
import sqlalchemy as sa

from medilite.arena.export import public_records
from medilite.arena.hiding import coarse_grade, coarse_words, hidden
from medilite.arena.mirror.journal import pending
from medilite.arena.mirror.lines import write_change
from medilite.arena.records import OWN_QUESTION, Ballot, text_key
from medilite.arena.schema import metadata
from medilite.readability import measure
from medilite.textdiff import similarity
from tests.arena.made import MANY, NOW, candidate, no_marks, pair, texts_of

WORDS = (
    "rest", "water", "doctor", "knee", "pain", "walk", "heart", "sleep", "medicine", "cold", "fever", "daily",
    "careful", "symptom", "treatment", "cause",
)  # fmt: skip
SEED = 1_234_567


def answers(rng):
    """Return two answers as a model might give them: this is what a guess would be tested against."""
    return [" ".join(rng.choices(WORDS, k=rng.randint(20, 140))).capitalize() + "." for _ in range(2)]


def live_pair(question, texts, **fields):
    sides = []
    for model, text in zip(("base", "grpo"), texts, strict=True):
        scores = measure(text)
        numbers = {"words": scores.words, "grade": scores.flesch_kincaid_grade}
        sides.append(candidate(model, text, key=text_key(text), seed=SEED, **numbers))
    return pair(
        *sides, kind="live", question_id=OWN_QUESTION, question=question, question_key=text_key(question),
        similarity=similarity(*texts) or 0.0, **fields,
    )  # fmt: skip


def all_of_it(store, *, forgets=False):
    """Return everything that is stored, mirrored or published, as text."""
    with store.database.read() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]
    lines = [write_change(lack.change) for lack in pending(store, forgets=forgets)]
    return rows, lines, [json.dumps(record) for record in public_records(store.votes())]


@pytest.mark.parametrize("undone", [False, True])
def test_what_is_left_is_the_same_for_other_texts(store, undone):
    """Opponents questions whose answers are of one coarse size leave the same rows: no column is left to compare by."""
    rng = random.Random(0)
    made: dict[tuple[object, ...], list[tuple[str, list[str]]]] = {}
    for number in range(400):
        texts = answers(rng)
        shown = hidden(live_pair("?", texts))
        size = (shown.left.words, shown.right.words, shown.left.grade, shown.right.grade, shown.similarity)
        made.setdefault(size, []).append((f"Question {number}?", texts))
    twins = max(made.values(), key=len)
    assert len(twins) > 10, "a size that hardly any two answers share would tell them"
    seen = set()
    _ = store.secret
    for question, texts in twins[:4]:
        shown = live_pair(question, texts, id="0" * 32)
        token = store.add_pair(shown, "t" * 32)
        store.cast(token, "voter", Ballot("left"), NOW + 60, MANY, no_marks, texts=texts_of(shown) if undone else None)
        if undone:
            store.undo(token, "voter", NOW + 61, 10, no_marks)
        with store.database.write() as connection:
            connection.execute(sa.text("DELETE FROM changed"))
            connection.execute(sa.text("UPDATE votes SET app_version = '1'"))
        seen.add(str(all_of_it(store)))
        for text in (question, *texts):
            for told in (text, text_key(text), text_key(text)[7:], store.keyed(text), str(SEED)):
                assert not any(told in row for rows in all_of_it(store) for row in rows), told
        with store.database.write() as connection:
            for table in ("votes", "pairs"):
                connection.execute(sa.text(f"DELETE FROM {table}"))
    assert len(seen) == 1


def test_who_agreed_has_not_agreed_to_be_published(store):
    shown = live_pair("Is my rash from the new soap?", answers(random.Random(1)))
    store.cast(store.add_pair(shown), "voter", Ballot("left"), NOW + 63, MANY, no_marks, texts=texts_of(shown))
    assert next(store.votes()).pair.question == shown.question, "kept, as agreed"
    rows, lines, published = all_of_it(store, forgets=True)
    for told in (shown.question, shown.left.text, str(SEED), text_key(shown.question), text_key(shown.left.text)):
        assert any(told in row for row in rows), "in the owner's own database"
        assert not any(told in row for row in (*lines, *published)), told
    record = json.loads(published[0])
    assert record["left_words"] == coarse_words(shown.left.words)
    assert record["left_flesch_kincaid_grade"] == coarse_grade(shown.left.grade)
    assert record["decide_s"] % 10 == 0


def test_the_same_answers_leave_nothing_either(store):
    texts = ["Rest and drink water."] * 2
    shown = live_pair("Why does my tooth hurt?", texts)
    store.add_same(shown)
    for rows in all_of_it(store):
        assert not any(
            told in row for row in rows for told in (text_key(texts[0]), text_key(shown.question), str(SEED))
        )


def test_sizes_are_so_coarse_that_many_answers_share_them():
    """At most as many sizes as a guesser could count on two hands, and none of them rare."""
    rng = random.Random(2)
    words = [coarse_words(measure(text).words) for _ in range(200) for text in answers(rng)]
    assert set(words) <= {16, 32, 64, 128}
    assert [coarse_words(n) for n in (0, 1, 2, 3, 22, 90, 91)] == [0, 1, 2, 4, 16, 64, 128]
    assert [coarse_grade(g) for g in (None, -3.0, 0.9, 7.2, 1011.0)] == [None, 0.0, 0.0, 8.0, 20.0]
    assert all(coarse_words(coarse_words(n)) == coarse_words(n) for n in range(300))
