"""docs/api.md does what it says: its examples run against the app, its tables are those of the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import typing
from typing import Any

import httpx
import pytest

from medilite.settings import load_settings
from medilite.ui.api import Endpoint, endpoints
from medilite.ui.api.llms import GUIDE
from medilite.ui.guard.limits import Admission
from tests.conftest import do_without
from tests.support.fakes import ScriptedEngine

pytestmark = pytest.mark.xdist_group("api")

TEXT = GUIDE.read_text(encoding="utf-8")
HERE = "http://127.0.0.1:7860"
START, END = "; a test compares -->\n", "\n<!-- end of endpoints -->"


def blocks(kind: str) -> list[str]:
    """Return the document's code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.M | re.S)


def python(*, mcp: bool) -> list[str]:
    return [block for block in blocks("python") if ("import mcp" in block or "from mcp" in block) is mcp]


def test_every_example_is_of_a_kind_that_is_run():
    assert set(re.findall(r"^```(\w+)\n", TEXT, re.M)) == {"sh", "python", "json"}
    assert all(HERE in block for kind in ("sh", "python", "json") for block in blocks(kind))
    assert (len(blocks("sh")), len(python(mcp=False)), len(python(mcp=True))) == (2, 2, 1)


@pytest.mark.parametrize("block", blocks("sh"))
def test_a_command_gets_its_answer(served, block):
    if not shutil.which("curl"):
        do_without("The examples are for curl.")
    done = subprocess.run(["sh", "-c", block.replace(HERE, served)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    event, data = re.findall(r"^event: (\w+)\ndata: (.*)$", done.stdout, re.M)[-1]
    assert event == "complete"
    assert json.loads(data)[0]["notice"]


@pytest.mark.parametrize("block", python(mcp=False))
def test_a_program_runs_and_prints(served, block, capsys):
    exec(compile(block.replace(HERE, served), "docs/api.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    if "except AppError" in block:
        expected = re.search(r"print\(error\)  # (.*) …", block)
        assert expected
        assert printed.startswith(expected[1])
        return
    assert "not medical advice" in printed
    for words in ("GRPO", " measured", "grade"):
        assert words in printed


@pytest.mark.parametrize("block", python(mcp=True))
@pytest.mark.usefixtures("mcp_there")
def test_an_mcp_client_runs_and_prints(served, block, capsys):
    exec(compile(block.replace(HERE, served), "docs/api.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "['ask', 'compare', 'sources', 'readability', 'leaderboard']" in printed
    assert "not medical advice" in printed


@pytest.mark.parametrize("block", blocks("json"))
@pytest.mark.usefixtures("mcp_there")
def test_a_client_s_configuration_names_the_address_where_mcp_is_spoken(served, block):
    (server,) = json.loads(block)["mcpServers"].values()
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    told = httpx.post(
        server["url"].replace(HERE, served), json=hello, headers={"Accept": "application/json, text/event-stream"}
    )
    assert (told.status_code, '"name":"MediLite"' in told.text) == (200, True)


def test_the_app_serves_it(served):
    told = httpx.get(f"{served}/api.md")
    assert (told.text, told.headers["content-type"]) == (TEXT, "text/markdown; charset=utf-8")


# -- the tables ----------------------------------------------------------------------


def words(kind: Any) -> str:
    """Return a type in words of JSON; a TypedDict by its name."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin is list:
        return f"list of {words(inner[0])}"
    if origin is dict or kind is dict:
        return "object"
    if inner:
        return " or ".join(words(one) for one in inner)
    simple = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return simple.get(kind) or kind.__name__


def told(endpoint: Endpoint) -> str:
    """Return what the document says of an endpoint."""
    head = ["| argument | type | default | what |", "| --- | --- | --- | --- |"]
    lines = [f"### `{endpoint.name}`", "", endpoint.about, "", *head]
    for one in endpoint.parameters:
        bounds = f", {one.schema['minimum']} to {one.schema['maximum']}" if "minimum" in one.schema else ""
        default = "required" if one.required else f"`{json.dumps(one.default)}`"
        lines.append(f"| `{one.name}` | {words(one.kind)}{bounds} | {default} | {one.about} |")
    return "\n".join([*lines, "", "Returns " + _fields(endpoint.returns) + "."])


def _fields(kind: Any) -> str:
    return ", ".join(f"`{name}` ({words(one)})" for name, one in typing.get_type_hints(kind).items())


def _named(kind: Any) -> list[Any]:
    """Every TypedDict inside of a type, the outermost left out."""
    found = []
    for one in typing.get_type_hints(kind).values():
        for part in (one, *typing.get_args(one)):
            if typing.is_typeddict(part):
                found += [part, *_named(part)]
    return found


def tables(offered: tuple[Endpoint, ...]) -> str:
    inner = {one.__name__: one for endpoint in offered for one in _named(endpoint.returns)}
    objects = ["### Objects inside of answers", ""]
    objects += [f"- **{name}**: {_fields(one)}." for name, one in inner.items()]
    return "\n\n".join([*(told(one) for one in offered), "\n".join(objects)])


def test_the_tables_are_those_of_the_code(lite):
    offered = endpoints(ScriptedEngine(lite), lite, load_settings(), Admission(5))
    expected = tables(offered)
    written = TEXT.split(START)[1].split(END)[0]
    assert written == expected, f"put this into docs/api.md:\n\n{expected}"
