"""A small leaderboard of the tests' own, made by the evaluation room from answers without a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.leaderboard import main
from eval.questions import TESTS, load_questions
from eval.run import Run
from medilite.models import load_profile
from tests.eval.boards import TOPICS, WordEncoder, answers, setup_for, write_answers, write_data

PLAIN = "Rest. Drink water. Ask a doctor about {topic}."
HARD = "Pharmacological intervention, notably inhaled corticosteroids, is indicated in {topic} exacerbations."


def answer_text(model: str, number: int) -> str:
    """Return what a model says: the base in long words, the others in plainer ones; grpo once says nothing."""
    topic = TOPICS[number % len(TOPICS)]
    if model == "base" or (model == "sft-r8-low" and number % 2):
        return f"{HARD.format(topic=topic)} {'This is most important. ' * (number % 4)}".strip()
    if model == "grpo":
        return "" if number == 5 else PLAIN.format(topic=topic) + " Keep warm." * (number % 3)
    return f"Rest and inhaled steroids relieve {topic}. Ask your doctor about {topic} {'again ' * (number % 3)}soon."


def write_boards(home: Path, count: int = 15) -> tuple[Path, Path]:
    """Write a measured and the reported board; return (their folder, the data's). sft-r16-low has no answers."""
    models = tuple(model for model in load_profile("lite").ids if model != "sft-r16-low")
    data, run = write_data(home / "data", count), Run(home / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.eval.boards.answer_text", answer_text)
        patch.setattr("eval.questions.SEALED", TESTS)  # The made data have no clean set.
        patch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
        write_answers(run, answers(load_questions(data, "study/test"), setup_for(data), models))
        where = ["--run", str(run.folder), "--data", str(data), "--out", str(home / "boards")]
        assert main([*where, "--profile", "lite", "--resamples", "2000"]) == 0
    return home / "boards", data
