"""The int8 engine against float32, and its rows against themselves: independent to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from medilite.engine.local.adapters import AdapterBank
from medilite.engine.local.int8 import pack
from medilite.engine.local.int8_llama import Int8Llama, ModelRows
from medilite.engine.local.llama import Llama
from medilite.engine.native import forward, intrinsics, team, tiles
from medilite.engine.native.arrays import new_array
from medilite.engine.native.tiles import GROUP
from medilite.errors import WeightsError
from tests.engine.local.test_int8_weights import published
from tests.engine.small import MODELS, adapter, chains, generate, prompts, write_base


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small base."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def fast(folder: Path) -> Int8Llama:
    """The small base in int8, on two threads."""
    return Int8Llama(folder, chains(), 2)


def test_logits_are_those_of_float32_to_two_percent(folder: Path, fast: Int8Llama) -> None:
    exact = Llama(folder, torch.device("cpu"), torch.float32)
    bank = AdapterBank(exact.shape, chains(), exact.device, torch.float32)
    wanted = prompts(len(MODELS), 90)
    ours, theirs = generate(fast, fast.bank, MODELS, wanted, 1), generate(exact, bank, MODELS, wanted, 1)
    error = (ours - theirs).pow(2).mean(-1).sqrt() / theirs.std(-1)
    assert float(error.max()) < 0.02, error
    # Each model is itself: another's adapters would be far off.
    mixed = generate(fast, fast.bank, MODELS[1:] + MODELS[:1], wanted, 1)
    assert float(((mixed - theirs).pow(2).mean(-1).sqrt() / theirs.std(-1)).min()) > 0.1


def test_a_row_is_the_same_alone_and_among_47_others(fast: Int8Llama) -> None:
    wanted, models = prompts(48, 70), [MODELS[i % 4] for i in range(48)]
    crowd = generate(fast, fast.bank, models, wanted, 4)
    for row in (0, 1, 2, 3, 29, 47):
        alone = generate(fast, fast.bank, [models[row]], [wanted[row]], 4)
        assert torch.equal(alone[0], crowd[row])


def test_threads_and_pieces_change_nothing(folder: Path, fast: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, models = prompts(7, 40), [MODELS[i % 4] for i in range(7)]
    expected = generate(fast, fast.bank, models, wanted, 3)
    one = Int8Llama(folder, chains(), 1)
    monkeypatch.setattr("medilite.engine.local.int8_llama.TOGETHER", 5)
    assert torch.equal(generate(one, one.bank, models, wanted, 3), expected)
    three = Int8Llama(folder, chains(), 3)
    assert torch.equal(generate(three, three.bank, models, wanted, 3), expected)


_PROCESS = """
import sys
from pathlib import Path

import numpy as np

from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.native.forward import forward
from tests.engine.local.test_int8 import MODELS, chains, generate, prompts

