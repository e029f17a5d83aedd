"""Two replicas on one database behind nginx, as docs/deploy.md configures it: answers stream, votes count."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from medilite.arena.store import Store
from tests.proxies import blocks, find_program, running_nginx

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def proxy(serve, tmp_path):
    """The address of nginx before two replicas, and those two engines."""
    nginx = find_program("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    urls, engines = zip(*(serve(step_s=0.05) for _ in range(2)), strict=True)
    ports = [urlsplit(url).port for url in urls]
    changes = {
        f"127.0.0.1:{documented}": f"127.0.0.1:{port}" for documented, port in zip((7861, 7862), ports, strict=True)
    }
    with running_nginx(nginx, tmp_path / "nginx", blocks("nginx")[1], changes) as url:
        yield url, engines


def test_visitors_stay_at_a_replica_and_their_answers_stream(proxy, visit, tmp_path):
    url, engines = proxy
    visitors = 0
    while not all(engine.requests for engine in engines):
        assert visitors < 12, "all visitors come to one replica"
        visitors += 1
        here = visit(url).ready()
        here.set_tokens(24)
        here.sample()
        here.ask("What is asthma?")
        here.wait_done()
        seen = {tuple(sample["tokens"]) for sample in here.sample(False) if any(sample["tokens"])}
        assert len(seen) > 3, "the answers came at once"
        assert len(here.answers()) == 6
    here.vote_tab()
    page = here.page
    page.get_by_label("Live").check()
    page.locator("#vote-question textarea").fill("What helps against hay fever?")
    page.click("#vote-ask")
    here.wait_pair("open", "vote-live-pair")
    # The replica that wrote the pair goes; another one takes the vote.
    page.context.clear_cookies()
    page.locator("#vote-live-pair [data-choice=left]").click()
    here.wait_pair("voted", "vote-live-pair")
    store = Store(tmp_path / "votes" / "votes.db")
    try:
        assert [vote.ballot.choice for vote in store.votes()] == ["left"]
    finally:
        store.database.close()
