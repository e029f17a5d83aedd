"""Signing in, with the app as a process that has a Space's variables and an OpenID provider that answers it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import itsdangerous
import pytest

from medilite.arena.booth import Booth
from medilite.arena.records import text_key
from medilite.arena.votes import Votes
from tests.browser.pages import Visit
from tests.browser.test_axe import grave
from tests.browser.test_looks import CONTRAST, NAMELESS
from tests.browser.test_vote import LISTEN, kept_by_the_browser, told, without_voter
from tests.security.conftest import NO_LIMITS, Server, serving
from tests.security.visitor import Visitor
from tests.support.openid import ACCESS_TOKEN, CLIENT_SECRET, Provider, running_provider
from tests.support.thorough import thorough

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("sign_in")]


FREE = {**NO_LIMITS, "MEDILITE_SIGN_INS_PER_ADDRESS": "off"}
LINE = "#vote-account .vt-account"


@dataclass
class Space:
    """The app, and the provider that its visitors sign in at."""

    server: Server
    provider: Provider

    @property
    def url(self) -> str:
        return self.server.url + "/"

    def rows(self, table: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.server.folder / "votes" / "votes.db")) as votes:
            votes.row_factory = sqlite3.Row
            return [dict(row) for row in votes.execute(f"SELECT * FROM {table}")]


@pytest.fixture(scope="module")
def running_space(tmp_path_factory) -> Iterator[Space]:
    folder = tmp_path_factory.mktemp("space")
    with running_provider() as provider, serving(folder, **FREE, **provider.environment()) as server:
        yield Space(server, provider)
        said = "".join(server.log)
    found = [one for account in provider.accounts.values() for one in account.values() if one in said]
    found += [word for word in (ACCESS_TOKEN, CLIENT_SECRET, "eyJ", "code=", "state=") if word in said]
    assert found == [], "the log tells of who signed in"


@pytest.fixture
def space(running_space) -> Iterator[Space]:
    yield running_space
    provider = running_space.provider
    provider.lasts_s, provider.breaks, provider.forges, provider.hangs_up = 3600, False, False, False


# -- by hand -----------------------------------------------------------------------


def get(url: str, cookie: str = "") -> httpx.Response:
    return httpx.get(url, headers={"Cookie": cookie} if cookie else {}, timeout=120, trust_env=False)


def cookie_of(answer: httpx.Response, before: str = "") -> str:
    """Return the cookie to send from now on. By hand: it is for https alone."""
    said = answer.headers.get("set-cookie")
    if said is None:
        return before
    assert all(word in said.lower() for word in ("httponly", "secure", "samesite=none")), said
    return said.split(";")[0]


def sign_in(space: Space, account: str, cookie: str = "") -> httpx.Response:
    """Go all the way; return the last answer, from the app."""
    begun = get(space.url + "login/huggingface", cookie)
    cookie = cookie_of(begun, cookie)
    agreed = get(f"{begun.headers['location']}&as={account}")
    return get(agreed.headers["location"], cookie)


class Voter:
    """Somebody who posts to the vote's events, from a browser of their own, signed in or not."""

    def __init__(self, space: Space, cookie: str = "") -> None:
        self.space, self.cookie = space, cookie
        self.page = Visitor(space.server.url)
        self.browser: str | None = None

    def sign_in(self, account: str) -> Voter:
        self.cookie = cookie_of(sign_in(self.space, account))
        return self

    def send(self, event: str, **call: object) -> str:
        self.page.http.headers["Cookie"] = self.cookie
        known = self.page.event(f"vote-do-{event}")
        given = {"voter": self.browser, **call}
        return self.page.run(self.page.body(known, self.page.values(known, call=given))).text

    def draw(self, **call: object) -> tuple[str, str]:
        """Take a pair; return its token and all that came."""
        said = self.send("next", **call)
        self.browser = re.search(r'data-voter=\\"([^"\\]+)', said)[1]
        return re.search(r'data-token=\\"([^"\\]*)', said)[1], said

    def cast(self, token: str, choice: str = "left", **call: object) -> str:
        return self.send("cast", token=token, choice=choice, left=[], right=[], **call)


def is_signed_in(said: str) -> bool:
    return 'data-signed-in=\\"true' in said


def words(said: str) -> str:
    return said.encode().decode("unicode_escape") if "\\u" in said else said


def test_one_account_is_one_voter_on_two_devices(space):
    sub = space.provider.make("ada")
    both = [Voter(space).sign_in("ada"), Voter(space).sign_in("ada")]
    tokens = []
    for number in range(8):
        token, said = both[number % 2].draw()
        assert is_signed_in(said)
        assert 'data-state=\\"taken' in both[number % 2].cast(token)
        assert "already voted on this pair" in both[(number + 1) % 2].cast(token, "right"), "on either, once"
        tokens.append(text_key(token))
    assert both[0].browser != both[1].browser
    drawn = {pair["id"]: pair["voter"] for pair in space.rows("pairs") if pair["token_sha256"] in tokens}
    assert len(set(drawn.values())) == 1
    mine = [vote for vote in space.rows("votes") if vote["voter"] in drawn.values()]
    assert {vote["id"] for vote in mine} == set(drawn)
    assert {vote["choice"] for vote in mine} == {"left"}
    places = {(v["question_key"], frozenset((v["left_contestant"], v["right_contestant"]))) for v in mine}
    assert len(places) == 8
    kept = str([space.rows(table) for table in ("votes", "pairs", "meta", "changed")])
    assert not any(word in kept for word in (sub, "ada-z", "Zylberstein", ACCESS_TOKEN))


def test_a_pair_is_not_for_who_only_knows_of_its_account(space):
    sub = space.provider.make("bea")
    bea = Voter(space).sign_in("bea")
    token, _ = bea.draw()
    hub = next(p["voter"] for p in space.rows("pairs") if p["token_sha256"] == text_key(token))
    assert hub.startswith("hub:")
    stranger = Voter(space)
    stranger.draw()
    before = len(space.rows("votes"))
    for id in (sub, "bea-z", hub, hub.removeprefix("hub:"), {"account": sub}, stranger.browser, bea.browser):
        assert (
            "nothing was counted"
            in words(stranger.send("cast", voter=id, token=token, choice="left", left=[], right=[])).lower()
        )
    # Signed in as somebody else it isn't theirs either, though the id of bea's browser goes along.
    space.provider.make("carl")
    carl = Voter(space).sign_in("carl")
    carl.browser = bea.browser
    assert "known here" in carl.cast(token)
    assert len(space.rows("votes")) == before
    assert 'data-state=\\"taken' in bea.cast(token)


def test_a_live_pair_is_the_account_s_too(space):
    """It comes by Gradio's queue, and not as an answer to the request."""
    space.provider.make("dora")
    dora = Voter(space).sign_in("dora")
    dora.page.http.headers["Cookie"] = dora.cookie
    shown = str(dora.page.ask("What helps against cold feet?", "vote"))
    assert 'data-signed-in="true"' in shown
    # Every model says what it is asked, so the two are the same and make no pair.
    assert "Both answers are the same" in shown


def forged(info: dict[str, Any], secret: str) -> str:
    key = hashlib.sha256(f"{secret}-v4".encode()).hexdigest()
    data = base64.b64encode(json.dumps({"oauth_info": info}).encode())
    return f"session={itsdangerous.TimestampSigner(key).sign(data).decode()}"


def test_a_forged_or_an_old_session_is_nobody_s(space):
    names = dict.fromkeys(("name", "preferred_username", "profile", "picture"), "")
    info = {"userinfo": {"sub": "6512", **names}, "expires_at": int(time.time()) + 600}
    good = forged(info, CLIENT_SECRET)
    assert is_signed_in(Voter(space, good).draw()[1]), "a cookie made this way would do"
    for cookie in (
        forged(info, "guessed"), good[:-3] + "abc", good.replace("session=", "session=x"), "session=", "session=null",
        "session=" + "é" * 20, forged({**info, "expires_at": int(time.time()) - 1}, CLIENT_SECRET),
    ):  # fmt: skip
        _, said = Voter(space, cookie.encode("latin-1").decode("latin-1")).draw()
        assert not is_signed_in(said)


def test_a_session_that_ends_while_a_pair_stands_loses_nothing(space):
    space.provider.make("eve")
    eve = Voter(space).sign_in("eve")
    token, _ = eve.draw()
    signed_in, eve.cookie = eve.cookie, ""
    before = len(space.rows("votes"))
    said = words(eve.cast(token, signed_in=True))
    assert "this pair was drawn for your account: nothing was counted" in said
    assert 'data-signed-in=\\"false' in said
    assert 'data-state=\\"taken' not in said
    assert len(space.rows("votes")) == before
    eve.cookie = signed_in
    assert 'data-state=\\"taken' in eve.cast(token, signed_in=True)
    eve.cookie = ""
    assert "so it counts" in words(eve.send("undo", token=token, signed_in=True))
    other, said = eve.draw(signed_in=True)
    assert "From this pair on your votes count as this browser" in words(said)
    assert 'data-state=\\"taken' in eve.cast(other)
    assert len(space.rows("votes")) == before + 2


