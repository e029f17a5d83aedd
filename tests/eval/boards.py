"""A data set, answers and an encoder of the tests' own: whole runs without a model."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from eval.answers import SavedAnswer, Setup
from eval.questions import text_hash
from eval.run import Run
from medilite.data import load_manifest
from medilite.records import Decoding, Example
from training.data.manifest import write_splits

TOPICS = ("asthma", "diabetes", "gout", "measles", "migraine", "eczema", "anaemia", "arthritis")
SOURCES = ("Clinic", "Library")

MODELS = ("base", "sft-r16-high", "grpo")
"""Those that answer in these tests; the other three of the profile have no answers."""


def examples(count: int, start: int = 0) -> list[Example]:
    """Return made-up pairs; every third question is asked by two rows with different answers."""
    made = []
    for i in range(start, start + count):
        topic = TOPICS[i % len(TOPICS)]
        question = f"What helps against {topic} in case {i} ?"
        answer = (
            f"Rest, inhaled steroids and plenty of water relieve {topic}. " * (1 + i % 4)
            + f"Ask a doctor about {topic}."
        )
        made.append(Example(f"q/{i}", question, answer, SOURCES[i % 2], topic, ("treatment", "causes")[i % 2]))
        if i % 3 == 0:
            spelt = question.upper() if i % 2 else question
            made.append(
                Example(f"q/{i}b", spelt, f"Warm compresses soothe {topic}.", SOURCES[i % 2], topic, "treatment")
            )
    return made


def write_data(folder: Path, count: int = 30) -> Path:
    """Write splits as prepare_medquad does: `count` test questions or so in either set."""
    splits = {"train": examples(8, 1000), "val": examples(4, 2000), "test": examples(count), "grpo": examples(4, 1000)}
    write_splits(folder, {"study": splits, "distinct": splits}, {"counts": {}}, {"study": {}, "distinct": {}})
    return folder


def setup_for(folder: Path, **changed) -> Setup:
    """Return the setup that tests' answers share."""
    fields = {
        "profile": "lite",
        "base": "tiny",
        "data": load_manifest(folder)["fingerprint"],
        "decoding": Decoding(max_new_tokens=64),
        "seed": 42,
        "precision": "int8",
    }
    return Setup(**(fields | changed))


def answer_text(model: str, number: int) -> str:
    """Return what a model says in these tests; later models say it in plainer and fewer words."""
    topic = TOPICS[number % len(TOPICS)]
    if model == "base":
        return f"Pharmacological intervention, notably inhaled corticosteroids, is indicated in {topic} exacerbations."
    if model == "grpo":
        return "" if number == 5 else f"Rest. Drink water. Ask a doctor about {topic}."
    return f"Rest and inhaled steroids relieve {topic}. Ask your doctor about {topic} {'again ' * (number % 3)}soon."


def answers(questions, setup: Setup, models=MODELS) -> list[SavedAnswer]:
    """Return every model's answer to every question."""
    return [
        SavedAnswer(
            qid=question.qid,
            question=text_hash(question.text),
            model=model,
            text=(text := answer_text(model, number)),
            tokens=len(text.split()) + 1,
            stopped="length" if model == "base" and number % 2 else "end",
            setup=setup,
            adapter=None if model == "base" else model.encode().hex().ljust(64, "0"),
            commit="c0ffee",
            version="0.1.0",
        )
        for number, question in enumerate(questions)
        for model in models
    ]


def write_answers(run: Run, lines: list[SavedAnswer]) -> None:
    """Write an answers file as generate does."""
    run.folder.mkdir(parents=True, exist_ok=True)
    run.answers.write_text("".join(f"{line.to_json()}\n" for line in lines), encoding="utf-8")


class WordEncoder:
    """An encoder without a model: texts that share words are close."""

    def encode(self, texts):
        """Return one unit vector a text."""
        vectors = np.full((len(texts), 64), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, zlib.crc32(word.encode()) % 64] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
