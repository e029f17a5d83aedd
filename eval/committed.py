"""A committed board's answers, to start from instead of from a run's folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.answers import SavedAnswer, Setup
from medilite.errors import DataError
from medilite.leaderboard import Board, load_board
from medilite.records import Decoding


def saved_answers(board: Board) -> dict[tuple[str, str], SavedAnswer]:
    """Return the committed answers by question and model."""
    shared = board.about["provenance"]["setup"]
    setup = Setup(**{**shared, "decoding": Decoding(**shared["decoding"])})
    adapters = {model["id"]: model["adapter"] for model in board.about["models"]}
    try:
        return {
            (row["qid"], row["model"]): SavedAnswer(**row, setup=setup, adapter=adapters[row["model"]])
            for row in board.answers()
        }
    except (KeyError, TypeError) as error:
        raise DataError(f"{board.folder}: an answer has another form than this version's ({error}).") from error


@dataclasses.dataclass(frozen=True, slots=True)
class TakenOver:
    """What a run takes over from a board: answers, their sessions, and which models it left out."""

    answers: tuple[SavedAnswer, ...]
    sessions: tuple[dict[str, Any], ...]
    other_adapters: tuple[str, ...]


def take_over(
    folder: Path, setup: Setup, adapters: Mapping[str, str | None], wanted: Iterable[tuple[str, str]]
) -> TakenOver:
    """Return a board's answers to the (qid, model) `wanted`, of models whose adapters are still the same.

    A commit is noted with an answer, and how many answers stay of a session,
    only where the board has one alone. Raises DataError where the board was made with another base, other
    data or another way of decoding, or is of numbers that others reported.
    """
    board = load_board(folder)
    if board.about["reported"]:
        raise DataError(f"{folder} holds numbers that others reported, and no answers to take over.")
    answers = saved_answers(board)
    theirs = next(iter(answers.values())).setup if answers else setup
    if differs := [
        f"{field.name} ({getattr(theirs, field.name)}, not {getattr(setup, field.name)})"
        for field in dataclasses.fields(Setup)
        if getattr(theirs, field.name) != getattr(setup, field.name)
    ]:
        raise DataError(
            f"{folder}: its answers can't be taken over, for they are of another {'; '.join(differs)}. "
            "Generate under the same settings, or all answers again, without --from-board."
        )
    sessions = board.about["provenance"]["generation"]
    alone = len(sessions) == 1
    commit = sessions[0]["commit"] if alone else None
    same = {model for model, adapter in adapters.items() if (model, adapter) in _adapters(board)}
    asked = set(wanted)
    taken = tuple(
        dataclasses.replace(answer, commit=commit)
        for answer in answers.values()
        if answer.model in same and (answer.qid, answer.model) in asked
    )
    kept = tuple({**session, "kept": len(taken) if alone else None} for session in sessions)
    return TakenOver(taken, kept, tuple(model for model in adapters if model not in same))


def _adapters(board: Board) -> set[tuple[str, str | None]]:
    return {(model["id"], model["adapter"]) for model in board.about["models"]}
