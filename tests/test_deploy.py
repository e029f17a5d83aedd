"""docs/deploy.md says what is so: settings and commands exist, links lead somewhere, proxies take what it has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from medilite.settings import Settings, variable
from scripts.running import ROOT
from tests.proxies import blocks, find_program, write_nginx

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
