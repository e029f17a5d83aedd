"""`python -m medilite doctor`: what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
import logging

import pytest

from medilite.__main__ import main
from medilite.health import checks
from medilite.health.checks import Finding

FINE = (Finding("versions", "ok", "medilite 1"), Finding("mirror", "skipped", "not set up"))
KEY = "key-of-the-judge"


@pytest.fixture
def found(monkeypatch):
    """Have the checks find what a test says; gives that list, and what they were asked."""
    listed, asked = list(FINE), []

    def findings(profile, settings, skip):
        asked.append((profile.name, tuple(skip)))
        yield from listed

    monkeypatch.setattr("medilite.cli.doctor.findings", findings)
    return listed, asked


def test_all_in_order_is_exit_code_0(found, capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok      versions  medilite 1" in out
    assert "–       mirror    not set up" in out
    assert "in order" in out


def test_one_failure_is_exit_code_1_and_is_named(found, capsys):
    found[0].append(Finding("store", "failed", "/votes.db can't be written (disk full). Make room."))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAILED  store     /votes.db can't be written (disk full). Make room." in out
    assert out.rstrip().endswith("store failed.")


def test_json_is_for_programs(found, capsys):
    found[0].append(Finding("store", "failed", "No. Because. Do."))
    assert main(["doctor", "--json", "--skip", "engine, memory"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["healthy"], printed["profile"]) == (False, "lite")
    assert printed["checks"][-1] == {"check": "store", "state": "failed", "message": "No. Because. Do."}
    assert found[1] == [("lite", ("engine", "memory"))]


def test_a_secret_or_a_control_sequence_in_a_message_is_not_printed(found, capsys, monkeypatch):
    monkeypatch.setenv("MEDILITE_JUDGE_KEYS", KEY)
    found[0].append(Finding("store", "failed", f"refused {KEY} \x1b[31mred"))
    main(["doctor"])
    out = capsys.readouterr().out
    assert KEY not in out
    assert "\x1b" not in out


@pytest.mark.parametrize(("arguments", "named"), [(["--skip", "engin"], "Did you mean 'engine'?"),
                                                  (["--profile", "lit"], "Did you mean 'lite'?")])  # fmt: skip
def test_wrong_usage_is_exit_code_2(found, capsys, arguments, named):
    assert main(["doctor", *arguments]) == 2
    assert named in capsys.readouterr().err


def test_the_log_is_quiet_only_while_it_runs(found):
    before = logging.getLogger("medilite").level
    main(["doctor"])
    assert logging.getLogger("medilite").level == before


def test_every_check_can_be_skipped(lite):
    from medilite.cli.doctor import CHECKS

    skipped = list(checks.findings(lite, None, CHECKS))  # type: ignore[arg-type]
    assert {finding.check.split()[0] for finding in skipped} == set(CHECKS)
    assert {finding.state for finding in skipped} == {"skipped"}


@pytest.mark.model
def test_the_shipped_profile_is_in_order(weights, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(tmp_path))
    code = main(["doctor", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert code == 0, printed
    assert next(c["check"] for c in printed["checks"] if c["check"].startswith("engine")) == "engine base"
