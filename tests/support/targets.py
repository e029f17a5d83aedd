"""The engine's compiled pieces built for other processors than this one, and run here or by an emulator.

What Numba compiles for this machine, LLVM compiles for any: a piece's own code is
put into a module of its own, without Numba's compiler, which takes milliseconds.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from numba import types

from medilite import processor
from medilite.engine.native import intrinsics, tiles
from medilite.engine.native.tiles import FOUR, GROUP, TILE

X86, LINUX_ARM, APPLE = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "arm64-apple-darwin"


class Target(NamedTuple):
    """A processor as LLVM names it."""

    triple: str
    name: str
    features: str = ""

    def machine(self, *, jit: bool = False) -> Any:
        """Return LLVM's machine for it."""
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        more = {"reloc": "static", "codemodel": "jitdefault", "jit": True} if jit else {"reloc": "pic"}
        return llvm.Target.from_triple(self.triple).create_target_machine(
            cpu=self.name, features=self.features, opt=3, **more
        )


class At(int):
    """An argument that is an address: where in the memory."""


class Call(NamedTuple):
    """A piece of compiled code and its arguments: addresses, whole numbers, floats, and `Fixed` ones."""

    piece: Any
    arguments: tuple[Any, ...]


class Fixed(int):
    """An argument that is written in the code."""


class Work(NamedTuple):
    """What is computed: the memory before it, and calls that change it."""

    memory: bytes
    calls: Sequence[Call]


def everything(rows_of_tiles: Sequence[tuple[int, int]] = ((1, 8), (3, 4))) -> Work:
    """Return calls of every piece that computes, on random numbers with outliers, in odd shapes too.

    `rows_of_tiles` are rows and bits of products of tiles: six rows take half a second to compile.
    """
    rng, memory, calls = np.random.default_rng(0), bytearray(), []

    def put(array: np.ndarray) -> At:
        memory.extend(bytes(-len(memory) % 64))
        place = At(len(memory))
        memory.extend(np.ascontiguousarray(array).tobytes())
        return place

    def floats(*size: int) -> np.ndarray:
        drawn = rng.normal(0, 1, size).astype(np.float32)
        drawn.reshape(-1)[7] = 31
        return drawn

    def room(count: int, kind: Any = np.float32) -> At:
        return put(np.zeros(count, kind))

    groups = 5
    values, factors = put(rng.integers(-128, 128, (7, groups * GROUP)).astype(np.int8)), put(floats(7, groups, 3))
    packed = {}
    for bits, size in ((8, TILE), (4, FOUR)):
        tile = rng.integers(0, 256, (groups, size), np.uint8)
        # Scales and offsets that are numbers; the extremes of both sides meet in the first group.
        tile[:, : 4 * 32] = rng.normal(0, 0.1, (groups, 64)).astype(np.float16).view(np.uint8)
        tile[0, -128:] = 255
        packed[bits] = put(tile)
        for rows in [each for each, kind in rows_of_tiles if kind == bits]:
            arguments = (room(rows * 40), 40, values, groups, factors, packed[bits], packed[bits])
            calls.append(Call(tiles.product_tile, (*arguments, Fixed(rows), Fixed(bits))))
    calls.append(Call(tiles.widen_tiles, (packed[4], groups, room(groups * TILE, np.uint8))))
    calls.append(Call(tiles.unpack_line, (packed[8], groups, 9, room(groups * GROUP))))
    line, other, shorts = put(floats(192)), put(floats(192)), put(floats(64 * 64).astype(np.float16))
    for place in (0, 128):
        calls.append(Call(tiles.quantise_group, (At(line + 4 * place), room(GROUP, np.int8), room(3))))
    for rows in (1, 2, 3, 4):
        left = put(floats(4, 64))
        calls.append(Call(intrinsics.half_tile, (room(rows * 64), 64, left, 64, shorts, 64, 37, shorts, Fixed(rows))))
    calls += [
        Call(intrinsics.float_tile, (room(32), put(floats(9)), put(floats(9, 64)), 64, 9)),
        Call(intrinsics.largest, (line, 192)),
        Call(intrinsics.dot, (line, other, 192)),
        Call(intrinsics.total, (line, 192)),
        Call(intrinsics.peak, (line, 192)),
        Call(intrinsics.exponentials, (put(floats(192)), 192, 3.5)),
        Call(intrinsics.swish_group, (line, other, room(64))),
        Call(intrinsics.rotate_head, (line, room(64), other, 64, 0.125)),
        Call(intrinsics.halves, (line, room(192, np.float16), 192)),
    ]  # fmt: skip
    return Work(bytes(memory), calls)


