"""What import-linter and ruff (pyproject.toml) can't say: no circles of files, and what an import sets off."""

from __future__ import annotations

import graphlib
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
HEAVY = RULES["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"]
PACKAGES = [name for name in RULES["importlinter"]["root_packages"] if name != "scripts"]
LOADS_GRADIO = ("medilite.ui",)
COMPUTES = (
    "medilite.engine.local",
    "medilite.engine.native",
    "training.lean",
    "training.progress",
    "training.validation",
    "training.tracking",
    "bench.speed.memory",
    "medilite.arena.schema",
    "medilite.arena.database",
    "medilite.arena.store",
    "medilite.arena.migrations",
    "medilite.arena.mirror.journal",
)
"""Modules whose classes are a heavy library's own; whatever imports them does so inside a function."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)


def test_no_files_import_each_other_in_a_circle(graph):
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        list(graphlib.TopologicalSorter(imports).static_order())
    except graphlib.CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def test_a_planted_circle_is_found(graph):
    graph.add_import(importer="medilite.errors", imported="medilite.settings")
    with pytest.raises(pytest.fail.Exception, match="a circle"):
        test_no_files_import_each_other_in_a_circle(graph)
    graph.remove_import(importer="medilite.errors", imported="medilite.settings")


def test_light_modules_load_no_heavy_library(graph):
    """A rule about the whole of what an import sets off, not only about what a file itself says."""
    # gradio brings pandas along, so only rooms without gradio are looked at.
    light = sorted(
        name for name in graph.modules
        if not name.startswith((*LOADS_GRADIO, *COMPUTES)) and not name.endswith("__main__")
    )  # fmt: skip
    code = (
        "import sys\n"
        "import importlib\n"
        "heavy = set(sys.argv[1].split(','))\n"
        "for name in sys.argv[2:]:\n"
        "    importlib.import_module(name)\n"
        "    found = heavy & set(sys.modules)\n"
        "    assert not found, f'importing {name} loads {sorted(found)}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, ",".join(HEAVY), *light], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_importing_medilite_is_ten_times_faster_than_importing_torch():
    assert _import_s("medilite", 3) < _import_s("torch", 1) / 10


def _import_s(module: str, times: int) -> float:
    """Return the median of so many fresh imports, in seconds, without the interpreter's own start."""
    code = (
        f"import time, sys; t = time.perf_counter(); import {module}; print(time.perf_counter() - t);"
        f"assert {module!r} == 'torch' or 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(times)]
    return statistics.median(float(run.stdout) for run in runs)
