"""Who votes, as the tab Blind vote shows it: signed in or not, signing in and out, and what went wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from medilite.ui.guard.doors import LOGIN, LOGOUT
from medilite.ui.guard.sign_in import Failure
from medilite.ui.html import Markup, templates
from medilite.ui.page import notices

_WHY: dict[Failure, str] = {
    Failure.DECLINED: "You are not signed in, and nothing has changed: your votes count as this browser’s.",
    Failure.UNREACHABLE: (
        "Hugging Face can’t be reached at the moment, so you are not signed in. Your votes count as this browser’s; "
        "try to sign in again in a minute."
    ),
    Failure.COOKIES: (
        "Your browser didn’t keep the cookie that signing in needs, so you are not signed in. Open MediLite in a tab "
        "of its own, or allow its cookies, and try again. Your votes count as this browser’s."
    ),
    Failure.OFTEN: (
        "Too many people at your network address are signing in at the moment. Try again in a minute; you can vote "
        "without."
    ),
    Failure.FAILED: (
        "Signing in didn’t work: what Hugging Face answered can’t be used. Your votes count as this browser’s. Try "
        "again; if it keeps happening, tell the person who runs this app."
    ),
}

ENDED = "You are no longer signed in. From this pair on your votes count as this browser’s."
"""With the first pair after a sign-in has ended, or has been ended on another page."""

NOT_YOURS = (
    "You are no longer signed in, and this pair was drawn for your account: nothing was counted. To vote on it, "
    "sign in again on another page, come back and choose again. Or take the next pair, which counts as this browser’s."
)
"""To a vote on an account's pair without its session."""

NOT_YOURS_TO_UNDO = (
    "You are no longer signed in, and this vote is your account’s, so it counts. To take it back in time, sign in "
    "again on another page, come back and press Undo again."
)
"""To an undo of an account's vote without its session."""

NOT_YOURS_TO_REVEAL = (
    "You are no longer signed in, and this vote is your account’s: it counts. To see the names, sign in again on "
    "another page, come back and press Show the names again."
)
"""To a request for the names of an account's vote without its session."""

EARLIER = (
    "This pair was drawn before you signed in, so this vote counts as your browser’s, not your account’s. "
    "It counts once."
)
"""To a vote on a browser's pair after signing in."""


def account_of(profile: Mapping[str, str] | None) -> str | None:
    """Return the stable id of the account in a session's profile, as Gradio hands it over; None if signed out."""
    return profile["sub"] if profile else None


def failure_html(code: object) -> str:
    """Return what went wrong on the way to signing in, by the word in the page's address; nothing for no such word."""
    failure = next((failure for failure in _WHY if failure.value == code), None)
    if failure is None:
        return ""
    # To decline is no error.
    show = notices.note_html if failure is Failure.DECLINED else notices.error_html
    return show(_WHY[failure])


def account_html(signed_in: bool) -> Markup:
    """Return the line that says who is voting, with the link to change it."""
    return templates("vote/cards.html").account(signed_in, LOGIN, LOGOUT)
