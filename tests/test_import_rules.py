"""Who may import whom (docs/ARCHITECTURE.md, "Who may import whom"), read from the code by an AST walk."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LOW = {"medilite.errors", "medilite.records", "medilite.settings"}
MIDDLE = {
    *LOW,
    *("medilite.models", "medilite.readability.*", "medilite.prompts", "medilite.safety.*", "medilite.textdiff"),
    "medilite.questions",
}
FRONT = {
    *(*MIDDLE, "medilite", "medilite.checkpoints", "medilite.leaderboard", "medilite.data"),
    *("medilite.engine", "medilite.engine.protocol", "medilite.arena.*", "medilite.health.*"),
    *("medilite.logs", "medilite.metrics", "medilite.draining"),
}
"""What talks to people may import: everything but an engine's workings."""

ROOMS: dict[str, set[str]] = {
    "medilite": set(),
    "medilite.errors": set(),
    "medilite.records": {"medilite.errors"},
    "medilite.settings": {"medilite.errors"},
    "medilite.logs": LOW,
    "medilite.metrics": {*LOW, "medilite.engine.protocol"},
    "medilite.draining": {*LOW, "medilite.engine.protocol"},
    "medilite.models": LOW,
    "medilite.readability.*": LOW,
    "medilite.content.*": {*LOW, "medilite.packages"},
    "medilite.prompts": LOW,
    "medilite.safety.*": LOW,
    "medilite.textdiff": LOW,
    "medilite.questions": {*LOW, "medilite.models"},
    "medilite.files": LOW,
    "medilite.leaderboard": {*LOW, "medilite.models"},
    "medilite.data": LOW,
    "medilite.provenance": {*LOW, "medilite.models", "medilite.packages", "medilite.weights"},
    "medilite.checkpoints": {*LOW, "medilite.models"},
    "medilite.packages": {*LOW, "medilite.engine.protocol"},
    "medilite.weights": {*LOW, "medilite.models", "medilite.packages", "medilite.engine.protocol"},
    "medilite.engine": {"medilite.engine.protocol", "medilite.engine.*", "medilite.models", "medilite.settings"},
    "medilite.engine.protocol": LOW,
    "medilite.engine.*": {*LOW, "medilite.engine.protocol", "medilite.models", "medilite.prompts", "medilite.weights"},
    "medilite.arena.*": {*MIDDLE, "medilite", "medilite.metrics"},
    "medilite.health.*": {*FRONT, "medilite.packages", "medilite.weights"},
    "medilite.ui.*": FRONT,
    "medilite.cli.*": {*FRONT, "medilite.weights", "medilite.provenance"},
    "medilite.__main__": {*LOW, "medilite", "medilite.cli.*"},
    "app": {*FRONT, "medilite.ui.*"},
    "training.*": {"medilite.*"},
    "eval.*": {"medilite.*"},
    # The load test starts the app, and a database for it, as the tests do.
    "eval.crowd.*": {"medilite.*", "eval.*", "scripts.running", "scripts.postgres"},
    "scripts.*": {"app", "medilite.*", "scripts.running", "scripts.postgres"},
    "scripts.running": set(),
    "scripts.postgres": {"scripts.*"},
}
"""Room → rooms that it may import, besides itself.

"x" is the module x alone; "x.*" is x and whatever is beneath it that has no
line of its own. On the right "medilite.*" is every room of medilite.
"""

