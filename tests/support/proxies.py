"""The proxies of docs/deploy.md: their configurations as they stand there, and running nginx with one."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.running_app import ROOT

START_S = 30.0


def blocks(language: str) -> list[str]:
    """Return the code blocks of docs/deploy.md in a language."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def find_program(name: str) -> str | None:
    """Return where a program is; servers are often outside a person's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def write_nginx(folder: Path, inside: str) -> Path:
    """Write a whole nginx configuration around what stands in `http { … }`, with all its files in a folder."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}{inside}\n}}\n",
        encoding="utf-8",
    )
    return path


@contextmanager
def running_nginx(nginx: str, folder: Path, inside: str, changes: Mapping[str, str]) -> Iterator[str]:
    """Run nginx on a free port with a configuration in which `changes` are made; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for old, new in {"listen 80;": f"listen 127.0.0.1:{port};", **changes}.items():
        assert old in inside
        inside = inside.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    command = [nginx, "-p", folder, "-c", write_nginx(folder, inside), "-e", folder / "error.log"]
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()}") from None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
