"""Behind a proxy visitors are told apart: in every recipe, in a Space by itself, and the log says where they aren't."""

from __future__ import annotations

import logging

import gradio as gr
import pytest

from medilite.models import ROOT
from medilite.settings import load_settings
from medilite.ui.guard import guards
from medilite.ui.guard.address import KnownAddress, TrustedProxies
from tests.ui.asgi import App, call

RECIPES = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("heading", ["A Space", "A server behind a proxy", "Several replicas on one PostgreSQL"])
def test_every_recipe_names_its_proxies(heading):
    section = RECIPES.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert "MEDILITE_TRUSTED_PROXIES" in section


@pytest.mark.parametrize(
    ("settings", "visitor"),
    [({"space_id": "a/b"}, "203.0.113.9"), ({}, "10.0.0.1"), ({"trusted_proxies": "10.0.0.1"}, "203.0.113.9")],
)
def test_whose_request_it_is(settings, visitor, caplog):
    app = App()
    with gr.Blocks() as page:
        (known,) = [one for one in guards(page, load_settings(**settings), "", []) if one.cls is KnownAddress]
    guard = KnownAddress(app, **known.kwargs)
    for _ in range(3):
        call(guard, "/", headers={"X-Forwarded-For": "203.0.113.9"}, client="10.0.0.1")
    assert app.scopes[0]["client"][0] == visitor
    told = [record for record in caplog.records if "MEDILITE_TRUSTED_PROXIES" in record.getMessage()]
    assert len(told) == (0 if visitor == "203.0.113.9" else 1), "said once"


def test_no_proxy_no_warning(caplog):
    caplog.set_level(logging.WARNING)
    call(KnownAddress(App(), TrustedProxies()), "/", client="192.0.2.1")
    assert caplog.records == []


@pytest.mark.parametrize("trusted", ["1", "10.0.0.1"])
@pytest.mark.parametrize(("forwarded", "said"), [("unknown", 1), ("1.2.3.4:http", 1), ("1.2.3.4:80", 0), ("", 0)])
def test_a_trusted_proxy_that_names_no_address_is_said_once(trusted, forwarded, said, caplog):
    guard = KnownAddress(App(), TrustedProxies.parse(trusted))
    for _ in range(3):
        call(guard, "/", headers={"X-Forwarded-For": forwarded}, client="10.0.0.1")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == said
    assert all("no IP address" in one and "1.2.3.4" not in one for one in told), "nobody's address is logged"
