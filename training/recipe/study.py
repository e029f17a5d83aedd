"""The study's results, to compare with ours.

Source: MediLiteQA's report, its table of SFT configurations: SmolLM2-1.7B-Instruct
in 4 bits, five epochs, losses over whole conversations, no uncertainty given.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StudyRun:
    """One of the study's SFT runs; losses in nats a token, prompts included."""

    rank: int
    learning_rate: float
    val_loss: float
    test_loss: float


SFT = {
    "sft-r8-low": StudyRun(8, 1e-5, 1.40, 1.40),
    "sft-r8-high": StudyRun(8, 5e-5, 1.13, 1.14),
    "sft-r16-low": StudyRun(16, 1e-5, 1.42, 1.42),
    "sft-r16-high": StudyRun(16, 5e-5, 1.14, 1.14),
}
