"""Only a checkpoint that was written whole is gone on from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from training.checkpoints import newest_whole, seal


def checkpoint(work_dir: Path, step: int, sealed: bool = True) -> Path:
    folder = work_dir / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "trainer_state.json"):
        (folder / name).write_text(f"{name} {step}")
    if sealed:
        seal(folder)
    return folder


def test_the_newest_whole_one_is_found_and_what_is_not_whole_goes(tmp_path: Path) -> None:
    assert newest_whole(tmp_path) is None
    whole, older = checkpoint(tmp_path, 20), checkpoint(tmp_path, 9)
    half_written, half_deleted, cut = (
        checkpoint(tmp_path, 100, False),
        checkpoint(tmp_path, 60),
        checkpoint(tmp_path, 40),
    )
    (half_deleted / "optimizer.pt").unlink()
    (cut / "optimizer.pt").write_text("opt")
    (tmp_path / "checkpoint-best").mkdir()
    assert newest_whole(tmp_path) == whole
    assert older.is_dir()
    assert (tmp_path / "checkpoint-best").is_dir()
    assert not any(folder.exists() for folder in (half_written, half_deleted, cut))


def test_the_saves_of_an_earlier_run_go_with_its_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import results
    from training.stage import write_result

    monkeypatch.setattr(results, "write_adapter", lambda model, out, base, record: record)
    out, work = tmp_path / "out", tmp_path / "work"
    (out / "saves" / "step-999").mkdir(parents=True)
    run = SimpleNamespace(
        model="grpo", stacked_on=None, lora=SimpleNamespace(rank=8),
        optim=SimpleNamespace(learning_rate=0.1, keep_saves=False),
    )  # fmt: skip
    profile = SimpleNamespace(base=SimpleNamespace(model="tiny"))
    start = SimpleNamespace(
        job=SimpleNamespace(run=run, work_dir=work, out=out, profile=profile), came_from={},
        stopwatch=SimpleNamespace(elapsed_s=lambda: 1.0),
    )  # fmt: skip
    trainer = SimpleNamespace(model=None, state=SimpleNamespace(global_step=3, log_history=[]))
    assert "saves" not in write_result(trainer, start, "grpo", (), {})
    assert not (out / "saves").exists(), "the Lab would show them as this adapter's"


@pytest.mark.parametrize(("large", "dtype"), [(10, torch.float16), (10_000_000, torch.float32)])
def test_a_large_adapter_is_kept_in_float16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large, dtype) -> None:
    from safetensors.torch import load_file

    from medilite.checkpoints import WEIGHTS_FILE
    from medilite.packages import sha256_of
    from tests.training.test_lean import adapted_llama
    from training import results

    monkeypatch.setattr(results, "LARGE", large)
    model = adapted_llama(["q_proj"])
    record = results.write_adapter(model, tmp_path / "out", "tiny", {"model": "tiny"})
    saved = load_file(tmp_path / "out" / WEIGHTS_FILE)
    assert {weight.dtype for weight in saved.values()} == {dtype}
    assert record["adapter_sha256"] == sha256_of(tmp_path / "out" / WEIGHTS_FILE)
    trained = dict(model.named_parameters())
    for name, weight in saved.items():
        expected = trained[name.replace(".weight", ".default.weight")]
        torch.testing.assert_close(weight.float(), expected.detach(), rtol=1e-3, atol=1e-6)
