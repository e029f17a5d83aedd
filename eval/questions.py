"""The distinct questions of a split, each with all its references."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medilite.checkpoints import read_training_record
from medilite.data import CLEAN, FOLDERS, SPLITS_OF, data_fingerprint, load_split, question_key
from medilite.engine.wording import RULE
from medilite.errors import DataError, suggestion
from medilite.models import Profile
from medilite.prompts import question_messages, sourced_messages
from medilite.records import Example, Message

TESTS = ("study/test", "distinct/test")
SEALED = ("clean/known", "clean/new")
"""What is evaluated unless something else is asked for; SEALED is of the clean set (docs/protocol.md)."""

SPLIT_NAMES = tuple(f"{set_name}/{split}" for set_name, splits in SPLITS_OF.items() for split in splits)

_SEALED = "Lists of resources and tables of symptoms are left out."
ABOUT = {
    "study": "Rows grouped by the question's exact text, as in the study. Some of its questions are also in train.",
    "distinct": "Rows grouped by the question with case and white space folded; no question is also in train.",
    CLEAN: "As in distinct; lists of resources are left out, and tables of symptoms capped.",
    SEALED[0]: f"Known diseases: training had none of these questions, but others on the same diseases. {_SEALED}",
    SEALED[1]: (
        "New diseases: training had no question on any of them, but of 23 of the 420, all on inheritance, it had the "
        f"answer, under other diseases. {_SEALED}"
    ),
}
"""What the questions are and how rows become questions, by split or else by set."""


def about_split(split: str) -> str:
    """Return what a split such as "clean/val" is, in a sentence or two."""
    return ABOUT.get(split) or ABOUT[split.partition("/")[0]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a split.

    `qid` is that of its first row, whose spelling `text` is asked; `qids` are
    all its rows', `references` their answers without repeats, in the rows'
    order. `source` and `qtype` are the first row's. `passage` is what the models
    get to answer from, None where they get the question alone.
    """

    qid: str
    text: str
    references: tuple[str, ...]
    qids: tuple[str, ...]
    source: str
    qtype: str
    passage: str | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks it: one user turn."""
        return question_messages(self.text) if self.passage is None else sourced_messages(self.text, self.passage)

    @property
    def asked(self) -> str:
        """What an answers file has the hash of: that turn, and with a passage how words were weighed."""
        return self.messages[0].content + ("" if self.passage is None else f"\n{RULE}")


def load_questions(data: Path, split: str, limit: int | None = None) -> list[Question]:
    """Return the questions of a split such as "study/test", in the order of their first rows; at most `limit`.

    Raises DataError for an unknown split or data that can't be used.
    """
    if split not in SPLIT_NAMES:
        raise DataError(
            f"There is no split {split!r}.{suggestion(split, SPLIT_NAMES)} Splits: {', '.join(SPLIT_NAMES)}."
        )
    set_name, _, name = split.partition("/")
    examples = load_split(data / FOLDERS[set_name], name)
    return group(examples, fold_case=set_name != "study")[:limit]


def evaluated_splits(profile: Profile) -> tuple[str, ...]:
    """Return the splits to evaluate a profile on: those that belong to the data which its adapters were trained on.

    Adapters without a training record count as trained on the study's.
    """
    records = [read_training_record(profile, spec) or {} for spec in profile.models]
    clean = any(record.get("config", {}).get("data", {}).get("splits") == CLEAN for record in records)
    return SEALED if clean else TESTS


def fingerprint_of(data: Path, splits: Iterable[str]) -> str:
    """Return the fingerprint for splits such as "clean/val": the clean set's if one of them is in it.

    Raises DataError where the data can't be used.
    """
    cleaned = any(split.startswith(f"{CLEAN}/") for split in splits)
    return data_fingerprint(data, CLEAN if cleaned else "study")


def group(examples: Iterable[Example], fold_case: bool) -> list[Question]:
    """Make one question of all rows that ask it, by exact text or with case and white space folded."""
    rows: dict[str, list[Example]] = {}
    for example in examples:
        rows.setdefault(question_key(example.question) if fold_case else example.question, []).append(example)
    return [
        Question(
            qid=same[0].qid,
            text=same[0].question,
            references=tuple(dict.fromkeys(row.answer for row in same)),
            qids=tuple(row.qid for row in same),
            source=same[0].source,
            qtype=same[0].qtype,
        )
        for same in rows.values()
    ]


def sampled(questions: Sequence[Question], count: int, seed: int) -> list[Question]:
    """Return `count` questions drawn at random, spread over the kinds of question as all of them are.

    Within each kind the order is random by `seed`; kinds then take turns by their share, so a
    smaller sample is part of a larger one of the same seed.
    """
    order = list(range(len(questions)))
    random.Random(seed).shuffle(order)
    kinds: dict[str, list[int]] = {}
    for place in order:
        kinds.setdefault(questions[place].qtype, []).append(place)
    turns = [((turn + 0.5) / len(places), place) for places in kinds.values() for turn, place in enumerate(places)]
    return [questions[place] for _, place in sorted(turns)[:count]]


def text_hash(text: str) -> str:
    """Return a text's hash, to write in its place: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
