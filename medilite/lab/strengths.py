"""Between two models: five points on the line through their adapters."""

from __future__ import annotations

from dataclasses import dataclass

from medilite.errors import DecodingError
from medilite.models import Profile
from medilite.records import Decoding, Message, Request

WEAKEST, STRONGEST = 0.0, 1.3
"""Range of strengths: 0 is one model, 1 the other, and a little beyond."""

FIXED = (0.0, 0.5, 1.0, 1.3)
"""Points that are always answered; the fifth is the visitor's own."""

USUAL_OWN, INSTEAD = 0.75, 0.25
"""The visitor's own point at first, and its replacement if it is one of FIXED."""


def strength(value: object) -> float:
    """Return a control's value as a strength; raises DecodingError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DecodingError(f"Strength {value!r:.40} can't be used: it has to be a number.")
    if not WEAKEST <= value <= STRONGEST:
        raise DecodingError(f"Strength {value:g} can't be used: choose from {WEAKEST:g} to {STRONGEST:g}.")
    return round(float(value), 2)


def points(own: float) -> tuple[float, ...]:
    """Return the five strengths of a batch, weakest first."""
    return tuple(sorted({*FIXED, own if own not in FIXED else INSTEAD}))


@dataclass(frozen=True, slots=True)
class Line:
    """The line from the model `start`, strength 0, to `end`, strength 1."""

    start: str
    end: str

    @classmethod
    def between(cls, profile: Profile, start: object, end: object) -> Line:
        """Return the line between two models of a profile; raises DecodingError, UnknownModelError."""
        line = cls(*(profile.get(str(model or "")).id for model in (start, end)))
        if line.start == line.end:
            raise DecodingError("A line has two ends: choose two different models.")
        return line

    def requests(
        self, strengths: tuple[float, ...], messages: tuple[Message, ...], decoding: Decoding, seed: int, visitor: str
    ) -> tuple[Request, ...]:
        """Return one request a strength, all in one batch with the same seed."""
        return tuple(
            Request(self.end, messages, decoding, seed, visitor, strength=value, other=self.start)
            for value in strengths
        )
