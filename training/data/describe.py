"""What the manifest says of a preparation: source, filter, counts, problems, and how each set was made."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from dataclasses import asdict
from typing import Any

from training.data.collection import Collection, is_medquad
from training.data.filtering import Filter, Filtered
from training.data.overlap import measure_overlap, overlap_sentence
from training.data.sealing import CleanSet
from training.data.splits import SplitSet

CREDIT = (
    "MedQuAD: Asma Ben Abacha and Dina Demner-Fushman, A Question-Entailment Approach to Question Answering, "
    "BMC Bioinformatics 20:511, 2019, https://doi.org/10.1186/s12859-019-3119-4"
)
LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"

RULES = {
    "study": "80/10/10 row by row, stratified by focus area: rows that ask one question may stand in two splits",
    "distinct": (
        "the study's split with every question, case and white space aside, moved wholly into one split: test if the "
        "study tests on it, else val if it validates on it, else train; so no question of either test split is in train"
    ),
    "clean": (
        "of the distinct set, what answers in sentences: lists of resources out, tables of symptoms capped. known: "
        "questions that no committed adapter or try was trained on, on diseases that train asks about too. new: "
        "questions on diseases, by focus area and synonyms, that no pair of train or of any earlier training is about. "
        "Both are sealed: they train nothing and choose nothing (docs/protocol.md)"
    ),
}

_READERS = {"kaggle": ("kagglehub",), "hub": ("datasets",), "xml": ("defusedxml",), "csv": ()}


def describe_source(collection: Collection, rule: Filter, filtered: Filtered, seed: int) -> dict[str, Any]:
    """Return what both sets have in common: where the pairs come from and what happened to them before the split."""
    credited = is_medquad(filtered.answered)
    return {
        "source": {
            "name": collection.name,
            "kind": collection.kind,
            "credit": CREDIT if credited else None,
            "licence": LICENCE if credited else None,
        },
        "filter": asdict(rule),
        "seed": seed,
        "counts": {**collection.counts, "malformed_items": len(collection.problems), **filtered.counts},
        "with_answer_by_source": dict(Counter(example.source for example in filtered.answered).most_common()),
        "malformed": [asdict(problem) for problem in collection.problems],
        "versions": _versions(("scikit-learn", "numpy", *_READERS[collection.kind])),
    }


def describe_set(name: str, splits: SplitSet) -> dict[str, Any]:
    """Return how one set was made, and how far its splits share questions."""
    overlap = measure_overlap(splits)
    return {
        "rule": RULES[name],
        "made": splits.notes,
        "grpo": {
            "train_rows": len(splits.grpo) - splits.grpo_eval_rows,
            "eval_rows": splits.grpo_eval_rows,
            "order": "the first rows of grpo.jsonl train, the last evaluate; all of them stand in train.jsonl too",
        },
        "overlap": overlap,
        "overlap_in_words": overlap_sentence(overlap),
    }


def describe_clean_set(clean: CleanSet) -> dict[str, Any]:
    """Return how the clean set was made."""
    return {"rule": RULES["clean"], "made": clean.notes}


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }
