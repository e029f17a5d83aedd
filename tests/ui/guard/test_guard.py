"""The guards one by one, without a server: addresses, headers, doors, bodies, calls."""

from __future__ import annotations

import json
import os
from pathlib import Path

import gradio as gr
import pytest

from medilite.arena.downloads import Downloads
from medilite.arena.votes import Votes
from medilite.errors import SettingsError
from medilite.settings import load_settings
from medilite.ui.guard.address import KnownAddress, TrustedProxies, network_of, no_proxy_by_default
from medilite.ui.guard.bodies import BoundedBody, body_limit
from medilite.ui.guard.cached import Cached
from medilite.ui.guard.calls import BadCall, CheckedCalls
from medilite.ui.guard.doors import OpenDoors
from medilite.ui.guard.headers import SafeHeaders, content_security_policy, inline_scripts, script_hash
from medilite.ui.guard.host import FixedHost
from medilite.ui.guard.limits import VisitorLimits
from medilite.ui.guard.visits import Paced, Visits
from medilite.ui.page.app import build_ui
from medilite.ui.page.gradio_internals import event_by_number
from medilite.ui.page.routes import vote_routes
from tests.support.fakes import ScriptedEngine
from tests.ui.asgi import App, call

JSON = {"content-type": "application/json"}


# -- whose request it is ------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "visitor"),
    [
        (None, "127.0.0.1", "6.6.6.6", "127.0.0.1"),
        ("", "127.0.0.1", "6.6.6.6", "127.0.0.1"),
        ("1", "10.0.0.7", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("2", "10.0.0.7", "6.6.6.6, 1.2.3.4, 10.1.0.1", "1.2.3.4"),
        ("2", "10.0.0.7", "1.2.3.4", "10.0.0.7"),
        ("1", "10.0.0.7", None, "10.0.0.7"),
        ("1", "10.0.0.7", "not an address", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.7", "9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("10.0.0.0/8, 192.168.0.0/16", "10.0.0.7", "6.6.6.6, 1.2.3.4, 192.168.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.7", "<script>", "10.0.0.7"),
        ("::1", "::1", "2001:db8::5", "2001:db8::5"),
        ("fe80::7", "fe80::7%eth0", "2001:db8::5", "2001:db8::5"),
        ("fe80::7%eth0", "fe80::7%eth0", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.9, [fe80::7%25eth0]", "fe80::7%eth0", "2001:db8::5", "2001:db8::5"),
        ("fe80::7%eth0", "fe80::7%eth1", "2001:db8::5", "fe80::7%eth1"),
        ("fe80::%eth0/64", "fe80::7%eth1", "2001:db8::5", "fe80::7%eth1"),
        ("1", "10.0.0.7", "fe80::5%eth0", "fe80::5%eth0"),
        ("1", "10.0.0.7", "fe80::5%<script>", "10.0.0.7"),
        # Some proxies write the port too (IIS, Azure's Application Gateway).
        ("1", "10.0.0.7", "6.6.6.6:80, 1.2.3.4:50123", "1.2.3.4"),
        ("1", "10.0.0.7", "[2001:db8::1]:50123", "2001:db8::1"),
        ("1", "10.0.0.7", "[2001:db8::1]", "2001:db8::1"),
        ("1", "10.0.0.7", "[fe80::5%eth0]:50123", "fe80::5%eth0"),
        ("1", "10.0.0.7", "2001:db8::1:1234", "2001:db8::1:1234"),
        ("1", "10.0.0.7", "2001:DB8:0::5", "2001:db8::5"),
        ("2", "10.0.0.7", "6.6.6.6, 1.2.3.4:1, 10.1.0.1:2", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.7", "6.6.6.6, 1.2.3.4:1, 10.1.0.1:2", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.7", "10.0.0.9, 1.2.3.4:1", "1.2.3.4"),
        ("1", "10.0.0.7", "1.2.3.4:x", "10.0.0.7"),
        ("1", "10.0.0.7", "1.2.3.4:80:90", "10.0.0.7"),
        ("1", "10.0.0.7", "[1.2.3.4", "10.0.0.7"),
        ("1", "10.0.0.7", "[2001:db8::1]x", "10.0.0.7"),
        ("1", "10.0.0.7", "[2001:db8::1]:1.2.3.4", "10.0.0.7"),
        # A socket of both kinds reports IPv4 addresses as IPv6 ones.
        ("10.0.0.7", "::ffff:10.0.0.7", "1.2.3.4", "1.2.3.4"),
        ("::ffff:10.0.0.7", "10.0.0.7", "1.2.3.4", "1.2.3.4"),
        ("::ffff:10.0.0.0/104", "::ffff:10.9.0.7", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.7", "::ffff:10.0.0.8", "1.2.3.4", "10.0.0.8"),
        ("1", "10.0.0.7", "::ffff:1.2.3.4", "1.2.3.4"),
        ("1", "10.0.0.7", "[::ffff:1.2.3.4]:80", "1.2.3.4"),
        (None, "::ffff:1.2.3.4", None, "1.2.3.4"),
    ],
)
def test_only_trusted_proxies_tell_an_address(trusted, peer, forwarded, visitor):
    app = App()
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    call(KnownAddress(app, TrustedProxies.parse(trusted)), headers=headers, client=peer)
    assert app.scopes[0]["client"][0] == visitor


@pytest.mark.parametrize("said", ["yes", "10.0.0.999", "1.2.3.4;5.6.7.8", "-1", "*"])
def test_proxies_that_can_t_be_read_are_said(said):
    with pytest.raises(SettingsError, match=r"MEDILITE_TRUSTED_PROXIES=.*number of proxies"):
        load_settings(trusted_proxies=said)


def test_uvicorn_believes_nobody_while_it_is_configured(monkeypatch):
    """It would take X-Forwarded-For from 127.0.0.1 otherwise, and put it where the address is looked for."""
    from uvicorn import Config

    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    with no_proxy_by_default():
        assert Config(App()).forwarded_allow_ips == ""
    assert "FORWARDED_ALLOW_IPS" not in os.environ


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:80", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::5%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_address(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "example.org:7860", 200),
        ("Host", "[::1]:7860", 200),
        ("Host", "[fe80::1%eth0]:7860", 200),
        ("Host", "[fe80::1%<script>]:7860", 400),
        ("Host", "a b", 400),
        ("Host", "[", 400),
        ("X-Forwarded-Host", "medilite.hf.space, 10.0.0.1", 200),
        ("X-Forwarded-Host", '"><script>', 400),
        ("X-Forwarded-Proto", "https,http", 200),
        ("X-Forwarded-Proto", "javascript", 400),
    ],
)
def test_headers_that_make_the_page_s_address(header, value, status):
    app = App()
    assert call(KnownAddress(app, TrustedProxies()), headers={header: value}).status == status
    if status == 200:
        passed_on = dict(app.scopes[0]["headers"])[header.lower().encode()]
        assert passed_on.decode() == value.replace("%eth0", ""), "a zone means something on its own machine alone"


# -- headers --------------------------------------------------------------------------


def test_every_answer_has_the_headers():
    told = call(SafeHeaders(App(kind="text/css")))
    assert told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'self' https://huggingface.co" in told.headers["content-security-policy"]
    assert "x-frame-options" not in told.headers


def test_the_policy_lets_run_what_the_page_has_and_nothing_else():
    html = b"<head><script>one()</script><script src=x></script></head><SCRIPT type=module>\r\ntwo()</SCRIPT >"
    told = call(
        SafeHeaders(App(kind="text/html; charset=utf-8", pieces=(html[:30], html[30:])), "<script>three()</script>")
    )
    policy = dict(part.strip().split(" ", 1) for part in told.headers["content-security-policy"].split(";"))
    allowed = set(policy["script-src"].split())
    assert allowed == {"'self'", "'unsafe-eval'", *map(script_hash, ["one()", "\r\ntwo()", "three()"])}
    assert told.body == html
    assert told.headers["cache-control"] == "no-store"
    assert policy["object-src"] == policy["frame-src"] == policy["form-action"] == "'none'"


def test_a_script_s_hash_is_the_standard_s():
    # https://www.w3.org/TR/CSP3/#external-hash has this example's SHA-256 for "alert('Hello, world.');".
    assert script_hash("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"


def test_no_policy_without_a_page_has_hashes():
    assert "sha256" not in call(SafeHeaders(App(), "<script>x</script>")).headers["content-security-policy"]
    assert "unsafe-inline" not in content_security_policy([]).split("script-src")[1]


def test_inline_scripts():
    assert inline_scripts("<script>a</script><script data-x>b</script><script async src='c'>d</script>") == ["a", "b"]


def test_a_stream_passes_piece_by_piece():
    told = call(SafeHeaders(App(kind="text/event-stream", pieces=(b"data: 1\n\n", b"data: 2\n\n", b""))))
    assert told.pieces == 3
    assert "cache-control" not in told.headers


# -- doors ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def doors(lite, tmp_path_factory):
    return OpenDoors(App(), vote_routes(Downloads(Votes(tmp_path_factory.mktemp("votes") / "votes.db"), Path())))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/assets/index-DphvyggB.js", 200),
        ("GET", "/static/js/iframeResizer.contentWindow.min.js", 200),
        ("GET", "/votes/votes.csv", 200),
        ("POST", "/gradio_api/queue/join", 200),
        ("POST", "/gradio_api/run/predict", 200),
        ("POST", "/gradio_api/call/ask", 200),
        ("POST", "/gradio_api/call/v2/ask", 200),
        ("GET", "/gradio_api/call/ask/" + "0af3" * 8, 200),
        ("GET", "/gradio_api/call/ask/../x", 404),
        ("GET", "/gradio_api/call/ask/session", 404),
        ("GET", "/gradio_api/call/v2/ask", 405),
        ("GET", "/gradio_api/openapi.json", 404),
        ("POST", "/gradio_api/run/ask", 404),
        ("POST", "/gradio_api/mcp/", 404),
        ("POST", "/gradio_api/mcp/messages/", 404),
        ("GET", "/gradio_api/mcp/sse", 404),
        ("POST", "/", 405),
        ("GET", "/gradio_api/queue/join", 405),
        ("POST", "/gradio_api/upload", 403),
        ("GET", "/gradio_api/file=/etc/passwd", 403),
        ("GET", "/gradio_api/proxy=http://x/", 403),
        ("GET", "/gradio_api/deep_link", 403),
        ("POST", "/gradio_api/component_server", 403),
        ("GET", "/static/../../x", 404),
        ("GET", "/static/..", 404),
        ("GET", "/static/" + "a" * 4000, 404),
        ("GET", "/static/" + "a/" * 400 + "a", 404),
        ("GET", "/static/a\\b", 404),
        ("GET", "/static//etc/passwd", 404),
        ("GET", "/pwa_icon/100000", 404),
        ("GET", "/docs", 404),
        ("GET", "/votes/votes.db", 404),
        ("GET", "/gradio_api/heartbeat/abc123", 404),
    ],
)
def test_what_is_served(doors, method, path, status):
    told = call(doors, path, method)
    assert told.status == status
    assert status == 200 or len(told.detail) > 20


