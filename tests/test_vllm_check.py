"""The comparison of a model server with the local engine: what it counts, and that it counts it."""

from __future__ import annotations

import json

from medilite.engine.tokenizer import BaseTokenizer
from scripts.vllm_check import agreement, main
from tests.support.model_servers import Reply, model_server
from tests.support.small_tokenizer import write_tokenizer


def test_agreement_by_hand():
    assert agreement([([1, 2, 3], [1, 2, 4]), ([5], [5, 6]), ([7, 8], [7, 8]), ([], [])]) == {
        "places": 7, "same_places": 5, "answers": 4, "same_answers": 2,
    }  # fmt: skip


def test_a_server_is_compared_with_kept_local_answers(lite, tmp_path, monkeypatch, capsys):
    words = write_tokenizer(tmp_path / "words")
    monkeypatch.setenv("MEDILITE_WEIGHTS", str(words))
    kept = tmp_path / "local.json"
    local = [
        {"question": question, "model": model, "text": "Rest." if model == "base" else "Drink.", "tokens": 6}
        for question in range(2)
        for model in lite.ids
    ]
    kept.write_text(json.dumps({"of": {"profile": "lite", "max_new_tokens": 6, "n": 2}, "answers": local}))
    ids = BaseTokenizer(words)("Drink.")["input_ids"]

    def script(_: int, told: dict) -> Reply:
        # The last ask is for a long answer, which the check breaks off.
        return Reply(ids, then="length") if told["max_tokens"] == 6 else Reply(ids * 99, then="hang", step_s=0.001)

    with model_server(script, lite.ids) as server:
        options = ["--servers", server.url, "--questions", "2", "--max-new-tokens", "6", "--local", str(kept)]
        assert main(options) == 1, "base says something else"
        server.wait(lambda s: s.left == len(lite.ids))
    told = json.loads(capsys.readouterr().out)
    assert (told["answers"], told["same_answers"], told["by_model"]["base"]["same_answers"]) == (12, 10, 0)
    assert told["by_model"]["grpo"] == {"places": 12, "same_places": 12, "answers": 2, "same_answers": 2}
    assert [one["remote"] for one in told["different"]] == ["Drink."] * 2
    assert told["cancel"]["steps_with_text"] == 5
    assert told["cancel"]["running_before"] is None, "this server has no metrics"
