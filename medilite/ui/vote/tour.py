"""The walk-through that a visitor meets once: what this is, how to vote, what happens then."""

from __future__ import annotations

STEPS = (
    (
        "Two answers, no names",
        "Two versions of one small language model have answered the same question. Which is which stays hidden until "
        "you have voted, and the sides are drawn at random.",
    ),
    (
        "Read both, then choose",
        "A is better, B is better, both are equally good, or both are bad. On a keyboard: "
        "<kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> <kbd>4</kbd>.",
    ),
    (
        "Say why, if you like",
        "Before you choose, you can mark an answer as wrong or unsafe, or say what speaks for it. Nobody has to.",
    ),
    (
        "Then you see who it was",
        "Names, grades and how others voted. For ten seconds you can take your vote back; <kbd>N</kbd> brings the next "
        "pair. Your browser keeps a random number, so that your votes belong together. Nothing else is kept of you.",
    ),
)
"""Title and words of every step."""


_SIGNED_IN = " If you sign in, your account’s number is kept in a form that can’t be read, and never its name."


def tour_html(signs_in: bool = False) -> str:
    """Return the dialog, closed; vote.js opens it for whoever hasn't seen it, and on demand.

    `signs_in`: whether one can sign in here.
    """
    last = len(STEPS)
    more = {last: _SIGNED_IN} if signs_in else {}
    steps = "".join(
        f'<div class="vt-step" data-step="{n}"{"" if n == 1 else " hidden"}><p class="vt-step-number">{n} of {last}</p>'
        f'<h2 tabindex="-1">{title}</h2><p>{words}{more.get(n, "")}</p></div>'
        for n, (title, words) in enumerate(STEPS, start=1)
    )
    return (
        '<dialog class="vt-tour" id="vote-tour-dialog" aria-label="How voting works">'
        f"{steps}"
        '<div class="vt-tour-buttons"><button type="button" class="vt-button vt-quiet" data-tour="skip">Skip</button>'
        '<button type="button" class="vt-button" data-tour="back" hidden>Back</button>'
        '<button type="button" class="vt-button vt-primary" data-tour="next">Next</button></div></dialog>'
    )


def intro_html() -> str:
    """Return the line on top of the tab, with the way back to the walk-through."""
    return (
        '<div class="vt-intro"><p>Two answers, no names. Which one would you rather read?</p>'
        '<button type="button" class="ml-tool" data-do="tour">How it works</button></div>'
    )