HEAVY = {
    *("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "datasets", "sklearn", "huggingface_hub"),
    *("gradio", "pandas", "plotly", "textstat", "nltk", "kagglehub", "groq", "sacrebleu", "pyarrow"),
    *("numba", "llvmlite", "trackio", "sqlalchemy", "alembic", "scipy", "prometheus_client", "spaces"),
}
"""Libraries that load inside the functions that need them, never when a module is imported…"""

HEAVY_AT_IMPORT: dict[str, set[str]] = {
    "medilite.ui.*": {"gradio"},
    "app": {"gradio"},
    # The local engine's workings, which medilite.engine.local imports once it loads: their classes are torch's.
    "medilite.engine.adapters": {"torch"},
    "medilite.engine.batch": {"torch"},
    "medilite.engine.int8": {"torch"},
    "medilite.engine.int8_kept": {"torch", "numba", "llvmlite"},
    "medilite.engine.int8_llama": {"torch"},
    "medilite.engine.memory": {"torch", "numba", "llvmlite"},
    "medilite.engine.pages": {"torch", "numba", "llvmlite"},
    "medilite.engine.prefixes": {"torch", "numba", "llvmlite"},
    "medilite.engine.running": {"torch", "numba", "llvmlite"},
    "medilite.engine.llama": {"torch"},
    "medilite.engine.native.*": {"numba", "llvmlite"},
    "medilite.engine.sampling": {"torch"},
    # ZeroGPU's marks are set where a function is made; imported on such a Space alone.
    "medilite.engine.zero": {"spaces"},
    # The votes' database, which medilite.arena.booth imports once it is opened.
    "medilite.arena.schema": {"sqlalchemy"},
    "medilite.arena.database": {"sqlalchemy", "alembic"},
    "medilite.arena.store": {"sqlalchemy"},
    "medilite.arena.migrations.*": {"sqlalchemy", "alembic"},
    "medilite.arena.mirror.journal": {"sqlalchemy"},
    # Trainers' callbacks, imported once training starts: their base class is transformers'.
    "training.progress": {"transformers"},
    "training.validation": {"transformers"},
    "training.tracking": {"transformers"},
    # The lean loops are TRL's trainers with other steps.
    "training.lean.draws": {"torch"},
    "training.lean.grpo": {"torch", "trl"},
    "training.lean.products": {"torch"},
    "training.lean.sampler": {"torch"},
    "training.lean.sft": {"torch", "trl"},
    "training.lean.tokens": {"torch"},
}
"""…except here."""

NEVER: dict[str, set[str]] = {
    "medilite.health.*": {"torch", "transformers", "peft", "trl", "gradio"},
    "medilite.ui.*": {"torch", "transformers", "peft", "trl"},
    "medilite.arena.*": {"torch", "transformers", "peft", "trl", "gradio"},
    "app": {"torch", "transformers", "peft", "trl"},
}
"""Libraries that a room doesn't import at all, inside functions included."""


@dataclass(frozen=True)
class Import:
    """One import as written: who imports what, where, and whether it runs when the module is imported."""

    importer: str
    imported: str
    line: int
    at_import: bool
    for_types_only: bool


def test_the_code_keeps_the_rules():
    assert violations(ROOT) == []


def test_every_line_of_the_tables_is_about_something():
    # Rules that come before their code.
    early: set[str] = set()
    known = modules(ROOT)
    stale = {line for line in (*ROOMS, *HEAVY_AT_IMPORT, *NEVER) if not any(_fits(line, name) for name in known)}
    assert stale - early == set(), "gone or renamed: change the tables with it"


@pytest.mark.parametrize(
    ("file", "code", "found"),
    [
        ("medilite/errors.py", "import medilite.models", "medilite.errors may not import medilite.models"),
        ("medilite/models.py", "def f():\n    from training import sft", "medilite.models may not import training"),
        ("medilite/models.py", "from eval.score import x", "medilite.models may not import eval.score"),
        ("medilite/prompts.py", "import app", "medilite.prompts may not import app"),
        ("medilite/prompts.py", "from . import ui", "medilite.prompts may not import medilite.ui"),
        ("medilite/ui/chat.py", "from medilite.engine.local import LocalEngine", "import medilite.engine.local"),
        ("medilite/ui/chat.py", "from medilite.engine import local", "import medilite.engine.local"),
        ("medilite/ui/chat.py", "from ..engine.local import LocalEngine", "import medilite.engine.local"),
        ("medilite/ui/chat.py", "def f():\n    import torch.nn", "medilite.ui.chat never imports torch"),
        ("medilite/ui/chat.py", "from medilite import weights", "medilite.ui.chat may not import medilite.weights"),
        ("medilite/ui/chat.py", "import pandas as pd", "medilite.ui.chat imports pandas when it is imported"),
        ("medilite/engine/protocol.py", "from medilite.engine import local", "may not import medilite.engine.local"),
        ("medilite/engine/local.py", "from medilite.ui import app", "may not import medilite.ui"),
        ("medilite/engine/local.py", "import torch", "medilite.engine.local imports torch when it is imported"),
        ("medilite/engine/local.py", "class A:\n    import torch", "imports torch when it is imported"),
        ("medilite/engine/local.py", "try:\n    import torch\nexcept ImportError:\n    pass", "imports torch when"),
        (
            "medilite/engine/local.py",
            "import importlib\nm = importlib.import_module('medilite.ui.app')",
            "medilite.ui.app",
        ),
        ("medilite/engine/local.py", "m = __import__('training')", "may not import training"),
        (
            "medilite/arena/votes.py",
            "from medilite.ui.chat import x",
            "medilite.arena.votes may not import medilite.ui",
        ),
        ("training/sft.py", "import eval.generate", "training.sft may not import eval.generate"),
        ("training/sft.py", "from training import grpo\nfrom app import main", "training.sft may not import app"),
        ("eval/judge.py", "from training.data import splits", "eval.judge may not import training.data"),
        ("app.py", "from training import sft", "app may not import training"),
        ("app.py", "from medilite.engine.local import LocalEngine", "app may not import medilite.engine.local"),
        ("medilite/brandnew.py", "x = 1", "medilite.brandnew has no line in ROOMS"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, file, code, found):
    _plant(tmp_path, file, code)
    assert any(found in line for line in violations(tmp_path)), violations(tmp_path)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("medilite/ui/chat.py", "import gradio as gr\nfrom medilite.engine import Engine\nfrom . import cards"),
        ("medilite/ui/chat.py", "from medilite.engine.protocol import collect\nfrom medilite import __version__"),
        ("medilite/ui/chat.py", "def f():\n    import pandas"),
        ("medilite/engine/__init__.py", "def f():\n    from medilite.engine.local import LocalEngine"),
        ("medilite/engine/local.py", "def f():\n    import torch\n    from medilite.engine.llama import x"),
        ("medilite/prompts.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import transformers"),
        ("training/sft.py", "from medilite.prompts import x\nfrom training.pairs import y\nfrom . import losses"),
        ("eval/judge.py", "from medilite.readability import measure\nimport eval.score"),
    ],
)
def test_what_is_allowed_passes(tmp_path, file, code):
    _plant(tmp_path, file, code)
    assert violations(tmp_path) == []


def test_light_modules_load_no_heavy_library():
    """A rule about the whole of what an import sets off, not only about what a file itself says."""
    light = [name for name in modules(ROOT) if name.partition(".")[0] in ("medilite", "training", "eval")]
    light = [name for name in light if not room_of(name, HEAVY_AT_IMPORT)]
    # gradio brings pandas along, so only rooms without gradio are looked at.
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
    assert _import_s("medilite") < _import_s("torch") / 10


def _import_s(module: str) -> float:
    """Return the median of three fresh imports, in seconds, without the interpreter's own start."""
    code = (
        f"import time, sys; t = time.perf_counter(); import {module}; print(time.perf_counter() - t);"
        f"assert {module!r} == 'torch' or 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(3)]
    return statistics.median(float(run.stdout) for run in runs)


# -- the walk --------------------------------------------------------------------


def violations(root: Path) -> list[str]:
    """Return one line for every import under `root` that breaks a rule, and for every module without one."""
    known = modules(root)
    found = []
    for importer, path in known.items():
        if room_of(importer, ROOMS) is None:
            found.append(f"{path.relative_to(root)}: {importer} has no line in ROOMS: say there what it may import")
            continue
        for one in imports(importer, path, set(known)):
            if reason := broken_rule(one):
                found.append(f"{path.relative_to(root)}:{one.line}: {reason}")
    return found


def broken_rule(one: Import) -> str | None:
    """Return which rule an import breaks, in words, or None."""
    library = one.imported.partition(".")[0]
    if library in {line.partition(".")[0] for line in ROOMS}:
        return None if _may_import(one.importer, one.imported) else f"{one.importer} may not import {one.imported}"
    if one.for_types_only:
        return None
    if library in NEVER.get(room_of(one.importer, NEVER) or "", ()):
        return f"{one.importer} never imports {library}"
    allowed = HEAVY_AT_IMPORT.get(room_of(one.importer, HEAVY_AT_IMPORT) or "", set())
    if one.at_import and library in HEAVY - allowed:
        return f"{one.importer} imports {library} when it is imported; do it in the function that needs it"
    return None


def _may_import(importer: str, imported: str) -> bool:
    here, there = room_of(importer, ROOMS), room_of(imported, ROOMS)
    assert here is not None
    allowed = ROOMS[here]
    return there is not None and (
        here == there or there in allowed or ("medilite.*" in allowed and there.startswith("medilite"))
    )


def room_of(module: str, table: dict[str, set[str]]) -> str | None:
    """Return the table's line for a module: its own, else the nearest one above it that covers what is beneath."""
    fitting = [line for line in table if _fits(line, module)]
    return max(fitting, key=lambda line: (not line.endswith(".*"), len(line)), default=None)


def _fits(line: str, module: str) -> bool:
    above = line.removesuffix(".*")
    return module == above or (line.endswith(".*") and module.startswith(f"{above}."))


def modules(root: Path) -> dict[str, Path]:
    """Return every module of the rooms under `root`, by dotted name."""
    files = [root / "app.py"] if (root / "app.py").is_file() else []
    for folder in ("medilite", "training", "eval", "scripts"):
        files += sorted((root / folder).rglob("*.py"))
    names = {}
    for file in files:
        parts = file.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


def imports(importer: str, path: Path, known: set[str]) -> Iterator[Import]:
    """Yield every import of a file, inside functions, relative and by importlib too.

    `from x import y` counts as x.y where that is a module.
    """
    package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))

    def visit(node: ast.AST, in_function: bool, for_types: bool) -> Iterator[Import]:
        for name in _names(node, package, known | {line.removesuffix(".*") for line in ROOMS}):
            yield Import(importer, name, getattr(node, "lineno", 0), not in_function and not for_types, for_types)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.body:
                yield from visit(child, in_function, True)
            for child in node.orelse:
                yield from visit(child, in_function, for_types)
            return
        deeper = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, deeper, for_types)

    yield from visit(tree, False, False)


def _names(node: ast.AST, package: str, known: set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*parents, module] if module else parents)
        return sorted({f"{module}.{a.name}" if f"{module}.{a.name}" in known else module for a in node.names})
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
            return [node.args[0].value]
    return []


def _plant(root: Path, file: str, code: str) -> None:
    path = root / file
    engine = root / "medilite" / "engine" / "local.py"
    for needed in (path, engine):
        needed.parent.mkdir(parents=True, exist_ok=True)
    engine.touch()
    path.write_text(code, encoding="utf-8")
