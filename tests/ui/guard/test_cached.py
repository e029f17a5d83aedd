"""What is the same for everybody is made and compressed once; everything else is left alone."""

from __future__ import annotations

import asyncio
import gzip

import brotli
import httpx
import pytest

from medilite.settings import load_settings
from medilite.ui.guard.cached import Cached
from medilite.ui.guard.headers import SafeHeaders, script_hash
from medilite.ui.guard.limits import VisitorLimits

FILE = "/assets/index-DphvyggB.js"
PAGE = "<html><script>let here = '{host}'</script>" + "<p>words</p>" * 400


class Made:
    """An app that counts what it is asked for, and answers with the host in it."""

    def __init__(self, *more: tuple[bytes, bytes], status: int = 200) -> None:
        self.asked: list[str] = []
        self.more, self.status = list(more), status

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["path"])
        await asyncio.sleep(0.01)
        host = dict(scope["headers"])[b"host"].decode()
        body = PAGE.replace("{host}", host).encode()
        headers = [(b"content-type", b"text/html"), (b"etag", b'"1"'), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": [*headers, *self.more]})
        await send({"type": "http.response.body", "body": body[:10], "more_body": True})
        await send({"type": "http.response.body", "body": body[10:]})


def ask(app, *requests, method="GET"):
    """Send requests, (address, headers) each, at the same time, and return the responses."""

    async def all_of_them():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://one.example") as client:
            return await asyncio.gather(*(client.request(method, url, headers=headers) for url, headers in requests))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [
        ("gzip, deflate, br", "br", brotli.decompress), ("gzip;q=0.5, BR;q=1.0", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress), ("br;q=0, gzip", "gzip", gzip.decompress),
        ("identity", None, bytes), ("br;q=0.0", None, bytes),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/config", FILE])
def test_it_is_made_once_in_each_encoding_for_all_who_come_at_once(path, accepted, encoding, unpack):
    made = Made()
    kept = Cached(made)
    answers = ask(kept, *[(path, {"Accept-Encoding": accepted})] * 5) + ask(kept, (path, {"Accept-Encoding": accepted}))
    assert made.asked == [path]
    for answer in answers:
        assert (answer.status_code, answer.headers.get("content-encoding")) == (200, encoding)
        assert answer.text == PAGE.replace("{host}", "one.example")
        assert answer.headers["vary"] == "Accept-Encoding"
        assert ("immutable" in answer.headers.get("cache-control", "")) == (path == FILE)
    sent = asyncio.run(_raw(kept, path, accepted))
    assert unpack(sent) == answers[0].content


async def _raw(app, path, accepted):
    sent = bytearray()

    async def send(message):
        sent.extend(message.get("body", b""))

    headers = [(b"host", b"one.example"), (b"accept-encoding", accepted.encode())]
    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "scheme": "http",
        "root_path": "",
    }  # fmt: skip
    await app(scope, None, send)
    return bytes(sent)


def test_a_document_is_kept_by_the_address_that_is_in_it_and_its_scripts_may_run():
    made = Made()
    app = SafeHeaders(Cached(made))
    for host in ("one.example", "two.example") * 2:
        (answer,) = ask(app, ("/", {"Host": host}))
        script = f"let here = '{host}'"
        assert script in answer.text
        assert script_hash(script) in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "scripts" not in answer.headers
    for name, value in (("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")):
        ask(app, ("/", {name: value}))
    assert len(made.asked) == 4


@pytest.mark.parametrize(
    ("url", "headers", "method"),
    [
        ("/?deep_link=x", {}, "GET"), ("/?p%61ge=x", {}, "GET"), ("/", {}, "HEAD"),
        (FILE, {"Range": "bytes=0-9"}, "GET"), ("/config?deep_link=x", {}, "GET"), ("/config", {}, "HEAD"),
        ("/assets/index.js", {}, "GET"), ("/static/a-DphvyggB.js", {}, "GET"),
        ("/assets/a-DphvyggB.json", {}, "GET"),
    ],
)  # fmt: skip
def test_everything_else_passes_each_time(url, headers, method):
    made = Made()
    kept = Cached(made)
    for _ in range(2):
        ask(kept, (url, headers), method=method)
    assert len(made.asked) == 2


@pytest.mark.parametrize("made", [Made(status=404), Made(status=500), Made((b"set-cookie", b"a=b"))])
def test_what_is_not_for_everybody_is_sent_on_and_not_kept(made):
    made.asked.clear()
    kept = Cached(made)
    for _ in range(2):
        (answer,) = ask(kept, (FILE, {}))
        assert (answer.status_code, answer.text) == (made.status, PAGE.replace("{host}", "one.example"))
    assert len(made.asked) == 2


def test_queries_that_it_does_not_depend_on_make_it_no_more_often():
    made = Made()
    kept = Cached(made)
    for query in ("", "?__theme=dark", "?x=1", "?x=2", "?q=asthma&m=base"):
        assert ask(kept, (f"/{query}", {}))[0].status_code == 200
    assert len(made.asked) == 1


def test_a_browser_that_has_it_is_told_so():
    kept = Cached(Made())
    ask(kept, (FILE, {}))
    for known, status in (('"1"', 304), ('W/"1", "2"', 304), ('"2"', 200)):
        (answer,) = ask(kept, (FILE, {"If-None-Match": known}))
        assert (answer.status_code, bool(answer.content)) == (status, status == 200)


@pytest.mark.parametrize("path", ["/", "/config", "/config/"])
def test_documents_that_have_to_be_made_are_limited_by_address_and_kept_ones_are_not(path):
    made = Made()
    kept = Cached(made, VisitorLimits(load_settings()))
    ask(kept, (path, {}))
    made_up = [(path, {"Host": f"{number}.example"}) for number in range(100)]
    made_up += [(f"{path}?deep_link={number}", {}) for number in range(100)]
    statuses = [answer.status_code for answer in ask(kept, *made_up)]
    assert set(statuses) == {200, 429}
    assert len(made.asked) < 130
    assert {answer.status_code for answer in ask(kept, *[(path, {})] * 200)} == {200}


def test_what_is_kept_is_bounded():
    made = Made()
    kept = Cached(made, most_bytes=2 * len(PAGE))
    for number in range(20):
        ask(kept, (f"/assets/index-{number:08d}.js", {"Accept-Encoding": "identity"}))
    assert len(kept._kept) == 1
    assert sum(len(one.body) for one in kept._kept.values()) <= 2 * len(PAGE)
    assert not kept._making
