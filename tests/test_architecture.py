"""docs/ARCHITECTURE.md lists the files to open: they exist, and each is tied to one before it by an import."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
LONGEST = {"A question to six answers": 20, "A vote to a rating": 13, "A YAML file to an adapter": 13}
"""How many files a newcomer should have to open at most."""


def files_to_open(title: str) -> list[str]:
    part = TEXT.split(f"**{title}**")[1].split("**")[0].split("##")[0]
    return re.findall(r"^\d+\. `([\w./-]+)`", part, re.M)


def imports(path: str) -> set[str]:
    """Return every module that a file imports, inside functions too; `from x import y` counts as x and x.y."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def tied(one: str, other: str) -> bool:
    """Whether one file imports the other, or the other's package, whose names come from its files."""
    names = {module(other), module(other).rpartition(".")[0]} - {"medilite", "training", ""}
    return bool(names & imports(one))


@pytest.mark.parametrize("title", LONGEST)
def test_each_file_exists_and_is_tied_to_one_before_it(title):
    files = files_to_open(title)
    assert 5 < len(files) <= LONGEST[title]
    for number, path in enumerate(files[1:], 1):
        assert (ROOT / path).is_file(), path
        assert any(tied(before, path) or tied(path, before) for before in files[:number]), f"nothing leads to {path}"


def test_a_file_that_nothing_leads_to_is_found():
    assert not tied("medilite/arena/fit.py", "medilite/ui/chat/tab.py")
    assert not tied("medilite/ui/chat/tab.py", "medilite/arena/fit.py")
