"""A scripted engine and comparisons made with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


@pytest.fixture
def told_to_gradio(lite: Profile, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that serves a page with a stand-in for Gradio's launch, and returns what that was told."""
    from gradio.routes import App

    from medilite.ui.page.app import serve

    def serve_it(page: Any, settings: Any) -> dict[str, Any]:
        told: dict[str, Any] = {}

        def launch(**options: Any) -> tuple[Any, str, None]:
            told.update(options)
            page.app = App.create_app(page, mcp_server=False)
            return page.app, "http://here/", None

        monkeypatch.setattr(page, "launch", launch)
        serve(page, lite, settings, block=False)
        return told

    return serve_it
