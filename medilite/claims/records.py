"""Claims, and the findings of comparing them with references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["gene", "inheritance", "explanation", "number", "negation", "condition"]
"""gene: a gene named · inheritance: a pattern · explanation: what a pattern is said to mean · number: with its
unit · negation: a sentence that says no, or leaves a no out · condition: a disease named."""

KINDS: tuple[Kind, ...] = ("gene", "inheritance", "explanation", "number", "negation", "condition")

Verdict = Literal["found", "not_found", "at_odds"]
"""found: a reference says it · not_found: none does · at_odds: one says otherwise, or the claim contradicts itself."""


class Quantity(NamedTuple):
    """A number, or the range from `low` to `high`, in `unit` (see `numbers`)."""

    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a text claims: `text[start:end]` of the whole, and `value`, which two wordings of it share."""

    kind: Kind
    start: int
    end: int
    value: str | Quantity


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a verdict comes from: `references[reference][start:end]`."""

    reference: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, its verdict, a sentence that says why, and the evidence in the references."""

    claim: Claim
    verdict: Verdict
    why: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A content word at `text[start:end]`; `weight` grows with its rarity; `found` in a reference or the question."""

    start: int
    end: int
    stem: str
    weight: float
    found: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """All claims of an answer, compared with the references of its question.

    `claims` has every occurrence, by start. `terms` are the answer's content
    words that the question lacks. `precision` is the share (0..1), by weight, of
    the answer's different terms that a reference has; None without a term.
    `recall` is the share of a reference's key terms that the answer has, the
    best of the references; None if no reference has one. `f1` is their
    harmonic mean: None if recall is, 0 if the answer has no term.
    """

    claims: tuple[Finding, ...]
    terms: tuple[Term, ...]
    precision: float | None
    recall: float | None
    f1: float | None
    genetic_references: bool
    """Whether any reference, or the question, mentions genes or inheritance."""

    def count(self, verdict: Verdict, *kinds: Kind) -> int:
        """Return how many different claims of these kinds (all, if none is given) have the verdict.

        A repeated claim counts once, at odds if any occurrence is.
        """
        wanted = kinds or KINDS
        verdicts: dict[tuple[Kind, str | Quantity], Verdict] = {}
        for finding in self.claims:
            claim = finding.claim
            if claim.kind in wanted and verdicts.get((claim.kind, claim.value)) != "at_odds":
                verdicts[claim.kind, claim.value] = finding.verdict
        return sum(own == verdict for own in verdicts.values())

    @property
    def unsupported_terms(self) -> int:
        """How many different content words no reference has."""
        return len({term.stem for term in self.terms if not term.found})

    @property
    def inheritance_from_nowhere(self) -> bool:
        """Whether the answer claims a pattern of inheritance though neither references nor question mention genes."""
        return not self.genetic_references and any(
            f.claim.kind == "inheritance" and f.claim.value not in {"none", "sporadic", "multifactorial"}
            for f in self.claims
        )

    @property
    def invented_prevalences(self) -> int:
        """How many different prevalences ("1 in 10,000") the answer gives that no reference does."""
        return len(
            {
                f.claim.value
                for f in self.claims
                if isinstance(f.claim.value, Quantity) and f.claim.value.unit == "ratio" and f.verdict != "found"
            }
        )

    @property
    def false_explanations(self) -> int:
        """How many patterns the answer explains against their meaning (dominant as "both copies")."""
        return self.count("at_odds", "explanation")
