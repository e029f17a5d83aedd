"""requirements.lock: it satisfies requirements.txt, whole and with hashes, for both Pythons."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts.lock import LEFT_OUT, LOCK, SOURCE

PYTHONS = ("3.11", "3.12")


def asked() -> list[Requirement]:
    lines = (line.split(" #")[0].strip() for line in SOURCE.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def entries(text: str) -> list[tuple[Requirement, list[str]]]:
    """Every package of a lock, with its hashes."""
    joined = text.replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        if line and not line.startswith(("#", " ")):
            said = line.split(" --hash=")
            found.append((Requirement(said[0].strip()), [one.strip() for one in said[1:]]))
    return found


LOCKED = entries(LOCK.read_text(encoding="utf-8"))


def locked_for(python: str) -> dict[str, Version]:
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.9"}
    held: dict[str, Version] = {}
    for one, _ in LOCKED:
        if one.marker is None or one.marker.evaluate(environment):
            name = canonicalize_name(one.name)
            assert name not in held, f"{name} is locked twice for Python {python}"
            (pin,) = one.specifier
            assert pin.operator == "==", one
            held[name] = Version(pin.version)
    return held


def unsatisfied(requirements: list[Requirement], held: dict[str, Version]) -> list[str]:
    """What is asked for and not locked, or at a version that doesn't fit."""
    wanted = [(one, canonicalize_name(one.name)) for one in requirements]
    return [
        f"{one}: locked at {held.get(name)}"
        for one, name in wanted
        if not LEFT_OUT.fullmatch(name) and (name not in held or held[name] not in one.specifier)
    ]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_what_is_asked_for(python):
    assert unsatisfied(asked(), locked_for(python)) == [], "run make lock"


@pytest.mark.parametrize("line", ["gradio==6.30.0", "starlette>=99", "a-package-that-nobody-has-locked>=1"])
def test_a_lock_that_is_too_old_is_noticed(line):
    assert len(unsatisfied([*asked(), Requirement(line)], locked_for("3.11"))) == 1


def test_every_package_has_hashes():
    assert len(LOCKED) > 40
    for one, hashes in LOCKED:
        assert hashes, one
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), one


def test_torch_alone_is_left_out():
    assert [one.name for one, _ in LOCKED if LEFT_OUT.fullmatch(canonicalize_name(one.name))] == []
    assert [one.name for one in asked() if LEFT_OUT.fullmatch(canonicalize_name(one.name))] == ["torch"]


def test_the_lock_is_whole():
    """Whatever a locked package needs is locked too, as far as the same versions are installed here."""
    held = locked_for(".".join(default_environment()["python_version"].split(".")[:2]))
    looked_at = 0
    for name, version in held.items():
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if Version(installed.version) != version:
            continue
        looked_at += 1
        for line in installed.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                other = canonicalize_name(needed.name)
                assert other in held or LEFT_OUT.fullmatch(other), f"{name} needs {needed}: run make lock"
    assert looked_at > 20
