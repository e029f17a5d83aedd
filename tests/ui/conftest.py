"""A scripted engine and comparisons made with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from medilite.models import Profile
from medilite.records import Decoding
from medilite.ui.compare.comparison import Comparison
from tests.support.fakes import ScriptedEngine


@pytest.fixture
def engine(lite: Profile) -> ScriptedEngine:
    """An engine that answers from a script; it shadows the real one of tests/conftest.py here."""
    return ScriptedEngine(lite)


@pytest.fixture
def compare(lite: Profile) -> Callable[..., Comparison]:
    """Return a function that asks a scripted engine and returns the finished comparison."""

    def ask(
        question: str = "What is asthma?", *, models: str = "all", tokens: int = 24, **script: object
    ) -> Comparison:
        engine = ScriptedEngine(lite, **script)  # type: ignore[arg-type]
        decoding = Decoding(max_new_tokens=tokens, repetition_penalty=1.1)
        comparison = Comparison.of(question, lite, lite.select(models), decoding, 0, 1)
        for step in engine.stream(comparison.requests()):
            comparison.advance(step)
        return comparison

    return ask
