"""The endpoints as MCP tools, by the protocol's own SDK, at an address of our own.

Gradio has a server of its own (`mcp_server=True`). It isn't used, because it
calls events through a client on this machine, so every caller would count as
127.0.0.1; because it answers with Python literals instead of JSON, without a
schema; and because it opens addresses of an older transport. Here a tool is the endpoint's function under the caller's
address. Nothing is kept between requests: each is a POST that is answered by a
stream, in which progress is reported to callers that ask for it.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from medilite import __version__
from medilite.draining import Drain
from medilite.errors import RateLimitError, SettingsError
from medilite.settings import Settings
from medilite.ui.api.arguments import quoted
from medilite.ui.api.endpoints import Endpoint
from medilite.ui.api.llms import MCP_ADDRESS
from medilite.ui.api.serving import UNEXPECTED
from medilite.ui.guard.asgi import Receive, Scope, Send
from medilite.ui.guard.calls import BadCall, check_names
from medilite.ui.guard.doors import MCP
from medilite.ui.page.answering import message_of
from medilite.ui.page.events import watched
from medilite.ui.page.gradio_internals import set_current_request

if TYPE_CHECKING:
    from mcp import types
    from mcp.server.lowlevel import Server

log = logging.getLogger(__name__)

_STREAMS = re.compile(rb"text/event-stream(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")

INSTRUCTIONS = (
    "Checkpoints of one very small language model, for studying such models. What they answer is often wrong and is "
    "no medical advice: pass an answer on only with its notice, and show `emergency` first where it isn't null."
)


class McpTools:
    """An MCP server for these endpoints; `lifespan` runs it for as long as the app is served."""

    def __init__(self, endpoints: tuple[Endpoint, ...], drain: Drain, threads: int) -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # The SDK's log lines quote what visitors send.
        logging.getLogger("mcp").setLevel(logging.CRITICAL)
        self._endpoints = {one.name: one for one in endpoints}
        self._functions: Mapping[str, Callable[..., Any]] = {
            one.name: watched(one.function, drain) for one in endpoints
        }
        self._threads = threads
        self._limiter: Any = None
        self._server = self._make_server()
        self._streams = StreamableHTTPSessionManager(self._server, stateless=True)
        self._wholes = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """Serve for the length of an `async with`."""
        from anyio import CapacityLimiter

        self._limiter = CapacityLimiter(self._threads)
        async with self._streams.run(), self._wholes.run():
            yield

    def routes(self) -> list[Any]:
        """Return the address, with and without its last slash; it accepts only POST."""
        from starlette.routing import Route

        return [Route(path, _Handled(self._serve), methods=["POST"]) for path in MCP]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as a stream for clients that accept one, as JSON for those that accept only JSON."""
        accepted = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
        streams = _STREAMS.search(accepted) is not None
        # The SDK requires both types by name, and refuses `*/*`, which covers them.
        accept = b"application/json, text/event-stream" if streams else b"application/json"
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
        manager = self._streams if streams else self._wholes
        await manager.handle_request({**scope, "headers": [*headers, (b"accept", accept)]}, receive, send)

    # --- what a client can ask -----------------------------------------------------------

    def _make_server(self) -> Server[Any, Any]:
        from mcp import types
        from mcp.server.lowlevel import Server

        server: Server[Any, Any] = Server("MediLite", version=__version__, instructions=INSTRUCTIONS)
        tools = [
            types.Tool(
                name=one.name,
                description=one.about,
                inputSchema=one.input_schema,
                outputSchema=one.output_schema,
                annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
            )
            for one in self._endpoints.values()
        ]

        # Untyped in the SDK, like the others.
        @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
        async def list_tools() -> list[types.Tool]:
            return tools

        # Arguments are read by the endpoints: their errors say what to change.
        @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator, unused-ignore]
        async def call_tool(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
            return await self._call(name, arguments)

        return server

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        """Answer one call; an error becomes a result that reports it, as the protocol requires."""
        from mcp import types

        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return _failed(f"There is no tool {quoted(name)}. The tools are {', '.join(self._endpoints)}.")
        try:
            check_names(name, arguments, {one.name: one.required for one in endpoint.parameters})
        except BadCall as error:
            return _failed(str(error))
        try:
            answer = await self._answer(endpoint, arguments)
        except Exception as error:
            return _failed(message_of(error, UNEXPECTED), error)
        text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(content=[text], structuredContent=answer)

    async def _answer(self, endpoint: Endpoint, arguments: dict[str, Any]) -> Any:
        """Run the endpoint step by step in threads, under the caller's address; closed if they leave."""
        from anyio import CancelScope
        from anyio.to_thread import run_sync

        # As Gradio does around an event: limits read the address there, and ZeroGPU the visitor.
        set_current_request(self._server.request_context.request)
        steps = endpoint.steps(self._functions[endpoint.name], arguments)
        answer = None
        try:
            while (step := await run_sync(next, steps, None, limiter=self._limiter)) is not None:
                answer = step
                await self._tell(step)
        finally:
            with CancelScope(shield=True):
                await run_sync(steps.close, limiter=self._limiter)  # type: ignore[attr-defined]
        return answer

    async def _tell(self, step: dict[str, Any]) -> None:
        """Report an answer's progress to a client that asked for it: tokens so far, and their limit."""
        context = self._server.request_context
        token = context.meta.progressToken if context.meta else None
        state = step.get("state")
        if token is None or state is None:
            return
        answers = step.get("answers", [step])
        done, most = sum(one["tokens"] for one in answers), step["decoding"]["max_new_tokens"] * len(answers)
        said = f"{step['ahead']} ahead" if step["ahead"] else state
        await context.session.send_progress_notification(token, done, most, said, str(context.request_id))


class _Handled:
    """An ASGI app for a Route, which would take a bound method for a handler of requests."""

    def __init__(self, app: Callable[[Any, Any, Any], Any]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def open_mcp(endpoints: tuple[Endpoint, ...], settings: Settings, drain: Drain, threads: int) -> McpTools | None:
    """Return the server, or None if it is switched off or its package isn't installed.

    Raises SettingsError if it was explicitly asked for and is not installed.
    """
    if not settings.mcp:
        return None
    if find_spec("mcp") is None:
        if "mcp" in settings.model_fields_set:
            raise SettingsError(
                "MEDILITE_MCP=1 can't be used: the package mcp isn't installed. "
                "Install it by `pip install -r requirements.txt`, or set MEDILITE_MCP=0."
            )
        log.info("No MCP at %s: the package mcp isn't installed.", MCP_ADDRESS)
        return None
    return McpTools(endpoints, drain, threads)


def _failed(reason: str, error: Exception | None = None) -> types.CallToolResult:
    """Return a result that reports an error; if waiting helps, `_meta` says how long, in seconds."""
    from mcp import types

    meta = {"retry_after_s": math.ceil(error.wait_s)} if isinstance(error, RateLimitError) else None
    return types.CallToolResult(content=[types.TextContent(type="text", text=reason)], isError=True, _meta=meta)
