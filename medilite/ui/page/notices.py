"""Short messages on the page, as HTML: status, errors, emergencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medilite.engine.protocol import Availability
from medilite.errors import without_folders
from medilite.models import Profile
from medilite.progress import LoadProgress
from medilite.safety import emergency_notice
from medilite.ui.html import Markup, templates

if TYPE_CHECKING:
    from medilite.ui.page.answering import Stage

TEMPLATE = "page/parts.html"


def error_html(message: str) -> Markup:
    """Return a message near the field; `role=alert` makes screen readers say it at once."""
    return templates(TEMPLATE).error(without_folders(message))


def note_html(*messages: str) -> Markup:
    """Return a quiet message near the field."""
    return templates(TEMPLATE).note(" ".join(messages)) if messages else Markup()


def restored_html(*messages: str) -> Markup:
    """Return the message that a tab was restored after a reload, with a button to start afresh."""
    return templates(TEMPLATE).restored(" ".join(("Restored after a reload.", *messages)))


def status_html(message: str, kind: str = "", share: float | None = None, detail: str = "") -> Markup:
    """Return the status line. Only `message` is read out by screen readers, so put what changes often in `detail`."""
    if share is None:
        return templates(TEMPLATE).status(message, kind, None, detail)
    percent = round(100 * min(max(share, 0.0), 1.0))
    return templates(TEMPLATE).status(message, kind, percent, f"{percent} % {detail}".strip())


def progress_html(progress: LoadProgress, *, asked: bool = False) -> Markup:
    """Return the status line of a model that loads, is ready, or couldn't be loaded."""
    if progress.error:
        return status_html(
            f"The model could not be loaded. {without_folders(progress.error)} Then press Ask to try again.", "error"
        )
    if progress.ready:
        return status_html("Ready.", "ready")
    message = progress.message.rstrip(". …") + "."
    if asked:
        message += " Your question is asked as soon as the model is ready."
    return status_html(message, "busy", progress.share)


def waiting_html(ahead: int) -> Markup:
    """Return the status line of a visitor who waits for others."""
    who = "1 visitor is" if ahead == 1 else f"{ahead} visitors are"
    return status_html(f"{who} ahead of you. You don't have to do anything.", "busy")


def stage_html(stage: Stage, *, writing: str = "Writing.", done: str = "", detail: str = "") -> Markup:
    """Return the status line of a request: where it is, or how it ended."""
    if stage.kind == "loading" and stage.progress:
        return progress_html(stage.progress, asked=True)
    if stage.kind == "waiting":
        return waiting_html(stage.ahead)
    if stage.kind in ("done", "stopped"):
        return status_html(done if stage.kind == "done" else "Stopped. What was written so far is kept.", "ready")
    return status_html("Asking." if stage.kind == "asking" else writing, "busy", detail=detail)


def unavailable_html(availability: dict[str, Availability], profile: Profile) -> Markup:
    """Return which models can't answer and why; "" if all can."""
    reasons = [
        (profile.get(model).label, without_folders(state.reason or "no reason given"))
        for model, state in availability.items()
        if not state.available
    ]
    if not reasons:
        return Markup()
    others = "The others work as usual." if len(reasons) < len(availability) else "No question can be answered now."
    return templates(TEMPLATE).unavailable(reasons, others)


def emergency_html(*questions: object) -> Markup:
    """Return the notice above the answers to questions of which one mentions an emergency (the last), else nothing.

    What is no text (a raw request may send anything) mentions none.
    """
    asked = [question for question in reversed(questions) if isinstance(question, str)]
    notice = next(filter(None, map(emergency_notice, asked)), None)
    return templates(TEMPLATE).emergency(notice) if notice else Markup()
