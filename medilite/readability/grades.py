"""Names of grades, and how they compare with the level recommended for patients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

RECOMMENDED_GRADES = (6.0, 8.0)
"""The reading grades recommended for what patients read, as (lowest, highest).

Sources: the American Medical Association's manual "Health literacy and patient
safety: Help patients understand" (Weiss 2007) asks for 6th grade; the US National
Institutes of Health's Clear Communication guidance for 6th to 8th grade,
depending on readers and subject.
"""

BandKey = Literal["plain", "recommended", "hard", "very-hard", "none"]


@dataclass(frozen=True, slots=True)
class GradeBand:
    """A range of grades: a key for styles, and a short word for people, which must not read as praise of an answer."""

    key: BandKey
    label: str


PLAIN = GradeBand("plain", "Very easy")
RECOMMENDED = GradeBand("recommended", "Easy")
HARD = GradeBand("hard", "Hard")
VERY_HARD = GradeBand("very-hard", "Very hard")
NO_BAND = GradeBand("none", "No grade")

BANDS = (PLAIN, RECOMMENDED, HARD, VERY_HARD, NO_BAND)
"""Every band, easiest first, the absence of a grade last."""


def whole_grade(grade: float | None) -> int | None:
    """Return the nearest whole grade, halves upwards, never below 0; None for None, NaN and infinities."""
    if grade is None or not math.isfinite(grade):
        return None
    return max(0, math.floor(grade + 0.5))


def grade_word(grade: float | None) -> str:
    """Return a grade in words, rounded as by `whole_grade`: 7.5 to 8.49 is "8th grade".

    Below 0.5 is "Kindergarten", 12.5 to 16.49 "College", from 16.5 on "Graduate",
    and no grade at all "No grade".
    """
    whole = whole_grade(grade)
    if whole is None:
        return "No grade"
    if whole == 0:
        return "Kindergarten"
    if whole > 16:
        return "Graduate"
    if whole > 12:
        return "College"
    return f"{whole}{({1: 'st', 2: 'nd', 3: 'rd'}).get(whole, 'th')} grade"


def grade_band(grade: float | None) -> GradeBand:
    """Return the band of a grade, after the same rounding as `grade_word`, so that word and colour never disagree.

    Up to 5th grade "plain", 6th to 8th "recommended" (RECOMMENDED_GRADES), 9th
    to 12th "hard", beyond school "very-hard"; without a grade "none".
    """
    whole = whole_grade(grade)
    if whole is None:
        return NO_BAND
    lowest, highest = RECOMMENDED_GRADES
    if whole < lowest:
        return PLAIN
    if whole <= highest:
        return RECOMMENDED
    return HARD if whole <= 12 else VERY_HARD
