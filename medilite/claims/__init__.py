"""What an answer claims, and whether references say it: deterministic, by words, no judge.

    findings = claims.held_against(answer, references, question)
    findings.claims       every claim with its place in the answer, its verdict, and why
    findings.precision    share of the answer's content terms, by rarity, that a reference has
    findings.count("at_odds", "gene"), findings.unsupported_terms, …

`of` gives the claims of a text alone: genes, patterns of inheritance and what they are said to mean, numbers with their
unit, negations, diseases. No claim is ever called true: it is found in the references, not found, or at odds with them.
How often these verdicts are wrong is measured by `python -m eval.claims`.
"""

from medilite.claims.held import held_against, of
from medilite.claims.records import KINDS, Claim, Evidence, Finding, Findings, Kind, Quantity, Term, Verdict
from medilite.claims.sentences import Sentence, sentences

__all__ = [
    "KINDS",
    "Claim",
    "Evidence",
    "Finding",
    "Findings",
    "Kind",
    "Quantity",
    "Sentence",
    "Term",
    "Verdict",
    "held_against",
    "of",
    "sentences",
]
