"""Only a checkpoint that was written whole is gone on from."""

from __future__ import annotations

from pathlib import Path

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
