"""What the library costs: numbers by hand, and all of them with a small library and a scripted engine."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from bench import sources
from medilite.sources.build import build_library
from medilite.sources.collection import COLLECTION, save_collection
from medilite.sources.library import Library
from tests.support.fakes import ScriptedEngine
from tests.support.libraries import ABOUT, WordEncoder, encode, made_entries


def test_a_spread_by_hand():
    """Of 1 to 20 the 95th percentile lies a twentieth of the way from 19 to 20 (numpy's linear rule)."""
    assert sources.spread(range(1, 21)) == {"median": 10.5, "p95": pytest.approx(19.05), "max": 20, "n": 20}


def test_memory_is_in_units_of_a_million_bytes():
    found = sources.memory_mb()
    assert found["all"] == pytest.approx(found["own"] + found["mapped"])
    assert found["all"] == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.1)
    assert min(found.values()) > 0


def test_an_error_is_a_message_and_exit_code_2(capsys):
    assert sources.main(["--profile", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_every_number_of_a_small_library(lite, tmp_path: Path, monkeypatch, capsys):
    folder = build_library(made_entries(), ABOUT, tmp_path / "library", WordEncoder())
    save_collection(tmp_path / COLLECTION, made_entries())
    monkeypatch.setattr("medilite.engine.open_engine", lambda profile, settings: ScriptedEngine(profile))
    monkeypatch.setattr("medilite.sources.shelf.make_library", lambda settings, report: folder)
    monkeypatch.setattr("medilite.sources.shelf.open_library", lambda folder, settings: Library(folder, encode))
    monkeypatch.setattr(sources, "PAUSE_S", 0.0)
    out = tmp_path / "cost.json"
    assert sources.main(["--data", str(tmp_path), "--searches", "3", "--firsts", "4", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    for way in ("alone", "beside"):
        assert found["search_ms"][way]["n"] == 3
        assert 0 < found["search_ms"][way]["median"] <= found["search_ms"][way]["max"]
    assert {way: of["n"] for way, of in found["first_token_ms"].items()} == {"without": 4, "with": 4}
    assert set(found["memory_mb"]) == {"before", "opened", "searched", "added"}
    assert (found["profile"], found["seed"]) == (lite.name, sources.SEED)
    assert "search beside: median" in capsys.readouterr().out
