"""A store full of votes from known strengths, written in one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from medilite.arena import schema
from medilite.arena.records import OWN_QUESTION, PUBLIC_BANK, Ballot, Contestant, Vote, text_key
from medilite.arena.rows import vote_row
from medilite.arena.store import Store
from tests.arena.made import NOW, candidate, pair
from tests.arena.simulate import World, choose, reliabilities, voters_of

OWN = "Is my own secret question kept?"


def keep(store: Store, votes: Sequence[Vote]) -> None:
    """Write votes, and their texts, without drawing and casting each."""
    texts = {c.key: c.text for v in votes for c in (v.pair.left, v.pair.right) if c.text}
    questions = {v.pair.question_key: v.pair for v in votes if v.pair.question}
    with store.database.write() as connection:
        connection.execute(schema.votes.insert(), [vote_row(vote) for vote in votes])
        connection.execute(schema.answers.insert(), [{"key": k, "text": text} for k, text in texts.items()])
        connection.execute(
            schema.questions.insert(),
            [{"key": k, "id": p.question_id, "text": p.question} for k, p in questions.items()],
        )


def on_public_pairs(votes: Sequence[Vote]) -> list[Vote]:
    """Return the votes as if their pairs were of the bank in the public repository."""
    return [dataclasses.replace(vote, pair=dataclasses.replace(vote.pair, bank=PUBLIC_BANK)) for vote in votes]


def made_votes(here: Mapping[str, Contestant], count: int, seed: int = 0) -> list[Vote]:
    """Return votes among contestants over three weeks: some marked, one taken back, one on a visitor's own question."""
    rng, world = np.random.default_rng(seed), World(questions=40)
    size = len(here)
    names = list(here)
    voters = voters_of(rng, count, 8.0)
    reliability, effects = reliabilities(rng, count)[voters], world.question_effects(rng)
    votes = []
    for number in range(count):
        i, j = rng.choice(size, 2, replace=False)
        question = int(rng.integers(world.questions))
        similarity = float(rng.uniform(0.1, 0.9))
        chances = world.chances(np.array([i]), np.array([j]), np.array([similarity]))
        outcome = choose(rng, chances, reliability[number : number + 1], effects[question, [i], [j]])[0]
        choice = ("left", "equal" if number % 3 else "both_bad", "right")[outcome]
        # The higher a model stands, the easier it writes.
        sides = [
            dataclasses.replace(
                candidate(names[k], f"{names[k]} on {question}.", grade=float(12 - k + rng.normal(0, 1.5))),
                contestant=here[names[k]],
                words=int(rng.integers(40, 160)),
            )
            for k in (i, j)
        ]
        shown = NOW + number * 21 * 86_400 / count
        made = pair(
            *sides, voter=f"voter-{voters[number]}", question_id=f"q-{question}", question_key=f"key-{question}",
            question=f"Question {question}?", similarity=similarity, created_at=shown, expires_at=shown + 3600,
        )  # fmt: skip
        flags = [bool(rng.random() < share) for share in (0.15 - 0.02 * i, 0.15 - 0.02 * j)]
        votes.append(Vote(made, Ballot(choice, *flags), shown + 40, 40.0))
    votes[0] = dataclasses.replace(votes[0], undone_at=votes[0].voted_at + 5)
    votes[1] = dataclasses.replace(votes[1], marks=("hasty", "pattern"))
    votes[2] = dataclasses.replace(votes[2], marks=("hasty",))
    own = dataclasses.replace(
        votes[3].pair, kind="live", question_id=OWN_QUESTION, question=OWN, question_key=text_key(OWN), turns=2, asked=3
    )
    votes[3] = dataclasses.replace(votes[3], pair=own)
    return votes
