"""`python -m medilite doctor`: check everything that an answer and a vote need."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from medilite import __version__
from medilite.cli.terminal import chosen, print_json, progress_line
from medilite.errors import SettingsError, suggestion
from medilite.health.checks import Finding, findings
from medilite.logs import Redactor
from medilite.prompts import clean_text

CHECKS = (
    "versions",
    "disk",
    "address",
    "memory",
    "weights",
    "adapter",
    "engine",
    "scores",
    "assets",
    "library",
    "store",
    "mirror",
)

_SIGNS = {"ok": "ok", "failed": "FAILED", "skipped": "–"}


def run(options: argparse.Namespace) -> int:
    """Print what each check finds, as text or JSON; return 1 if any failed."""
    settings, profile = chosen(options)
    skip = [name.strip() for name in options.skip.split(",") if name.strip()]
    for name in skip:
        if name not in CHECKS:
            raise SettingsError(
                f"--skip {name!r} can't be used: there is no such check.{suggestion(name, CHECKS)} "
                f"Known: {', '.join(CHECKS)}."
            )
    redact = Redactor(settings.secrets)
    found: list[Finding] = []
    with progress_line() as say, _silence():
        say("Checking; the engine takes a while")
        for finding in findings(profile, settings, skip):
            shown = dataclasses.replace(finding, message=redact(clean_text(finding.message)))
            found.append(shown)
            say(f"Checked: {shown.check}")
    failed = [finding.check for finding in found if finding.state == "failed"]
    if options.json:
        print_json(
            {
                "healthy": not failed,
                "profile": profile.name,
                "version": __version__,
                "checks": [dataclasses.asdict(finding) for finding in found],
            }
        )
    else:
        wide = max(len(finding.check) for finding in found)
        for finding in found:
            print(f"{_SIGNS[finding.state]:<6}  {finding.check:<{wide}}  {finding.message}")
        print(f"\n{', '.join(failed)} failed." if failed else "\nEverything that was checked is in order.")
    return 1 if failed else 0


@contextmanager
def _silence() -> Iterator[None]:
    """Silence the log: each finding says what is wrong, and log lines would only disturb the list."""
    log = logging.getLogger("medilite")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
