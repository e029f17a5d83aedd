"""A visitor who speaks as a browser does (queue/join, queue/data, run/predict), and raw bytes for who does not."""

from __future__ import annotations

import json
import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

API = "/gradio_api"
PATIENCE_S = 300.0
_WORDS = re.compile(r'data-tokens="[1-9]')


@dataclass
class Visitor:
    """One open page: its session, and the page's configuration as a browser gets it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    known: dict[str, Any] | None = None
    """The configuration, where another page has read it already: it is the same for all."""

    first_words_s: float | None = None

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE_S, headers=dict(self.headers), trust_env=False)

    @cached_property
    def config(self) -> dict[str, Any]:
        return self.known or self.http.get("/config").json()

    @cached_property
    def parts(self) -> dict[int, dict[str, Any]]:
        return {part["id"]: part for part in self.config["components"]}

    def close(self) -> None:
        self.http.close()

    def id_of(self, elem_id: str) -> int:
        """Return the number of a component by its id in the page."""
        return next(id for id, part in self.parts.items() if part["props"].get("elem_id") == elem_id)

    def event(self, elem_id: str, kind: str = "click") -> dict[str, Any]:
        """Return the event that a component sets off."""
        target = [self.id_of(elem_id), kind]
        return next(one for one in self.config["dependencies"] if target in [list(t) for t in one["targets"]])

    def named(self, name: str) -> dict[str, Any]:
        """Return the event of that name: its handler's, or "js_fn" for one that happens in the browser alone."""
        return next(one for one in self.config["dependencies"] if one["api_name"] == name)

    def values(self, event: Mapping[str, Any], **given: object) -> list[Any]:
        """Return what the page would send: what stands in it, and `given` by elem_id (- as _); `call` is the vote's."""
        sent = []
        for id in event["inputs"]:
            props = self.parts[id]["props"]
            name = (props.get("elem_id") or "call").replace("-", "_")
            sent.append(given.get(name, props.get("value")) if self.parts[id]["type"] != "state" else None)
        return sent

    def body(self, event: Mapping[str, Any], data: list[Any]) -> dict[str, Any]:
        target = event["targets"][0][0]
        return {
            "data": data, "event_data": None, "fn_index": event["id"], "trigger_id": target,
            "session_hash": self.session,
        }  # fmt: skip

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        # As ASCII: half a pair of surrogates can be written so, and no other way.
        headers = {"Content-Type": "application/json"}
        return self.http.post(path, content=json.dumps(body), headers=headers)

    def join(self, body: object) -> httpx.Response:
        return self._post(f"{API}/queue/join", body)

    def run(self, body: object) -> httpx.Response:
        return self._post(f"{API}/run/predict", body)

    def heard(self) -> Iterator[dict[str, Any]]:
        """Yield the messages of this session's stream as they come, to its end."""
        with self.http.stream("GET", f"{API}/queue/data", params={"session_hash": self.session}) as answer:
            for line in _lines(answer):
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    yield message
                    if message["msg"] in ("close_stream", "unexpected_error"):
                        break

    def ask(self, question: object, tab: str = "compare", tokens: int = 16) -> list[Any]:
        """Ask, wait for the answers, and return the texts that the page shows at the end (None: as before).

        `first_words_s` is then how long the first words of any answer took.
        """
        began, self.first_words_s = time.monotonic(), None
        event = self.event({"compare": "ask", "chat": "send", "vote": "vote-ask"}[tab])
        field = {"compare": "question", "chat": "chat_question", "vote": "vote_question"}[tab]
        given: dict[str, object] = {field: question, "models": ["base", "grpo"], "call": {"voter": None}}
        given |= {f"{tab}_max_new_tokens": tokens}
        joined = self.join(self.body(event, self.values(event, **given)))
        assert joined.status_code == 200, joined.text
        sent: list[Any] = []
        shown: list[Any] = [None] * len(event["outputs"])
        for message in self.heard():
            if message["msg"] == "process_generating":
                sent = _merged(sent, message["output"]["data"])
                # What a step leaves alone it sends as an update without a value.
                shown = [new if isinstance(new, str) else old for old, new in zip(shown, sent, strict=True)]
                if self.first_words_s is None and any(_WORDS.search(text) for text in shown if text):
                    self.first_words_s = time.monotonic() - began
            if message["msg"] == "process_completed":
                assert message["success"], message
        return shown


def _merged(before: list[Any], data: list[Any]) -> list[Any]:
    """Apply a step's changes: whole values at first, then differences (path, action, value) of each output."""
    if not before:
        return list(data)
    return [_patched(old, new) if _is_diff(new) else new for old, new in zip(before, data, strict=True)]


def _is_diff(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(c, list) and len(c) == 3 and c[0] in _ACTIONS for c in value)


_ACTIONS = ("replace", "append", "add", "delete")


def _patched(old: Any, changes: list[Any]) -> Any:
    for action, path, value in changes:
        if not path:
            old = old + value if action == "append" else value
            continue
        at = old
        for key in path[:-1]:
            at = at[key]
        if action == "append":
            at[path[-1]] += value
        elif action == "delete":
            del at[path[-1]]
        elif action == "add" and isinstance(at, list):
            at.insert(path[-1], value)
        else:
            at[path[-1]] = value
    return old


@dataclass(frozen=True)
class Answer:
    """What came back to raw bytes; status 0 where the connection was closed without a word."""

    status: int
    head: str
    body: str


def raw(url: str, request: bytes, timeout_s: float = 20.0) -> Answer:
    """Send bytes as they are and return what comes back until the server closes, or says nothing for `timeout_s`."""
    at = urlsplit(url)
    assert at.hostname
    received = b""
    with socket.create_connection((at.hostname, at.port or 80), timeout=timeout_s) as connection:
        try:
            # Not shut down for writing: the server would take that for a visitor who has gone, and answer nothing.
            connection.sendall(request)
            while chunk := connection.recv(65536):
                received += chunk
        except (ConnectionError, TimeoutError):
            pass
    head, _, body = received.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3})", head)
    return Answer(int(status[1]) if status else 0, head.decode("latin-1"), body.decode("utf-8", "replace"))


def request(
    method: str, path: str, headers: Mapping[str, str] | list[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """Return a request as bytes; whatever is in path and headers goes out as it is."""
    given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    names = {name.lower() for name, _ in given}
    usual = [("Host", "127.0.0.1"), ("Connection", "close")]
    if body and not names & {"content-length", "transfer-encoding"}:
        usual.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in [*(u for u in usual if u[0].lower() not in names), *given]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Yield an event stream's lines, which end at line feeds alone: a text may hold other separators."""
    rest = b""
    for part in answer.iter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.decode() for line in lines)
