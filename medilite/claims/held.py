"""Claims of an answer, compared with references."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from medilite.claims.conditions import conditions, known, same_name, subject_stems
from medilite.claims.genes import genes
from medilite.claims.inheritance import CONTRADICTIONS, agree, explanations, patterns, speaks_of_genes
from medilite.claims.negation import cues, says_no
from medilite.claims.numbers import is_bound, numbers, said, within
from medilite.claims.records import Claim, Evidence, Finding, Findings, Quantity
from medilite.claims.sentences import Sentence, likeness, sentences
from medilite.claims.terms import found_share, key_weights, terms
from medilite.content.key_terms import stems

SAME_SUBJECT = 0.5
"""From this likeness two sentences are about the same thing, so that their numbers can be compared."""

SAME_STATEMENT = 0.85
"""From this likeness two sentences say the same, so that one with "not" and one without are at odds…"""

FEWEST_STEMS = 4
"""…if they share as many content words: short ones are similar by chance. Two are enough if all content words are the
same."""

_WITHOUT = 'The reference says this without a "not".'
_OTHERWISE = 'The reference says this with another number of "not".'

_PATTERN_NAMES = {"none": "not inherited", "dominant": "autosomal dominant", "recessive": "autosomal recessive"}


@lru_cache(maxsize=2048)
def of(text: str) -> tuple[Claim, ...]:
    """Return every claim of a text, each occurrence of it, by start; content terms aside (`held_against` has them)."""
    found = [*genes(text), *patterns(text), *explanations(text), *numbers(text), *conditions(text)]
    found += [
        Claim("negation", sentence.start, sentence.end, "no")
        for sentence in sentences(text)
        if sentence.stems and says_no(sentence.text)
    ]
    return tuple(sorted(found, key=lambda claim: (claim.start, claim.end, claim.kind)))


def held_against(text: str, references: Sequence[str], question: str = "") -> Findings:
    """Return what an answer claims, each claim found in the references, not found in them, or at odds with them.

    The rules, all by words, without a model:

    - gene: found if a reference has the symbol; at odds, where it is named first, if references name other genes only.
    - inheritance: found if a reference names the pattern; at odds if they name others only.
    - explanation: at odds if it says the opposite of its pattern (dominant as both copies), whatever references say.
    - number: found if a reference has it with the same unit, or a range around it; at odds if the
      reference's sentence on the same subject has others, or, for a prevalence, if references have others at all.
      A bound is compared with bounds alone, and a range is not at odds with a number that it contains.
    - negation: a sentence of the answer and one of a reference that say the same, but one of them
      with a "not": at odds.
    - condition: found if references or question name it; at odds if it is the first that the answer
      names, and the answer has not named what the question is about up to there.

    What the question itself says counts as found, and so does what any one of the references says.
    """
    held = _Held(text, [_known(reference) for reference in references], question)
    found = [finding for claim in held.claims if (finding := held.on(claim)) is not None]
    found += held.missing_negations()
    found.sort(key=lambda finding: (finding.claim.start, finding.claim.end, finding.claim.kind))
    said_terms = terms(text, question, held.stems)
    precision = found_share({term.stem: term.found for term in said_terms})
    recall = max((r for reference in references if (r := _recall(text, reference, question)) is not None), default=None)
    return Findings(tuple(found), said_terms, precision, recall, _f1(precision, recall), held.genetic)


def _recall(text: str, reference: str, question: str) -> float | None:
    weights = key_weights(reference, question)
    if not weights:
        return None
    answered = stems(text)
    return math.fsum(w for found, w in weights.items() if found in answered) / math.fsum(weights.values())


def _f1(precision: float | None, recall: float | None) -> float | None:
    if recall is None:
        return None
    if precision is None or precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


@dataclass(frozen=True, slots=True)
class _Known:
    """A parsed reference, used for all answers to its question."""

    text: str
    stems: frozenset[str]
    sentences: tuple[Sentence, ...]
    genes: tuple[Claim, ...]
    patterns: tuple[Claim, ...]
    numbers: tuple[Claim, ...]
    tokens: frozenset[str]


@lru_cache(maxsize=1024)
def _known(text: str) -> _Known:
    return _Known(
        text,
        stems(text),
        sentences(text),
        tuple(genes(text)),
        tuple(patterns(text)),
        tuple(numbers(text)),
        frozenset(_SYMBOLS.findall(text.upper())) | frozenset(_PARTS.findall(text.upper())),
    )


_SYMBOLS = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")
_PARTS = re.compile(r"[A-Z0-9]+")
"""HLA-DQB1 is one symbol, and its DQB1 alone is the same gene's."""


