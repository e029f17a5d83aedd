"""A blind pair as HTML: before the vote nothing in it depends on the models but the two texts.

One frame for all: the two answers as they are written, before the vote, after
it. Only what is made from an `Outcome` has names, colours and grades in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medilite.arena.booth import NAMES_S, UNDO_S, NoPair, Outcome, Shown, Taken
from medilite.arena.live import LiveRun, Texts
from medilite.arena.marks import MARKS, REPEATED
from medilite.arena.records import REASONS, UNSAFE, Ballot, Candidate, Choice
from medilite.models import ModelSpec, Profile
from medilite.ui.compare.cards import SHORT_NOTICE
from medilite.ui.compare.comparison import MOST_EARLIER
from medilite.ui.html import Markup, templates
from medilite.ui.page.scores import grade_badge_html

LETTERS = {"left": "A", "right": "B"}
"""What the answers are called on the page: on a phone one is below the other, not beside it."""

CHOICE_WORDS: dict[Choice, tuple[str, str, str]] = {
    "left": ("A is better", "You chose A.", "A is better"),
    "right": ("B is better", "You chose B.", "B is better"),
    "equal": ("Equally good", "You found both equally good.", "Equally good"),
    "both_bad": ("Both bad", "You found both bad.", "Both bad"),
}
"""Of every choice: its button, its words after the vote, and the line among the others' votes."""

DETAIL_WORDS = {UNSAFE: "Wrong or unsafe", **{name: words.capitalize() for name, words in REASONS.items()}}

GONE = "This text is no longer available; your vote still counts."

TEMPLATE = "vote/cards.html"

_CROWD = {
    False: "When votes were last counted, new voters at your network address had given {:,} today, which counted as "
    "{:,}: one address may move the ratings only so far in a day, and votes that look like one person’s are left out. "
    "Your vote is kept. To count in full, sign in where that is offered, or come back: this browser counts in full "
    "once it has voted on three days over a week.",
    True: "When votes were last counted, browsers at your network address that have voted for a week or more had given "
    "{:,} today, which counted as {:,}. With others that share addresses, they choose differently from everybody else, "
    "by more than chance would explain; so together they can move the ratings only so far. Your vote is kept. To count "
    "in full, sign in where that is offered.",
}
"""What a voter is told whose network's votes count as fewer, by whether this browser is an old one."""

# --- before the vote -----------------------------------------------------------------------


TAKEN_BACK = "Your vote is taken back and doesn't count. Choose again."

_LEFT_OUT: dict[NoPair | None, str] = {
    NoPair.FAILED: "The follow-up was not answered by both models",
    NoPair.STOPPED: "You stopped the follow-up",
    NoPair.WORDLESS: "One model said nothing to the follow-up",
    None: "The page was reloaded, or lost its connection, before the follow-up was answered",
}
"""Why a follow-up is no part of the pair."""

NOT_ASKED = "The follow-up could not be asked"
NOT_ADDED = "The follow-up could not be added to these answers"
"""The same where no model was asked, or both have answered: the message above says why."""


def left_out_html(shown: Shown, reason: NoPair | str | None) -> Markup:
    """Return a pair as it was before a follow-up that was left out; `reason` is None after a reload."""
    why = reason if isinstance(reason, str) else _LEFT_OUT[reason]
    said = f"{why}, so it is left out: choose by the answers that are here, or follow up again."
    return open_html(shown, "live", said=said)


def open_html(shown: Shown, kind: str, *, said: str = "") -> Markup:
    """Return a pair that can be voted on; `kind` is where it comes from, `said` what there is to say about it."""
    told, live, turns = _macros().verdict(said) if said else Markup(), kind == "live", len(shown.earlier) + 1
    if turns > MOST_EARLIER:
        told += _macros().fine(f"These are {turns} questions in a row, which is the limit: choose now.")
    elif turns > 1:
        asked = "both" if turns == 2 else f"all {turns}"
        told += _macros().fine(f"You vote once, on the answers to {asked} questions together.")
    return _macros().pair(
        "open", shown.question, _open_cards(shown.left, shown.right, shown.earlier), _choices(), told, shown.token,
        said, skip=not live, further=live and turns <= MOST_EARLIER,
    )  # fmt: skip


def writing_html(question: str, run: LiveRun | None, before: LiveRun | None = None) -> Markup:
    """Return a live pair while it is written, None before that; after `before`, which stays if this breaks off."""
    left, right = run.shown() if run else ("", "")
    earlier = (*before.earlier, (before.question, *before.shown())) if before else ()
    cards, bar = _open_cards(left, right, earlier, usable=False), _macros().while_written(_BUTTONS)
    token = before.token if before else ""
    return _macros().pair("writing", question, cards, bar, token=token, further=before is not None)


def unkept_html(run: LiveRun) -> Markup:
    """Return a live pair that is whole but could not be stored, so that it can't be voted on yet."""
    bar = _macros().buttons(_macros().button("Try again", "again", primary=True))
    cards = _open_cards(*run.shown(), run.earlier, usable=False)
    return _macros().pair("unkept", run.question, cards, bar, token=run.token if run.before else "")


