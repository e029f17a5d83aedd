"""The crowd: its visitors see what goes wrong, its votes are looked for, its figures are right."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import sys
import time
from pathlib import Path

import httpx
import pytest

from bench.crowd import reading
from bench.crowd.__main__ import main
from bench.crowd.browser import Browser, changed
from bench.crowd.page import Page
from bench.crowd.page_files import Files
from bench.crowd.report import level, quantiles, slope
from bench.crowd.server import Watch
from bench.crowd.tally import CastVote, QueueFullError, Tally, WentWrongError
from bench.crowd.votes import kept_votes
from medilite.arena.booth import Shown
from medilite.arena.marks import mark
from medilite.arena.records import Ballot
from medilite.arena.store import Limits, Store
from medilite.arena.voters import new_voter_id, voter_of
from medilite.errors import DataError, EngineError
from medilite.records import Decoding
from medilite.ui.compare.cards import grid_html
from medilite.ui.compare.comparison import Comparison
from medilite.ui.guard.limits import Admission
from medilite.ui.page import notices
from medilite.ui.vote.cards import open_html
from tests.arena.made import pair

NOW = 1_800_000_000.0


def test_answers_are_read_as_the_page_shows_them(lite):
    comparison = Comparison.of("Is <b> bold?", lite, lite.models, Decoding(), 0, 1)
    first = comparison.panes[0]
    first.text, first.tokens = "Less < more & so on.", 7
    first.stopped = "length"
    cards = reading.cards(grid_html(comparison))
    assert [card.model for card in cards] == [spec.id for spec in lite.models]
    assert (cards[0].tokens, cards[0].state, cards[0].text) == (7, "length", "Less < more & so on.")
    assert all(card.state == "waiting" for card in cards[1:])
    assert all(card.marked for card in cards)


def test_a_pair_its_token_and_its_voter_are_read():
    shown = open_html(Shown("to-ken_1", "Why?", "Because & so.", "No."), "ready")
    assert reading.pair(shown) == ("open", "to-ken_1")
    assert [card.text for card in reading.cards(shown)] == ["Because & so.", "No."]
    assert all(card.marked for card in reading.cards(shown))
    assert reading.pair("") == ("", "")


def test_a_full_house_is_told_from_other_errors():
    house = Admission(2)
    with house.seat("a"), house.seat("b"), pytest.raises(EngineError) as full, house.seat("c"):
        pass
    said = reading.error(notices.error_html(str(full.value)))
    assert said == str(full.value)
    assert reading.is_full(said)
    assert not reading.is_full("The adapter gave numbers that are not finite.")


@pytest.mark.parametrize("ahead", [1, 17])
def test_a_place_in_the_queue_is_read(ahead):
    assert reading.ahead(notices.waiting_html(ahead)) == ahead
    assert reading.ahead(notices.status_html("Writing.", "busy")) == 0


def test_half_a_page_is_no_page():
    with pytest.raises(DataError, match="not a whole one"):
        Page.read('<html><script>window.gradio_config = {"components": []};</script>')


def test_a_page_leads_to_the_files_that_draw_it():
    """Gradio's own, as installed: a browser that opens the page fetches the code of its components, and no other."""
    import gradio

    folder = Path(gradio.__file__).parent / "templates" / "frontend"
    document = (folder / "index.html").read_text(encoding="utf-8")
    named = [f"/assets/{name}" for name in re.findall(r'"\./assets/([^"]+)"', document)]
    had: set[str] = set()
    asyncio.run(Files().fetch(named, {"html", "textbox"}, _reader(folder), had))
    code = sum(name.endswith(".js") for name in had)
    assert any("Blocks-" in name for name in had)
    with_slider: set[str] = set()
    asyncio.run(Files().fetch(named, {"html", "textbox", "slider"}, _reader(folder), with_slider))
    assert had < with_slider
    assert 15 < code < sum(name.endswith(".js") for name in with_slider) < 60
    assert all((folder / name.lstrip("/")).is_file() for name in with_slider)


def _reader(folder):
    async def read(path: str) -> str:
        return (folder / path.lstrip("/")).read_text(encoding="utf-8")

    return read


