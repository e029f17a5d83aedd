"""How far an answer's words are those of the references: BLEU, chrF++ and ROUGE-L.

BLEU and chrF++ are sacrebleu's. BLEU is kept as the counts that it is made of,
so that any set of answers can be put together without their text. ROUGE-L is a
formula of one line on rapidfuzz's longest common subsequence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEUScore

BLEU_KINDS = ("bleu_study", "bleu")
"""The two ways: `bleu_study` lower-cased against all references joined into one, as the study computed it
(13a tokens, no smoothing); `bleu` as sacrebleu means it, cased and against each reference (13a, exp)."""

BLEU_COUNTS = ("length", "reference_length", *(f"{what}_{n}" for what in ("matched", "total") for n in (1, 2, 3, 4)))
"""Names of the ten counts of an answer: tokens of answer and (nearest) reference, n-grams matched and in all."""

_SMOOTHING = {"bleu_study": "none", "bleu": "exp"}

_ROUGE_TOKEN = re.compile(r"[a-z0-9]+")


class References:
    """One question's references, tokenised once for all the answers to it."""

    def __init__(self, references: Sequence[str]) -> None:
        from sacrebleu.metrics import BLEU, CHRF

        streams = [[reference] for reference in references]
        self._bleu = {
            "bleu_study": BLEU(
                lowercase=True, smooth_method=_SMOOTHING["bleu_study"], references=[[" ".join(references)]]
            ),
            "bleu": BLEU(smooth_method=_SMOOTHING["bleu"], references=streams),
        }
        self._chrf = CHRF(word_order=2, references=streams)
        self._rouge = [rouge_tokens(reference) for reference in references]

    def bleu_counts(self, answer: str) -> dict[str, list[int]]:
        """Return, by kind, the counts named by BLEU_COUNTS."""
        return {kind: _counts(metric.corpus_score([answer], None)) for kind, metric in self._bleu.items()}

    def chrf(self, answer: str) -> float:
        """Return sentence chrF++ (Popović 2017), 0 to 100, of the nearest reference."""
        return float(self._chrf.corpus_score([answer], None).score)

    def rouge_l(self, answer: str) -> float:
        """Return ROUGE-L, 0 to 1, of the nearest reference."""
        tokens = rouge_tokens(answer)
        return max(rouge_l(tokens, reference) for reference in self._rouge)


def rouge_l(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Return the F1 (Lin 2004) of the longest common subsequence of two lists of tokens; 0 if one is empty."""
    from rapidfuzz.distance import LCSseq

    common = LCSseq.similarity(answer, reference)
    return 2 * common / (len(answer) + len(reference)) if common else 0.0


def rouge_tokens(text: str) -> list[str]:
    """Return the tokens that ROUGE counts, as rouge_score without stemming: runs of a-z and 0-9, lower-case."""
    return _ROUGE_TOKEN.findall(text.lower())


def bleu_of(kind: str, counts: Sequence[float]) -> BLEUScore:
    """Return sacrebleu's BLEU (score 0 to 100, precisions, brevity penalty, lengths) of summed counts."""
    from sacrebleu.metrics import BLEU

    length, reference_length, *ngrams = (int(count) for count in counts)
    return BLEU.compute_bleu(ngrams[:4], ngrams[4:], length, reference_length, smooth_method=_SMOOTHING[kind])


@lru_cache(maxsize=1)
def signatures() -> dict[str, str]:
    """Return sacrebleu's own signatures of what is computed here, for the record."""
    from sacrebleu.metrics import BLEU, CHRF

    def of(metric: Any, references: list[list[str | None]]) -> str:
        metric.corpus_score(["a b c d", "e"], references)
        return str(metric.get_signature())

    one: list[list[str | None]] = [["a b c d", "e"]]
    several = [*one, ["a b c", None]]

    return {
        "bleu_study": of(BLEU(lowercase=True, smooth_method=_SMOOTHING["bleu_study"]), one),
        "bleu": of(BLEU(smooth_method=_SMOOTHING["bleu"]), several),
        "chrf": of(CHRF(word_order=2), several),
    }


def _counts(score: BLEUScore) -> list[int]:
    return [score.sys_len, score.ref_len, *score.counts, *score.totals]
