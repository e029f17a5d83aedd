"""What an answer claims, as numbers: how much of it references say, and how much they don't."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from eval.metrics.answer import Scores, rounded
from medilite import claims
from medilite.claims.reliability import reliability


def claim_scores(question: str, references: Sequence[str], text: str) -> Scores:
    """Return the scores of an answer's claims, each held against all references of its question.

    Counted are the kinds whose planted errors are found reliably (`reliability`).
    """
    found = claims.held_against(text, references, question)
    kinds = reliable_kinds()
    return rounded(
        {
            "content_precision": found.precision,
            "content_recall": found.recall,
            "content_f1": found.f1,
            "unsupported_terms": found.unsupported_terms,
            "claims_found": found.count("found", *kinds),
            "claims_not_found": found.count("not_found", *kinds),
            "claims_at_odds": found.count("at_odds", *kinds),
            "false_explanation": float(found.false_explanations > 0),
            "inheritance_from_nowhere": float(found.inheritance_from_nowhere),
            "invented_prevalence": float(found.invented_prevalences > 0),
        }
    )


@cache
def reliable_kinds() -> tuple[claims.Kind, ...]:
    """Return the kinds of claim that count."""
    return tuple(kind for kind, row in reliability().items() if row.reliable)