def test_a_page_elsewhere_can_t_vote_in_an_account_s_name(space):
    space.provider.make("finn")
    finn = Voter(space).sign_in("finn")
    token, _ = finn.draw()
    before = len(space.rows("votes"))
    finn.page.http.headers.update({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert "page of another site" in finn.cast(token)
    assert "page of another site" in finn.send("next")
    assert get(space.url + "logout", finn.cookie).status_code == 307
    assert httpx.get(space.url + "logout", headers={"Sec-Fetch-Site": "cross-site"}, trust_env=False).status_code == 403
    assert len(space.rows("votes")) == before


@pytest.mark.parametrize(
    ("trouble", "failure"), [("hangs_up", "unreachable"), ("breaks", "unreachable"), ("forges", "failed")]
)
def test_a_provider_in_trouble_is_told_and_the_page_goes_on(space, trouble, failure):
    space.provider.make("gus")
    begun = get(space.url + "login/huggingface")
    agreed = get(f"{begun.headers['location']}&as=gus")
    setattr(space.provider, trouble, True)
    came = get(agreed.headers["location"], cookie_of(begun))
    assert (came.status_code, came.headers["location"]) == (303, f"/#vote-signin-{failure}")
    voter = Voter(space, cookie_of(came))
    token, said = voter.draw(came=failure)
    assert "your votes count as this browser" in words(said).lower()
    assert not is_signed_in(said)
    assert 'data-state=\\"taken' in voter.cast(token)


def test_an_answer_to_a_question_that_this_browser_didn_t_ask(space):
    """The state is checked, a code counts once, and where cookies are blocked it ends."""
    space.provider.make("hal")
    begun = get(space.url + "login/huggingface")
    agreed = get(f"{begun.headers['location']}&as=hal").headers["location"]
    # In another browser, which has no such state, or another's: Gradio begins anew, once.
    for cookie in ("", cookie_of(get(space.url + "login/huggingface"))):
        again = get(agreed, cookie)
        assert again.headers["location"].startswith("/login/huggingface?_nb_redirects=1")
        assert "oauth_info" not in str(again.headers)
    begun_again = get(space.url + again.headers["location"].lstrip("/"))
    agreed_again = get(f"{begun_again.headers['location']}&as=hal").headers["location"]
    third = get(agreed_again)
    assert get(space.url + third.headers["location"].lstrip("/")).headers["location"] == "/#vote-signin-cookies"
    cookie = cookie_of(begun)
    done = get(agreed, cookie)
    assert done.headers["location"] == "/#vote"
    # Once more with the cookie of before: the code has been used.
    assert get(agreed, cookie).headers["location"] == "/#vote-signin-failed"


def test_the_cookie_holds_an_id_and_a_time(space):
    sub = space.provider.make("ian")
    cookie = cookie_of(sign_in(space, "ian"))
    held = json.loads(base64.b64decode(cookie.split("=", 1)[1].split(".")[0] + "=="))
    assert held["oauth_info"]["userinfo"] == {
        "sub": sub,
        "name": "",
        "preferred_username": "",
        "profile": "",
        "picture": "",
    }
    assert set(held) == {"oauth_info"}
    assert set(held["oauth_info"]) == {"userinfo", "expires_at"}
    assert get(space.url).headers.get("set-cookie") is None, "who only looks gets no cookie"


# -- in a browser ------------------------------------------------------------------


@pytest.fixture
def arrive(space, visit) -> Callable[..., Visit]:
    """Return a function that opens the tab; that the provider is another host is no fault of the page."""
    visits = []

    def start(size: str = "desktop", scheme: str = "light", **options: object) -> Visit:
        visits.append(visit(space.url, size, scheme, **options))
        return visits[-1].vote_tab()

    yield start
    for here in visits:
        here.foreign[:] = [url for url in here.foreign if not url.startswith(space.provider.url + "/authorize?")]


def sign_in_here(here: Visit, account: str) -> None:
    """By keyboard alone, to the tab that one left."""
    link = here.page.get_by_role("link", name="Sign in with Hugging Face")
    link.focus()
    here.page.keyboard.press("Enter")
    here.page.get_by_role("link", name=account, exact=True).click()
    here.page.wait_for_selector(f"{LINE}[data-signed-in=true]")
    here.wait_pair("open")


@pytest.mark.parametrize("size", ["desktop", pytest.param("phone", marks=thorough)])
def test_in_votes_and_out_again(space, arrive, lite, size):
    name = f"jo-{size}"
    sub = space.provider.make(name)
    here = arrive(size)
    page = here.page
    page.add_init_script(LISTEN)
    own = here.stored("medilite-voter")
    sign_in_here(here, name)
    assert page.url == space.url, "nothing is left in the address"
    assert here.stored("medilite-voter") == own
    page.wait_for_timeout(1500)  # the last tick of the loading model has come
    already = page.evaluate("window.received.length")
    first = here.wait_pair("open")
    page.keyboard.press("n")
    here.wait_pair("open", but=first)
    # Nothing that comes tells who answered, nor who is signed in.
    storage = without_voter(here, kept_by_the_browser(page, lite))
    data = [
        without_voter(here, json.dumps([reply["url"], reply["text"]]))
        for reply in page.evaluate("window.received")[already:]
    ]
    assert any("vt-pair" in reply for reply in data)
    with closing(Votes(space.server.folder / "votes" / "votes.db")) as votes:
        patterns = [*told(lite, Booth(lite, votes)), sub, f"{name}-z", "Zylberstein"]
    assert [p for p in patterns for text in (*data, storage) if re.search(p, text, re.IGNORECASE)] == []
    page.keyboard.press("1")
    here.wait_pair("voted")
    link = page.get_by_role("link", name="Sign out")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{LINE}[data-signed-in=false]")
    here.wait_pair("open")
    assert page.context.cookies() == []
    assert here.stored("medilite-voter") == own
    page.keyboard.press("2")
    here.wait_pair("voted")
    last = sorted(space.rows("votes"), key=lambda vote: vote["voted_at"])[-2:]
    assert [vote["voter"].partition(":")[0] for vote in last] == ["hub", "browser"]
    assert here.overflow() <= 0


@thorough
def test_signing_in_and_out_on_another_page_while_a_pair_stands(space, arrive):
    space.provider.make("lea")
    here = arrive()
    first = here.wait_pair("open")
    other = Visit(here.page.context.new_page(), space.url).open().vote_tab()
    sign_in_here(other, "lea")
    before = len(space.rows("votes"))
    error = here.page.locator("#vote-error")
    here.page.keyboard.press("1")
    here.wait_pair("voted")
    error.get_by_text("drawn before you signed in").wait_for()
    here.page.wait_for_selector(f"{LINE}[data-signed-in=true]")
    here.page.keyboard.press("n")
    second = here.wait_pair("open", but=first)
    assert error.text_content().strip() == ""
    other.page.get_by_role("link", name="Sign out").click()
    other.page.wait_for_selector(f"{LINE}[data-signed-in=false]")
    here.page.keyboard.press("1")
    error.get_by_text("nothing was counted").wait_for()
    assert here.wait_pair("open") == second
    assert len(space.rows("votes")) == before + 1
    sign_in_here(other, "lea")
    here.page.keyboard.press("1")
    here.wait_pair("voted")
    assert error.text_content().strip() == ""
    last = sorted(space.rows("votes"), key=lambda vote: vote["voted_at"])[before:]
    assert [vote["voter"].partition(":")[0] for vote in last] == ["browser", "hub"]
    other.page.close()


@thorough
def test_who_declines_is_told_and_votes_on(space, arrive):
    here = arrive()
    here.page.get_by_role("link", name="Sign in with Hugging Face").click()
    here.page.get_by_role("link", name="no", exact=True).click()
    here.page.wait_for_selector("#vote-pair .vt-pair[data-state=open]")
    here.page.locator("#vote-error").get_by_text("You are not signed in, and nothing has changed").wait_for()
    here.page.reload()
    here.vote_tab()
    here.wait_pair("open")
    assert here.page.locator("#vote-error").text_content().strip() == "", "said once"


@thorough
def test_inside_of_another_page_it_opens_a_tab_of_its_own(space, browser):
    """As a Space stands in a page of huggingface.co."""
    space.provider.make("mia")
    context = browser.new_context()
    context.grant_permissions(["local-network-access"])  # the app's address is this machine's own
    outer = f"<!doctype html><title>A Space</title><iframe src='{space.url}' style='width:90vw;height:90vh'></iframe>"
    context.route("https://huggingface.co/**", lambda route: route.fulfill(body=outer, content_type="text/html"))
    page = context.new_page()
    page.goto("https://huggingface.co/spaces/here/medilite")
    inner = page.frame_locator("iframe")
    inner.get_by_role("tab", name="Blind vote").click()
    inner.locator("dialog[open] [data-tour=skip]").click()
    inner.locator("#vote-pair .vt-pair[data-state=open]").wait_for()
    assert "in a tab of its own" in inner.locator(LINE).inner_text()
    with context.expect_page() as opened:
        inner.get_by_role("link", name="Sign in with Hugging Face").click()
    tab = opened.value
    tab.get_by_role("link", name="mia", exact=True).click()
    tab.wait_for_selector(f"{LINE}[data-signed-in=true]")
    assert inner.locator("#vote-pair .vt-pair[data-state=open]").count() == 1, "the frame stays as it was"
    context.close()


@thorough
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_how_it_looks(space, arrive, size, scheme):
    name = f"nia-{size}"
    space.provider.make(name)
    here = arrive(size, scheme, reduced_motion="reduce")
    for signed_in in (False, True):
        if signed_in:
            sign_in_here(here, name)
        here.page.locator(LINE).scroll_into_view_if_needed()
        here.page.wait_for_timeout(250)
        assert here.overflow() <= 0
        assert here.page.evaluate(CONTRAST) == []
        assert here.page.evaluate(NAMELESS) == []
        assert grave(here.page) == []
