"""The saves of a training run: the adapter as it was every few steps, each a model of its own while it is asked.

A run that keeps light saves leaves `saves/step-NNN` in its adapter's folder: PEFT's two files, stacked on the parent
that the adapter itself is stacked on. A save is checked as an adapter that a visitor brings is (`own_adapter.look_at`).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from medilite.checkpoints import ADAPTER_FILES, SAVES
from medilite.content import key_terms, stems, words
from medilite.content.key_terms import stem
from medilite.engine.protocol import TakesAdapters
from medilite.errors import ModelUnavailableError
from medilite.lab.own_adapter import look_at
from medilite.models import ModelSpec, Profile

MOST = 15
"""Saves that are asked at once: with the parent they fit the engine's mixes (`int8_llama.MIXES`)."""

_STEP = re.compile(r"step-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Save:
    """A run's adapter after so many optimizer steps; `why` it can't be asked, or the model that can be."""

    step: int
    folder: Path
    spec: ModelSpec | None = None
    why: str = ""


def saves_of(profile: Profile, model: str) -> tuple[Save, ...]:
    """Return a model's saves, the earliest first; none where it has none here. Of more than MOST, evenly chosen ones.

    The first and the last are always among them. Raises UnknownModelError.
    """
    spec = profile.get(model)
    folder = profile.adapter_path(spec) if spec.adapter else None
    if not isinstance(folder, Path) or not (folder / SAVES).is_dir():
        return ()
    steps = {int(match[1]): path for path in (folder / SAVES).iterdir() if (match := _STEP.fullmatch(path.name))}
    found = [Save(step, path) for step, path in sorted(steps.items())]
    if len(found) <= MOST:
        return tuple(found)
    return tuple(found[round(place * (len(found) - 1) / (MOST - 1))] for place in range(MOST))


class SavedModels:
    """Lends saves to an engine: each is there while somebody asks it, once however many ask."""

    def __init__(self, engine: TakesAdapters, profile: Profile) -> None:
        self._engine, self._profile = engine, profile
        self._lock = threading.Lock()
        self._lent: Counter[str] = Counter()

    @contextmanager
    def lent(self, model: str) -> Iterator[list[Save]]:
        """Yield a model's saves as models that the engine answers; a damaged one only says why it can't be asked.

        Raises UnknownModelError, and EngineError if the engine takes no adapters.
        """
        found: list[Save] = []
        try:
            for save in saves_of(self._profile, model):
                try:
                    found.append(Save(save.step, save.folder, self._lend(model, save)))
                except (ModelUnavailableError, OSError) as error:
                    # An OSError's text names the path.
                    why = str(error) if isinstance(error, ModelUnavailableError) else type(error).__name__
                    found.append(Save(save.step, save.folder, None, why))
            yield found
        finally:
            for save in found:
                if save.spec:
                    self._give_back(save.spec.id)

    def _lend(self, model: str, save: Save) -> ModelSpec:
        parent = self._profile.get(model)
        look_at(save.folder, self._profile)
        # By its content: a run that continues may write another save to the same folder.
        digest = hashlib.sha256(model.encode())
        for name in ADAPTER_FILES:
            digest.update((save.folder / name).read_bytes())
        spec = parent.model_copy(
            update={
                "id": f"save-{digest.hexdigest()[:32]}", "label": f"Step {save.step:,}", "adapter": str(save.folder),
                "adapter_sha256": None, "optional": False,
            }
        )  # fmt: skip
        with self._lock:
            if not self._lent[spec.id]:
                self._engine.bring(spec)
            self._lent[spec.id] += 1
        return spec

    def _give_back(self, model: str) -> None:
        with self._lock:
            self._lent[model] -= 1
            if not self._lent[model]:
                del self._lent[model]
                self._engine.let_go(model)


def terms_of(passage: str, question: str) -> Mapping[str, str]:
    """Return a passage's key terms, the weightiest first: their stems, and the word that the passage has for each."""
    known = key_terms(passage, question)
    first: dict[str, str] = {}
    for word in words(passage):
        first.setdefault(stem(word), word)
    return {term: first.get(term, term) for term in known}


def said(text: str, terms: Mapping[str, str]) -> frozenset[str]:
    """Return which of some key terms a text has, by their stems."""
    return stems(text) & terms.keys()


def largest_fall(values: Sequence[float | None]) -> tuple[int, int] | None:
    """Return the places (before, after) of neighbours between which values fall most; None if they never fall.

    Places without a value are passed over.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    falls = [(one[1] - other[1], one[0], other[0]) for one, other in pairwise(known)]
    best = max(falls, key=lambda fall: fall[0], default=(0.0, 0, 0))
    return best[1:] if best[0] > 0 else None