@pytest.mark.parametrize(
    ("query", "status"), [(b"page=x", 404), (b"a=1&pag%65=%3C", 404), (b"page=&__theme=dark", 200)]
)
def test_there_is_one_page(doors, query, status):
    assert call(doors, query=query).status == status


def test_a_long_query_is_turned_away(doors):
    assert call(doors, query=b"q=" + b"a" * 4095).status == 414


# -- bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "headers", "status"),
    [
        ((b"a" * 100,), {}, 200),
        ((b"a" * 60, b"b" * 40), {}, 200),
        ((b"a" * 101,), {}, 413),
        ((b"a" * 60, b"b" * 60), {}, 413),
        ((b"a",), {"Content-Length": "101"}, 413),
        ((b"a",), {"Content-Length": "9" * 300}, 413),
    ],
)
def test_bodies_are_bounded(pieces, headers, status):
    app = App()
    told = call(BoundedBody(app, 100), method="POST", headers=headers, body=pieces)
    assert told.status == status
    if status == 413:
        assert "at most 100" in told.detail
        assert app.scopes == []
    else:
        assert app.bodies == [b"".join(pieces)]


def test_the_longest_question_fits_twice():
    assert body_limit(2000) > 2 * len(json.dumps("\U0001f600" * 2000))


@pytest.mark.parametrize(
    ("path", "method", "most"),
    [
        ("/gradio_api/mcp", "POST", 5), ("/gradio_api/mcp/", "POST", 5), ("/gradio_api/call/ask", "POST", 5),
        ("/votes/votes.csv", "GET", 3), ("/votes/votes.jsonl", "HEAD", 3),
        ("/healthz", "GET", 9), ("/left/abc", "POST", 9),
    ],
)  # fmt: skip
def test_what_costs_something_is_counted_by_address_whatever_it_asks_for(path, method, most):
    app = App()
    limits = VisitorLimits(load_settings(events_per_address="5/minute", readings_per_address="3/minute"))
    paced = Paced(app, limits, Visits())
    told = [call(paced, path, method, client="203.0.113.7") for _ in range(9)]
    assert [one.status for one in told] == [200] * most + [429] * (9 - most)
    assert all(int(one.headers["retry-after"]) > 0 for one in told[most:])
    assert len(app.scopes) == most
    assert call(paced, path, method, client="203.0.113.8").status == 200