def test_differences_make_what_the_page_shows():
    assert changed(["ab", "x", {"a": 1}], [[["append", [], "c"]], [], [["replace", ["a"], 2]]]) == [
        "abc",
        "x",
        {"a": 2},
    ]
    with pytest.raises(WentWrongError):
        changed(["ab"], [[["append", ["a"], "c"]]])


DEPENDENCY = {"id": 3, "targets": [[1, "click"]], "inputs": [2], "outputs": [2], "backend_fn": True}
CONFIG = {
    "components": [{"id": 1, "type": "button", "props": {"elem_id": "ask"}}, {"id": 2, "type": "html", "props": {}}],
    "dependencies": [DEPENDENCY],
}


def listen(*messages: dict, join: httpx.Response | None = None) -> list[object]:
    """Send an event to a server that answers with these messages; return what the page showed, one after another."""
    lines = "".join(f"data: {json.dumps({'event_id': 'e', **message})}\n\n" for message in messages)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/join"):
            return join or httpx.Response(200, json={"event_id": "e"})
        return httpx.Response(200, text=lines)

    async def use() -> list[object]:
        browser = Browser("http://app", "198.18.0.1", Tally(), Files())
        await browser._http.aclose()
        browser._http = httpx.AsyncClient(base_url="http://app", transport=httpx.MockTransport(answer))
        browser.show(Page(CONFIG, ()))
        shown = [browser.shown[2] async for _ in browser.stream(browser.page.click("ask"))]
        await browser.close()
        return shown

    return asyncio.run(use())


def step(*data: object, msg: str = "process_generating", success: bool = True) -> dict:
    return {"msg": msg, "success": success, "output": {"data": list(data), "error": "no room"}}


APPENDED = step([["append", [], "bc"]])
CLOSE = {"msg": "close_stream"}


def test_a_stream_is_shown_step_by_step():
    assert listen(step("a"), APPENDED, step("abc", msg="process_completed"), CLOSE) == ["a", "abc", "abc"]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((step("a"), APPENDED, step("axc", msg="process_completed"), CLOSE), "don't add up"),
        ((step("a"), step(msg="process_completed", success=False), CLOSE), "no room"),
        ((step("a"), CLOSE), "ended before"),
        ((step("a"),), "ended before"),
        (({"msg": "unexpected_error", "message": "stopped"},), "stopped"),
        (({**step("a"), "event_id": "somebody's"},), "hasn't sent"),
    ],
)
def test_a_stream_that_goes_wrong_is_found(messages, said):
    with pytest.raises(WentWrongError, match=said):
        listen(*messages)


def test_gradios_own_full_queue_is_no_error():
    with pytest.raises(QueueFullError, match="Queue is full"):
        listen(join=httpx.Response(503, json={"detail": "Queue is full. Max size is 64."}))
    with pytest.raises(WentWrongError, match="503"):
        listen(join=httpx.Response(503, json={"detail": "Queue is stopped."}))


def test_a_request_on_a_connection_that_is_just_closed_is_sent_again():
    """As browsers do; one that fails on a fresh connection is an error."""

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if b"/dead" not in asked:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def use() -> Tally:
        server = await asyncio.start_server(serve_once, "127.0.0.1", 0)
        tally = Tally()
        browser = Browser(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "198.18.0.1", tally, Files())
        assert [(await browser._get("/")).text for _ in range(3)] == ["ok", "ok", "ok"]
        await browser.close()
        with pytest.raises(httpx.RemoteProtocolError):
            await Browser(str(browser._http.base_url), "198.18.0.1", tally, Files())._get("/dead")
        server.close()
        return tally

    assert asyncio.run(use()).resent == 2


def test_a_browser_says_once_which_session_is_over():
    said: list[str] = []

    async def close_twice() -> None:
        browser = Browser("http://app", "198.18.0.1", Tally(), Files())
        answer = httpx.MockTransport(lambda request: said.append(request.url.path) or httpx.Response(204))
        browser._http = httpx.AsyncClient(base_url="http://app", transport=answer)
        browser.session = "abc"
        await browser.close()
        await browser.close()

    asyncio.run(close_twice())
    assert said == ["/left/abc"]


