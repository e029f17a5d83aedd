"""Settings: what of them is secret."""

from __future__ import annotations

import pytest

from medilite.settings import load_settings


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://user:pass-word@host:5432/votes", ("pass-word",)),
        ("postgresql://user:p@ss/w?rd@host/votes", ("p@ss/w?rd",)),
        ("postgresql://host/votes?user=a&password=hidden&sslmode=require", ("hidden",)),
        ("postgresql://user@host:5432/votes", ()),
        ("sqlite:////srv/votes.db", ()),
    ],
)
def test_the_password_of_the_votes_database_is_a_secret(monkeypatch, url, secrets):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert load_settings(votes_url=url).secrets == secrets


def test_keys_and_the_hub_s_token_are_secrets(monkeypatch):
    monkeypatch.setenv("MEDILITE_JUDGE_KEYS", "first-key, second-key")
    monkeypatch.setenv("HF_TOKEN", "hub-token")
    assert set(load_settings().secrets) >= {"first-key", "second-key", "hub-token"}
