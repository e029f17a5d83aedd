"""A small library of made-up pairs, an encoder that needs no model, and a shelf with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medilite.content.words import words
from medilite.settings import load_settings
from medilite.sources.build import build_library
from medilite.sources.library import Library
from medilite.sources.records import About, Entry
from medilite.sources.shelf import Shelf

WIDTH = 64


def encode(text: str) -> np.ndarray:
    """A vector of the text's words: texts that share words are near."""
    vector = np.full(WIDTH, 1e-3, np.float32)
    for word in words(text):
        vector[sum(map(ord, word.rstrip("s"))) % WIDTH] += 1
    return vector / np.linalg.norm(vector)


class WordEncoder:
    """Counts what it encoded; raises OSError once it has done `limit` calls."""

    def __init__(self, limit: int = 10**9) -> None:
        self.calls, self.limit = 0, limit

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        if self.calls >= self.limit:
            raise OSError(28, "No space left on device")
        self.calls += 1
        return np.stack([encode(text) for text in texts])


TOPICS = {
    "Hay Fever": ("MPlusHealthTopics", "Pollen makes the nose run. Medicines and nasal sprays help. Wash your hair."),
    "Gout": ("NIDDK", "Gout is a painful swelling of joints. It is caused by uric acid. About 4% of adults have it."),
    "Baraitser-Winter syndrome": ("GHR", "Baraitser-Winter syndrome (BWS) changes the face. It is also called Fryns."),
    "Seasonal Affective Disorder": (
        "MPlusHealthTopics",
        "People feel down every winter: down when days are short, why ever. Light helps.",
    ),
    "Heart Attack": ("NHLBI", "A heart attack is when blood can't reach the heart. What helps at once? Call 911 now."),
}


ABOUT = About("MedQuAD", "CC BY 4.0", "Ben Abacha", "2017", "0123456789abcdef")


def made_entries() -> list[Entry]:
    """Two pairs of each topic."""
    found = []
    for number, (topic, (source, answer)) in enumerate(TOPICS.items()):
        for part, (question, kind) in enumerate(
            ((f"What is (are) {topic} ?", "information"), (f"What are the treatments for {topic} ?", "treatment"))
        ):
            text = answer if part == 0 else f"There are treatments for {topic.lower()}. {answer}"
            address = f"https://example.gov/{number}"
            found.append(Entry(f"{source}/{number}-{part + 1}", question, text, source, address, topic, kind))
    return found


def small_shelf(folder: Path) -> Shelf:
    """A shelf with the library of these pairs, open."""
    shelf = Shelf(load_settings(sources="off"))
    shelf._keep(Library(build_library(made_entries(), ABOUT, folder, WordEncoder()), encode))
    return shelf
