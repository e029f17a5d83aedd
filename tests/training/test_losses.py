"""Losses by hand, and against transformers' own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from training.losses import LossLog, PairLoss, PairLosses, of_answers, of_conversations, pair_losses


def test_the_mean_is_per_token_not_per_pair() -> None:
    losses = PairLosses((2.0, 9.0), (1, 3))
    assert losses.mean == pytest.approx(11 / 4)


def test_intervals_hold_the_mean_and_shrink_with_n() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    few = PairLosses(tuple(values * 5), (1,) * 20)
    many = PairLosses(tuple(values * 500), (1,) * 2000)
    (a, b), (c, d) = few.interval(0), many.interval(0)
    assert a < 2.5 < b
    assert c < 2.5 < d
    # The standard error is 1.118 / sqrt(n); 95 % is 1.96 of them either side.
    assert d - c == pytest.approx(2 * 1.96 * 1.118 / math.sqrt(2000), rel=0.1)
    assert (b - a) / (d - c) == pytest.approx(10, rel=0.15)
    assert few.interval(1) == few.interval(1)


def test_paired_differences_are_narrower_than_their_parts() -> None:
    ours = PairLosses(tuple(i / 10 for i in range(100)), (1,) * 100)
    base = PairLosses(tuple(i / 10 + 0.5 for i in range(100)), (1,) * 100)
    low, high = ours.difference_interval(base, 0)
    assert low == pytest.approx(-0.5)
    assert high == pytest.approx(-0.5)


def test_answers_and_conversations_by_hand() -> None:
    losses = [PairLoss(2.0, 1, 3.0, 2), PairLoss(9.0, 3, 1.0, 1)]
    assert of_answers(losses).mean == pytest.approx(11 / 4)
    assert of_conversations(losses).mean == pytest.approx(15 / 7)


def test_losses_are_kept_as_they_come_and_half_a_line_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "some" / "losses.jsonl"
    first, second = PairLoss(1.5, 2, 0.5, 1), PairLoss(2.5, 3, 0.25, 1)
    LossLog(file).keep({4: first, 0: second})
    with file.open("a") as torn:
        torn.write('{"7": [1.0, 2')
    log = LossLog(file)
    assert log.done == {4: first, 0: second}
    log.keep({7: second})
    assert LossLog(file).done == {4: first, 0: second, 7: second}


@pytest.mark.model
def test_pair_losses_are_transformers_masked_loss(tiny_profile: Path, tiny_data: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from medilite.data import load_split
    from training.base_model import load_tokenizer
    from training.pairs import tokenise

    folder = tiny_profile.parent / "base"
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = load_tokenizer(folder)
    pairs = tokenise(tokenizer, load_split(tiny_data, "test"), 60)
    log = LossLog(tmp_path / "losses.jsonl")
    losses = pair_losses(model, pairs, log, batch_tokens=200)
    answers, conversations = of_answers(losses), of_conversations(losses)
    for i, pair in enumerate(pairs):
        ids = torch.tensor([pair.ids])
        labels = ids.clone()
        whole = model(input_ids=ids, labels=labels).loss.item()
        labels[0, : pair.prompt] = -100
        assert answers.tokens[i] == len(pair.ids) - pair.prompt
        assert conversations.tokens[i] == len(pair.ids) - 1
        mean = answers.sums[i] / answers.tokens[i]
        assert mean == pytest.approx(model(input_ids=ids, labels=labels).loss.item(), rel=1e-4)
        assert conversations.sums[i] / conversations.tokens[i] == pytest.approx(whole, rel=1e-4)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("all pairs are measured already")

    model.model.embed_tokens.forward = never
    with pytest.raises(AssertionError, match="measured already"):
        pair_losses(model, pairs)
    assert pair_losses(model, pairs, LossLog(tmp_path / "losses.jsonl")) == losses


def test_a_runs_own_losses_come_before_the_bases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run beside others, none waits for whoever measures the base while there is something of its own to measure."""
    from types import SimpleNamespace

    from training import measure

    order: list[str] = []
    loss = [PairLoss(2.0, 2, 1.0, 1), PairLoss(4.0, 3, 1.0, 1)]
    monkeypatch.setattr(measure, "_test_pairs", lambda job: [])
    monkeypatch.setattr(measure, "_model", lambda job, adapters: (None, "float32"))
    monkeypatch.setattr(measure, "read_record", lambda folder: {"model": "a", "adapter_sha256": "0"})
    monkeypatch.setattr(measure, "pair_losses", lambda *_, **__: order.append("own") or loss)
    monkeypatch.setattr(measure, "_base_losses", lambda *_: order.append("base") or loss)
    monkeypatch.setattr(measure, "write_record", lambda *_: order.append("written"))
    monkeypatch.setattr(measure, "write_card", lambda *_: None)
    job: Any = SimpleNamespace(
        out=tmp_path, runs=tmp_path, test_key="k", inputs={"beneath": []}, profile=None,
        run=SimpleNamespace(model="a", seed=0),
    )  # fmt: skip
    measure.measure(job)
    assert order == ["own", "base", "written"]