@pytest.fixture
def votes(tmp_path):
    """A database with three votes, and the votes as their visitors know them."""
    address = str(tmp_path / "votes.db")
    store = Store(address)
    told = []
    for number in range(3):
        voter_id = new_voter_id(store)
        voter = voter_of(store, voter_id)
        made = pair(voter=voter, question_key=str(number))
        token = store.add_pair(dataclasses.replace(made, created_at=NOW, expires_at=NOW + 60))
        store.cast(token, voter, Ballot.parse("left"), NOW + 1, Limits(), mark)
        told.append(CastVote(voter_id, token, "left"))
    store.database.close()
    return address, told


def test_votes_that_are_there_are_found(votes):
    address, told = votes
    kept = kept_votes(address, told)
    assert (kept.acknowledged, kept.once, kept.missing, kept.strangers) == (3, 3, 0, 0)
    assert kept.none_lost


def test_a_lost_a_changed_and_a_doubled_vote_are_found(votes):
    address, (first, second, third) = votes
    lost = CastVote(first.voter, "A" * 32, "left")
    kept = kept_votes(address, [first, lost])
    assert (kept.missing, kept.strangers, kept.none_lost) == (1, 2, False)
    assert not kept_votes(address, [CastVote("a.b", first.token, "left")]).none_lost
    changed_choice = kept_votes(address, [dataclasses.replace(second, choice="right")])
    assert (changed_choice.with_another_choice, changed_choice.none_lost) == (1, False)
    assert kept_votes(address, [third, third]).more_than_once == 1


def test_a_time_counts_only_where_all_went_well():
    tally = Tally()
    with tally.timed("page"):
        time.sleep(0.001)
    with pytest.raises(ValueError, match="no"), tally.timed("page"):
        raise ValueError("no")
    assert len(tally.seconds["page"]) == 1


def test_quantiles_are_in_milliseconds():
    assert quantiles([number / 1000 for number in range(101)]) == {
        "n": 101, "p50": pytest.approx(50), "p95": pytest.approx(95), "max": pytest.approx(100)
    }  # fmt: skip
    assert quantiles([]) == {"n": 0, "p50": None, "p95": None, "max": None}


def test_the_slope_is_that_of_the_last_half():
    minutes = [second / 60 for second in range(300)]
    told = slope(minutes, [500 if second < 150 else 500 + 3 * (second - 150) / 60 for second in range(300)])
    assert told is not None
    assert told["slope"] == pytest.approx(3)
    assert told["low"] == pytest.approx(3)
    wavy = slope(minutes, [500 + second % 7 for second in range(300)])
    assert wavy["low"] < 0 < wavy["high"]
    assert slope(minutes[:30], [1.0] * 30) is None
    assert slope(minutes[:110], [1000.0 + second for second in range(110)]) is None, "all of it is the start"


@pytest.mark.parametrize(("per_min", "wanted"), [(0, True), (6, True), (-3, True), (10, False)])
def test_memory_is_level_where_half_a_run_adds_less_than_a_fiftieth(per_min, wanted):
    """Of 1,000 MB, 20 in two and a half minutes are 8 a minute."""
    watch = Watch(0)
    watch.at_s = list(range(300))
    watch.own = [int(1e6 * (1000 + per_min * second / 60 + second % 3)) for second in watch.at_s]
    assert level(watch) is wanted
    watch.at_s, watch.own = watch.at_s[:20], watch.own[:20]
    assert level(watch) is None


@pytest.mark.slow
def test_a_small_crowd_uses_the_app_and_nothing_goes_wrong(tmp_path, capsys):
    out = tmp_path / "crowd.json"
    scripted = f"{sys.executable} -u -m tests.support.scripted_app 0.001 {tmp_path / 'bank'}"
    few = ["--visitors", "4", "--minutes", "0.05", "--command", scripted, "--think", "0.1", "--lab", "0.25"]
    assert main([*few, "--json", str(out)]) == 0
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["actions"]["arrive"]["done"] == 4
    assert told["in_the_lab"] == 1
    assert told["errors"] == {}
    assert told["found"]["no_error"] is told["found"]["no_vote_lost"] is True
    assert told["votes"]["acknowledged"] == told["votes"]["once"]
    assert told["without_model_ms"]["page"]["n"] >= 4
    assert told["memory_mb"]["rss"]["end"] >= told["memory_mb"]["own"]["end"] > 0
    assert "ERROR" not in capsys.readouterr().out
