"""Errors planted in real references, by kind, for the claims to find; made without their rules.

Each plant changes one fact of a text, everywhere the text says it, to one that
no reference of the question says. The places are found by patterns of their
own, so that what the claims' rules can't read counts against them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.questions import Question
from medilite.claims import Kind

PLANTS: tuple[Kind, ...] = ("gene", "number", "inheritance", "explanation", "negation", "condition")
"""What can be planted; each is to be found as a claim of this kind (a pattern also by what it is said to mean)."""

_GENE = re.compile(r"\b([A-Z][A-Z0-9]{2,7})(?= genes?\b)")
_NUMBER = re.compile(
    r"(?:\b1 in (?P<ratio>\d[\d,]*\d)\b)|(?:\b(?P<percent>\d{1,2})(?= ?(?:%|percent\b)))|(?:\bages? (?P<age>\d{1,2})\b)"
    r"|(?:\b(?P<years>\d{1,2})(?= years of age\b))|(?:\b(?P<dose>\d[\d,]*)(?= (?:mg|milligrams|mcg|grams)\b))"
)
_PATTERN = re.compile(r"\b([Aa]utosomal) (dominant|recessive)\b|\b(X-linked) (dominant|recessive)\b")
_ONE_COPY = re.compile(
    r"(?:one|a single|1) (?:copy of (?:the|an) )?(?:altered |mutated )?(?:gene|copy)[^.]*?sufficient", re.I
)
_BOTH = re.compile(r"both copies of the gene[^.]*?(?=[.,])", re.I)
_NOT = re.compile(r"\b(is|are|was|were|does|do|did|can|may|should|will|has|have) not\b(?! only\b| always\b)")
_VERB = re.compile(r"\b(is|are|can|may|should|will)\b(?! not\b)")
_ANY_NO = re.compile(r"\b(?:not|no|never|without|cannot|neither|nor)\b|n't")
_SENTENCE = re.compile(r"[A-Z][^.!?]{40,300}[.!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with one error: of which kind, and what became of what."""

    kind: str
    text: str
    was: str
    now: str


def plant(
    kind: str, question: Question, reference: str, others: Sequence[Question], rng: random.Random
) -> Planted | None:
    """Return `reference` with an error of the kind, or None where it has nothing of the kind to change.

    `others` are questions that strange genes and diseases come from.
    """
    return _PLANTERS[kind](question, reference, others, rng)


def _gene(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    named = list(dict.fromkeys(_GENE.findall(reference)))
    everything = " ".join((*question.references, question.text))
    if not named:
        return None
    old = rng.choice(named)
    for other in rng.sample(list(others), len(others)):
        strange = [new for text in other.references for new in _GENE.findall(text) if new not in everything]
        if strange:
            return Planted("gene", re.sub(rf"\b{old}\b", strange[0], reference), old, strange[0])
    return None


def _number(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    places = list(_NUMBER.finditer(reference))
    if not places:
        return None
    place = rng.choice(places)
    unit = place.lastgroup or ""
    start, end = place.span(unit)
    old = int(place[unit].replace(",", ""))
    said = {int(number.replace(",", "")) for text in question.references for number in re.findall(r"\d[\d,]*", text)}
    times = [3, 5, 7, 10] if unit in {"ratio", "dose"} else [2, 3]
    wanted = [old * by for by in times] + [old // by for by in times]
    fits = [
        new for new in wanted if new > 0 and new not in said and (unit not in {"percent"} or new <= 100) and new != old
    ]
    if unit in {"age", "years"}:
        fits = [new for new in fits if new <= 99]
    if not fits:
        return None
    new = rng.choice(fits)
    shown = f"{new:,}" if new >= 1000 else str(new)
    return Planted("number", reference[:start] + shown + reference[end:], place[unit], shown)


def _inheritance(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    found = {
        " ".join(filter(None, match.groups())).lower()
        for text in question.references
        for match in _PATTERN.finditer(text)
    }
    own = [" ".join(filter(None, match.groups())) for match in _PATTERN.finditer(reference)]
    wrong = [
        new for new in ("autosomal dominant", "autosomal recessive", "X-linked recessive") if new.lower() not in found
    ]
    # A text that names several patterns says of each when it holds: changing one may leave it true.
    if len({name.lower() for name in own}) != 1 or not wrong or ("linked" in own[0] and "X-linked recessive" in wrong):
        return None
    new = rng.choice(wrong)
    return Planted("inheritance", reference.replace(own[0], new), own[0], new)


def _explanation(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    patterns = {(match[2] or match[4]).lower() for match in _PATTERN.finditer(reference)}
    if patterns == {"dominant"} and (place := _ONE_COPY.search(reference)):
        new = "both copies of the gene in each cell must have mutations"
        return Planted("explanation", reference[: place.start()] + new + reference[place.end() :], place[0], new)
    if patterns == {"recessive"} and (place := _BOTH.search(reference)):
        new = "one copy of the altered gene in each cell is sufficient to cause the disorder"
        return Planted("explanation", reference[: place.start()] + new + reference[place.end() :], place[0], new)
    return None


def _negation(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    sentences = [match for match in _SENTENCE.finditer(reference) if reference.count(match[0]) == 1]
    rng.shuffle(sentences)
    wants_removal = rng.random() < 0.5
    for sentence in sentences:
        no, verb = _NOT.search(sentence[0]), _VERB.search(sentence[0])
        if wants_removal and no and len(_ANY_NO.findall(sentence[0])) == 1:
            new = sentence[0][: no.start()] + no[1] + sentence[0][no.end() :]
            break
        if (
            not wants_removal
            and verb
            and not re.search(r"\b(?:not|no|never|without|cannot|neither|nor)\b|n't", sentence[0])
        ):
            new = f"{sentence[0][: verb.end()]} not{sentence[0][verb.end() :]}"
            break
    else:
        return None
    return Planted("negation", reference[: sentence.start()] + new + reference[sentence.end() :], sentence[0], new)


def _condition(question: Question, reference: str, others: Sequence[Question], rng: random.Random) -> Planted | None:
    own = disease_of(question.text)
    if not own or own.lower() not in reference.lower():
        return None
    everything = " ".join((*question.references, question.text)).lower()
    for other in rng.sample(list(others), len(others)):
        strange = disease_of(other.text)
        if strange and strange.lower() not in everything and len(strange.split()) <= 5:
            text = re.sub(re.escape(own), strange.replace("\\", r"\\"), reference, flags=re.I)
            return Planted("condition", text, own, strange)
    return None


_DISEASE = re.compile(
    r"^(?:What (?:is|are) \(are\)|What are the (?:symptoms|treatments|complications) (?:of|for)|"
    r"What are the genetic changes related to|How many people are affected by|Is|What causes|How to diagnose|"
    r"What is the outlook for|Who is at risk for|How to prevent|what research \(or clinical trials\) is being done for|"
    r"What to do for)\s+(?P<name>.+?)\s*(?:inherited\s*)?\?",
    re.I,
)


def disease_of(question: str) -> str | None:
    """Return the disease that a question of MedQuAD's wording is about."""
    match = _DISEASE.match(question)
    return match["name"].rstrip(" ?") if match else None


_PLANTERS: dict[str, Callable[[Question, str, Sequence[Question], random.Random], Planted | None]] = {
    "gene": _gene,
    "number": _number,
    "inheritance": _inheritance,
    "explanation": _explanation,
    "negation": _negation,
    "condition": _condition,
}
