"""Signing in, part by part and without a server: when it is there, what passes its guard, what the page says."""

from __future__ import annotations

import json

import pytest

from medilite.logs import Redactor
from medilite.settings import load_settings
from medilite.ui.guard import guards
from medilite.ui.guard.doors import CALLBACK, LOGIN, LOGOUT, OpenDoors
from medilite.ui.guard.sign_in import HOME, Failure, SignIn, is_foreign, kept_of
from medilite.ui.html import templates
from medilite.ui.page.app import build_ui
from medilite.ui.vote.account import account_html, account_of, failure_html
from tests.support.fakes import ScriptedEngine
from tests.support.openid import CLIENT_SECRET, Provider
from tests.ui.asgi import App, call
from tests.ui.html import read

SPACE = Provider(url="https://hub.example").environment()
SESSION = {"oauth_info": {"userinfo": {"sub": "6512"}, "expires_at": 4_000_000_000}}


@pytest.fixture
def space(monkeypatch):
    """A Space that people can sign in to."""
    for name, value in SPACE.items():
        monkeypatch.setenv(name, value)
        # Gradio reads its own when it is imported.
        monkeypatch.setattr(f"gradio.oauth.{name}", value, raising=False)
    return load_settings()


# -- where it is -------------------------------------------------------------------


@pytest.mark.parametrize("missing", SPACE)
def test_it_takes_all_of_a_space_s_variables(monkeypatch, space, missing):
    assert space.signs_in
    monkeypatch.delenv(missing)
    assert not load_settings().signs_in


def test_the_secret_is_one(space):
    assert CLIENT_SECRET not in repr(space)
    assert CLIENT_SECRET not in Redactor(space.secrets)(f"the secret is {CLIENT_SECRET}")


def parts(lite, settings):
    page = build_ui(ScriptedEngine(lite), lite, settings)
    return page, {getattr(block, "elem_id", None) for block in page.blocks.values()}


def test_without_them_nothing_of_it_is_there(lite):
    page, ids = parts(lite, load_settings())
    assert not page.expects_oauth
    assert "vote-account" not in ids
    doors = OpenDoors(App(), [])
    assert [call(doors, path).status for path in (LOGIN, CALLBACK, LOGOUT)] == [404] * 3
    assert SignIn not in [one.cls for one in guards(page, load_settings(), "", [])]


def test_with_them_all_of_it_is_there(lite, space, told_to_gradio):
    page, ids = parts(lite, space)
    assert page.expects_oauth
    assert "vote-account" in ids
    told = told_to_gradio(page, space)
    names = [one.cls.__name__ for one in told["app_kwargs"]["middleware"]]
    assert names[2:6] == ["OpenDoors", "Cached", "Paced", "SignIn"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [(LOGIN, "GET", 200), (CALLBACK, "GET", 200), (LOGOUT, "GET", 200), (LOGIN, "POST", 405), (LOGOUT, "HEAD", 405),
     ("/login", "GET", 404), ("/login/other", "GET", 404), ("/logout/x", "GET", 404)],
)  # fmt: skip
def test_the_three_doors(path, method, status):
    assert call(OpenDoors(App(), [], signs_in=True), path, method).status == status


