"""Other processors than this one: which instructions they have, and that code for them gives the same bits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medilite import processor
from medilite.engine.local.int8_llama import Int8Llama
from medilite.errors import WeightsError
from medilite.provenance import precision_name
from medilite.settings import load_settings
from tests.engine.small import chains, write_base
from tests.support.targets import APPLE, LINUX_ARM, X86, Target, built_for, emulator, everything, run_emulated, run_here

ROOT = Path(__file__).parents[3]

HOST = Target(processor.triple(), *processor._settle())

X86_TARGETS = {
    "generic": (Target(X86, "x86-64"), set()),
    "Nehalem": (Target(X86, "nehalem"), set()),
    "Ivy Bridge": (Target(X86, "ivybridge"), {"f16c"}),
    "Piledriver": (Target(X86, "bdver2"), {"f16c", "fma"}),
    "Haswell": (Target(X86, "haswell"), {"f16c", "fma", "avx2"}),
    "Zen 3": (Target(X86, "znver3"), {"f16c", "fma", "avx2"}),
    "Skylake server": (Target(X86, "skylake-avx512"), {"f16c", "fma", "avx2"}),
    "Alder Lake": (Target(X86, "alderlake"), {"f16c", "fma", "avx2", "avxvnni"}),
    "Cascade Lake": (Target(X86, "cascadelake"), {"f16c", "fma", "avx2", "avx512vnni"}),
    "Zen 4": (Target(X86, "znver4"), {"f16c", "fma", "avx2", "avx512vnni"}),
    "Zen 5 without AVX-512": (Target(X86, "znver5", "-avx512f"), {"f16c", "fma", "avx2", "avxvnni"}),
    "Zen 5 without F16C": (Target(X86, "znver5", "-f16c"), {"fma", "avx2", "avxvnni"}),
    "a feature, then what it needs taken": (Target(X86, "haswell", "+avx512vnni,-avx512f"), {"f16c", "fma", "avx2"}),
}  # fmt: skip

ARM_TARGETS = {
    "Cortex-A72 (Raspberry Pi 4)": (Target(LINUX_ARM, "cortex-a72"), set(), "cortex-a72"),
    "Graviton2": (Target(LINUX_ARM, "neoverse-n1"), {"dotprod"}, "neoverse-n1"),
    "Graviton3": (Target(LINUX_ARM, "neoverse-v1"), {"dotprod", "i8mm"}, "max"),
    "Apple M1": (Target(APPLE, "apple-m1"), {"dotprod"}, None),
    "Apple M2": (Target(APPLE, "apple-m2"), {"dotprod", "i8mm"}, None),
}

INSTRUCTION = {
    "avx512vnni": "vpdpbusd",
    "avxvnni": "vpdpbusd",
    "avx2": "pmadd.ub.sw",
    "i8mm": "usdot",
    "dotprod": "sdot",
}
"""What products of bytes are made by; a processor's best comes first."""

QUICK = ("Haswell", "Skylake server", "Zen 5 without AVX-512")


def best_of(has: set[str], otherwise: str) -> str:
    return next((INSTRUCTION[each] for each in INSTRUCTION if each in has), otherwise)


@pytest.fixture(scope="module")
def work():
    return everything()


@pytest.fixture(scope="module")
def expected(work):
    return computed_here(work)


def computed_here(work) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        return run_here(HOST, work, built_for(HOST, work.calls, patch))


@pytest.mark.parametrize(("target", "has"), X86_TARGETS.values(), ids=X86_TARGETS)
def test_what_a_pc_has_is_asked_of_llvm(target: Target, has: set[str]) -> None:
    assert processor.instructions_of(*target) == has


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name, (_, has) in X86_TARGETS.items()
     if {"f16c", "fma"} <= has and name != "Cascade Lake"],
)  # fmt: skip
def test_code_for_a_pc_gives_the_bits_of_this_one(name: str, work, expected, monkeypatch) -> None:
    target, has = X86_TARGETS[name]
    if not processor._runs(target.name, target.features):
        pytest.skip(f"this machine can't run code for {name}")
    module = built_for(target, work.calls, monkeypatch)
    assert best_of(has, "mul") in str(module)
    assert run_here(target, work, module) == expected


@pytest.mark.parametrize(("target", "has", "cpu"), ARM_TARGETS.values(), ids=ARM_TARGETS)
def test_code_for_arm_is_whole_and_uses_what_there_is(target, has, cpu, work, monkeypatch) -> None:
    assert processor.instructions_of(*target) == has
    code = str(target.machine().emit_assembly(built_for(target, work.calls, monkeypatch)))
    # No call of a function that may not be there: float16 and fused products have instructions of their own.
    assert re.findall(r"^\s+bl\s+(\S+)", code, re.M) == []
    assert {"fcvtn", "fcvtl", "fmla"} <= set(re.findall(r"^\s+([a-z]+)[2.\s]", code, re.M))
    assert re.search(rf"^\s+{best_of(has, 'smull')}[2.\s]", code, re.M)


