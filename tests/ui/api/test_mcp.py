"""MCP with the protocol's own client, over HTTP: the five tools, and no way past the guards and limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from medilite.draining import Drain
from medilite.errors import SettingsError
from medilite.settings import load_settings
from medilite.ui.api import endpoints, mcp_server
from medilite.ui.api.mcp_server import open_mcp
from medilite.ui.guard.limits import Admission
from medilite.ui.page.app import build_ui, serve
from tests.support.fakes import ScriptedEngine
from tests.ui.api.conftest import NO_LIMITS
from tests.ui.api.test_served import ARGUMENTS, NAMES

pytestmark = [pytest.mark.xdist_group("api"), pytest.mark.usefixtures("mcp_there")]

MCP = "/gradio_api/mcp/"


def talk(url: str, what: Callable[[Any], Awaitable[Any]], **headers: str) -> Any:
    """Open a session as a client does, and return what comes of `what(session)`."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def main() -> Any:
        async with (
            # Without certificates, which take longer to read than all the rest.
            httpx.AsyncClient(headers=headers, timeout=120, trust_env=False, verify=False) as http,
            streamable_http_client(url + MCP, http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await what(session)

    return asyncio.run(main())


def use(url: str, name: str, arguments: dict[str, Any], **headers: str) -> Any:
    return talk(url, lambda session: session.call_tool(name, arguments), **headers)


def said(result: Any) -> str:
    return result.content[0].text


def test_there_are_five_tools_with_their_types(served, lite):
    tools = talk(served, lambda session: session.list_tools()).tools
    offered = endpoints(ScriptedEngine(lite), lite, load_settings(), Admission(5))
    assert [tool.name for tool in tools] == [one.name for one in offered] == NAMES
    for tool, one in zip(tools, offered, strict=True):
        assert (tool.inputSchema, tool.outputSchema) == (one.input_schema, one.output_schema)
        assert tool.annotations.readOnlyHint
    assert tools[0].inputSchema["properties"]["model"]["enum"] == list(lite.ids)
    assert tools[0].inputSchema["properties"]["max_new_tokens"]["maximum"] == 512


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json, text/event-stream", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("*/*", "application/json"),
        ("application/*;q=0.8", "application/json"),
        ("application/json, text/event-stream;q=0", "application/json"),
        ("application/json;q=0.5, text/event-stream; q=0.9", "text/event-stream"),
    ],
)
def test_a_client_gets_the_kind_that_it_accepts(served, accept, kind):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    reply = httpx.post(served + MCP, json=call, headers={"Accept": accept}, timeout=60, trust_env=False)
    assert reply.status_code == 200
    assert reply.headers["content-type"].partition(";")[0] == kind
    assert '"tools"' in reply.text


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_answers_as_the_endpoint_does(served, name):
    import jsonschema

    async def both(session: Any) -> tuple[Any, Any]:
        return await session.call_tool(name, ARGUMENTS[name]), (await session.list_tools()).tools

    told, tools = talk(served, both)
    assert not told.isError
    (tool,) = [tool for tool in tools if tool.name == name]
    jsonschema.validate(told.structuredContent, tool.outputSchema)
    assert json.loads(said(told)) == told.structuredContent
    if name == "ask":
        assert (told.structuredContent["tokens"], told.structuredContent["ended"]) == (16, False)
        assert "not medical advice" in told.structuredContent["notice"]


def test_whoever_asks_for_progress_hears_of_it(served):
    heard: list[tuple[float, float | None]] = []

    async def hear(done: float, most: float | None, message: str | None) -> None:
        heard.append((done, most))

    talk(served, lambda session: session.call_tool("ask", ARGUMENTS["ask"], progress_callback=hear))
    assert heard[-1] == (16, 16)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("answer", {}, "no tool 'answer'. The tools are ask, compare"),
        ("x" * 5000, {}, "There is no tool 'xxx"),
        ("ask", {"question": "What is asthma?"}, "needs the argument model"),
        ("ask", {**ARGUMENTS["ask"], "session": 1}, "takes no argument 'session'"),
        ("ask", {**ARGUMENTS["ask"], "model": "gpt-9"}, "Unknown model 'gpt-9'"),
        ("ask", {**ARGUMENTS["ask"], "question": "a" * 2001}, "at most 2,000 fit"),
        ("ask", {**ARGUMENTS["ask"], "max_new_tokens": 10**6}, "choose from 16 to 512"),
        ("compare", {"question": "What?", "models": [{}]}, "models=[{}] can't be used"),
        ("sources", {"question": "gout", "count": 0}, "count=0 can't be used"),
        ("compare", {"question": "gout", "sources": "yes"}, "sources='yes' can't be used"),
        ("leaderboard", {"board": "../../etc"}, "board='../../etc' can't be used"),
    ],
)
def test_an_error_is_a_result_that_says_what_to_change(served, name, arguments, reason, caplog):
    told = use(served, name, arguments)
    assert told.isError
    assert reason in said(told)
    assert "Traceback" not in said(told)
    assert not any(word in caplog.text for word in ("gpt-9", "xxxx", "../etc")), "visitors' words are in the log"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", MCP, 405), ("DELETE", MCP, 405), ("GET", f"{MCP}sse", 404), ("POST", f"{MCP}messages/", 404),
     ("GET", f"{MCP}schema", 404), ("POST", f"{MCP}http", 404)],
)  # fmt: skip
def test_there_is_one_address(served, method, path, status):
    assert httpx.request(method, served + path, json={} if method == "POST" else None).status_code == status


def test_bodies_are_bounded_and_checked_like_all_others(served):
    def post(body: bytes, kind: str = "application/json") -> httpx.Response:
        headers = {"Content-Type": kind, "Accept": "application/json, text/event-stream"}
        return httpx.post(served + MCP, content=body, headers=headers, timeout=60)

    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "readability"}}
    forged = {**call, "params": {"name": "readability", "arguments": {"text": {"_type": "gradio.FileData"}}}}
    assert post(json.dumps(forged).encode()).status_code == 422
    assert post(b"[" * 20_000).status_code == 422
    assert post(b'{"x": NaN}').status_code == 422
    assert post(b"x" * 1_000_000).status_code == 413
    assert post(json.dumps(call).encode(), "text/plain").status_code == 415
    # Several calls at once are no part of the protocol any more: they would count as one request.
    assert post(json.dumps([call] * 3).encode()).status_code == 422


def test_tools_count_under_the_caller_s_address_together_with_http(lite, tmp_path):
    """A client of Gradio's own, as its MCP server has one, would count as this machine."""
    few = {**NO_LIMITS, "answers_per_visitor": "2/hour", "readings_per_address": "1/hour"}
    settings = load_settings(port=0, host="127.0.0.1", data_dir=tmp_path, trusted_proxies="1", **few)
    engine = ScriptedEngine(lite)
    engine.load()
    page = build_ui(engine, lite, settings)
    url = serve(page, lite, settings, block=False).rstrip("/")
    try:
        forged = {"X-Forwarded-For": "9.9.9.9, 1.1.1.1"}
        joined = httpx.post(f"{url}/gradio_api/call/v2/ask", json=ARGUMENTS["ask"], headers=forged, timeout=60).json()
        event = httpx.get(f"{url}/gradio_api/call/ask/{joined['event_id']}", timeout=60).text
        assert "event: complete" in event
        got = [use(url, "ask", ARGUMENTS["ask"], **{"X-Forwarded-For": at}) for at in ("8.8.8.8, 1.1.1.1", "1.1.1.1")]
        assert [one.isError for one in got] == [False, True]
        assert "2 times within an hour" in said(got[1])
        assert not use(url, "ask", ARGUMENTS["ask"], **{"X-Forwarded-For": "2.2.2.2"}).isError
        read = [use(url, "readability", {"text": "A word."}, **{"X-Forwarded-For": "3.3.3.3"}) for _ in range(2)]
        assert [one.isError for one in read] == [False, True]
    finally:
        page.close(verbose=False)
        page.drain.finish()


def test_a_client_that_leaves_frees_its_rows(lite, tmp_path):
    settings = load_settings(port=0, host="127.0.0.1", data_dir=tmp_path, **NO_LIMITS)
    engine = ScriptedEngine(lite, step_s=0.02)
    engine.load()
    page = build_ui(engine, lite, settings)
    url = serve(page, lite, settings, block=False).rstrip("/")

    async def leave(session: Any) -> None:
        asked = asyncio.ensure_future(session.call_tool("ask", {**ARGUMENTS["ask"], "max_new_tokens": 512}))
        while not page.drain.running:
            await asyncio.sleep(0.02)
        asked.cancel()

    try:
        talk(url, leave)
        assert page.drain.wait(60), "the answer goes on for nobody"
        assert (engine.finished, engine.closed) == (0, 1)
    finally:
        page.close(verbose=False)
        page.drain.finish()


def test_it_can_be_switched_off(lite):
    offered = endpoints(ScriptedEngine(lite), lite, load_settings(), Admission(5))
    assert open_mcp(offered, load_settings(mcp=False), Drain(), 4) is None


def test_without_its_package_the_app_runs_unless_it_was_asked_for(lite, monkeypatch):
    monkeypatch.setattr(mcp_server, "find_spec", lambda name: None)
    assert open_mcp((), load_settings(), Drain(), 4) is None
    with pytest.raises(SettingsError, match=r"MEDILITE_MCP=1 can't be used: .*pip install -r requirements.txt"):
        open_mcp((), load_settings(mcp=True), Drain(), 4)
