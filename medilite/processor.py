"""The instructions of the processor that code is compiled for, and the numbers that the engine computes in.

Numba compiles for the processor that it runs on, unless NUMBA_CPU_NAME, NUMBA_CPU_FEATURES or NUMBA_ENABLE_AVX say
otherwise. LLVM ends the process if code uses an instruction that its target lacks, and does not expose which those are.
So small pieces of code are compiled for the target, and the result shows which instructions it has.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medilite.settings import Settings

log = logging.getLogger(__name__)

_VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")

_X86 = ("x86_64", "i686", "amd64")
_ARM = ("aarch64", "arm64")

_HALVES = "conversion to 16-bit numbers (F16C)"
_FUSED = "fused multiply-add (FMA)"

# Sixteen sums of four products each, of bytes without a sign and with one, as `tiles._dot` has them.
_PRODUCTS = """
declare i32 @llvm.vector.reduce.add.v64i32(<64 x i32>)
define void @probe_products(ptr %from, ptr %to) {
  %more = getelementptr i8, ptr %from, i64 64
  %left = load <64 x i8>, ptr %from, align 64
  %right = load <64 x i8>, ptr %more, align 64
  %unsigned = zext <64 x i8> %left to <64 x i32>
  %signed = FIRST <64 x i8> %right to <64 x i32>
  %products = mul nsw <64 x i32> %unsigned, %signed
  %sum = call i32 @llvm.vector.reduce.add.v64i32(<64 x i32> %products)
  store i32 %sum, ptr %to, align 64
  ret void
}
"""

_FLOATS = """
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
define void @probe_floats(ptr %from, ptr %to) {
  %values = load <16 x float>, ptr %from, align 64
  %fused = call <16 x float> @llvm.fma.v16f32(<16 x float> %values, <16 x float> %values, <16 x float> %values)
  store <16 x float> %fused, ptr %to, align 64
  ret void
}
"""

_SHORTS = """
define void @probe_shorts(ptr %from, ptr %to) {
  %values = load <16 x float>, ptr %from, align 64
  %shorts = fptrunc <16 x float> %values to <16 x half>
  store <16 x half> %shorts, ptr %to, align 64
  ret void
}
"""


def instructions_of(triple: str, name: str, features: str) -> frozenset[str]:
    """Return which of "f16c", "fma", "avx2", "avxvnni", "avx512vnni", "dotprod" and "i8mm" a target has.

    `name` and `features` are LLVM's (`+this,-that`). With a name that LLVM doesn't know this may end the process.
    """
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=name, features=features, opt=2)

    def compiled(code: str) -> str:
        return str(machine.emit_assembly(llvm.parse_assembly(f'target triple = "{triple}"\n{code}')))

    products = compiled(_PRODUCTS.replace("FIRST", "sext"))
    found = set()
    if triple.startswith(_X86):
        if "vcvtps2ph" in compiled(_SHORTS):
            found.add("f16c")
        if "vfmadd" in compiled(_FLOATS):
            found.add("fma")
        if "%ymm" in products or "%zmm" in products:
            found.add("avx2")
        if "vpdpbusd" in products:
            found.add("avx512vnni" if "%zmm" in products else "avxvnni")
    elif triple.startswith(_ARM):
        if "usdot" in products:
            found.add("i8mm")
        # Bytes without a sign on both sides: where there is a product of those, there is one of signed bytes too.
        if "udot" in compiled(_PRODUCTS.replace("FIRST", "zext")):
            found.add("dotprod")
    return frozenset(found)


@lru_cache
def triple() -> str:
    """Return LLVM's name of the kind of machine that this process is: "x86_64-unknown-linux-gnu"."""
    import llvmlite.binding as llvm

    return str(llvm.get_process_triple())


def is_x86() -> bool:
    """Return whether this machine is a PC's kind."""
    return triple().startswith(_X86)


def is_arm() -> bool:
    """Return whether this machine is 64-bit ARM."""
    return triple().startswith(_ARM)


@lru_cache
def instructions() -> frozenset[str]:
    """Return `instructions_of` the target that this process compiles for."""
    name, features = _settle()
    return instructions_of(triple(), name, features)


