"""Rewards of claiming no more than the references say: precision beside recall, and unsupported claims that cost.

Recall alone pays for saying many things of which some are right: GRPO's first
adapters learned to invent genes, patterns of inheritance and prevalences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from medilite.claims import KINDS, Findings, Kind, held_against, sentences
from medilite.claims.negation import says_no
from medilite.claims.sentences import content_stems

F1_LIMIT = 0.6
"""F1 of content terms that earns 1. Decent plain answers of 60 to 80 words have 0.6 to 0.8, the fine-tuned models'
answers 0.1 to 0.4."""

PRECISION_ENOUGH = 0.8
"""Share of an answer's content terms, by rarity, that earns 1 if references have them: plain words for a
reference's hard ones are not in it, so decent plain answers have 0.75 to 0.9."""

CHECKED: tuple[Kind, ...] = ("gene", "inheritance", "number")
"""Kinds whose claims cost where no reference has them: those that the models invent. Diseases and sentences that say
no cost only where they are at odds with a reference."""

GROUNDED_STEMS, GROUNDED_ENOUGH = 3, 0.8
"""Content words from which a sentence says something, and the mean share of its content that earns 1."""

NOT_FOUND_COST, AT_ODDS_COST = 0.5, 1.0


@lru_cache(maxsize=512)
def findings(text: str, references: tuple[str, ...], question: str) -> Findings:
    """Return what an answer claims, held against its references; kept, because several rewards ask for it."""
    return held_against(text, references, question)


def found_in(text: str, references: Sequence[str], question: str) -> Findings | None:
    """Return the same for references as a data set holds them; None where there are none."""
    return findings(text, tuple(references), question) if references else None


def f1_reward(found: Findings | None) -> float | None:
    """Return −1 for an answer that shares no content term with a reference, rising to 1 at an F1 of F1_LIMIT.

    It rises with the square root, so that the first shared terms count most.
    None (no reward) where no reference has a content term.
    """
    if found is None or found.f1 is None:
        return None
    return 2 * math.sqrt(min(1.0, found.f1 / F1_LIMIT)) - 1


def precision_reward(found: Findings | None) -> float | None:
    """Return −1 where no reference has any of the answer's content terms, rising evenly to 1 at PRECISION_ENOUGH.

    An answer without a content term earns −1: there is nothing that could be
    precise. None (no reward) without a reference.
    """
    if found is None:
        return None
    return -1 + 2 * min(1.0, (found.precision or 0.0) / PRECISION_ENOUGH)


def supported_reward(found: Findings | None) -> float | None:
    """Return 1 where nothing is claimed that references lack, less for each claim that they do, down to −1.

    A claim at odds with a reference or with itself costs AT_ODDS_COST; a gene, a
    pattern of inheritance or a number that no reference has NOT_FOUND_COST. A
    claim said twice costs once. None (no reward) without a reference.
    """
    if found is None:
        return None
    cost = AT_ODDS_COST * found.count("at_odds", *KINDS) + NOT_FOUND_COST * found.count("not_found", *CHECKED)
    return max(-1.0, 1 - cost)


def grounded_reward(text: str, references: Sequence[str], question: str) -> float | None:
    """Return −1 where no sentence says what one place of a reference says, rising evenly to 1 at GROUNDED_ENOUGH.

    A sentence counts by the share of its content words that two neighbouring
    sentences of a reference have, or the question; by less where it has fewer
    than GROUNDED_STEMS of them ("This happens." has none); by half where it
    leaves out the "not" of the sentence that it is most like, and not at all
    where it adds one. Without this, ease is had by cutting a passage into
    sentences that say nothing, and joining what doesn't belong together. None
    (no reward) without a reference; −1 for an answer without words.
    """
    if not references:
        return None
    asked, scores = frozenset(content_stems(question)), []
    for own in sentences(text):
        score = 0.0
        for reference in references:
            places = sentences(reference)
            if not places:
                continue
            alike = [len(own.stems & place.stems) for place in places]
            most_alike = places[alike.index(max(alike))]
            kept = {(True, False): 0.0, (False, True): 0.5}.get((says_no(own.text), says_no(most_alike.text)), 1.0)
            there = (
                place.stems | following.stems
                for place, following in zip(places, [*places[1:], places[-1]], strict=True)
            )
            shared = max(len(own.stems & (stems | asked)) for stems in there)
            score = max(score, kept * shared / max(len(own.stems), GROUNDED_STEMS))
        scores.append(score)
    return -1 + 2 * min(1.0, math.fsum(scores) / len(scores) / GROUNDED_ENOUGH) if scores else -1.0
