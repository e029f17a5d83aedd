"""Short messages on the page, as HTML: what goes on, what went wrong, an emergency."""

from __future__ import annotations

from html import escape

from medilite.engine.protocol import Availability
from medilite.models import Profile
from medilite.progress import LoadProgress
from medilite.safety import NOT_MEDICAL_ADVICE, emergency_notice


def error_html(message: str) -> str:
    """Return a message near the field; `role=alert` has it read out at once."""
    return f'<p class="ml-error" role="alert">{escape(message)}</p>'


def note_html(*messages: str) -> str:
    """Return a quiet message near the field."""
    return f'<p class="ml-note" role="status">{escape(" ".join(messages))}</p>' if messages else ""


def status_html(message: str, kind: str = "", share: float | None = None, detail: str = "") -> str:
    """Return the status line. Only `message` is read out by screen readers, so keep what ticks in `detail`."""
    bar = ""
    if share is not None:
        percent = round(100 * min(max(share, 0.0), 1.0))
        bar = f'<progress class="ml-progress" max="100" value="{percent}" aria-label="Loading the model"></progress>'
        detail = f"{percent} % {detail}".strip()
    return (
        f'<div class="ml-status ml-status-{escape(kind)}"><span class="ml-status-dot" aria-hidden="true"></span>'
        f'<span role="status" aria-live="polite">{escape(message)}</span>'
        f'<div class="ml-status-line">{bar}<span class="ml-status-detail" aria-hidden="true">{escape(detail)}</span>'
        "</div></div>"
    )


def progress_html(progress: LoadProgress, *, asked: bool = False) -> str:
    """Return the status line of a model that loads, is ready, or couldn't be loaded."""
    if progress.error:
        return status_html(f"The model could not be loaded. {progress.error} Then press Ask to try again.", "error")
    if progress.ready:
        return status_html("Ready.", "ready")
    message = progress.message.rstrip(". …") + "."
    if asked:
        message += " Your question is asked as soon as the model is ready."
    return status_html(message, "busy", progress.share)


def waiting_html(ahead: int) -> str:
    """Return the status line of somebody who waits for other visitors."""
    who = "1 visitor is" if ahead == 1 else f"{ahead} visitors are"
    return status_html(f"{who} ahead of you. Your turn comes by itself.", "busy")


def unavailable_html(availability: dict[str, Availability], profile: Profile) -> str:
    """Return what to know about models that can't answer, or nothing if all can."""
    lines = [
        f"<li><strong>{escape(profile.get(model).label)}</strong>: {escape(state.reason or 'no reason given')}</li>"
        for model, state in availability.items()
        if not state.available
    ]
    if not lines:
        return ""
    others = "The others work as usual." if len(lines) < len(availability) else "So no question can be answered now."
    said = f"<p>Not available at the moment. {others}</p><ul>{''.join(lines)}</ul>"
    return f'<div class="ml-note" role="status">{said}</div>'


def emergency_html(question: str) -> str:
    """Return the notice that stands above the answers to a question that speaks of an emergency, else nothing."""
    notice = emergency_notice(question)
    if notice is None:
        return ""
    return (
        f'<section class="ml-emergency" role="alert" data-kind="{escape(notice.kind)}">'
        f'<h2>{escape(notice.title)}</h2><p class="ml-pre">{escape(notice.text)}</p></section>'
    )


def advice_html() -> str:
    """Return the notice that stands on top of every page."""
    return f'<p class="ml-advice">{escape(NOT_MEDICAL_ADVICE)}</p>'
