"""Whether votes outlive this machine, and how old their mirror is."""

from __future__ import annotations

from html import escape

from medilite.arena.mirror.state import MirrorState
from medilite.settings import Settings

FRESH_S = 120.0
"""Up to here a mirror that lacks nothing is looked at too seldom to be called behind."""


def mirror_html(settings: Settings, state: MirrorState | None, now: float) -> str:
    """Return what to know of the mirror; "" where votes stay on a disk of their own and nobody asked for one.

    Nothing that failed is told in its own words: those are for whoever runs the app.
    """
    if not settings.is_mirrored:
        if settings.space_id is None:
            return ""
        missing = "MEDILITE_MIRROR" if settings.mirror is None else "HF_TOKEN"
        return _note(
            "Votes given here will not outlive this Space: its disk is wiped when it restarts, and they have no mirror."
            f" Whoever runs it can give them one ({missing} is not set)."
        )
    if state is None or state.restored_at is None:
        if state is not None and state.error:
            return _note(
                "Votes from before the last restart can't be fetched from their mirror at the moment. That is tried "
                "again by itself; new votes are taken and kept meanwhile."
            )
        return _note("Votes from before the last restart are being fetched from their mirror.")
    age_s = state.age_s(now)
    if not state.waiting and (age_s is None or age_s <= FRESH_S):
        return _quiet("The votes’ mirror holds every vote.")
    waiting = f"{state.waiting:,} vote{'' if state.waiting == 1 else 's'}"
    if age_s is None:
        return _note(f"The votes’ mirror holds none of them yet: {waiting} on the way.")
    behind = f"The votes’ mirror is {duration(age_s)} old, and {waiting} given or changed since are on the way to it."
    if state.error:
        return _note(f"{behind} The last try failed; it is tried again by itself, and nothing is lost.")
    return _quiet(behind)


def duration(seconds: float) -> str:
    """Return a length of time in words, in its largest fitting unit."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count = int(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


def _note(text: str) -> str:
    # No role: it comes anew every half minute, which nobody wants read out.
    return f'<p class="ml-note vb-mirror">{escape(text)}</p>'


def _quiet(text: str) -> str:
    return f'<p class="ml-fine vb-mirror">{escape(text)}</p>'
