"""One open page in a browser, as the server sees it: what is fetched, sent and listened to, and in which order.

It does what Gradio's page does: it opens the document and the files of code and
style that it takes to draw it, sends events that don't wait to `run/predict`
and the others to `queue/join`, listens to `queue/data` as long as one runs,
applies the differences that come, and says when it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bench.crowd.page import Event, Page
from bench.crowd.page_files import Files
from bench.crowd.tally import QueueFullError, Tally, WentWrongError

API = "/gradio_api"
CONNECTIONS = 6
"""Connections that a browser opens to one host."""

QUIET_S = 60.0
"""Longest silence of the server in seconds: it sends a heartbeat every 15 seconds."""

HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
    "Accept-Language": "en",
    "Accept-Encoding": "gzip, deflate, br",
}


class Browser:
    """A browser with one page. `address` is the client's address, as a proxy in front of the app would pass it on."""

    def __init__(self, url: str, address: str, tally: Tally, files: Files) -> None:
        self.tally, self.files = tally, files
        self.voter: str | None = None
        """Local storage, which survives the page."""
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"), headers={**HEADERS, "X-Forwarded-For": address}, trust_env=False, verify=False,
            timeout=httpx.Timeout(QUIET_S, pool=None), limits=httpx.Limits(max_connections=CONNECTIONS),
        )  # fmt: skip
        self._cached: set[str] = set()
        self._behind: list[asyncio.Task[None]] = []
        self.page: Page
        self.session = ""

    # --- the page ------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the page again, as a session of its own; files are fetched once."""
        await self.leave()
        with self.tally.timed("page"):
            document = (await self._get("/")).text
        self.show(Page.read(document))
        await self.files.fetch(self.page.assets, self.page.kinds, self._fetch, self._cached)
        for event in self.page.events(None, "load"):
            await self.run(event, "load", call="")
        self._behind += [asyncio.create_task(self._tick(*timer)) for timer in self.page.timers]

    def show(self, page: Page) -> None:
        """Begin a session on a page that was read already: it is the same for all visitors."""
        self.page, self.session = page, secrets.token_hex(6)
        self.shown = {id: part["props"].get("value") for id, part in page.parts.items()}
        self._active = {id: bool(page.parts[id]["props"].get("active", True)) for id, _, _ in page.timers}

    def turn_to(self, url: str) -> None:
        """Send the next requests to another replica, as a proxy in front of them would."""
        self._http.base_url = url  # type: ignore[assignment]

    async def leave(self) -> None:
        """Close the page, end its tasks, and say so as a page does."""
        behind, self._behind = self._behind, []
        for task in behind:
            task.cancel()
        for result in await asyncio.gather(*behind, return_exceptions=True):
            if isinstance(result, Exception):
                self.tally.fail("behind the page", result)
        left, self.session = self.session, ""
        if left:
            with contextlib.suppress(httpx.HTTPError):  # a browser doesn't wait for the answer
                await self._http.post(f"/left/{left}")

    async def close(self) -> None:
        """Close the browser."""
        await self.leave()
        await self._http.aclose()

    def html(self, elem_id: str) -> str:
        """Return what a component shows."""
        return str(self.shown[self.page.number(elem_id)] or "")

    @asynccontextmanager
    async def _reply(self, method: str, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        """Send a request and yield its reply, whose body is still to come.

        A connection that was open already may be closed by the server just when it is used again; then a browser
        repeats the request, and so does this.
        """
        for _ in range(CONNECTIONS + 1):
            connected = False

            async def trace(name: str, _: object) -> None:
                nonlocal connected
                connected = connected or name == "connection.connect_tcp.started"

            request = self._http.build_request(method, path, extensions={"trace": trace}, **options)
            try:
                reply = await self._http.send(request, stream=True)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if connected:
                    raise
                self.tally.resent += 1
                continue
            try:
                yield reply
            finally:
                await reply.aclose()
            return
        raise WentWrongError("The server closed one connection after another without an answer.")

    async def _get(self, path: str) -> httpx.Response:
        async with self._reply("GET", path) as reply:
            await reply.aread()
        self.tally.received_bytes += reply.num_bytes_downloaded
        if reply.status_code != 200:
            raise WentWrongError(f"GET {path.partition('-')[0]}: {reply.status_code} {reply.text[:200]}")
        return reply

    async def _fetch(self, path: str) -> str:
        with self.tally.timed("file"):
            return (await self._get(path)).text

    async def _tick(self, timer: int, every_s: float, event: Event) -> None:
        while True:
            await asyncio.sleep(every_s)
            if self._active[timer]:
                await self.run(event, "timer")

    # --- events --------------------------------------------------------------------------

    async def run(self, event: Event, timed: str, **given: object) -> None:
        """Send an event that doesn't wait, and show what comes back; `timed` is what its time is counted as.

        `given` is what the visitor has put into components, by their ids in the
        page (- as _); `call` is the value that the page's script puts into one
        that has none. Raises WentWrongError.
        """
        with self.tally.timed(timed):
            reply = await self._post("run/predict", self._body(event, given))
        if reply.status_code != 200:
            raise WentWrongError(f"{timed}: {reply.status_code} {reply.text[:300]}")
        self._show(event, reply.json()["data"])

    async def stream(self, event: Event, **given: object) -> AsyncIterator[None]:
        """Send an event that waits its turn, and yield whenever the page has changed; `given` as for `run`.

        At the end what was put together from differences has to be what the
        server shows. Raises QueueFullError and WentWrongError.
        """
        reply = await self._post("queue/join", self._body(event, given))
        if reply.status_code == 503 and "queue is full" in reply.text.lower():
            raise QueueFullError(reply.json()["detail"])
        if reply.status_code != 200:
            raise WentWrongError(f"queue/join: {reply.status_code} {reply.text[:300]}")
        mine = reply.json()["event_id"]
        now: list[Any] = []
        completed = False
        async for message in self._messages():
            if message["msg"] == "unexpected_error":
                raise WentWrongError(f"the stream ended: {message.get('message')}")
            if message.get("event_id") not in (None, mine):
                raise WentWrongError("A message of an event that this page hasn't sent.")
            if message["msg"] in ("process_generating", "process_completed"):
                if not message["success"]:
                    raise WentWrongError(f"the event failed: {message['output'].get('error')}")
                data = message["output"].get("data") or []
                if message["msg"] == "process_completed":
                    if data and now and data != now:
                        raise WentWrongError("The differences don't add up to what the server shows at the end.")
                    now, completed = data or now, True
                else:
                    now = changed(now, data) if now else list(data)
                self._show(event, now)
                yield
        if not completed:
            raise WentWrongError("The stream ended before the event had.")

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield this session's messages until the server closes the stream."""
        params = {"session_hash": self.session}
        headers = {"Accept": "text/event-stream"}
        async with self._reply("GET", f"{API}/queue/data", params=params, headers=headers) as answer:
            if answer.status_code != 200:
                raise WentWrongError(f"queue/data: {answer.status_code}")
            rest = b""
            # Lines end at line feeds alone: a text may hold other separators.
            async for part in answer.aiter_bytes():
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        self.tally.messages += 1
                        self.tally.received_bytes += len(line)
                        message = json.loads(line[5:])
                        if message["msg"] == "close_stream":
                            return
                        yield message

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        async with self._reply("POST", f"{API}/{path}", json=body) as reply:
            await reply.aread()
        return reply

    def _body(self, event: Event, given: dict[str, object]) -> dict[str, Any]:
        data = []
        for id in event.inputs:
            name = (self.page.name(id) or "call").replace("-", "_")
            stateful = self.page.parts[id]["type"] == "state"
            data.append(None if stateful else given.get(name, self.shown[id]))
        return {
            "data": data, "event_data": None, "fn_index": event.number, "trigger_id": event.trigger,
            "session_hash": self.session,
        }  # fmt: skip

    def _show(self, event: Event, data: list[Any]) -> None:
        for id, value in zip(event.outputs, data, strict=True):
            if not (isinstance(value, dict) and value.get("__type__") == "update"):
                self.shown[id] = value
                continue
            if "value" in value:
                self.shown[id] = value["value"]
            if "active" in value and id in self._active:
                self._active[id] = bool(value["active"])


def changed(before: list[Any], data: list[Any]) -> list[Any]:
    """Apply a step's differences, one list of edits for each component, as Gradio's own client does."""
    from gradio_client.utils import apply_diff

    with contextlib.suppress(TypeError):  # reported below: an unexpected shape is the server's fault
        return [apply_diff(old, edits) if edits else old for old, edits in zip(before, data, strict=True)]
    raise WentWrongError("A message's differences can't be applied to what the page shows.")
