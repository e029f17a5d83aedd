"""Two replicas of the app, as processes of their own, on one PostgreSQL and one model server, behind a proxy."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bench.postgres import REMEDY, find_postgres, new_database, running_postgres
from bench.running_app import running_app
from medilite.arena.records import Vote
from medilite.arena.store import Store
from medilite.engine.tokenizer import BaseTokenizer
from tests.browser.round_robin import round_robin
from tests.conftest import do_without
from tests.support.fakes import WORDS
from tests.support.model_servers import ModelServer, Reply, free_port, model_server
from tests.support.small_tokenizer import write_tokenizer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("replicas")]

CONFIGURATION = Path(__file__).resolve().parent.parent.parent / "docs" / "replicas.nginx.conf"
LIVE = "vote-live-pair"


@dataclass
class Deployment:
    """Two replicas, what they stand on, and the output of each."""

    urls: list[str]
    models: ModelServer
    votes_url: str
    outputs: list[list[str]]

    def votes(self, *tokens: str) -> list[Vote]:
        """Return the votes on the pairs of these tokens, in their order."""
        store = Store(self.votes_url)
        try:
            votes = list(store.votes())
            pairs = [(token, store.find_pair(token, vote.pair.voter), vote) for token in tokens for vote in votes]
            return [vote for _, pair, vote in pairs if pair is not None and pair.id == vote.pair.id]
        finally:
            store.database.close()


@pytest.fixture(scope="module")
def deployment(lite, tmp_path_factory) -> Iterator[Deployment]:
    programs = find_postgres() or do_without(REMEDY)
    words = write_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    tokenizer = BaseTokenizer(words)

    def script(_: int, told: dict) -> Reply:
        start = 3 + 40 * lite.ids.index(told["model"])
        ids = tokenizer((WORDS + WORDS)[start:])["input_ids"]
        return Reply(ids[: told["max_tokens"]], then="length", step_s=0.005)

    with ExitStack() as stack:
        server = stack.enter_context(running_postgres(programs))
        votes_url = new_database(server.url)
        models = stack.enter_context(model_server(script, lite.ids))
        env = {
            "MEDILITE_ENGINE": "remote", "MEDILITE_SERVERS": models.url, "MEDILITE_WEIGHTS": str(words),
            "MEDILITE_VOTES_URL": votes_url, "MEDILITE_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "MEDILITE_SERVER_FIRST_TOKEN_S": "120", "MEDILITE_SERVER_NEXT_TOKEN_S": "120", "HF_HUB_OFFLINE": "1",
        }  # fmt: skip
        # Both at once: a start takes a while.
        with ThreadPoolExecutor() as pool:
            managers = [running_app(**env) for _ in range(2)]
            apps = list(pool.map(stack.enter_context, managers))
        yield Deployment([app.url.rstrip("/") for app in apps], models, votes_url, [app.output for app in apps])
    for app in apps:
        before, *traced = "".join(app.output).split("Exception in ASGI application")
        assert "Traceback" not in before, before
        # Gradio logs as an exception that it doesn't know a session, which one of these tests provokes.
        assert [text for text in traced if "in sse_stream" not in text] == []


def compare_and_vote(here) -> str:
    """Do what a visitor does: compare six answers, then vote on two live ones; return the pair's token."""
    here.ready()
    here.set_tokens(40)
    here.ask("What is asthma?")
    here.wait_done()
    assert here.states() == ["length"] * 6
    assert len(set(here.answers().values())) == 6
    token = draw_live(here.vote_tab())
    here.page.locator(f"#{LIVE} [data-choice=left]").click()
    here.wait_pair("voted", LIVE)
    here.page.close()  # before the proxy goes, which an open page would report as an error
    return token


def draw_live(here) -> str:
    """Have two models answer a question of one's own; return the pair's token."""
    here.page.get_by_label("Live").check()
    here.page.locator("#vote-question textarea").fill("What helps?")
    here.page.locator("#vote-question textarea").press("Control+Enter")
    return here.wait_pair("open", LIVE)


def test_compare_and_vote_through_the_proxy(deployment, visit):
    with round_robin(deployment.urls) as proxy:
        tokens = [compare_and_vote(visit(proxy.url)) for _ in range(2)]
        assert proxy.visitors == dict.fromkeys(deployment.urls, 1)
        assert min(proxy.requests.values()) > 10
    votes = deployment.votes(*tokens)
    assert [vote.ballot.choice for vote in votes] == ["left", "left"]
    assert len({vote.pair.voter for vote in votes}) == 2


def test_a_vote_counts_at_whichever_replica_it_arrives(deployment, visit):
    """Drawn at one replica, voted on at the other: token and voter are in the page and the store."""
    with round_robin(deployment.urls) as proxy:
        here = visit(proxy.url).ready().vote_tab()
        token = draw_live(here)
        # From here on the page's requests arrive at the other replica, as if its own were gone.
        other = dict(zip(deployment.urls, reversed(deployment.urls), strict=True))
        for visitor, home in proxy.homes.items():
            proxy.homes[visitor] = other[home]
        here.page.locator(f"#{LIVE} [data-choice=right]").click()
        here.wait_pair("voted", LIVE)
        here.page.close()
    assert [vote.ballot.choice for vote in deployment.votes(token)] == ["right"]


def test_without_stickiness_gradio_loses_the_event(deployment):
    """Why the proxy has to keep a visitor at one replica: what one process has queued, the other doesn't know."""
    with round_robin(deployment.urls, sticky=False) as proxy, httpx.Client(base_url=proxy.url, timeout=600) as client:
        queued = [d for d in client.get("/config").json()["dependencies"] if d["queue"] is not False]
        event = min(queued, key=lambda d: len(d["inputs"]))
        asked = {"data": [None] * len(event["inputs"]), "fn_index": event["id"], "session_hash": "abc"}
        joined = client.post("/gradio_api/queue/join", json=asked)
        assert joined.status_code == 200, joined.text
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "abc"}) as events:
            assert events.status_code == 404


@contextmanager
def nginx(replicas: list[str], folder: Path) -> Iterator[str]:
    """Run nginx with the documented configuration, these replicas and a free port."""
    program = shutil.which("nginx") or pytest.skip("nginx was not found; install it to test docs/replicas.nginx.conf")
    port = free_port()
    site = CONFIGURATION.read_text()
    for documented, real in zip(("127.0.0.1:7861", "127.0.0.1:7862"), replicas, strict=True):
        site = site.replace(documented, real.removeprefix("http://").rstrip("/"))
    site = re.sub(r"listen 7860;", f"listen 127.0.0.1:{port};", site)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            assert process.poll() is None, process.stderr.read()
            try:
                httpx.get(f"http://127.0.0.1:{port}/gradio_api/startup-events", timeout=30)
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_the_documented_nginx_keeps_a_visitor_at_one_replica(deployment, visit, tmp_path):
    with nginx(deployment.urls, tmp_path) as url:
        tokens = [compare_and_vote(visit(url)) for _ in range(2)]
        with httpx.Client() as client:
            first = client.get(url).headers["set-cookie"]
            assert "medilite_replica=" in first
            assert "httponly" in first
            assert "set-cookie" not in client.get(url).headers, "one cookie a visitor"
    assert len(deployment.votes(*tokens)) == 2
