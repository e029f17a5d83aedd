"""What `medilite doctor` is told of the votes' mirror."""

from __future__ import annotations

import time

import pytest

from medilite.arena.mirror.check import check
from medilite.arena.mirror.state import MirrorState, write_state
from medilite.arena.store import Store
from medilite.errors import MirrorError, SettingsError
from medilite.settings import Settings, load_settings


def settings_for(tmp_path, **more) -> Settings:
    return load_settings(data_dir=tmp_path, mirror="somebody/votes", hf_token="hf_test", **more)


def keep(settings: Settings, state: MirrorState) -> None:
    store = Store(settings.votes_database)
    write_state(store, state)
    store.database.close()


def test_none_is_set_up(tmp_path):
    assert check(load_settings(data_dir=tmp_path)) is None


def test_a_repository_without_a_token_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(SettingsError, match="somebody/votes needs HF_TOKEN"):
        check(load_settings(data_dir=tmp_path, mirror="somebody/votes"))


def test_before_the_app_has_run(tmp_path):
    assert "nothing is mirrored yet" in (check(settings_for(tmp_path)) or "")


def test_how_old_it_is(tmp_path):
    settings = settings_for(tmp_path)
    keep(settings, MirrorState("somebody/votes", whole_at=time.time() - 180))
    assert check(settings) == "somebody/votes: 0 votes wait; it held everything 3 minutes ago"


def test_what_went_wrong_is_said(tmp_path):
    settings = settings_for(tmp_path)
    keep(settings, MirrorState("somebody/votes", error="The Hub refuses (403)."))
    with pytest.raises(MirrorError, match=r"The Hub refuses \(403\)\. 0 votes wait; it never held everything"):
        check(settings)
