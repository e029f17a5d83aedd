"""The public surface is what it was: endpoints, MCP's tools, commands, environment variables, addresses.

`fixtures/surface.json` was written from commit 9f3ade7. Nothing in it may
change or go; new things may come. How an argument is described is not part of
it: words may be put better.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from medilite.__main__ import build_parser
from medilite.settings import Settings, load_settings, variable
from medilite.ui.page.app import build_ui
from tests.support.fakes import ScriptedEngine

FILE = Path(__file__).parent / "fixtures" / "surface.json"


def commands(parser: argparse.ArgumentParser, name: str = "") -> dict[str, Any]:
    """Every command with its arguments: flags, type, default, how many values."""
    found: dict[str, Any] = {name: {}}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, inner in action.choices.items():
                found |= commands(inner, f"{name} {command}".strip())
        elif not isinstance(action, argparse._HelpAction | argparse._VersionAction):
            found[name][" ".join(action.option_strings) or action.dest] = {
                "type": getattr(action.type, "__name__", None), "default": action.default,
                "required": action.required, "takes": action.nargs, "action": type(action).__name__,
            }  # fmt: skip
    return found


def wordless(schema: Any) -> Any:
    """A JSON schema without the words in it."""
    if isinstance(schema, dict):
        words = ("description", "title", "label", "example_input", "python_type")
        return {k: wordless(v) for k, v in schema.items() if not (k in words and not isinstance(v, dict))}
    return [wordless(item) for item in schema] if isinstance(schema, list) else schema


def surface(profile: Any) -> dict[str, Any]:
    page = build_ui(ScriptedEngine(profile), profile, load_settings())
    return {
        "api": wordless(page.get_api_info()["named_endpoints"]),
        "tools": {
            one.name: {"takes": wordless(one.input_schema), "answers": wordless(one.output_schema)}
            for one in page.endpoints
        },
        "commands": commands(build_parser()),
        "variables": sorted(variable(name) for name in Settings.model_fields),
    }


@pytest.fixture(scope="module")
def now(lite) -> dict[str, Any]:
    return json.loads(json.dumps(surface(lite)))


def lacks(before: Any, now: Any, at: str = "") -> list[str]:
    """What of `before` is no longer in `now`, or is something else there."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [line for key in before for line in lacks(before[key], now.get(key, "nothing"), f"{at}/{key}")]
    if isinstance(before, list) and isinstance(now, list) and before and isinstance(before[0], dict):
        # New arguments come last and may be left out.
        more = now[len(before) :]
        optional = at.endswith("/parameters") and all(one["parameter_has_default"] for one in more)
        if len(now) == len(before) or (len(now) > len(before) and optional):
            return [
                line for n, (a, b) in enumerate(zip(before, now, strict=False)) for line in lacks(a, b, f"{at}/{n}")
            ]
    # A new field of an answer is always there; a new argument that has to be given would break who asks.
    grows = (
        at == "/variables"
        or at.endswith("/enum")
        or (("/answers/" in at or "/returns/" in at) and at.endswith("/required"))
    )
    if "/returns/" in at and at.endswith("/python_type/type"):
        return []  # the schema beside it, spelt in Python
    same = set(before) <= set(now) if grows and isinstance(now, list) else before == now
    return [] if same else [f"{at}: {now!r:.200} instead of {before!r:.200}"]


@pytest.mark.parametrize("part", ["api", "tools", "commands", "variables"])
def test_nothing_of_the_public_surface_has_changed(now, part):
    before = json.loads(FILE.read_text(encoding="utf-8"))[part]
    assert before
    assert lacks(before, now[part], f"/{part}") == []


def test_a_change_is_seen():
    before = {"takes": {"required": ["question"], "models": {"default": None}}, "answers": {"required": ["a"]}}
    assert lacks(before, before) == []
    assert lacks(before, before | {"answers": {"required": ["a", "new"]}}, "/tools") == []
    asked = {"parameters": [{"name": "question", "parameter_has_default": False}]}
    optional, needed = ({"name": "new", "parameter_has_default": has} for has in (True, False))
    assert lacks(asked, {"parameters": [*asked["parameters"], optional]}) == []
    assert lacks(asked, {"parameters": [*asked["parameters"], needed]})
    assert lacks(asked, {"parameters": [optional, *asked["parameters"]]})
    for gone in ({"takes": {"required": ["question", "model"]}}, {"takes": before["takes"] | {"models": {}}}):
        assert lacks(before, before | gone)
