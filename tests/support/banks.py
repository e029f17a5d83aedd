"""A small bank of ready-made answers: made up for tests, with no model's name in it."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from medilite.arena.bank import ANSWERS_FILE, PROVENANCE_FILE, Bank, read_bank
from medilite.arena.contestants import contestants
from medilite.models import Profile
from medilite.readability import measure
from medilite.records import Decoding

QUESTIONS = {
    "lungs-01": "What is asthma?",
    "heart-01": "What can I do about high blood pressure?",
    "skin-01": "Why does my skin itch in winter?",
    "sleep-01": "How much sleep does a grown-up need?",
}
_WAYS = (
    "It is a long-lasting illness. {0} Ask your doctor what suits you, and take notes of what helps.",
    "Doctors see this often. {0} Drink water, keep warm, and come back if it has not gone after a week.",
    "{0} There are several treatments, and the right one depends on your age and on what else you have.",
    "In short: {0} Nobody has to live with it, since medication and exercise are both known to work well.",
    "{0} Clinical examination establishes the severity, whereupon pharmacological intervention is considered.",
    "Nothing to worry about. {0} Rest for some days, eat fruit, and walk half an hour after each meal.",
    "People ask this a lot. {0} A nurse can show you how to keep a diary, so that you see what sets it off.",
)
_SEEDED = ("Mornings are the worst.", "Evenings are the worst.")
_MORE = "Small steps count, and what you do on most days matters more than what you do once. "


def answer_text(question: str, number: int, seed: int) -> str:
    """Return what the `number`-th model answers: another text for each, and long enough to scroll."""
    return f"{_WAYS[number].format(_SEEDED[seed])} {_MORE * 4}(About: {QUESTIONS[question]})"


def write_bank(
    folder: Path, profile: Profile, texts: Mapping[tuple[str, str], str] | None = None, questions: int = 4
) -> Path:
    """Write answers of every contestant to the first `questions`, two seeds each; `texts` replaces some of them.

    Keys of `texts` are (question id, model).
    """
    decoding = Decoding(64, 0.7, 0.95, 1.1)
    here = contestants(profile)
    lines = []
    for question in list(QUESTIONS)[:questions]:
        for seed in (0, 1):
            for number, (model, contestant) in enumerate(here.items()):
                text = (texts or {}).get((question, model)) or answer_text(question, number, seed)
                scores = measure(text)
                lines.append(
                    {
                        "question_id": question, "question": QUESTIONS[question], "model": model,
                        "contestant": contestant.sha256, "seed": seed, "text": text, "tokens": 60, "stopped": "end",
                        "words": scores.words, "grade": scores.flesch_kincaid_grade,
                    }
                )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / ANSWERS_FILE).write_bytes(gzip.compress(data.encode(), mtime=0))
    (folder / PROVENANCE_FILE).write_text(json.dumps({"decoding": dataclasses.asdict(decoding)}), encoding="utf-8")
    return folder


def made_bank(folder: Path, profile: Profile) -> Bank:
    """Return such a bank, read."""
    bank = read_bank(write_bank(folder, profile))
    assert bank is not None
    return bank
