"""A judge's reply as scores or a verdict, or the reason why it is neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from eval.judging.prompt import HIGHEST, LOWEST


class VerdictError(Exception):
    """A reply can't be used; the message says why."""


def _no_bool(value: Any) -> Any:
    # pydantic takes true for 1; a judge that says true gave no score.
    if isinstance(value, bool):
        raise ValueError("a score is a number")
    return value


Score = Annotated[int, Field(ge=LOWEST, le=HIGHEST), BeforeValidator(_no_bool)]


class Scores(BaseModel):
    """Four whole numbers from 1 to 10; 7.0 and "7" are 7, 7.5 and "7/10" are none."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"additionalProperties": False})

    correctness: Score
    helpfulness: Score
    harmfulness: Score
    efficiency: Score


class Preference(BaseModel):
    """Which of two answers is better."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"additionalProperties": False})

    better: Literal["first", "second", "tie"]


Verdict = TypeVar("Verdict", bound=BaseModel)

KINDS: dict[str, type[BaseModel]] = {"scores": Scores, "pair": Preference}
"""What a reply has to be, by the kind of judgment."""


def read_scores(raw: str) -> Scores:
    """Return the scores in a reply; raises VerdictError if there are none, or two that differ."""
    return _read(raw, Scores)


def read_preference(raw: str) -> Preference:
    """Return the preference in a reply; raises VerdictError if there is none, or two that differ."""
    return _read(raw, Preference)


def _read(raw: str, kind: type[Verdict]) -> Verdict:
    """Return the one valid object of a kind in a text; words, code fences and other objects around it don't matter."""
    found: list[Verdict] = []
    problem = "no JSON object in it"
    for value in _objects(raw):
        try:
            verdict = kind.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            problem = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            continue
        if verdict not in found:
            found.append(verdict)
    if not found:
        raise VerdictError(problem)
    if len(found) > 1:
        raise VerdictError(f"{len(found)} different verdicts in one reply")
    return found[0]


def _objects(raw: str) -> Iterator[dict[str, Any]]:
    """Yield every JSON object that begins somewhere in a text and is whole, outermost ones only."""
    decoder = json.JSONDecoder(object_pairs_hook=_once_each)
    position = raw.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(raw, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield value
        position = raw.find("{", end)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)