def _open_cards(left: str, right: str, earlier: Sequence[Texts] = (), *, usable: bool = True) -> list[dict[str, Any]]:
    return [
        _card(side, text, _macros().details(LETTERS[side], side, DETAIL_WORDS, usable, SHORT_NOTICE), earlier)
        for side, text in zip(LETTERS, (left, right), strict=True)
    ]


# --- after the vote ------------------------------------------------------------------------


def taken_html(taken: Taken, token: str) -> Markup:
    """Return a pair whose vote can still be taken back: without names, so that they can't be why it is taken back.

    The page asks for the names by itself after NAMES_S; Undo holds that up while
    the pointer or the focus is on it.
    """
    macros, verdict = _macros(), CHOICE_WORDS[taken.ballot.choice][1]
    told = macros.verdict(verdict, "Names come next; then the vote is final.")
    if not taken.fresh:
        told += macros.fine("You have already voted on this pair. The first vote counts, once.")
    show = macros.button("Show the names", "reveal", primary=True, seconds=round(NAMES_S))
    bar = macros.buttons(show, macros.button("Undo", "undo", seconds=round(UNDO_S)))
    said, (question, *texts) = _given(taken.ballot), taken.texts or ("The question of this pair", GONE, GONE)
    cards = [
        _card(side, text, macros.after_choice(said[side], SHORT_NOTICE), taken.earlier)
        for side, text in zip(LETTERS, texts, strict=True)
    ]
    return macros.pair("taken", question, cards, bar, told, token, verdict)


def voted_html(outcome: Outcome, token: str, profile: Profile, source: str = "") -> Markup:
    """Return a pair after its vote: names, grades, how others voted, what the source says, next."""
    macros, vote = _macros(), outcome.vote
    pair, verdict, said = vote.pair, CHOICE_WORDS[vote.ballot.choice][1], _given(vote.ballot)
    question, *texts = outcome.texts or ("The question of this pair", GONE, GONE)
    cards, labels = [], []
    for side, candidate, text in zip(LETTERS, (pair.left, pair.right), texts, strict=True):
        spec = _spec(candidate, profile)
        # Of a live pair whose texts are gone only coarse figures are left, which would pass for exact ones.
        known = outcome.texts is not None or pair.kind == "ready"
        grade = grade_badge_html(candidate.grade) if known else ""
        foot = macros.after_choice(said[side], SHORT_NOTICE, grade, candidate.words, pair.turns)
        cards.append(_card(side, text, foot, outcome.earlier, macros.model(spec, EARLIER), spec))
        labels.append(spec.label if spec else EARLIER)
    told = macros.verdict(verdict, macros.who(*(card["name"] for card in cards)))
    if reasons := [MARKS[name] for name in vote.marks if name in MARKS]:
        told += macros.fine(f"It is kept, and left out of the ratings: {'; '.join(reasons)}.")
    if REPEATED in vote.marks:
        told += macros.fine("Some pairs come twice, to see how steady choices are.")
    if outcome.crowd:
        told += macros.fine(_CROWD[outcome.crowd.aged].format(outcome.crowd.given, outcome.crowd.counted))
    told += _others(outcome.others)
    if source:
        told += macros.did_i(source)
    say = f"{verdict} A is {labels[0]}, B is {labels[1]}."
    return macros.pair("voted", question, cards, macros.buttons(_next(pair.kind)), told, token, say)


def undone_html(kind: str) -> Markup:
    """Return what is shown of a pair whose vote was taken back and whose texts are no longer available."""
    words = "It doesn't count. The two answers are no longer available, so you can't choose again."
    said = "Your vote is taken back"
    return _macros().without_pair("undone", said, words, _next(kind), f"{said}.")


def _others(counts: Mapping[Choice, int] | None) -> Markup:
    if counts is None:
        return _macros().fine("How others voted on these two answers can't be shown at the moment.")
    rows = [(CHOICE_WORDS[choice][2], count) for choice, count in counts.items()]
    return _macros().others(rows, sum(counts.values()))


# --- where there is no pair ----------------------------------------------------------------

_WHY: dict[NoPair, tuple[str, str, bool]] = {
    NoPair.EMPTY: (
        "No ready-made answers yet",
        Markup(
            "The person who runs this app makes them once, with <code>python -m medilite votes prepare</code>. Until "
        )
        + "then, ask a question of your own: two models answer it, and you vote on what they say.",
        True,
    ),
    NoPair.STALE: (
        "The ready-made answers are out of date",
        Markup(
            "The models have been retrained since. The person who runs this app makes new answers with "
            "<code>python -m medilite votes prepare</code>. Until then, ask a question of your own."
        ),
        True,
    ),
    NoPair.SEEN: (
        "You have seen every pair",
        "Thank you: there is no ready-made pair left that you haven't seen. Questions of your own make new ones.",
        True,
    ),
    NoPair.SAME: (
        "Both answers are the same",
        "The two models wrote the same, word for word. There is nothing to choose. "
        "Ask again for two other answers, or ask something else.",
        False,
    ),
    NoPair.WORDLESS: (
        "One model said nothing",
        "An answer without a word can't be compared. Ask again for two other answers.",
        False,
    ),
    NoPair.STOPPED: (
        "Stopped before the end",
        "Half an answer says little about who wrote it, so there is nothing to choose. Ask again, and let both "
        "answers end.",
        False,
    ),
    NoPair.FAILED: (
        "One model failed",
        "There is nothing to compare, and nothing was counted. Ask again for two other answers.",
        False,
    ),
}


