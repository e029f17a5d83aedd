"""A stand-in for the Hub: the part of its HTTP API that repositories of data sets and models take, as a real server.

The Hub's own client (`huggingface_hub`) talks to it. Repositories are in
memory; a commit is a new state of one, and what was committed can be looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "t" * 34

Files = dict[str, bytes]


@dataclass
class Hub:
    """What the server has and does.

    `refuses` is the status that it answers everything with; `forgets_to_say`
    makes it commit and then answer 504, once; `silent` has it wait with every
    answer, and with what it would do, until `speaks`. `calls` has (method, path, status).
    """

    url: str = ""
    repos: dict[str, list[Files]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    refuses: int | None = None
    forgets_to_say: bool = False
    silent: bool = False
    speaks: threading.Event = field(default_factory=threading.Event)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def make(self, repo: str, *, private: bool = True) -> None:
        with self.lock:
            self.repos[repo] = [{".gitattributes": b""}]
            self.private[repo] = private

    def files(self, repo: str) -> Files:
        """Return the mirror's files of a repository as they are now, by name."""
        with self.lock:
            states = self.repos.get(repo, [{}])
            return {name: content for name, content in states[-1].items() if name.startswith("votes/")}

    def lines(self, repo: str) -> list[dict[str, Any]]:
        return [json.loads(line) for content in self.files(repo).values() for line in content.decode().splitlines()]

    def commits(self, repo: str) -> int:
        return len(self.repos[repo]) - 1 if repo in self.repos else 0


def commit_id(number: int) -> str:
    return f"{number:040x}"


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Serve on a free port for the length of a `with`."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        if self.hub.silent:
            self.hub.speaks.wait(60)
        with self.hub.lock:
            status, value, headers = self._answer(path, body)
            self.hub.calls.append((self.command, path, status))
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _answer(self, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        hub = self.hub
        if hub.refuses is not None:
            return hub.refuses, {"error": "refused"}, {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}, {}
        if path == "/api/repos/create":
            told = json.loads(body)
            repo = f"{told['organization']}/{told['name']}" if told.get("organization") else told["name"]
            if repo in hub.repos:
                return 409, {"error": "exists", "url": f"{hub.url}/datasets/{repo}"}, {}
            hub.make(repo, private=told.get("private") is True or told.get("visibility") == "private")
            return 200, {"url": f"{hub.url}/datasets/{repo}", "id": repo}, {}
        if match := re.fullmatch(r"(?:/datasets)?/([^/]+/[^/]+)/resolve/([0-9a-f]{40}|main)/(.+)", path):
            return self._file(match[1], match[2], match[3])
        match = re.fullmatch(
            r"/api/(?:datasets|models)/([^/]+/[^/]+)(?:/(revision|tree|preupload|commit)/([^/]+))?", path
        )
        if not match or match[1] not in hub.repos:
            return 404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        repo, what, revision = match[1], match[2], match[3]
        if what == "preupload":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return 200, {"files": files}, {}
        if what == "commit":
            return self._commit(repo, body)
        number = self._number(repo, revision)
        state = hub.repos[repo][number]
        if what == "tree":
            listed = [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in state.items()
            ]
            return 200, listed, {}
        siblings = [{"rfilename": name} for name in state]
        info = {"id": repo, "sha": commit_id(number), "private": hub.private[repo], "siblings": siblings, "tags": []}
        return 200, {**info, "downloads": 0, "likes": 0}, {}

    def _number(self, repo: str, revision: str | None) -> int:
        return len(self.hub.repos[repo]) - 1 if revision in (None, "main") else int(str(revision), 16)

    def _file(self, repo: str, revision: str, name: str) -> tuple[int, Any, dict[str, str]]:
        number = self._number(repo, revision)
        content = self.hub.repos[repo][number].get(name)
        if content is None:
            return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"}
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": commit_id(number)}
        return 200, content, {**headers, "Content-Type": "application/octet-stream"}

    def _commit(self, repo: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        states = self.hub.repos[repo]
        state = dict(states[-1])
        for line in body.decode().splitlines():
            told = json.loads(line)
            if told["key"] == "file":
                content = base64.b64decode(told["value"]["content"])
                before = state.get(told["value"]["path"], b"")
                assert content.startswith(before), "a file of the mirror is only ever appended to"
                state[told["value"]["path"]] = content
        states.append(state)
        if self.hub.forgets_to_say:
            self.hub.forgets_to_say = False
            return 504, {"error": "timeout"}, {}
        oid = commit_id(len(states) - 1)
        return 200, {"commitUrl": f"{self.hub.url}/datasets/{repo}/commit/{oid}", "commitOid": oid, "success": True}, {}

    def log_message(self, *_: object) -> None:
        pass
