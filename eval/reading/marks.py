"""Marks of sentences against the readers': how often "at odds" is false, and "not found" unsupported or false."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.answers import SavedAnswer
from eval.claims import share
from eval.questions import Question
from eval.reading.labels import READERS, Read
from medilite import claims


def mark_rows(
    read: Sequence[Read], answers: Mapping[tuple[str, str], SavedAnswer], questions: Mapping[str, Question]
) -> list[dict[str, Any]]:
    """Return, by verdict and kind of claim, in how many sentences both readers agree that it is not supported.

    `precision`: of the sentences with such a mark, those that both readers call
    false (for at odds), or false or unsupported (for not found). `recall`, for at
    odds: of the sentences that both call false, those with such a mark.
    """
    marked: dict[tuple[str, str], list[bool]] = {}
    caught: dict[str, list[bool]] = {"at_odds": [], "not_found": []}
    for one in read:
        question, text = questions[one.qid], answers[one.qid, one.model].text
        marks = _marks(text, question, one.sentences)
        for number in range(1, len(one.sentences) + 1):
            false = [number in one.readers[reader].false for reader in READERS]
            bad = [number in (*one.readers[reader].false, *one.readers[reader].unsupported) for reader in READERS]
            own = marks.get(number, set())
            for verdict, kind in own:
                hit = all(false) if verdict == "at_odds" else all(bad)
                marked.setdefault((verdict, kind), []).append(hit)
            for verdict in caught:
                if any(v == verdict for v, _ in own):
                    marked.setdefault((verdict, "any"), []).append(all(false) if verdict == "at_odds" else all(bad))
            if all(false):
                caught["at_odds"].append(any(verdict == "at_odds" for verdict, _ in own))
            if all(bad):
                caught["not_found"].append(bool(own))
    rows = [{"verdict": v, "kind": k, "precision": share(hits)} for (v, k), hits in sorted(marked.items())]
    return [*rows, *({"verdict": verdict, "kind": "any", "recall": share(hits)} for verdict, hits in caught.items())]


def _marks(text: str, question: Question, said: Sequence[str]) -> dict[int, set[tuple[str, str]]]:
    """Return the (verdict, kind) of the claims in each numbered sentence that are not found or at odds."""
    found = claims.held_against(text, question.references, question.text)
    folded = " ".join(text.split())
    marks: dict[int, set[tuple[str, str]]] = {}
    for finding in found.claims:
        if finding.verdict == "found":
            continue
        piece = " ".join(text[finding.claim.start : finding.claim.end].split())
        before = len(" ".join(text[: finding.claim.start].split()))
        for number, sentence in enumerate(said, 1):
            start = folded.find(sentence)
            # A sentence that is said again is marked where it is said first.
            while start >= 0:
                if (
                    start - 1 <= before <= start + len(sentence)
                    and piece[:40] in folded[start : start + len(sentence) + 200]
                ):
                    marks.setdefault(number, set()).add((finding.verdict, finding.claim.kind))
                    break
                start = folded.find(sentence, start + 1)
    return marks
