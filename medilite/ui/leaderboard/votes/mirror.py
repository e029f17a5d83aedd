"""Whether votes are mirrored, and how old the mirror is."""

from __future__ import annotations

from medilite.arena.mirror.state import MirrorState
from medilite.settings import Settings
from medilite.ui.html import Markup, templates
from medilite.ui.page.words import counted

FRESH_S = 120.0
"""A mirror without missing votes counts as up to date until this age, since it is checked only now and then."""


def mirror_html(settings: Settings, state: MirrorState | None, now: float) -> Markup:
    """Return the state of the mirror; "" if none is set and votes are on a disk that lasts.

    The text of an error is for the person who runs the app, and is not shown.
    """
    said = _said(settings, state, now)
    return templates("leaderboard/votes.html").mirror(*said) if said else Markup()


def _said(settings: Settings, state: MirrorState | None, now: float) -> tuple[str, str] | None:
    """Return (text, "note" or "fine")."""
    if not settings.is_mirrored:
        if settings.space_id is None:
            return None
        missing = "MEDILITE_MIRROR" if settings.mirror is None else "HF_TOKEN"
        return (
            "Votes given here are lost when this Space restarts: its disk is wiped, and they have no mirror. The "
            f"person who runs it can set one up ({missing} is not set).",
            "note",
        )
    if state is None or state.restored_at is None:
        if state is not None and state.error:
            return (
                "Votes from before the last restart can't be fetched from their mirror at the moment. The app keeps "
                "trying; new votes are taken and kept meanwhile.",
                "note",
            )
        return "Votes from before the last restart are being fetched from their mirror.", "note"
    age_s = state.age_s(now)
    if not state.waiting and (age_s is None or age_s <= FRESH_S):
        return "The votes’ mirror holds every vote.", "fine"
    waiting = counted(state.waiting, "vote")
    if age_s is None:
        return f"The votes’ mirror holds none of them yet: {waiting} on the way.", "note"
    are = "is" if state.waiting == 1 else "are"
    behind = f"The votes’ mirror is {duration(age_s)} old, and {waiting} given or changed since {are} on the way to it."
    if state.error:
        return f"{behind} The last try failed; the app keeps trying, and nothing is lost.", "note"
    return behind, "fine"


def duration(seconds: float) -> str:
    """Return a length of time in words, in its largest fitting unit."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(int(seconds), "second")
