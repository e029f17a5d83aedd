"""A visitor's words are nowhere but where they agreed: not in the log, the database, the metrics or on the disk."""

from __future__ import annotations

import json
import logging
import time

import httpx
import pytest

from medilite.logs import set_up_logging
from medilite.settings import load_settings
from tests.security.visitor import API, raw, request

CANARY = "Quetzalcoatlus9317"
JSON = {"Content-Type": "application/json"}


def malformed():
    """Yield bodies that an SDK might quote: each has the canary in it."""
    yield json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": CANARY, "arguments": 3}})
    yield json.dumps({"jsonrpc": "2.0", "id": {"a": CANARY}, "method": "tools/list"})
    yield json.dumps({"jsonrpc": "2.0", "id": 1, "method": CANARY})
    yield json.dumps({"jsonrpc": "2.0", "method": CANARY, "params": {"x": CANARY}})
    yield json.dumps({"jsonrpc": "2.0", "id": CANARY, "result": {"x": CANARY}})
    yield json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "ask", "arguments": {"question": CANARY}},
        }
    )
    yield json.dumps({"jsonrpc": "1.0", "id": 1, "method": CANARY})
    yield json.dumps({"question": CANARY})
    yield json.dumps([{"jsonrpc": "2.0", "id": 1, "method": CANARY}])
    yield '{"jsonrpc": "2.0", "id": 1, "method": "' + CANARY


def test_a_canary_is_nowhere(attacked, at):
    visitor = at("192.0.2.40")
    for tab in ("compare", "chat", "vote"):
        assert CANARY in str(visitor.ask(f"What is {CANARY}?", tab))
    accept = {"Accept": "application/json, text/event-stream", "X-Forwarded-For": "192.0.2.41"}
    for body in malformed():
        answer = raw(attacked.url, request("POST", f"{API}/mcp/", {**JSON, **accept}, body.encode()))
        assert answer.status in (200, 202, 400, 404, 415, 422), (body, answer.status)
    for path in (f"{API}/queue/join", f"{API}/run/predict", f"{API}/call/ask", f"{API}/call/nothing"):
        for body in (json.dumps({"data": [CANARY], "session_hash": "s", "fn_index": 1}), f'{{"data": ["{CANARY}"'):
            raw(attacked.url, request("POST", path, {**JSON, "X-Forwarded-For": "192.0.2.42"}, body.encode()))
    time.sleep(1)
    assert CANARY not in "".join(attacked.log)
    assert CANARY not in httpx.get(f"{attacked.url}/metrics", trust_env=False).text
    for file in attacked.folder.rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file


def test_an_unknown_session_is_one_line_at_most(attacked):
    before = len(attacked.log)
    for number in range(10):
        params = {"session_hash": f"nobody{number}"}
        answer = httpx.get(f"{attacked.url}{API}/queue/data", params=params, trust_env=False)
        assert answer.status_code == 404
        assert "asked for nothing" in answer.text
    time.sleep(0.5)
    written = attacked.log[before:]
    assert len(written) <= 10, "it was 6 kB of traceback each time"
    assert "Traceback" not in "".join(written)


@pytest.mark.parametrize("name", ["root", "mcp.shared.session", "uvicorn.error", "asyncio", "anything"])
def test_no_library_s_words_reach_any_handler(name, caplog):
    undo = set_up_logging(load_settings())
    try:
        logger = logging.getLogger(None if name == "root" else name)
        # An app that was made in this process has silenced some for good.
        with caplog.at_level(logging.WARNING, logger=logger.name):
            logger.warning(f"Failed to validate request: {CANARY}")
            logger.error("Failed: %s", CANARY)
    finally:
        undo()
    assert caplog.records
    assert CANARY not in caplog.text
    assert "line" in caplog.text, "where it was said stays"
