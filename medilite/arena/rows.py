"""Pairs and votes as rows of the database's tables, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from medilite.arena.records import Ballot, Candidate, Contestant, Pair, Vote
from medilite.records import Decoding


def pair_row(pair: Pair) -> dict[str, Any]:
    """Return the columns of a pair, without those of its texts."""
    row = {
        "id": pair.id, "kind": pair.kind, "profile": pair.profile, "voter": pair.voter,
        "question_id": pair.question_id, "question_key": pair.question_key,
        "similarity": pair.similarity,
        "decoding": json.dumps(dataclasses.asdict(pair.decoding), sort_keys=True),
        "created_at": pair.created_at, "expires_at": pair.expires_at, "app_version": pair.app_version,
        "bank": pair.bank, "two_probability": pair.two_probability, "place_probability": pair.place_probability,
        "turns": pair.turns, "asked": pair.asked,
    }  # fmt: skip
    for side, candidate in (("left", pair.left), ("right", pair.right)):
        row |= {
            f"{side}_model": candidate.contestant.model, f"{side}_contestant": candidate.contestant.sha256,
            f"{side}_answer_key": candidate.key, f"{side}_seed": candidate.seed, f"{side}_words": candidate.words,
            f"{side}_grade": candidate.grade,
        }  # fmt: skip
    return row


def vote_row(vote: Vote) -> dict[str, Any]:
    """Return the columns of a vote and its pair."""
    ballot = vote.ballot
    return {
        **pair_row(vote.pair),
        "choice": ballot.choice, "left_unsafe": ballot.left_unsafe, "right_unsafe": ballot.right_unsafe,
        "left_reasons": ",".join(ballot.left_reasons), "right_reasons": ",".join(ballot.right_reasons),
        "voted_at": vote.voted_at, "decide_s": vote.decide_s, "undone_at": vote.undone_at,
        "marks": ",".join(vote.marks), "network": vote.network,
    }  # fmt: skip


def as_pair(row: Mapping[Any, Any]) -> Pair:
    """Return the pair of a row of `pairs` or `votes`; its texts are None if the row has none."""
    left, right = (
        Candidate(
            Contestant(row[f"{side}_model"], row[f"{side}_contestant"]),
            row.get(f"{side}_text"),
            row[f"{side}_answer_key"],
            row[f"{side}_seed"],
            row[f"{side}_words"],
            row[f"{side}_grade"],
        )
        for side in ("left", "right")
    )
    return Pair(
        row["id"], row["kind"], row["profile"], row["voter"], row["question_id"], row["question_key"],
        row.get("question"), left, right, row["similarity"], Decoding(**json.loads(row["decoding"])), row["created_at"],
        row["expires_at"], row["app_version"], row["bank"], row["two_probability"], row["place_probability"],
        row["turns"], row["asked"],
    )  # fmt: skip


def as_vote(row: Mapping[Any, Any]) -> Vote:
    """Return the vote of a row of `votes`."""
    ballot = Ballot(
        row["choice"],
        row["left_unsafe"],
        row["right_unsafe"],
        _split(row["left_reasons"]),
        _split(row["right_reasons"]),
    )
    return Vote(
        as_pair(row), ballot, row["voted_at"], row["decide_s"], row["undone_at"], _split(row["marks"]), row["network"]
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
