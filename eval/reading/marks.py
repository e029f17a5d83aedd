"""Marks of sentences against the readers': how often "at odds" is false, and "not found" unsupported or false."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.answers import SavedAnswer
from eval.claims import share
from eval.questions import Question
from eval.reading.labels import READERS, Read
from medilite import claims
from medilite.sources.marks import Verdict, mark

SEED = 17
"""Of the halves of the questions: the rule for "not found" was chosen on one, and is reported on the other."""


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


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that was read: the app's mark, and for each reader whether it is false, and false or unsupported."""

    qid: str
    verdict: Verdict | None
    false: tuple[bool, ...]
    bad: tuple[bool, ...]


def source_mark_rows(
    read: Sequence[Read], answers: Mapping[tuple[str, str], SavedAnswer], questions: Mapping[str, Question]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return how right the app's marks (`sources.marks`) are by the readers, on each half of the questions and on all.

    Right is "at odds" where a reader calls the sentence false, "not found" where false or unsupported,
    "found" where neither; by both readers, and by at least one. `recall`: of the sentences for which both
    readers agree so, those with the mark.
    """
    rows = list(_read_sentences(read, answers, questions))
    qids = sorted({row.qid for row in rows})
    random.Random(SEED).shuffle(qids)
    first = set(qids[: len(qids) // 2])
    parts = {
        "choosing": [row for row in rows if row.qid in first],
        "reporting": [row for row in rows if row.qid not in first],
        "all": rows,
    }
    return {name: {verdict: _rightness(verdict, part) for verdict in _RIGHT} for name, part in parts.items()}


_RIGHT: dict[Verdict, str] = {"at_odds": "false", "not_found": "bad", "found": "bad"}


def _rightness(verdict: Verdict, rows: Sequence[_Sentence]) -> dict[str, Any]:
    def says(row: _Sentence) -> list[bool]:
        values = getattr(row, _RIGHT[verdict])
        return [not value for value in values] if verdict == "found" else list(values)

    marked = [row for row in rows if row.verdict == verdict]
    return {
        "by_both": share([all(says(row)) for row in marked]),
        "by_one": share([any(says(row)) for row in marked]),
        "recall": share([row.verdict == verdict for row in rows if all(says(row))]),
        "sentences": len(rows),
    }


def _read_sentences(
    read: Sequence[Read], answers: Mapping[tuple[str, str], SavedAnswer], questions: Mapping[str, Question]
) -> Iterator[_Sentence]:
    for one in read:
        question, text = questions[one.qid], answers[one.qid, one.model].text
        verdicts = {found.start: found.verdict for found in mark(text, question.references, question.text)}
        left = set(one.sentences)
        for sentence in claims.sentences(text):
            said = " ".join(sentence.text.split())
            if said not in left:  # said before: readers saw it once
                continue
            left.remove(said)
            number = one.sentences.index(said) + 1
            by = [one.readers[reader] for reader in READERS]
            yield _Sentence(
                one.qid,
                verdicts.get(sentence.start),
                tuple(number in reader.false for reader in by),
                tuple(number in (*reader.false, *reader.unsupported) for reader in by),
            )
