"""A page of another site can neither vote, ask nor read through its visitors' browsers; programs still can."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from medilite.settings import load_settings
from medilite.ui.guard.origin import OwnPages, own_pages
from tests.security.visitor import API
from tests.ui.asgi import App, call

EVIL = "https://evil.example"
OF_EVIL = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
]


def client(attacked, **headers):
    return httpx.Client(base_url=attacked.url, headers=headers, trust_env=False, timeout=60)


@pytest.mark.parametrize("told", OF_EVIL, ids=range(len(OF_EVIL)))
def test_it_can_neither_vote_nor_ask_nor_read(attacked, at, told):
    visitor = at("192.0.2.20")
    event = visitor.named("next")
    body = visitor.body(event, visitor.values(event, call={"voter": None}))
    with client(attacked, **told) as evil:
        answers = [
            evil.post(f"{API}/run/predict", json=body),
            evil.post(f"{API}/queue/join", json=body),
            evil.post(f"{API}/call/ask", json={"data": ["What is asthma?", "base"]}),
            evil.post(f"{API}/mcp/", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
            evil.get("/config"),
            evil.get(f"{API}/queue/data", params={"session_hash": visitor.session}),
            evil.get("/votes/votes.jsonl"),
            evil.options(f"{API}/queue/join", headers={"Access-Control-Request-Method": "POST"}),
        ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    for answer in answers:
        assert not any(name.startswith("access-control-") for name in answer.headers)


def test_links_frames_and_programs_are_let_in(attacked, at):
    navigates = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    own = {"Sec-Fetch-Site": "same-origin", "Origin": attacked.url}
    for told in (navigates, own, {}, {"Sec-Fetch-Site": "none"}, {"User-Agent": "curl/8"}):
        with client(attacked, **told) as friend:
            answer = friend.get("/")
            assert answer.status_code == 200, told
            assert "access-control-allow-origin" not in answer.headers
    with client(attacked, **own) as page:
        visitor = at("192.0.2.21")
        event = visitor.named("next")
        body = visitor.body(event, visitor.values(event, call={"voter": None}))
        assert page.post(f"{API}/run/predict", json=body).status_code == 200


def test_gradio_s_client_and_an_mcp_client_still_work(attacked):
    from gradio_client import Client
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    program = Client(attacked.url, verbose=False)
    assert "asthma" in str(program.predict("What is asthma?", "base", api_name="/ask"))

    async def tools() -> list[str]:
        address = f"{attacked.url}{API}/mcp/"
        async with streamable_http_client(address) as (read, write, *_), ClientSession(read, write) as session:
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    assert "compare" in asyncio.run(tools())


def test_an_address_that_a_setting_names_and_a_space_s_frame_may_ask():
    for settings, origin in (
        (
            load_settings(host="0.0.0.0", allowed_origins="https://clinic.example, https://b.example"),
            "https://clinic.example",
        ),
        (load_settings(space_id="a/b"), "https://huggingface.co"),
    ):
        app = App()
        guard = OwnPages(app, **own_pages(settings))
        told = call(guard, "/config", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert (told.status, told.headers["access-control-allow-origin"]) == (200, origin)
        assert "access-control-allow-credentials" not in told.headers
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert call(guard, "/x", "OPTIONS", asked).headers["access-control-allow-origin"] == origin
        assert call(guard, "/config", headers={"Origin": EVIL}).status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:7860", 200), ("127.0.0.1", 200), ("[::1]:7860", 200), ("evil.example", 421), ("", 421), ("[", 421)],
)
def test_an_app_of_this_machine_is_asked_for_by_its_name(host, status):
    """A site whose name is pointed at 127.0.0.1 counts as its own origin to the browser."""
    guard = OwnPages(App(), **own_pages(load_settings()))
    assert call(guard, "/", headers={"Host": host}).status == status
    for told in ({"trusted_proxies": "1"}, {"host": "0.0.0.0"}, {"gradio_server_name": "0.0.0.0"}):
        guard = OwnPages(App(), **own_pages(load_settings(**told)))
        assert call(guard, "/", headers={"Host": "med.example"}).status == 200