# -- who is signed in ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://here.example", "Host": "here.example"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://here.example", "Host": "here.example"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "https://here.example:444", "Host": "here.example:444"}, False),
        ({"Origin": "https://evil.example", "Host": "here.example"}, True),
        ({"Origin": "https://evil.example", "Host": "here.example", "X-Forwarded-Host": "evil.example"}, True),
        ({"Origin": "null", "Host": "here.example"}, True),
    ],
)
def test_what_a_page_elsewhere_sends(headers, foreign):
    scope = {"headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]}
    assert is_foreign(scope) is foreign


class Sessions:
    """What Gradio has outside of the guards: a session in the scope, which the answer takes along."""

    def __init__(self, app, session):
        self.app, self.session = app, session

    async def __call__(self, scope, receive, send):
        await self.app({**scope, "session": self.session}, receive, send)


class Inside(App):
    """An app that does with the session what Gradio's routes do."""

    def __init__(self, told=None, error=None):
        super().__init__(status=307)
        self.told, self.error = told, error

    async def __call__(self, scope, receive, send):
        if self.error:
            raise self.error
        if self.told:
            scope["session"]["oauth_info"] = self.told
        await super().__call__(scope, receive, send)


def through(space, app, path, session, *, query=b"", **headers):
    return call(Sessions(SignIn(app, space), session), path, query=query, headers=headers)


@pytest.mark.parametrize(("site", "seen"), [("same-origin", SESSION), ("cross-site", {})])
def test_a_page_elsewhere_is_nobody_s_page(space, site, seen):
    """Gradio lets any page ask with cookies, and these go along from everywhere."""
    app, session = Inside(), dict(SESSION)
    through(space, app, "/gradio_api/run/predict", session, **{"Sec-Fetch-Site": site})
    assert app.scopes[0]["session"] == seen
    assert session == SESSION, "the session itself stays"


def test_nobody_is_signed_out_by_a_page_elsewhere(space):
    app = Inside()
    assert through(space, app, LOGOUT, {}, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert app.scopes == []
    told = through(
        space, app, LOGOUT, {}, query=b"_target_url=https://evil.example", **{"Sec-Fetch-Site": "same-origin"}
    )
    assert told.headers["cache-control"] == "no-store"
    assert app.scopes[0]["query_string"] == b"_target_url=%2F%23vote"


# -- signing in ------------------------------------------------------------------------

TOLD = {
    "access_token": "hub-access-token", "id_token": "header.claims.signature", "expires_at": 4_000_000_000,
    "userinfo": {"sub": "6512", "name": "Ada Zylberstein", "preferred_username": "ada-z", "picture": "https://x/a.png"},
}  # fmt: skip


def test_the_session_keeps_the_account_s_id_and_nothing_that_names_it(space):
    session = {}
    through(space, Inside(TOLD), CALLBACK, session, query=b"code=a&state=b")
    kept = json.dumps(session)
    assert session["oauth_info"]["userinfo"]["sub"] == "6512"
    assert session["oauth_info"]["expires_at"] == 4_000_000_000
    assert not any(word in kept for word in ("hub-access", "signature", "Ada", "ada-z", "https"))
    assert kept_of(session["oauth_info"], 0) == session["oauth_info"], "once more is the same"
    assert kept_of({"userinfo": {"sub": "6512"}}, 1000.0)["expires_at"] == 1000 + 8 * 3600


@pytest.mark.parametrize("told", [{"access_token": "a"}, {"userinfo": {}}, {"userinfo": {"sub": 7}}])
def test_an_answer_without_an_account_signs_nobody_in(space, told, caplog):
    session = {}
    answer = through(space, Inside(told), CALLBACK, session)
    assert (answer.status, answer.headers["location"]) == (303, f"{HOME}-signin-failed")
    assert session == {}
    assert "ValueError" in caplog.text


@pytest.mark.parametrize(
    ("path", "query", "passed"),
    [
        (LOGIN, b"_target_url=https://evil.example/", b"_target_url=%2F"),
        (LOGIN, b"_nb_redirects=1&_target_url=//evil.example", b"_nb_redirects=1&_target_url=%2F"),
        (CALLBACK, b"code=a%26b&state=c&_target_url=%2F%2Fevil", b"code=a%26b&state=c&_target_url=%2F%23vote"),
    ],
)
def test_where_it_leads_is_not_for_a_request_to_say(space, path, query, passed):
    app = Inside()
    through(space, app, path, {}, query=query)
    assert app.scopes[0]["query_string"] == passed


class ConnectError(Exception):
    """One of httpx's, by where it comes from."""


ConnectError.__module__ = "httpx2._exceptions"


class OAuthError(Exception):
    def __init__(self, error):
        super().__init__("private words")
        self.error = error


@pytest.mark.parametrize(
    ("error", "failure", "logged"),
    [
        (OAuthError("access_denied"), Failure.DECLINED, ""),
        (ConnectError("private words"), Failure.UNREACHABLE, "ConnectError"),
        (OAuthError("invalid_client"), Failure.FAILED, "OAuthError, invalid_client"),
        (OAuthError("<script>private words"), Failure.FAILED, "OAuthError."),
        (ValueError("private words"), Failure.FAILED, "ValueError"),
    ],
)
def test_what_goes_wrong_leads_back_with_a_word_for_it(space, caplog, error, failure, logged):
    session = dict(SESSION)
    told = through(space, Inside(error=error), CALLBACK, session, query=b"code=a&state=b")
    assert (told.status, told.headers["location"]) == (303, f"/#vote-signin-{failure.value}")
    assert told.headers["cache-control"] == "no-store"
    assert session == {}, "nobody is who they were before"
    assert logged in caplog.text
    assert "private" not in caplog.text
    assert bool(logged) == bool(caplog.records)


@pytest.mark.parametrize("tries", [b"2", b"4", b"x", b"-1", b"1e9"])
def test_a_browser_without_cookies_isn_t_sent_round_for_ever(space, tries):
    app = Inside()
    told = through(space, app, LOGIN, {}, query=b"_nb_redirects=" + tries)
    assert told.headers["location"] == f"{HOME}-signin-cookies"
    assert app.scopes == []


def test_an_address_may_not_sign_in_without_end(monkeypatch, space):
    monkeypatch.setenv("MEDILITE_SIGN_INS_PER_ADDRESS", "3/hour")
    guard = Sessions(SignIn(Inside(), load_settings()), {})
    paths = (LOGIN, CALLBACK, LOGIN, CALLBACK, LOGIN)
    assert [call(guard, path, client="1.2.3.4").status for path in paths] == [307] * 3 + [303] * 2
    assert call(guard, LOGIN, client="1.2.3.4").headers["location"] == f"{HOME}-signin-often"
    assert call(guard, LOGIN, client="1.2.3.5").status == 307
    assert call(guard, LOGOUT, client="1.2.3.4").status == 307


# -- what the page says ------------------------------------------------------------------


def test_every_failure_has_its_words_and_nothing_else_has():
    assert len({failure_html(failure.value) for failure in Failure}) == len(Failure)
    kinds = {failure for failure in Failure if 'role="alert"' in failure_html(failure.value)}
    assert set(Failure) - kinds == {Failure.DECLINED}
    for code in (None, "", "other", 7, ["failed"], {"failed": 1}, "<script>"):
        assert failure_html(code) == ""


def test_the_walk_through_tells_of_accounts_where_there_are_any():
    assert [templates("vote/cards.html").tour(signs_in).count("If you sign in") for signs_in in (False, True)] == [0, 1]


def test_the_line_leads_in_and_out():
    for signed_in, href in ((False, LOGIN), (True, LOGOUT)):
        tree = read(account_html(signed_in))
        assert tree.one("a").attributes["href"] == href
        assert "Your name is not stored." in tree.text
    assert account_of(None) is None
    assert account_of({"sub": "6512"}) == "6512"
