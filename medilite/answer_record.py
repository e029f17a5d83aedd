"""An answer as plain data: one form for downloads, the API and the command line."""

from __future__ import annotations

from typing import Any

from medilite.readability import Readability
from medilite.records import Answer


def answer_record(answer: Answer, scores: Readability | None) -> dict[str, Any]:
    """Return the answer; its text is None if the model failed before its first word, as is every score it lacks."""
    failed = answer.stopped == "error" and not answer.text
    return {
        "model": answer.model,
        "answer": None if failed else answer.text,
        "tokens": answer.tokens,
        "stopped": answer.stopped,
        "readability": scores.as_dict() if scores else None,
        "error": answer.error,
    }