llama = Int8Llama(Path(sys.argv[1]), chains(), 2)
np.save(sys.argv[2], generate(llama, llama.bank, MODELS, prompts(4, 90), 8).numpy())
print("compiled" if forward.stats.cache_misses else "loaded")
"""


@pytest.mark.slow
def test_processes_that_compile_and_load_and_processors_without_vnni_give_the_same_logits(
    folder: Path, fast: Int8Llama, tmp_path: Path
) -> None:
    environment = {
        **os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_CPU_FEATURES": "-avx512f,-avxvnni",
    }  # fmt: skip
    said, found = [], []
    for number in range(2):
        to = tmp_path / f"{number}.npy"
        done = subprocess.run(
            [sys.executable, "-c", _PROCESS, folder, to], cwd=Path(__file__).parents[3], env=environment,
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        said.append(done.stdout.strip())
        found.append(np.load(to))
    assert said == ["compiled", "loaded"]
    assert np.isfinite(found[0]).all()
    assert np.array_equal(*found)
    # This process compiles for the machine as it is.
    assert np.array_equal(found[0], generate(fast, fast.bank, MODELS, prompts(4, 90), 8).numpy())


def test_no_compiled_function_may_reorder_floats() -> None:
    from numba.core.dispatcher import Dispatcher

    compiled = [found for module in (forward, team) for found in vars(module).values() if isinstance(found, Dispatcher)]
    assert len(compiled) > 20
    assert [found.__name__ for found in compiled if found.targetoptions.get("fastmath")] == []


def test_pages_come_back_and_hold_nothing_over(fast: Int8Llama) -> None:
    wanted = prompts(3, 100)
    expected = generate(fast, fast.bank, MODELS[:3], wanted, 2)
    pool = fast.pool
    free, there = len(pool._free), pool.pages.keys.shape[0]
    cache = fast.new_cache(5, 130)
    assert cache.tables.shape == (5, 3)
    kept = cache.tables[[1, 4]].copy()
    cache.keep([1, 4])
    assert np.array_equal(cache.tables, kept)
    del cache
    assert len(pool._free) - (pool.pages.keys.shape[0] - there) == free
    # Whatever stood in a page before, not-a-number included, is never attended to.
    pool.pages.keys[:], pool.pages.values[:] = 0x7E00, 0x7E00
    assert torch.equal(generate(fast, fast.bank, MODELS[:3], wanted, 2), expected)


def test_a_row_that_is_not_finite_spoils_no_other(folder: Path) -> None:
    broken = adapter(["q"], 2, 4)
    broken.pairs[1, "q"][1][0, 0] = torch.nan
    llama = Int8Llama(folder, {**chains(), "broken": [broken]}, 1)
    wanted = prompts(3, 20)
    found = generate(llama, llama.bank, ["base", "broken", "narrow"], wanted, 1)
    assert bool(found[1].isnan().all())
    assert torch.equal(found[[0, 2]], generate(llama, llama.bank, ["base", "narrow"], [wanted[0], wanted[2]], 1))


def test_a_model_can_be_given_another_adapter(folder: Path) -> None:
    llama, wanted = Int8Llama(folder, chains(), 1), prompts(1, 20)
    theirs = generate(llama, llama.bank, ["everything"], wanted, 1)
    assert not torch.equal(generate(llama, llama.bank, ["narrow"], wanted, 1), theirs)
    llama.bank.replace("narrow", chains()["everything"])
    assert torch.equal(generate(llama, llama.bank, ["narrow"], wanted, 1), theirs)
    # One of a greater rank than any before needs more room.
    large = [adapter(["q", "k", "v"], 40, 6)]
    llama.bank.replace("narrow", large)
    fresh = Int8Llama(folder, {**chains(), "narrow": large}, 1)
    assert torch.equal(
        generate(llama, llama.bank, ["narrow"], wanted, 1), generate(fresh, fresh.bank, ["narrow"], wanted, 1)
    )


def test_a_tile_is_the_exact_product() -> None:
    """Other processors' tiles are held against this one's in test_processors.py."""
    from numba import njit

    tile, widen = tiles.product_tile, tiles.widen_tiles

    @njit
    def multiply(out, values, groups, factors, four, eight, widened):
        tile(out, 40, values, groups, factors, eight, eight, 3, 8)
        tile(out + 3 * 160, 40, values, groups, factors, four, four, 3, 4)
        widen(four, groups, widened)

    rng = np.random.default_rng(0)
    values = rng.integers(-128, 128, (3, 4, GROUP)).astype(np.int8)
    steps, shifts = rng.random((2, 3, 4)).astype(np.float32)
    factors = np.stack([steps, shifts, steps * values.sum(-1, dtype=np.int32)], -1).astype(np.float32)
    weights = published(rng.standard_normal((32, 128)).astype(np.float32), gguf.GGMLQuantizationType.Q4_1)
    wide, narrow = (pack([torch.from_numpy(weights)], bits) for bits in (8, 4))
    widened = new_array(wide.shape, np.uint8)
    out = np.zeros((6, 40), np.float32)
    multiply(
        *(a.ctypes.data if isinstance(a, np.ndarray) else a for a in (out, values, 4, factors, narrow, wide, widened))
    )
    inputs = values.astype(np.float64) * steps[..., None] + shifts[..., None]
    np.testing.assert_allclose(out[:3, :32], inputs.reshape(3, 128) @ weights.T, rtol=1e-4, atol=1e-3)
    assert np.array_equal(out[3:], out[:3]), "four bits give what eight give, to the last bit"
    assert np.array_equal(widened, wide)
    assert not out[:, 32:].any()


def test_exponentials_of_a_vector_are_those_of_single_numbers_to_the_last_bit() -> None:
    from numba import njit

    from medilite.engine.native.choose import _exp

    each = intrinsics.exponentials

    @njit
    def run(values, count, top):
        each(values, count, top)

    @njit
    def one_by_one(values, top):
        for place in range(len(values)):
            values[place] = _exp(values[place] - top)

    rng = np.random.default_rng(0)
    values = np.concatenate([rng.uniform(-130, 130, 1020), [-np.inf, np.inf, np.nan, 0]]).astype(np.float32)
    top = np.float32(1.5)
    found, wanted = values.copy(), values.copy()
    run(found.ctypes.data, len(found), top)
    one_by_one(wanted, top)
    assert found.tobytes() == wanted.tobytes()
    near = np.abs(values - top) < 80
    assert found[near] == pytest.approx(np.exp(values[near] - top), rel=1e-5)
    assert np.isnan(found[-2])


def test_gated_values_and_float16() -> None:
    from numba import njit

    swish, half = intrinsics.swish_group, intrinsics.halves

    @njit
    def run(gate, up, out, bits):
        swish(gate, up, out)
        half(out, bits, 64)

    gate, up = np.random.default_rng(0).uniform(-9, 9, (2, 64)).astype(np.float32)
    gate[0] = np.nan
    out, bits = np.zeros(64, np.float32), np.zeros(64, np.float16)
    run(gate.ctypes.data, up.ctypes.data, out.ctypes.data, bits.ctypes.data)
    assert np.isnan(out[0])
    assert out[1:] == pytest.approx(gate[1:] * up[1:] / (1 + np.exp(-gate[1:])), rel=1e-5)
    assert np.array_equal(bits, out.astype(np.float16), equal_nan=True)


def test_a_group_becomes_int8_with_what_undoes_it() -> None:
    from numba import njit

    group = tiles.quantise_group

    @njit
    def run(values, out, factors):
        group(values, out, factors)

    def cut(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out, factors = np.ones(GROUP, np.int8), np.zeros(3, np.float32)
        run(values.ctypes.data, out.ctypes.data, factors.ctypes.data)
        return out, factors

    values = np.random.default_rng(0).normal(0, 1, GROUP).astype(np.float32)
    values[5] = 24.3  # an outlier on one side: the steps reach from the least to it, and no further
    out, (step, shift, summed) = cut(values)
    assert step == pytest.approx((24.3 - values.min()) / 255)
    assert (out.min(), out.max()) == (-128, 127)
    np.testing.assert_allclose(out * step + shift, values, atol=0.501 * step)
    assert summed == pytest.approx(step * out.astype(int).sum())

    for same in (0.0, -0.75):
        out, (step, shift, _) = cut(np.full(GROUP, same, np.float32))
        assert out * step + shift == pytest.approx(same, abs=1e-15)
    for spoiled in (np.nan, np.inf, -np.inf):
        values[7] = spoiled
        assert np.isnan(cut(values)[1][0])


def test_sums_are_of_all_numbers() -> None:
    from numba import njit

    dot, total = intrinsics.dot, intrinsics.total

    @njit
    def run(left, right, count):
        return dot(left, right, count), total(left, count)

    # Whole numbers below 2^24 sum exactly, in any order.
    left, right = (np.random.default_rng(0).integers(-50, 50, (2, 192))).astype(np.float32)
    for count in (64, 192):
        product, summed = run(left.ctypes.data, right.ctypes.data, count)
        assert (product, summed) == (left[:count] @ right[:count], left[:count].sum())


def test_a_base_of_other_sizes_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"vocab_size=350 is no multiple.*MEDILITE_PRECISION=float32"):
        Int8Llama(write_base(tmp_path, vocab_size=350), {"base": []}, 1)


def test_rows_can_be_dropped(fast: Int8Llama) -> None:
    rows = fast.bank.rows(["chain", "base", "narrow"])
    assert isinstance(rows.keep([2, 0]), ModelRows)
    assert rows.keep([2, 0]).models.tolist() == [1, 3]
