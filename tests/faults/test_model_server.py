"""The model server's process dies in the middle of answers, and is started again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.forks import Forks
from tests.faults.people import Asking, Crowd, until
from tests.support.fakes import WORDS
from tests.support.model_servers import free_port
from tests.support.small_tokenizer import write_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_kill_9_in_the_middle_of_answers(forks: Forks, start, tmp_path: Path) -> None:
    port, words = free_port(), write_tokenizer(tmp_path / "words")
    models = forks.models(tmp_path / "models.log", port, step_s=0.05).until_ready("/v1/models")
    app = start(
        tmp_path, MEDILITE_ENGINE="remote", MEDILITE_SERVERS=models.url, MEDILITE_WEIGHTS=str(words),
        MEDILITE_SERVER_CONNECT_S="60", MEDILITE_SERVER_FIRST_TOKEN_S="120", MEDILITE_SERVER_NEXT_TOKEN_S="120",
    )  # fmt: skip
    began = WORDS[:8]
    met = [Asking(app.url, tab, tokens=200) for tab in ("compare", "chat", "vote")]
    until(lambda: all(began in one.text for one in met), lambda: [one.text[-500:] for one in met])
    models.kill()
    for one in met:
        assert one.over().whole, "the page tells it, not Gradio's error"
    compare, chat, live = (one.text for one in met)
    for text in (compare, chat):
        assert "The answer ends here, after" in text, text[-3000:]
        assert f"the model server 127.0.0.1:{port} " in text, text[-3000:]
        assert "Ask again for a whole one." in text
    assert "One model failed" in live
    # While it is away: said at once, and votes go on.
    away = Asking(app.url).over()
    assert away.whole
    # Tried, or left alone for having failed so often.
    assert re.search("can't be reached|No model server can be used now", away.text), away.text[-3000:]
    assert f"127.0.0.1:{port}" in away.text
    assert "ml-failed" in away.text
    crowd = Crowd(app.url, people=1).start()
    crowd.more(2)
    crowd.leave()
    again = forks.models(tmp_path / "models.log", port, step_s=0.0).until_ready("/v1/models")
    # The circuit lets a probe through after its rest.
    until(lambda: "ml-failed" not in (text := Asking(app.url).over().text) and "All answers are here." in text)
    until(lambda: "Both answers are here. Choose." in Asking(app.url, "vote").over().text)
    again.kill()