def _contains(quantity: Quantity, claim: Claim) -> bool:
    return isinstance(claim.value, Quantity) and quantity.low <= claim.value.low <= claim.value.high <= quantity.high


class _Held:
    """One answer, with its question and references."""

    def __init__(self, text: str, references: Sequence[_Known], question: str) -> None:
        self.text, self.references, self.question = text, references, question
        self.asked = _known(question)
        self.all = [*references, self.asked]
        self.stems: frozenset[str] = frozenset().union(*(one.stems for one in self.all))
        self.genetic = any(speaks_of_genes(one.text) for one in self.all)
        self.subject = subject_stems(question)
        self.sentences = sentences(text)
        self.claims = of(text)
        self.first_named = next((claim for claim in self.claims if claim.kind == "condition"), None)
        self._nearest: dict[int, tuple[float, int, Sentence] | None] = {}

    def on(self, claim: Claim) -> Finding | None:
        """Return the verdict on a claim; None if there is nothing to say (a "not" that no reference speaks of)."""
        match claim.kind:
            case "gene":
                return self._gene(claim)
            case "inheritance":
                return self._pattern(claim)
            case "explanation":
                return self._explanation(claim)
            case "number":
                return self._number(claim)
            case "negation":
                return self._negation(claim)
            case _:
                return self._condition(claim)

    def _gene(self, claim: Claim) -> Finding:
        for number, one in enumerate(self.all):
            if claim.value in one.tokens:
                at = one.text.upper().find(str(claim.value))
                return Finding(
                    claim,
                    "found",
                    "The reference names this gene.",
                    self._evidence(number, at, at + len(str(claim.value))),
                )
        named = [(number, other) for number, one in enumerate(self.references) for other in one.genes]
        # The first mention names the disease's gene; later ones are about the gene itself.
        if named and claim.start == next(other.start for other in self.claims if other.value == claim.value):
            names = ", ".join(list(dict.fromkeys(str(other.value) for _, other in named))[:3])
            number, first = named[0]
            return Finding(claim, "at_odds", f"The reference names {names}.", Evidence(number, first.start, first.end))
        return Finding(claim, "not_found", "The reference names no such gene.")

    def _pattern(self, claim: Claim) -> Finding:
        named = [(number, other) for number, one in enumerate(self.all) for other in one.patterns]
        for number, other in named:
            if agree(str(claim.value), str(other.value)):
                return Finding(
                    claim, "found", "The reference says the same.", self._evidence(number, other.start, other.end)
                )
        # "Some cases are not inherited" is consistent with any pattern.
        named = [(number, other) for number, other in named if other.value != "sporadic"]
        if named and claim.value != "sporadic":
            number, other = named[0]
            name = _PATTERN_NAMES.get(str(other.value), str(other.value))
            return Finding(
                claim, "at_odds", f"The reference says: {name}.", self._evidence(number, other.start, other.end)
            )
        reason = "no pattern of inheritance" if self.genetic else "nothing of genes or inheritance"
        return Finding(claim, "not_found", f"The reference says {reason}.")

    def _explanation(self, claim: Claim) -> Finding:
        if claim.value in CONTRADICTIONS:
            right = (
                "Dominant means that one altered copy of a gene is enough."
                if str(claim.value).startswith("dominant")
                else "Recessive means that both copies of a gene are altered."
            )
            return Finding(claim, "at_odds", right)
        return Finding(claim, "found", "This is what the pattern means.")

    def _number(self, claim: Claim) -> Finding:
        assert isinstance(claim.value, Quantity)
        quantity = claim.value
        for number, one in enumerate(self.all):
            for other in one.numbers:
                if isinstance(other.value, Quantity) and within(quantity, [other.value]):
                    return Finding(
                        claim,
                        "found",
                        f"The reference says {said(other.value)}.",
                        self._evidence(number, other.start, other.end),
                    )
        if within(quantity, [o.value for k in self.all for o in k.numbers if isinstance(o.value, Quantity)]):
            return Finding(claim, "found", "The reference has both ends of this range.")
        bound = is_bound(self.text, claim)
        others = [
            (number, other)
            for number, one in enumerate(self.references)
            for other in one.numbers
            if isinstance(other.value, Quantity)
            and other.value.unit == quantity.unit
            and is_bound(one.text, other) == bound
        ]
        if quantity.unit != "ratio":
            near = self._near(claim)
            others = [
                (number, other)
                for number, other in others
                if near and near[0] >= SAME_SUBJECT and number == near[1] and near[2].start <= other.start < near[2].end
            ]
        if others and not any(_contains(quantity, other) for _, other in others):
            number, other = others[0]
            assert isinstance(other.value, Quantity)
            return Finding(
                claim, "at_odds", f"The reference says {said(other.value)}.", Evidence(number, other.start, other.end)
            )
        return Finding(claim, "not_found", "The reference does not give this number.")

    def _negation(self, claim: Claim) -> Finding | None:
        near = self._near(claim)
        if near is None or not self._same(claim, near[2]):
            return None
        _, number, sentence = near
        where = Evidence(number, sentence.start, sentence.end)
        if self._any_like(claim):
            return Finding(claim, "found", "The reference says no here too.", where)
        return Finding(claim, "at_odds", _OTHERWISE if says_no(sentence.text) else _WITHOUT, where)

    def missing_negations(self) -> Iterator[Finding]:
        """Yield sentences of the answer that a reference says with a "not", and no reference without one."""
        for place, sentence in enumerate(self.sentences):
            if not sentence.stems or says_no(sentence.text):
                continue
            claim = Claim("negation", sentence.start, sentence.end, f"yes {place}")
            near = self._near(claim)
            if near is None or not self._same(claim, near[2]) or not says_no(near[2].text):
                continue
            if not self._any_like(claim):
                cue = cues(near[2].text)[0]
                start = near[2].start + cue.start()
                yield Finding(
                    claim,
                    "at_odds",
                    'The reference says this with a "not".',
                    Evidence(near[1], start, start + len(cue[0])),
                )

    def _condition(self, claim: Claim) -> Finding:
        name = frozenset(str(claim.value).split())
        if known(name, self.stems):
            return Finding(claim, "found", "The question or the reference names it.")
        if same_name(name, self.subject):
            return Finding(claim, "found", "The question names it, in another spelling.")
        if self.subject and claim == self.first_named and not known(self.subject, self._around(claim)):
            return Finding(claim, "at_odds", "The question is about something else.")
        return Finding(claim, "not_found", "Neither question nor reference names it.")

    def _near(self, claim: Claim) -> tuple[float, int, Sentence] | None:
        """Return (likeness, reference, sentence) of the reference's sentence that is most like the claim's own."""
        own = next((s for s in self.sentences if s.start <= claim.start < s.end), None)
        if own is None:
            return None
        if own.start not in self._nearest:
            best: tuple[float, int, Sentence] | None = None
            for number, one in enumerate(self.references):
                for sentence in one.sentences:
                    like = likeness(own, sentence)
                    if best is None or like > best[0]:
                        best = (like, number, sentence)
            self._nearest[own.start] = best
        return self._nearest[own.start]

    def _same(self, claim: Claim, sentence: Sentence) -> bool:
        """Return whether a reference's sentence states what the claim's own does."""
        own = self._own(claim)
        if own.stems == sentence.stems:
            return len(own.stems) > 1
        return len(own.stems & sentence.stems) >= FEWEST_STEMS and likeness(own, sentence) >= SAME_STATEMENT

    def _around(self, claim: Claim) -> frozenset[str]:
        """Return the stems of the answer up to the end of the claim's sentence."""
        own = next((s for s in self.sentences if s.start <= claim.start < s.end), None)
        return stems(self.text[: own.end if own else claim.end])

    def _own(self, claim: Claim) -> Sentence:
        """Return the answer's sentence that a claim is in."""
        return next(s for s in self.sentences if s.start <= claim.start < s.end)

    def _any_like(self, claim: Claim) -> bool:
        """Return whether a reference says the same with as many "not": none, one, or more."""
        said_no = len(cues(self._own(claim).text))
        return any(
            len(cues(sentence.text)) == said_no and self._same(claim, sentence)
            for one in self.references
            for sentence in one.sentences
        )

    def _evidence(self, number: int, start: int, end: int) -> Evidence | None:
        """Return where in the references something is; None if it is in the question."""
        return Evidence(number, start, end) if number < len(self.references) else None
