"""The page as a whole: what Gradio is told, and what its first bytes give away."""

from __future__ import annotations

import json
import re

import gradio as gr
import pytest
from gradio.routes import App

from medilite.engine.protocol import Availability
from medilite.errors import SettingsError
from medilite.models import load_profile
from medilite.progress import LoadProgress
from medilite.settings import load_settings
from medilite.ui.page import theme
from medilite.ui.page.app import build_ui, serve
from medilite.ui.page.controls import model_choices
from medilite.ui.page.notices import progress_html, unavailable_html, waiting_html
from medilite.ui.page.session import Session
from tests.support.fakes import ScriptedEngine


@pytest.fixture(scope="module")
def page(lite):
    return build_ui(ScriptedEngine(lite), lite, load_settings(max_queue=5))


def test_nothing_is_loaded_by_building_the_page(lite):
    engine = ScriptedEngine(lite)
    build_ui(engine, lite, load_settings())
    assert engine.loads == 0


def test_gradio_reports_nothing_and_offers_five_endpoints_alone(page):
    assert page.analytics_enabled is False
    config = page.get_config_file()
    assert config["connect_heartbeat"] is False, "a browser has six connections for all its tabs"
    assert config["analytics_enabled"] is False
    offered = [d["api_name"] for d in config["dependencies"] if d["api_visibility"] != "private"]
    assert offered == ["ask", "compare", "sources", "readability", "leaderboard"]
    assert page.api_open is False


def test_events_that_ask_the_model_share_one_line(page):
    asking = [fn for fn in page.fns.values() if fn.concurrency_id == "model"]
    # Ask and Enter are one event in Compare and in Blind vote; Follow up is one in each; Chat has Send and Enter,
    # and Retry; the Lab has its views' button, the one that goes on from a fork and the board's; programs have two.
    assert len(asking) == 11
    assert all(fn.concurrency_limit is None and fn.queue for fn in asking)
    assert page._queue.max_size == 5


def test_no_other_event_waits_behind_answers(page):
    others = [fn for fn in page.fns.values() if fn.concurrency_id not in ("model", "programs")]
    assert all(fn.queue is False for fn in others)
    programs = [fn for fn in page.fns.values() if fn.concurrency_id == "programs"]
    assert {(fn.name, fn.concurrency_limit) for fn in programs} == {
        (name, None) for name in ("sources", "readability", "leaderboard")
    }


def test_every_event_keeps_gradio_s_spinners_off_the_page(page):
    assert {fn.show_progress for fn in page.fns.values()} == {"hidden"}


def test_style_and_script_ask_nobody_for_anything(lite):
    head = theme.head(lite)
    for forbidden in ("http://", "https://", "@import", "url(", "//fonts", "fetch(", "XMLHttpRequest", "cookie"):
        assert forbidden not in head, forbidden
    # What the browser keeps: a voter's random id, and that the walk-through was seen; with the tab, what the tab holds.
    kept = set(re.findall(r"""(?:kept|keep)\((\w+)""", head)) - {"name"}
    assert kept == {"VOTER", "TOUR"}
    assert sorted(re.findall(r"(?:local|session)Storage\.\w+", head)) == [
        "localStorage.getItem", "localStorage.setItem",
        "sessionStorage.getItem", "sessionStorage.removeItem", "sessionStorage.setItem",
    ]  # fmt: skip
    fonts = theme.theme()
    assert "googleapis" not in fonts._get_theme_css()
    assert fonts._stylesheets == []


def test_models_have_their_colours_on_the_choices(lite):
    style = theme.style(lite)
    for number, spec in enumerate(lite.models, start=1):
        assert f"nth-of-type({number}){{--model-light:{spec.colour};--model-dark:{spec.colour_dark}}}" in style


def test_the_style_defines_what_it_uses(lite):
    style = theme.style(lite) + theme.theme()._get_theme_css()
    used = set(re.findall(r"var\((--(?:ml|model)[\w-]*)", style))
    defined = set(re.findall(r"(--(?:ml|model)[\w-]*)\s*:", style))
    # Has a default where it is used; a deployment may set it.
    assert used - defined - {"--ml-card-height"} == set()


def test_both_themes_have_every_colour():
    base = (theme.STYLE_DIR / "base.css").read_text(encoding="utf-8")
    light, dark = (
        set(re.findall(r"(--ml-[\w-]+):", base.split(start)[1].split("}")[0])) for start in (":root {", "\n.dark {")
    )
    assert light - dark == {"--ml-radius"}
    assert dark <= light


@pytest.mark.parametrize(("ahead", "words"), [(1, "1 visitor is ahead"), (7, "7 visitors are ahead")])
def test_waiting(ahead, words):
    assert words in waiting_html(ahead)


