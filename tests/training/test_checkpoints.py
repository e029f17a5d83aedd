"""Only a checkpoint that was written whole is gone on from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

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