def test_a_client_of_mcp_and_a_dashboard_are_far_from_the_limits():
    paced = Paced(App(), VisitorLimits(load_settings()), Visits())
    asked = [("/gradio_api/mcp/", "POST")] * 100 + [("/votes/votes.parquet", "GET")] * 30
    assert {call(paced, *one).status for one in asked} == {200}


# -- calls ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checked(lite, tmp_path_factory):
    """The guard of a page that has been launched, as far as the guard needs it."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("votes"))
    page = build_ui(ScriptedEngine(lite), lite, settings)
    from gradio.state_holder import StateHolder

    StateHolder().set_blocks(page)
    return CheckedCalls(App(), page)


def _number(page, name):
    return next(number for number, fn in page.fns.items() if fn.name == name)


@pytest.mark.parametrize("path", ["queue/join", "run/predict", "cancel", "reset", "call/ask"])
def test_an_event_of_another_build_is_refused_before_it_is_read(checked, path):
    guard = CheckedCalls(App(), checked.page, build="today")
    for build in ("yesterday", "", "todayy"):
        told = call(guard, f"/gradio_api/{path}", "POST", {**JSON, "x-medilite-build": build}, (b"not even JSON",))
        assert (told.status, "Reload" in told.detail) == (409, True)
    for known in ({}, {"x-medilite-build": "today"}):  # programs name no build
        assert call(guard, f"/gradio_api/{path}", "POST", {**JSON, **known}, (b"not even JSON",)).status == 422


def test_a_build_is_the_same_again_and_another_with_one_event_more(checked, lite, monkeypatch):
    from gradio.context import Context

    from medilite.ui.page import app
    from medilite.ui.page.gradio_internals import build_of

    def build(head: str = "head") -> str:
        monkeypatch.setattr(Context, "id", 0)  # as in a process of its own
        return build_of(build_ui(ScriptedEngine(lite), lite, load_settings()), head)

    today, made = build(), app.html_slot
    assert build() == today
    assert build("another head") != today
    for more in ("event", "component"):

        def with_more(*given, more=more):
            button = gr.Button(visible=False)
            if more == "event":
                button.click(lambda: None, api_visibility="private")
            return made(*given)

        monkeypatch.setattr(app, "html_slot", with_more)
        assert build() != today


def test_a_call_is_written_anew(checked):
    number = _number(checked.page, "take_back")
    body = {"data": [{"forged": 1}, "a\ud83d\ude00 \ud800b", []], "fn_index": number, "session_hash": "abc",
            "batched": True, "simple_format": True, "event_id": "x", "oauth_token": "t",
            "trigger_id": 10**7}  # fmt: skip
    told = call(checked, "/gradio_api/run/predict", "POST", JSON, (json.dumps(body).encode(),))
    assert told.status == 200
    passed = json.loads(checked.app.bodies[-1])
    assert passed == {
        "data": [None, "a\U0001f600 \ufffdb", []], "fn_index": number, "session_hash": "abc", "trigger_id": None,
    }  # fmt: skip
    assert dict(checked.app.scopes[-1]["headers"])[b"content-length"] == str(len(checked.app.bodies[-1])).encode()


def test_every_event_takes_what_its_fields_hold_and_offer(checked):
    refused = []
    events = [(number, event_by_number(checked.page, number)) for number in checked.page.fns]
    for number, fn in [(number, fn) for number, fn in events if fn]:
        held = [None if part.stateful else getattr(part, "value", None) for part in fn.inputs]
        offered = [
            [*held[:place], choice, *held[place + 1 :]]
            for place, part in enumerate(fn.inputs)
            if part.get_block_name() in ("dropdown", "radio")
            for _, choice in part.choices
        ]
        for data in [held, *offered]:
            try:
                checked._event({"fn_index": number, "data": data}, "abc", direct=False)
            except BadCall as error:
                refused.append(f"{fn.name}: {error}")
    assert refused == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fn_index": 9999}, "names no event"),
        ({"fn_index": True}, "names no event"),
        ({"session_hash": "a/b"}, "session_hash"),
        ({"session_hash": None}, "session_hash"),
        ({"data": []}, "a list of 3 values"),
        ({"data": [None, 7, None]}, "Value 1 of data is a number"),
        ({"data": [None, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, None]}, "describes a file"),
        ({"data": [None, {"__type__": "update"}, None]}, "describes a file or an update"),
        ({"data": [None, 10**30, None]}, "too large"),
        ({"data": [None, json.loads("[" * 30 + "]" * 30), None]}, "nested more than"),
        ({"data": [None, [0] * 3000, None]}, "3,000 values"),
    ],
)
def test_what_the_page_could_not_have_sent(checked, changed, said):
    body = {
        "data": [None, "typed", []],
        "fn_index": _number(checked.page, "take_back"),
        "session_hash": "abc",
        **changed,
    }
    told = call(checked, "/gradio_api/run/predict", "POST", JSON, (json.dumps(body).encode(),))
    assert told.status == 422
    assert said in told.detail


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b'{"data": [NaN]}', b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_call(checked, body):
    assert call(checked, "/gradio_api/queue/join", "POST", JSON, (body,)).status == 422


def test_only_json_is_taken(checked):
    """A page elsewhere may send anything else without asking first."""
    assert call(checked, "/gradio_api/run/predict", "POST", {"content-type": "text/plain"}, (b"{}",)).status == 415


@pytest.mark.parametrize("models", [["../../etc/passwd"], [["base"]], [{}], [7]])
def test_a_choice_that_isn_t_offered_never_reaches_gradio_s_log(checked, models):
    """Gradio prints the value, and with it whatever somebody typed, before it refuses it."""
    number = _number(checked.page, "answer")
    data = [None, "What is asthma?", models, 64, 0.0, 1.0, 1.1, 0, False]
    body = {"data": data, "fn_index": number, "session_hash": "abc"}
    told = call(checked, "/gradio_api/queue/join", "POST", JSON, (json.dumps(body).encode(),))
    assert (told.status, "“Models”" in told.detail) == (422, True)


def test_a_number_out_of_range_is_left_to_the_page(checked):
    number = _number(checked.page, "answer")
    body = {"data": [None, "a", ["base"], 10**6, 0.0, 1.0, 1.1, 0, False], "fn_index": number, "session_hash": "abc"}
    assert call(checked, "/gradio_api/queue/join", "POST", JSON, (json.dumps(body).encode(),)).status == 200


def test_out_of_range_is_said_here_where_gradio_would_fail(checked):
    number = _number(checked.page, "of_topic")
    body = {"data": ["No such topic"], "fn_index": number, "session_hash": "abc"}
    told = call(checked, "/gradio_api/run/predict", "POST", JSON, (json.dumps(body).encode(),))
    assert (told.status, "“Topic”" in told.detail) == (422, True)


# -- programs' calls --------------------------------------------------------------------


def _called(checked, path, body):
    return call(checked, f"/gradio_api/call/{path}", "POST", JSON, (json.dumps(body).encode(),))


@pytest.mark.parametrize(
    ("path", "body", "passed"),
    [
        ("v2/readability", {"text": "a"}, {"text": "a"}),
        ("readability", {"data": ["a"], "session_hash": "b", "oauth_token": "t"}, {"data": ["a"]}),
        ("v2/leaderboard", {}, {"metric": "flesch_kincaid_grade", "split": None, "board": None}),
        ("leaderboard", {"data": ["words"]}, {"data": ["words", None, None]}),
    ],
)
def test_a_program_s_call_is_written_anew(checked, path, body, passed):
    assert _called(checked, path, body).status == 200
    assert json.loads(checked.app.bodies[-1]) == passed


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("v2/answer", {"question": "a"}, "no endpoint 'answer'. Those that can be called are ask, compare"),
        ("take_back", {"data": []}, "no endpoint 'take_back'"),
        ("v2/ask", {"question": "a"}, "ask needs the argument model"),
        ("v2/ask", {"question": "a", "model": "base", "session": "x"}, "takes no argument 'session'"),
        ("v2/ask", {"question": "a", "model": "base", "oauth_token": "x"}, "takes no argument 'oauth_token'"),
        ("ask", {"data": ["a"]}, "ask needs the argument model"),
        ("ask", {"data": ["a"] * 9}, "a list of 7 values at most"),
        ("ask", {"data": {"question": "a"}}, "a list of 7 values at most"),
        ("ask", {"question": "a", "model": "base"}, "a list of 7 values at most"),
        ("v2/readability", {"text": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}}, "describes a file"),
        ("v2/readability", {"text": 10**30}, "too large"),
    ],
)
def test_what_no_program_can_call(checked, path, body, said):
    told = _called(checked, path, body)
    assert (told.status, said in told.detail) == (422, True), told.detail


def test_what_is_kept_for_all_is_made_under_nobody_s_host():
    """Gradio's description of its API holds the host of whoever asked first."""
    app = App()
    said = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Accept": "x"}
    for path in ("/gradio_api/info", "/gradio_api/info/", "/gradio_api/call/v2/ask"):
        call(FixedHost(app), path, headers=said)
        assert dict(app.scopes[-1]["headers"]) == {b"accept": b"x", b"host": b"localhost"}
    call(FixedHost(app), "/config", headers=said)
    assert dict(app.scopes[-1]["headers"])[b"host"] == b"evil.example"


# -- together -------------------------------------------------------------------------


def test_the_app_is_served_behind_them(lite, told_to_gradio):
    page = build_ui(ScriptedEngine(lite), lite, load_settings())
    told = told_to_gradio(page, load_settings())
    assert [one.cls for one in told["app_kwargs"]["middleware"]] == [
        SafeHeaders, KnownAddress, OpenDoors, Cached, Paced, BoundedBody, CheckedCalls, FixedHost,
    ]  # fmt: skip
    counting = [one.kwargs["limits"] for one in told["app_kwargs"]["middleware"] if "limits" in one.kwargs]
    assert all(limits is page.leaderboard.slice._admission._limits for limits in counting), "they count together"
    assert len(counting) == 3