def test_progress():
    assert 'value="45"' in progress_html(LoadProgress("Fetching the weights", 0.45))
    assert "<progress" not in progress_html(LoadProgress("Loading", None))
    assert "asked as soon as" in progress_html(LoadProgress("Loading", None), asked=True)
    failed = progress_html(LoadProgress("x", None, error="No <weights>."))
    assert "No &lt;weights&gt;." in failed
    assert "try again" in failed


def test_what_is_unavailable(lite):
    states = {id: Availability(id != "grpo", None if id != "grpo" else "It has <rank> 4.") for id in lite.ids}
    assert "GRPO</strong>: It has &lt;rank&gt; 4." in unavailable_html(states, lite)
    assert ("GRPO (unavailable)", "grpo") in model_choices(lite, states)
    assert unavailable_html({id: Availability(True) for id in lite.ids}, lite) == ""


def test_the_config_holds_no_visitor_s_words(page):
    """Whatever stands in a component's value is served to everybody; sessions have to stay on the server."""
    assert "Session" not in json.dumps(page.get_config_file(), default=str)


@pytest.fixture
def launched(page, told_to_gradio):
    """Return a function that serves with these settings and returns what Gradio was told."""
    return lambda **settings: told_to_gradio(page, load_settings(**settings))


def test_host_and_port_are_as_gradio_is_told_unless_set(launched, monkeypatch):
    """A Space tells Gradio by its own variables; elsewhere it takes the first free port."""
    # Gradio alone would listen to everybody where its variable is empty.
    for said, listens in (("", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "[::1]")):
        monkeypatch.setenv("GRADIO_SERVER_NAME", said)
        told = launched()
        assert (told["server_name"], told["server_port"], told["inbrowser"]) == (listens, None, False)
    told = launched(host="0.0.0.0", port=8123, open_browser=True)
    assert (told["server_name"], told["server_port"], told["inbrowser"]) == ("0.0.0.0", 8123, True)
    assert launched(port=0)["server_port"] > 1023
    monkeypatch.setenv("GRADIO_SERVER_NAME", "203.0.113.7")  # is no address of this machine
    with pytest.raises(SettingsError, match=r"203\.0\.113\.7 can't be listened on"):
        launched(port=0)


def test_what_would_keep_or_tell_people_s_questions_is_off(launched):
    told = launched()
    for switch in ("run_history", "share", "pwa", "mcp_server", "enable_monitoring", "show_error", "ssr_mode"):
        assert told[switch] is False, switch
    assert told["footer_links"] == []
    assert told["max_threads"] > load_settings().max_queue


def test_gradio_makes_one_app_of_a_page(lite, monkeypatch, tmp_path):
    made = App.create_app
    seen = []

    def counted(*arguments, **options):
        seen.append(made(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr(App, "create_app", staticmethod(counted))
    settings = load_settings(port=0, data_dir=tmp_path)
    page = build_ui(ScriptedEngine(lite), lite, settings)
    assert seen == []
    serve(page, lite, settings, block=False)
    assert seen == [page.app]
    page.close(verbose=False)


def test_a_port_in_use_is_said(page, lite, monkeypatch):
    def launch(**options):
        raise OSError("Cannot find empty port in range: 8123-8123.")

    monkeypatch.setattr(page, "launch", launch)
    with pytest.raises(SettingsError, match=r"Port 8123 .* MEDILITE_PORT"):
        serve(page, lite, load_settings(port=8123), block=False)


def test_a_machine_that_is_too_busy_to_show_the_page_at_once_serves_it(lite, tmp_path, monkeypatch):
    """Gradio asks for its own page when it has started, and without an answer in three seconds it would give up."""
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    settings = load_settings(port=0, data_dir=tmp_path, mcp=False)
    page = build_ui(ScriptedEngine(lite), lite, settings)
    try:
        assert serve(page, lite, settings, block=False).startswith("http://127.0.0.1:")
    finally:
        page.close(verbose=False)
        page.drain.finish()


@pytest.mark.parametrize("broken", [("grpo",), ("grpo", "sourced")])
def test_no_rewriter_is_offered_in_place_of_a_model_that_fails(lite, broken):
    profile = lite.model_copy(update={"rewriters": load_profile("lite", with_absent=True).rewriters})
    engine = ScriptedEngine(profile, broken=dict.fromkeys(broken, "No adapter."))
    engine.load()
    fns = build_ui(engine, profile, load_settings()).fns.values()
    (tick,) = [fn.fn for fn in fns if getattr(fn.fn, "__name__", "") == "tick"]
    update = tick(Session(), list(profile.ids), "grpo")
    assert [new.value for old, new in update.items() if isinstance(old, gr.Radio)] == ["sft-r16-high"]
    said = "".join(new for new in update.values() if isinstance(new, str))
    assert "GRPO" in said
    assert "Rewriter" not in said
