"""What is said for people's safety: no medical advice, and whom to call in an emergency.

`emergency_notice` looks at a question alone, never at an answer. It would rather
show a notice too many than miss an emergency; what it leaves out are questions
of plain knowledge ("What is a stroke?"), because a notice above every other
question would soon be read by nobody.
"""

from medilite.safety.detect import emergency_notice
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
]