def nothing_html(reason: NoPair, question: str = "", texts: Sequence[str] = ()) -> Markup:
    """Return why there is no pair, and what to do; a live question's answers are shown all the same."""
    title, words, own = _WHY[reason]
    button = _macros().button("Ask a question of your own", "live", primary=True) if own else ""
    if not any(texts):
        return _macros().without_pair("nothing", title, words, button, title)
    told = _macros().panel(title, words, button)
    return _macros().pair("nothing", question, _open_cards(texts[0], texts[1], usable=False), told=told, say=title)


CUT_SHORT = (
    "The page was reloaded, or lost its connection, before both answers were here. This is what was written. Ask again "
    "for two other answers."
)
NOT_OPEN = "It was not open to votes when the page was reloaded. Ask again for two other answers."
GONE_BY = (
    "It has expired, or it isn’t known here for this browser or account. Its answers are still here to read. Ask "
    "again for two other answers."
)
"""Why a live pair that the page had before a reload, or one that was to be followed up, can't be voted on."""


def ended_html(turns: Sequence[Texts], words: str) -> Markup:
    """Return the answers of a live pair that can't be voted on any more, and why."""
    title = "This pair can’t be voted on"
    return _as_before("nothing", title, words, turns)


def unreached_html(turns: Sequence[Texts], kind: str) -> Markup:
    """Return a pair that the database could not be asked for after a reload; the reason is shown above.

    The page keeps its earlier copy of the pair for the next reload, not this one (assets/style/tab.js).
    """
    again = _macros().button("Try again", "next" if kind == "ready" else "again", primary=True)
    return _as_before("unreached", "This pair can’t be voted on at the moment", "It is not lost.", turns, again)


def _as_before(state: str, title: str, words: str, turns: Sequence[Texts], button: str = "") -> Markup:
    if not turns:
        return _macros().without_pair(state, title, words, button, title)
    *earlier, (question, left, right) = turns
    told = _macros().panel(title, words, button)
    return _macros().pair(state, question, _open_cards(left, right, earlier, usable=False), told=told, say=title)


def start_html() -> Markup:
    """Return what is shown where live answers come."""
    return _macros().without_pair(
        "start",
        "Two answers to your own question",
        "Type a question and press Ask. Two models, drawn at random, answer it side by side, at the same pace; you "
        "learn which they were once you have voted.",
    )


def closed_html() -> Markup:
    """Return what is shown where pairs come while the votes' database can't be used; the reason is shown above."""
    again = _macros().button("Try again", "next", primary=True)
    return _macros().without_pair(
        "closed", "No votes at the moment", "Everything else in the app works as usual.", again
    )


def drawing_html() -> Markup:
    """Return what is shown before the first pair has come."""
    return _macros().quiet("drawing", "Drawing two answers.")


# --- parts -----------------------------------------------------------------------------------

EARLIER = "an earlier model"
"""What a model is called that the profile no longer has."""

_BUTTONS = [(choice, words[0]) for choice, words in CHOICE_WORDS.items()]


def _macros() -> Any:
    return templates(TEMPLATE)


def _choices() -> Markup:
    return _macros().choices(_BUTTONS)


def _next(kind: str) -> Markup:
    return _macros().button("Next pair" if kind == "ready" else "Next question", "next", "N", primary=True)


def _card(
    side: str, text: str, foot: Markup, earlier: Sequence[Texts] = (), name: str = "", spec: ModelSpec | None = None
) -> dict[str, Any]:
    turns = [(asked, left if side == "left" else right) for asked, left, right in earlier]
    return {"letter": LETTERS[side], "text": text, "foot": foot, "earlier": turns, "name": name, "spec": spec}


def _spec(candidate: Candidate, profile: Profile) -> ModelSpec | None:
    return next((spec for spec in profile.models if spec.id == candidate.contestant.model), None)


def _given(ballot: Ballot) -> dict[str, str]:
    """Return what the voter said of each answer, in words."""
    details = {
        "left": (*((UNSAFE,) if ballot.left_unsafe else ()), *ballot.left_reasons),
        "right": (*((UNSAFE,) if ballot.right_unsafe else ()), *ballot.right_reasons),
    }
    return {side: ", ".join(DETAIL_WORDS[name].lower() for name in names) for side, names in details.items()}
