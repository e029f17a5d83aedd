"""Safety notices: not medical advice, and whom to call in an emergency.

`emergency_notice` looks at a question alone, never at an answer. It prefers a notice too many to a missed emergency; it
leaves out questions of plain knowledge ("What is a stroke?"), because a notice above every other question would soon be
ignored.
"""

from medilite.safety.detect import emergency_notice, noticed
from medilite.safety.notices import (
    NOT_MEDICAL_ADVICE,
    NOT_MEDICAL_ADVICE_LONG,
    NOTICES,
    EmergencyKind,
    EmergencyNotice,
)

__all__ = [
    "NOTICES",
    "NOT_MEDICAL_ADVICE",
    "NOT_MEDICAL_ADVICE_LONG",
    "EmergencyKind",
    "EmergencyNotice",
    "emergency_notice",
    "noticed",
]
