"""A small run to judge: prepared data and answers of three models, on disk."""

from __future__ import annotations

from pathlib import Path

from eval.answers import AnswerWriter, SavedAnswer, Setup
from eval.questions import text_hash
from medilite.data import load_manifest
from medilite.records import Decoding, Example
from training.data.manifest import write_splits

MODELS = ("base", "sft-r16-high", "grpo")
TOPICS = ("asthma", "gout", "measles", "eczema", "migraine", "anaemia", "arthritis", "scurvy")


class SmallRun:
    """`questions` questions, of which the first has two references; base and grpo answer the second alike."""

    def __init__(self, folder: Path, questions: int = 4, models: tuple[str, ...] = MODELS) -> None:
        self.folder, self.data = folder / "run", folder / "data"
        self.qids = [f"q{number}" for number in range(questions)]
        splits = {name: [] for name in ("train", "val", "grpo")} | {"test": self._examples()}
        write_splits(self.data, {"study": splits, "distinct": splits}, {"counts": {}}, {"study": {}, "distinct": {}})
        self.write_answers(models)

    def question(self, number: int) -> str:
        return f"What helps against {TOPICS[number % len(TOPICS)]} in case {number}?"

    def answer(self, number: int, model: str) -> str:
        if number == 1 and model != "sft-r16-high":
            return "Rest."
        return f"{model} says for case {number}: rest and see a doctor. " * (1 + number % 2)

    def _examples(self) -> list[Example]:
        made = [
            Example(qid, self.question(number), f"Reference for case {number}.", "tests", "topic", "treatment")
            for number, qid in enumerate(self.qids)
        ]
        return [
            *made,
            Example("again", self.question(0), "Another reference for case 0.", "tests", "topic", "treatment"),
        ]

    def write_answers(self, models: tuple[str, ...], **changed: str) -> None:
        setup = Setup("lite", "a base", load_manifest(self.data)["fingerprint"], Decoding(), 42)

        def saved(number: int, model: str) -> SavedAnswer:
            text = changed.get(model, self.answer(number, model))
            adapter = None if model == "base" else f"hash of {model}"
            asked = text_hash(self.question(number))
            return SavedAnswer(self.qids[number], asked, model, text, 9, "end", setup, adapter)

        self.answers.unlink(missing_ok=True)
        with AnswerWriter(self.answers) as writer:
            writer.append(saved(number, model) for number in range(len(self.qids)) for model in models)

    @property
    def answers(self) -> Path:
        return self.folder / "answers.jsonl"

    @property
    def judgments(self) -> Path:
        return self.folder / "judgments.jsonl"

    def command(self, url: str | None, *options: str) -> list[str]:
        """The arguments of eval.judge for this run."""
        where = ["--base-url", url] if url else []
        where += ["--split", "study/test"]
        return ["--profile", "lite", "--run", str(self.folder), "--data", str(self.data), *where, *options]
