"""docs/deploy.md says what is so: settings and commands exist, links lead somewhere, proxies take what it has."""

from __future__ import annotations

import http.client
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.running_app import ROOT
from medilite.settings import Settings, variable
from tests.support.proxies import blocks, find_program, running_nginx, write_nginx

PATH = ROOT / "docs" / "deploy.md"
TEXT = PATH.read_text(encoding="utf-8")


def test_every_variable_is_a_setting():
    known = {variable(name) for name in Settings.model_fields}
    named = set(re.findall(r"\b(?:MEDILITE|HF)_[A-Z_]+\b", TEXT))
    assert named
    assert named - known == set()


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^make .+$", TEXT, re.M))))
def test_make_knows_the_target(line):
    done = subprocess.run(["make", "--dry-run", *line.split()[1:]], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", TEXT) if "://" not in link]
    headings = {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in re.findall(r"^#+ (.+)$", TEXT, re.M)}
    for link in links:
        file, _, heading = link.partition("#")
        if file == "remote.md" and not (PATH.parent / file).exists():
            continue  # comes with the remote engine
        assert (PATH.parent / file).exists() if file else heading in headings, link


def test_paths_that_it_names_exist():
    named = set(re.findall(r"`?\b((?:medilite|scripts|docs)/[\w./-]*\.(?:py|sh|md))", TEXT))
    assert "scripts/space.py" in named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_proxies_hand_on_what_streams():
    for text in blocks("nginx"):
        assert "proxy_buffering off;" in text
        assert "X-Forwarded-For $remote_addr;" in text, "a visitor's own header must not get through"
    assert all("flush_interval -1" in text for text in blocks("caddy"))


@pytest.mark.parametrize("number", range(2))
def test_nginx_takes_its_configuration(number: int, tmp_path: Path):
    nginx = find_program("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    config = write_nginx(tmp_path, blocks("nginx")[number])
    done = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", config, "-e", "stderr"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("number", range(2))
def test_caddy_takes_its_configuration(number: int, tmp_path: Path):
    caddy = find_program("caddy")
    if caddy is None:
        pytest.skip("Caddy is not installed")
    config = tmp_path / "Caddyfile"
    config.write_text(blocks("caddy")[number])
    command = [caddy, "adapt", "--config", config, "--adapter", "caddyfile"]
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, check=False, env=home)
    assert done.returncode == 0, done.stderr.decode()


# -- through a running nginx -------------------------------------------------------------


class Replica(BaseHTTPRequestHandler):
    """Sends an event, and the next only once somebody has read the first; says which replica it is, and what it got."""

    protocol_version = "HTTP/1.1"
    read: threading.Event

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        for name in ("Host", "X-Forwarded-Host", "X-Forwarded-For"):
            self.send_header(f"Got-{name}", self.headers.get(name, ""))
        self.end_headers()
        self._send(f"data: {self.server.server_port}\n\n".encode())
        self.read.wait(30)
        self._send(b"data: end\n\n")
        self._send(b"")

    def _send(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_replica(read: threading.Event) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneReplica", (Replica,), {"read": read}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get(url: str, read: threading.Event, **headers: str) -> tuple[str, http.client.HTTPResponse]:
    """Return who answered, told by the first event before the second was sent, and the reply."""
    read.clear()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("GET", "/", headers={name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        first = reply.readline()
        assert not read.is_set()
        read.set()
        assert b"data: end" in reply.read()
        return first.decode().removeprefix("data: ").strip(), reply
    finally:
        connection.close()


@pytest.fixture
def nginx() -> str:
    return find_program("nginx") or pytest.skip("nginx is not installed")


@pytest.mark.parametrize("number", range(2))
def test_events_come_through_nginx_one_by_one(number: int, nginx: str, tmp_path: Path):
    read = threading.Event()
    with ExitStack() as running:
        documented = (("7860",), ("7861", "7862"))[number]
        changes = {
            f"127.0.0.1:{port}": f"127.0.0.1:{running.enter_context(running_replica(read))}" for port in documented
        }
        url = running.enter_context(running_nginx(nginx, tmp_path, blocks("nginx")[number], changes))
        _, reply = get(url, read, X_Forwarded_For="1.2.3.4", X_Forwarded_Host="evil.example")
        assert reply.headers["Got-X-Forwarded-For"] == "127.0.0.1"
        assert reply.headers["Got-X-Forwarded-Host"] == reply.headers["Got-Host"] == urlsplit(url).netloc


def test_nginx_keeps_a_visitor_at_one_replica(nginx: str, tmp_path: Path):
    read = threading.Event()
    with ExitStack() as running:
        ports = [running.enter_context(running_replica(read)) for _ in range(2)]
        changes = {f"127.0.0.1:{old}": f"127.0.0.1:{new}" for old, new in zip((7861, 7862), ports, strict=True)}
        url = running.enter_context(running_nginx(nginx, tmp_path, blocks("nginx")[1], changes))
        seen = set()
        for _ in range(20):
            who, reply = get(url, read)
            cookie = reply.headers["Set-Cookie"].partition(";")[0]
            assert {get(url, read, Cookie=cookie)[0] for _ in range(3)} == {who}
            seen.add(who)
        assert seen == {str(port) for port in ports}, "all visitors come to one"


def test_when_a_vote_is_mirrored_is_what_the_mirror_does():
    from medilite.arena.mirror.mirror import POLL_S, SETTLED_S

    assert f"held back for {SETTLED_S:.0f} seconds" in TEXT
    assert f"is sent after {SETTLED_S:.0f} to {SETTLED_S + POLL_S:.0f} seconds" in TEXT
