"""The doctor's checks: each finds what is wrong, says value, cause and remedy, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import types

import pytest

from medilite import weights
from medilite.arena.store import Store
from medilite.errors import (
    DataError,
    EngineError,
    ModelUnavailableError,
    SettingsError,
    StoreError,
    WeightsUnavailableError,
)
from medilite.health import checks
from medilite.health.checks import Skipped
from medilite.models import load_profile
from medilite.packages import MANIFEST, sha256_of
from medilite.settings import load_settings
from tests.support.fakes import ScriptedEngine
from tests.test_cli import profile_file, write_files


@pytest.fixture(autouse=True)
def _memory_enough(monkeypatch):
    """Whatever else runs on this machine."""
    monkeypatch.setattr(checks, "available_bytes", lambda: 8 << 30)


@pytest.fixture
def own(tmp_path):
    """A profile of empty files: a base and two adapters, one of which has its hash noted."""
    write_files(tmp_path / "base", "config.json", "tokenizer.json", "model.safetensors")
    for name in ("sft", "grpo"):
        write_files(tmp_path / "adapters" / name, "adapter_config.json", "adapter_model.safetensors")
    note_hash(tmp_path / "adapters" / "sft")
    return load_profile(str(profile_file(tmp_path)))


@pytest.fixture
def settings(tmp_path):
    return load_settings(data_dir=tmp_path / "votes", cache_dir=tmp_path / "cache")


def note_hash(folder):
    record = {"adapter_sha256": sha256_of(folder / "adapter_model.safetensors")}
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")


def all_of(profile, settings, engine=None, skip=()):
    engine = engine or ScriptedEngine(profile)
    found = list(checks.findings(profile, settings, skip, lambda *_: engine))
    return {finding.check: finding for finding in found}


def states(found):
    return {name: finding.state for name, finding in found.items()}


def test_everything_in_order(own, settings):
    assert states(all_of(own, settings)) == {
        "versions": "ok", "disk": "ok", "address": "ok", "memory": "ok", "weights": "ok", "adapter sft": "ok",
        "adapter grpo": "ok",
        "engine base": "ok", "engine sft": "ok", "engine grpo": "ok", "scores": "ok", "assets": "ok",
        "library": "skipped",
        "store": "ok",
        "mirror": "skipped",
    }  # fmt: skip


def test_what_is_skipped_is_said_and_not_done(own, settings):
    engine = ScriptedEngine(own)
    found = all_of(own, settings, engine, ["engine", "disk"])
    assert {name for name, state in states(found).items() if state == "skipped"} == {
        "engine", "disk", "library", "mirror",
    }  # fmt: skip
    assert engine.loads == 0


def test_a_check_that_breaks_down_keeps_no_other_from_its_work(own, settings, monkeypatch):
    monkeypatch.setattr(checks, "check_disk", lambda *_: 1 / 0)
    found = all_of(own, settings)
    assert found["disk"].state == "failed"
    assert "ZeroDivisionError" in found["disk"].message
    assert found["store"].state == "ok"


def test_versions_that_are_not_those_required(tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text("# the app\npytest>=1  # fine\nnot-there-at-all==1\npyyaml<1\n-r other.txt\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        checks.check_versions(file)
    said = str(caught.value)
    assert "not-there-at-all is missing" in said
    assert "pyyaml is " in said
    assert "pytest" not in said
    assert "pip install" in said


def test_a_nearly_full_disk(own, settings, monkeypatch):
    usage = types.SimpleNamespace(free=50 << 20)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match=r"50 MiB free.*MEDILITE_DATA_DIR"):
        checks.check_disk(own, settings)
    # Weights that are not here yet need room of their own.
    usage.free = 1 << 30
    assert checks.check_disk(own, settings) == "1.0 GiB free for votes"
    with pytest.raises(DataError, match="MEDILITE_CACHE_DIR"):
        checks.check_disk(load_profile("lite"), settings)


def test_too_little_memory(own, settings, monkeypatch):
    monkeypatch.setattr(checks, "available_bytes", lambda: 100 << 20)
    with pytest.raises(EngineError, match=r"100 MiB.*1\.0 GiB"):
        checks.check_memory(own, settings)
    monkeypatch.setattr(checks, "available_bytes", lambda: None)
    with pytest.raises(Skipped):
        checks.check_memory(own, settings)


def test_weights_that_are_not_here_leave_the_engine_out(own, settings):
    (own.root / "base" / "config.json").unlink()
    engine = ScriptedEngine(own)
    found = all_of(own, settings, engine)
    assert found["weights"].state == "failed"
    assert "config.json missing" in found["weights"].message
    assert found["engine"].state == "skipped"
    assert engine.loads == 0


@pytest.mark.parametrize(
    ("told", "skip"), [({"engine": "remote", "servers": "http://127.0.0.1:1"}, ()), ({}, ("weights",))]
)
def test_no_engine_is_loaded_that_would_fetch_the_base(tmp_path, told, skip):
    lite = load_profile("lite")
    settings = load_settings(data_dir=tmp_path / "votes", cache_dir=tmp_path / "cache", **told)
    engine = ScriptedEngine(lite)
    found = all_of(lite, settings, engine, skip)
    assert (found["engine"].state, engine.loads) == ("skipped", 0)
    assert "medilite fetch" in found["engine"].message
    # A damaged one would be fetched again; one that is whole is used.
    folder = packed(lite, settings)
    (folder / "model.safetensors").write_bytes(b"other")
    assert (all_of(lite, settings, engine, skip)["engine"].state, engine.loads) == ("skipped", 0)
    (folder / "model.safetensors").write_bytes(b"weights")
    assert all_of(lite, settings, engine, skip)["engine base"].state == "ok"


def packed(profile, settings):
    """Put a base's folder where the profile's own would be, and return it."""
    folder = weights._package_folder(profile.base, settings.weights_dir)
    write_files(folder, "config.json", "tokenizer.json")
    (folder / "model.safetensors").write_bytes(b"weights")
    files = {"model.safetensors": sha256_of(folder / "model.safetensors")}
    (folder / MANIFEST).write_text(json.dumps({"files": files}), encoding="utf-8")
    return folder


def test_a_folder_of_one_s_own_is_tried_with_model_servers(own, tmp_path):
    """The tokenizer is enough there, and nothing is fetched."""
    (own.root / "base" / "model.safetensors").unlink()
    settings = load_settings(data_dir=tmp_path / "votes", engine="remote", servers="http://127.0.0.1:1")
    assert all_of(own, settings)["engine base"].state == "ok"


def test_weights_that_were_altered(own, settings):
    folder = own.root / "base"
    manifest = {"files": {name: sha256_of(folder / name) for name in ("config.json", "model.safetensors")}}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "every file as it was verified" in checks.check_weights(own, settings)
    (folder / "model.safetensors").write_text("other", encoding="utf-8")
    with pytest.raises(WeightsUnavailableError, match=r"^model\.safetensors in .*no longer what was written"):
        checks.check_weights(own, settings)
    (folder / MANIFEST).write_text("[", encoding="utf-8")
    with pytest.raises(WeightsUnavailableError, match=MANIFEST):
        checks.check_weights(own, settings)


def test_adapters_and_the_hashes_in_their_records(own):
    sft, grpo = own.get("sft"), own.get("grpo")
    assert "as its training.json says" in checks.check_adapter(own, sft)
    assert "none to compare with" in checks.check_adapter(own, grpo)
    (own.root / "adapters" / "sft" / "adapter_model.safetensors").write_text("other", encoding="utf-8")
    with pytest.raises(ModelUnavailableError, match=r"sft: its weights have SHA-256 .* exchanged or damaged\. Get"):
        checks.check_adapter(own, sft)
    (own.root / "adapters" / "sft" / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelUnavailableError, match="missing"):
        checks.check_adapter(own, sft)


def test_an_adapter_on_the_hub_is_not_fetched(tmp_path):
    profile = load_profile(str(profile_file(tmp_path, adapter="hub:somebody/something")))
    with pytest.raises(Skipped, match="somebody/something"):
        checks.check_adapter(profile, profile.get("sft"))


def test_a_model_that_cannot_answer_is_named(own, settings):
    found = all_of(own, settings, ScriptedEngine(own, broken={"grpo": "Its adapter has rank 4. Train it anew."}))
    assert found["engine grpo"].state == "failed"
    assert found["engine grpo"].message == "Its adapter has rank 4. Train it anew."
    assert (found["engine base"].state, found["engine base"].message) == ("ok", "1 token written")


def test_an_engine_that_cannot_be_loaded_or_breaks_down(own, settings):
    found = all_of(own, settings, ScriptedEngine(own, load_error=EngineError("No memory. Add some.")))
    assert (found["engine"].state, found["engine"].message) == ("failed", "No memory. Add some.")
    found = all_of(own, settings, ScriptedEngine(own, explode_after=0))
    assert found["engine"].state == "failed"
    assert "RuntimeError" in found["engine"].message


def test_an_answer_that_cannot_be_measured_fails_as_ask_would(own, settings, monkeypatch, tmp_path):
    """Neither the cache nor a temporary folder can be written: `ask` has no dictionary to count syllables by."""
    from medilite.readability import dictionary, scores

    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("MEDILITE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(dictionary.tempfile, "tempdir", str(tmp_path / "file"))
    monkeypatch.setattr(dictionary, "_module", None)
    scores._measure_cached.cache_clear()
    found = all_of(own, settings, None, ["engine", "disk", "store"])
    assert found["scores"].state == "failed"
    assert "MEDILITE_CACHE_DIR" in found["scores"].message


def test_a_store_is_written_and_left_as_it_was(settings):
    store = Store(settings.votes_database)
    _ = store.secret
    store.database.close()
    with sqlite3.connect(settings.votes_database) as connection:
        before = connection.execute("SELECT * FROM meta").fetchall()
    assert checks.check_store(settings).endswith("written, read and taken back")
    with sqlite3.connect(settings.votes_database) as connection:
        assert connection.execute("SELECT * FROM meta").fetchall() == before


def test_a_store_that_is_not_there_yet_is_not_made(settings):
    assert "will be made with the first vote" in checks.check_store(settings)
    assert not settings.data_dir.exists()


def test_a_store_that_cannot_be_used(settings):
    settings.data_dir.mkdir()
    settings.votes_database.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="Try again"):
        checks.check_store(settings)


def test_a_store_that_another_writer_holds(settings, monkeypatch):
    import medilite.arena.database as database

    store = Store(settings.votes_database)
    _ = store.secret
    store.database.close()
    real = database.Database
    monkeypatch.setattr(database, "Database", lambda target: real(target, timeout_s=0.1))
    # A connection of its own, as another program has: writers of this process stand in one line.
    with contextlib.closing(sqlite3.connect(settings.votes_database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="held by another program"):
            checks.check_store(settings)


@pytest.mark.parametrize(
    ("said", "state"), [("2 minutes old", "ok"), (None, "skipped"), (StoreError("Refused. Set a token."), "failed")]
)
def test_a_mirror_that_is_there(own, settings, monkeypatch, said, state):
    def check(given):
        assert given is settings
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(checks.mirror, "check", check)
    found = all_of(own, settings, skip=["engine"])["mirror"]
    assert found.state == state
    assert found.message == str(said) if said else "not set up" in found.message


def test_without_a_mirror_it_is_said(settings):
    with pytest.raises(Skipped, match="not set up"):
        checks.check_mirror(settings)