@pytest.mark.slow
@pytest.mark.skipif(not emulator(), reason="needs Debian's qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross")
@pytest.mark.parametrize("name", [name for name, each in ARM_TARGETS.items() if each[2]])
def test_code_for_arm_gives_the_bits_of_this_machine(name: str, tmp_path: Path, monkeypatch) -> None:
    target, _, cpu = ARM_TARGETS[name]
    work = everything([(rows, bits) for rows in (1, 3, 6) for bits in (4, 8)])
    module = built_for(target, work.calls, monkeypatch)
    assert run_emulated(target, cpu, work, module, tmp_path) == computed_here(work)


@pytest.fixture
def imitated(monkeypatch):
    """Have this process take itself for another processor: what it would lack, and what it would say."""
    for cached in (processor.lacking, processor.instructions):
        cached.cache_clear()

    def imitate(has: set[str], triple: str = X86, told: str = "") -> None:
        monkeypatch.setattr(processor, "instructions", lambda: frozenset(has))
        monkeypatch.setattr(processor, "triple", lambda: triple)
        monkeypatch.setattr(processor, "_configured", lambda: told)

    yield imitate
    processor.lacking.cache_clear()


LACKING = {
    "generic": (set(), "", "This processor has no conversion to 16-bit numbers (F16C) and no fused multiply-add (FMA)"),
    "Ivy Bridge": ({"f16c"}, "", "This processor has no fused multiply-add (FMA)"),
    "Numba told": (
        {"fma"}, "NUMBA_CPU_NAME='x86-64'",
        "The processor that Numba is set to compile for (NUMBA_CPU_NAME='x86-64') has no conversion to 16-bit",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("has", "told", "said"), LACKING.values(), ids=LACKING)
def test_what_a_processor_lacks_is_said_and_answers_are_computed_in_float32(
    has, told, said, imitated, tmp_path
) -> None:
    imitated(has, told=told)
    with pytest.raises(WeightsError) as refused:
        Int8Llama(write_base(tmp_path), chains(), 1)
    assert str(refused.value).startswith(said)
    assert str(refused.value).endswith("which int8 needs. Set MEDILITE_PRECISION=float32.")
    for precision in ("int8", "int4", "float32"):
        settings = load_settings(precision=precision)
        assert processor.computed_in(settings) == "float32"
        assert precision_name(settings) == "float32"


def test_nothing_is_lacking_on_arm_nor_on_a_pc_of_today(imitated) -> None:
    imitated(set(), triple=APPLE)
    assert processor.lacking() is None
    processor.lacking.cache_clear()
    imitated({"f16c", "fma"})
    assert processor.lacking() is None
    assert precision_name(load_settings(precision="int4")) == "int4, groups of 32"


_SAMPLING = """
import logging, sys
logging.basicConfig(format="%(message)s")
import numpy as np
from medilite import processor
from medilite.engine.native import choose
logits = np.random.default_rng(0).normal(0, 3, (2, 320)).astype(np.float32)
tokens, best, logs = np.array([3, 200], np.int32), np.zeros((2, 4), np.int32), np.zeros((2, 5), np.float32)
choose.likelihoods(logits, tokens, best, logs)
exact = logits - np.log(np.exp(logits.astype(np.float64)).sum(1, keepdims=True))
assert np.array_equal(best, np.argsort(-exact, axis=1)[:, :4]), best
assert np.allclose(logs[:, 0], exact[[0, 1], tokens], atol=1e-5), logs
print(processor.lacking())
"""

INSTEAD = "MediLite compiles for this machine instead. Unset NUMBA_CPU_NAME and NUMBA_CPU_FEATURES."

TOLD: dict[str, tuple[dict[str, str], str | None, str]] = {
    "another processor": ({"NUMBA_CPU_NAME": "generic"}, "compile for (NUMBA_CPU_NAME='generic') has no conv", ""),
    "a name that is none": ({"NUMBA_CPU_NAME": "foo", "NUMBA_CPU_FEATURES": ""}, None, INSTEAD),
    "a feature taken": ({"NUMBA_CPU_FEATURES": "-avx512f"}, None, ""),
    "no AVX": ({"NUMBA_ENABLE_AVX": "0"}, None, ""),
    # Two at once: compiling takes seconds.
    "no compiling, no threads": (
        {"NUMBA_DISABLE_JIT": "1", "NUMBA_NUM_THREADS": "0"},
        None,
        "NUMBA_DISABLE_JIT is set, but",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("told", "lacks", "said"), TOLD.values(), ids=TOLD)
def test_whatever_numba_is_told_the_process_lives_and_says_it_once(told, lacks, said, tmp_path) -> None:
    """The sampling's code: every engine on this machine runs it, the one in float32 too."""
    env = {**os.environ, **told, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _SAMPLING], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (lacks in done.stdout) if lacks else done.stdout == "None\n"
    assert done.stderr.count(said) == 1 if said else "MediLite" not in done.stderr