def built_for(target: Target, calls: Sequence[Call], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an optimised module of functions call_0, …: each takes an array of int64, the result's place last."""
    with monkeypatch.context() as patch:
        has = processor.instructions_of(*target)
        patch.setattr(processor, "triple", lambda: target.triple)
        patch.setattr(processor, "instructions", lambda: has)
        text = str(_module(target.triple, calls))
    module, machine = llvm.parse_assembly(text), target.machine()
    module.verify()
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    return module


def _module(triple: str, calls: Sequence[Call]) -> ir.Module:
    module = ir.Module("pieces")
    module.triple = triple
    word = ir.IntType(64)
    for number, (piece, arguments) in enumerate(calls):
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [word.as_pointer()]), f"call_{number}")
        builder = ir.IRBuilder(function.append_basic_block())

        def load(place: int, builder: Any = builder, function: Any = function) -> Any:
            return builder.load(builder.gep(function.args[0], [ir.Constant(word, place)]))

        kinds, given = [], []
        for place, argument in enumerate(arguments):
            if isinstance(argument, Fixed):
                kinds.append(types.literal(int(argument)))
                given.append(ir.Constant(word, int(argument)))
            elif isinstance(argument, float):
                kinds.append(types.float32)
                given.append(builder.bitcast(builder.trunc(load(place), ir.IntType(32)), ir.FloatType()))
            else:
                kinds.append(types.int64)
                given.append(load(place))
        signature, generate = piece._defn(None, *kinds)
        made = generate(None, builder, signature, given)
        if signature.return_type == types.float32:
            builder.store(made, builder.inttoptr(load(len(arguments)), made.type.as_pointer()))
        builder.ret_void()
    return module


def _words(call: Call, start: int, result: int) -> list[int]:
    """Return a call's arguments as int64, addresses from `start` on."""
    found = []
    for argument in call.arguments:
        if isinstance(argument, At):
            found.append(start + argument)
        else:
            number = np.float32(argument).view(np.int32) if isinstance(argument, float) else argument
            found.append(int(number))
    return [*found, start + result]


def run_here(target: Target, work: Work, module: Any) -> bytes:
    """Return the memory after the calls, and behind it their results, by a module for a processor of this kind."""
    engine = llvm.create_mcjit_compiler(module, target.machine(jit=True))
    engine.finalize_object()
    room = ctypes.create_string_buffer(len(work.memory) + 64 * len(work.calls) + 64)
    start = ctypes.addressof(room) + -ctypes.addressof(room) % 64
    ctypes.memmove(start, work.memory, len(work.memory))
    for number, call in enumerate(work.calls):
        words = _words(call, start, len(work.memory) + 4 * number)
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address(f"call_{number}"))
        function((ctypes.c_int64 * len(words))(*words))
    return ctypes.string_at(start, len(work.memory) + 4 * len(work.calls))


_MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
CALLS
static void (*const calls[])(int64_t *) = {NAMES};
int main(int count, char **names) {
  int64_t sizes[2], words[2][32], number, size;
  FILE *file = fopen(names[1], "rb");
  if (count != 2 || !file || fread(sizes, 8, 2, file) != 2) return 1;
  char *memory = aligned_alloc(64, sizes[1]);
  if (fread(memory, 1, sizes[0], file) != (size_t)sizes[0]) return 2;
  for (number = 0; fread(&size, 8, 1, file) == 1; number++) {
    if (fread(words, 8 * 32, 2, file) != 2) return 3;
    for (int place = 0; place < size; place++)
      if (words[1][place]) words[0][place] += (int64_t)memory;
    calls[number](words[0]);
  }
  return fwrite(memory, 1, sizes[1], stdout) == (size_t)sizes[1] ? 0 : 4;
}
"""

EMULATOR = ("aarch64-linux-gnu-gcc", "qemu-aarch64")
"""What runs code for 64-bit ARM on a PC: Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user."""


def emulator() -> bool:
    """Return whether code for 64-bit ARM can be run here."""
    return all(shutil.which(program) for program in EMULATOR)


def run_emulated(target: Target, cpu: str, work: Work, module: Any, folder: Path) -> bytes:
    """As `run_here`, on QEMU's `cpu`."""
    names = [f"call_{number}" for number in range(len(work.calls))]
    (folder / "pieces.o").write_bytes(target.machine().emit_object(module))
    main = _MAIN.replace("CALLS", "\n".join(f"void {name}(int64_t *);" for name in names))
    (folder / "main.c").write_text(main.replace("NAMES", ", ".join(names)))
    size = len(work.memory) + 4 * len(work.calls)
    with (folder / "work").open("wb") as file:
        file.write(np.array([len(work.memory), size + -size % 64], np.int64).tobytes() + work.memory)
        for number, call in enumerate(work.calls):
            words = np.zeros((2, 32), np.int64)
            given = _words(call, 0, len(work.memory) + 4 * number)
            words[0, : len(given)] = given
            words[1, : len(given)] = [*(isinstance(each, At) for each in call.arguments), True]
            file.write(np.array([len(given)], np.int64).tobytes() + words.tobytes())
    compiler, machine = EMULATOR
    built = [compiler, "-static", "-o", "run", "main.c", "pieces.o", "-lm"]
    subprocess.run(built, cwd=folder, check=True, timeout=120)
    done = subprocess.run(
        [machine, "-cpu", cpu, "./run", "work"], cwd=folder, check=True, capture_output=True, timeout=300
    )
    return done.stdout[:size]