@lru_cache
def lacking() -> str | None:
    """Return a clause about the instructions that int8 needs and the target lacks; None if it has all."""
    if not is_x86():
        return None  # 64-bit ARM has both from the start
    # Without the first LLVM calls a function that isn't everywhere, and without the second one number at a time.
    needed = {"f16c": _HALVES, "fma": _FUSED}
    if missing := [words for short, words in needed.items() if short not in instructions()]:
        configured = _configured()
        who = f"The processor that Numba is set to compile for ({configured})" if configured else "This processor"
        return f"{who} has no {' and no '.join(missing)}"
    return None


def computed_in(settings: Settings) -> str:
    """Return the numbers that the local engine computes in: "bfloat16", "float32", "int8" or "int4".

    bfloat16 on a GPU; on a CPU MEDILITE_PRECISION, or float32 where the processor can't run what that asks for.
    """
    import torch

    if torch.cuda.is_available():
        return "bfloat16"
    return "float32" if settings.precision != "float32" and lacking() else settings.precision


@lru_cache
def _settle() -> tuple[str, str]:
    """Return the name and the features of the target; Numba is made to leave one that this machine can't run."""
    drop_useless_threads()
    import llvmlite.binding as llvm
    from numba.core import config as settings
    from numba.core.codegen import get_host_cpu_features

    config: Any = settings  # it determines them as it is imported

    def target() -> tuple[str, str]:
        name, features = config.CPU_NAME, config.CPU_FEATURES
        return (
            str(llvm.get_host_cpu_name() if name is None else name),
            str(get_host_cpu_features() if features is None else features),
        )

    if (configured := _configured()) and not _runs(*target()):
        log.warning(
            "This machine can't run code for the processor that Numba is set to compile for (%s): MediLite compiles"
            " for this machine instead. Unset %s.",
            configured,
            " and ".join(each.partition("=")[0] for each in configured.split()),
        )
        config.CPU_NAME = config.CPU_FEATURES = None
    if config.DISABLE_JIT:
        # The engine's code can't run uncompiled; even sampling in float32 is compiled.
        log.warning("NUMBA_DISABLE_JIT is set, but what MediLite computes with has to be compiled, so it is.")
        config.DISABLE_JIT = 0
    return target()


def drop_useless_threads() -> None:
    """Take NUMBA_NUM_THREADS below 1 out of the environment: importing Numba would fail, and nothing here uses it."""
    said = os.environ.get("NUMBA_NUM_THREADS", "")
    if re.fullmatch(r"\s*(?:-\s*\d+|[+-]?0+)\s*", said):
        log.warning("NUMBA_NUM_THREADS=%s is ignored: it has to be 1 or more. MEDILITE_THREADS sets the threads.", said)
        del os.environ["NUMBA_NUM_THREADS"]


def compile_for_this_machine() -> None:
    """Make Numba compile for a processor whose code runs here; call it before anything is compiled."""
    _settle()


def _configured() -> str:
    """Return the variables that set Numba's target processor, "" if none is set."""
    return " ".join(f"{name}={os.environ[name]!r}" for name in _VARIABLES if name in os.environ)


def _runs(name: str, features: str) -> bool:
    """Return whether code for a target runs here, by running some in another process, which may end by it."""
    try:
        done = subprocess.run([sys.executable, __file__, name, features], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _run_probes(name: str, features: str) -> None:
    """Compile the probes for a target and run them."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(triple()).create_target_machine(
        cpu=name, features=features, opt=2, reloc="static", codemodel="jitdefault", jit=True
    )
    # As sums of 16-bit numbers are made by a function that may not be there, that probe is compiled only.
    module = llvm.parse_assembly(_PRODUCTS.replace("FIRST", "sext") + _FLOATS)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    room = ctypes.create_string_buffer(512)
    start = ctypes.addressof(room) + -ctypes.addressof(room) % 64
    for probe in ("probe_products", "probe_floats"):
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(engine.get_function_address(probe))(start, start + 256)
    instructions_of(triple(), name, features)


if __name__ == "__main__":
    _run_probes(*sys.argv[1:])
