"""Int8 weights kept in files: the same as made, made anew where they may not be trusted, never in the way."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from medilite.engine.local import int8_files as int8_kept
from medilite.engine.local.int8 import read_weights
from medilite.engine.local.int8_files import kept_weights
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.shape import LlamaShape
from tests.engine.small import MODELS, chains, generate, prompts, write_base


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small base."""
    return write_base(tmp_path / "base")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The bases that were made int8, one entry each time."""
    bases: list[Path] = []

    def reading(folder: Path, shape: LlamaShape, bits: int, tell: None):
        bases.append(folder)
        return read_weights(folder, shape, bits, tell)

    monkeypatch.setattr(int8_kept, "read_weights", reading)
    return bases


def kept(folder: Path, keep_in: Path):
    return kept_weights(folder, LlamaShape.read(folder), keep_in)


def test_what_is_mapped_is_what_was_made(folder: Path, tmp_path: Path, made: list[Path]) -> None:
    fresh = read_weights(folder, LlamaShape.read(folder))
    for _ in range(2):
        found = kept(folder, tmp_path / "int8")
        for name, array in fresh._asdict().items():
            mapped = getattr(found, name)
            assert mapped.dtype == array.dtype, name
            assert np.array_equal(mapped, array), name
            assert mapped.ctypes.data % 64 == 0, f"{name} is not aligned for vectors"
        assert found.head is found.embedding
    assert len(made) == 1


def test_answers_are_the_same_to_the_last_bit(folder: Path, tmp_path: Path) -> None:
    wanted = prompts(len(MODELS), 40)
    plain = Int8Llama(folder, chains(), 1)
    expected = generate(plain, plain.bank, MODELS, wanted, 3)
    for _ in range(2):
        llama = Int8Llama(folder, chains(), 1, tmp_path / "int8")
        assert torch.equal(generate(llama, llama.bank, MODELS, wanted, 3), expected)


def test_another_state_of_the_base_is_made_anew_and_the_old_one_goes(
    folder: Path, tmp_path: Path, made: list[Path]
) -> None:
    kept(folder, tmp_path / "int8")
    weights = folder / "model.safetensors"
    os.utime(weights, ns=(0, weights.stat().st_mtime_ns + 1))
    kept(folder, tmp_path / "int8")
    assert len(made) == 2
    assert len([*(tmp_path / "int8").iterdir()]) == 1


def test_two_bases_in_folders_of_one_name_are_both_kept(tmp_path: Path, made: list[Path]) -> None:
    bases = [write_base(tmp_path / where / "base") for where in ("one", "two")]
    for _ in range(2):
        for base in bases:
            kept(base, tmp_path / "int8")
    assert made == bases


@pytest.mark.parametrize("harm", ["a bit", "cut", "no manifest", "half a manifest", "a name of its own"])
def test_damaged_files_are_made_anew(folder: Path, tmp_path: Path, made: list[Path], harm: str) -> None:
    expected = kept(folder, tmp_path / "int8").down.copy()
    (place,) = (tmp_path / "int8").iterdir()
    file, manifest = place / "down.npy", place / "manifest.json"
    if harm == "a bit":
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "half a manifest":
        manifest.write_text(manifest.read_text()[:50])
    else:
        manifest.write_text(manifest.read_text().replace('"down"', '"up"'))
    assert np.array_equal(kept(folder, tmp_path / "int8").down, expected)
    assert len(made) == 2
    kept(folder, tmp_path / "int8")
    assert len(made) == 2, "mended, it is mapped again"


def test_where_nothing_can_be_written_it_works_all_the_same(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "medilite.engine")
    (tmp_path / "int8").write_text("a file where the folder should be")
    found = kept(folder, tmp_path / "int8")
    assert np.array_equal(found.down, read_weights(folder, LlamaShape.read(folder)).down)
    assert "can't be kept" in caplog.text


def test_nothing_half_written_is_left(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(int8_kept.np, "save", full)
    kept(folder, tmp_path / "int8")
    assert [*(tmp_path / "int8").iterdir()] == []


def test_what_a_killed_process_left_half_written_goes_once_it_is_old(
    folder: Path, tmp_path: Path, made: list[Path]
) -> None:
    kept(folder, tmp_path / "int8")
    (place,) = (tmp_path / "int8").iterdir()
    old, young, of_another = (
        tmp_path / "int8" / name for name in (f".{place.name}-old", f".{place.name}-young", ".another-8bit-0-old")
    )
    for left in (old, young, of_another):
        left.mkdir()
        (left / "down.npy").write_bytes(b"half")
    for left in (old, of_another):
        os.utime(left, (0, 0))
    kept(folder, tmp_path / "int8")
    assert len(made) == 1
    assert {*(tmp_path / "int8").iterdir()} == {place, young, of_another}, "the young one may be in the making"


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library keeps what it likes")
def test_what_was_freed_goes_back_to_the_system() -> None:
    code = """
from pathlib import Path
from medilite.engine.local.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

# One block of a hundred stays, the last among them, which keeps the system from getting the rest by itself.
blocks = [bytes(2000) for _ in range(50_000)]
kept = blocks[99::100]
del blocks
before = resident()
give_back()
print(before - resident(), sum(map(len, kept)))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout
    freed, kept = map(int, told.split())
    assert freed > 0.5 * 50_000 * 2000
    assert kept == 500 * 2000
