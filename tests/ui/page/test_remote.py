"""A comparison as the page runs it, answered by a model server."""

from __future__ import annotations

import pytest

from medilite.engine.remote.engine import RemoteEngine
from medilite.engine.remote.row import Limits
from medilite.engine.tokenizer import BaseTokenizer
from medilite.records import Decoding
from medilite.settings import load_settings
from medilite.ui.compare.comparison import Comparison
from medilite.ui.page.answering import run
from medilite.ui.page.session import StopFlag
from tests.support.fakes import WORDS
from tests.support.model_servers import Reply, model_server
from tests.support.small_tokenizer import write_tokenizer

LIMITS = Limits(connect_s=60, first_token_s=120, next_token_s=120, backoff_s=0.02)


@pytest.fixture
def answered(lite, tmp_path):
    """Return a function that has a comparison answered: its script breaks off grpo's answer after 20 tokens."""
    words = write_tokenizer(tmp_path)
    ids = BaseTokenizer(words)(WORDS)["input_ids"]

    def script(_: int, told: dict) -> Reply:
        if told["model"] == "grpo":
            return Reply(ids, after=20, then="break")
        return Reply(ids[: told["max_tokens"]], then="length", step_s=0.002 if told["model"] == "base" else 0)

    def answer(stop_after: int | None = None, max_new_tokens: int = 60):
        with model_server(script, lite.ids) as server:
            engine = RemoteEngine(
                lite, load_settings(engine="remote", servers=server.url, weights=str(words)), limits=LIMITS
            )
            engine.load()
            comparison = Comparison.of("What helps?", lite, lite.models, Decoding(max_new_tokens), 1)
            stop, seen = StopFlag(), []

            def advance(step) -> None:
                comparison.advance(step)
                seen.append({pane.tokens for pane in comparison.panes if not pane.stopped})
                if stop_after is not None and comparison.panes[0].tokens >= stop_after:
                    stop.set()

            stages = [stage.kind for stage in run(engine, comparison.requests("visitor"), stop, advance)]
            if stop_after is not None:
                server.wait(lambda s: s.left + s.finished >= len(lite.ids) - 1, timeout_s=120)
            engine.close()
        return comparison, stages, seen

    return answer


def test_a_comparison_by_a_model_server(answered):
    comparison, stages, seen = answered()
    assert stages[-1] == "done"
    assert all(len(tokens) <= 1 for tokens in seen), "the panes that go on are in step"
    panes = {pane.spec.id: pane for pane in comparison.panes}
    assert panes["base"].text == WORDS[:60]
    assert panes["base"].scores is not None
    assert panes["grpo"].text == WORDS[:20]
    assert panes["grpo"].stopped == "error"
    assert "ends here, after 20 tokens" in (panes["grpo"].error or "")
    assert {pane.stopped for id, pane in panes.items() if id != "grpo"} == {"length"}


def test_stop_ends_it_at_the_server_too(answered):
    comparison, stages, _ = answered(stop_after=10, max_new_tokens=250)
    assert stages[-1] == "stopped"
    assert comparison.panes[0].tokens < 250
