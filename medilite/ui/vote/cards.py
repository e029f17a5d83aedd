"""A blind pair as HTML: before the vote nothing in it depends on the models but the two texts.

One frame for all: the two answers as they are written, before the vote, after
it. Only what is made from an `Outcome` has names, colours and grades in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from medilite.arena.booth import NAMES_S, UNDO_S, Nothing, Outcome, Shown, Taken
from medilite.arena.marks import MARKS
from medilite.arena.records import REASONS, UNSAFE, Ballot, Candidate, Choice, Pair
from medilite.models import Profile
from medilite.ui.compare.cards import SHORT_NOTICE, colours, name_html
from medilite.ui.page.scores import grade_badge_html

LETTERS = {"left": "A", "right": "B"}
"""What the answers are called on the page: on a phone one stands below the other, not beside it."""

CHOICE_WORDS: dict[Choice, tuple[str, str, str]] = {
    "left": ("A is better", "You chose A.", "A is better"),
    "right": ("B is better", "You chose B.", "B is better"),
    "equal": ("Equally good", "You found both equally good.", "Equally good"),
    "both_bad": ("Both bad", "You found both bad.", "Both bad"),
}
"""Of every choice: its button, what the voter is told afterwards, and the line among the others' votes."""

DETAIL_WORDS = {UNSAFE: "Wrong or unsafe", **{name: words.capitalize() for name, words in REASONS.items()}}

GONE = "This text is not at hand any more; your vote holds all the same."

Texts = tuple[str, str, str]
"""Question, left answer, right answer, as they are shown."""


@dataclass(frozen=True, slots=True)
class Card:
    """What one of the two cards shows; `after` only once the vote is given."""

    side: str
    text: str
    after: str = ""
    name: str = ""
    style: str = ""
    usable: bool = True


# --- before the vote -----------------------------------------------------------------------


def open_html(shown: Shown, kind: str, *, again: bool = False) -> str:
    """Return a pair that can be voted on; `kind` is where it comes from, `again` whether its vote was taken back."""
    cards = [Card("left", shown.left), Card("right", shown.right)]
    said = "Your vote is taken back and doesn't count. Choose again." if again else ""
    told = f'<p class="vt-verdict">{said}</p>' if said else ""
    return _frame(
        "open", shown.question, cards, told=told, bar=_choices(), token=shown.token, say=said, skip=kind == "ready"
    )


def writing_html(question: str, left: str, right: str) -> str:
    """Return a live pair while it is written."""
    cards = [Card("left", left, usable=False), Card("right", right, usable=False)]
    hint = f'<p class="vt-hint">Choose once both have ended.</p>{_button("Stop", "stop")}'
    return _frame("writing", question, cards, bar=f'{_choices(usable=False)}<div class="vt-until">{hint}</div>')


def unkept_html(question: str, left: str, right: str) -> str:
    """Return a live pair that is whole but could not be stored, so that nobody can vote on it yet."""
    cards = [Card("left", left, usable=False), Card("right", right, usable=False)]
    again = _button("Try again", "again", primary=True)
    return _frame("unkept", question, cards, bar=f'<div class="vt-buttons">{again}</div>')


# --- after the vote ------------------------------------------------------------------------


def taken_html(taken: Taken, token: str) -> str:
    """Return a pair whose vote can still be taken back: without names, for nobody takes it back because of them.

    The page asks for the names by itself after NAMES_S; Undo holds that up while
    the pointer or the focus is on it.
    """
    verdict = CHOICE_WORDS[taken.ballot.choice][1]
    told = [f'<p class="vt-verdict"><strong>{verdict}</strong> Names come next; then the vote is final.</p>']
    if not taken.fresh:
        told.append(_fine("This pair had your vote already. The first one counts, once."))
    show = _button("Show the names", "reveal", primary=True, seconds=NAMES_S)
    bar = f'<div class="vt-buttons">{show}{_button("Undo", "undo", seconds=UNDO_S)}</div>'
    said, texts = _given(taken.ballot), taken.texts or ("The question of this pair", GONE, GONE)
    cards = [Card(side, text, _you_said(said[side])) for side, text in zip(LETTERS, texts[1:], strict=True)]
    return _frame("taken", texts[0], cards, told="".join(told), bar=bar, token=token, say=verdict)


def voted_html(outcome: Outcome, token: str, profile: Profile) -> str:
    """Return a pair after its vote: names, grades, how others voted, next."""
    vote, texts = outcome.vote, outcome.texts
    verdict = CHOICE_WORDS[vote.ballot.choice][1]
    told = [f'<p class="vt-verdict"><strong>{verdict}</strong> {_who(vote.pair, profile)}</p>']
    if reasons := [MARKS[name] for name in vote.marks if name in MARKS]:
        told.append(_fine(f"It is kept, and left out of the ratings: {'; '.join(reasons)}."))
    told.append(_others(outcome.others))
    bar = f'<div class="vt-buttons">{_next(vote.pair)}</div>'
    cards = _after(vote.pair, vote.ballot, texts, profile)
    say = f"{verdict} {_said(vote.pair, profile)}"
    return _frame("voted", _question(texts), cards, told="".join(told), bar=bar, token=token, say=say)


def undone_html(kind: str) -> str:
    """Return what is shown of a pair whose vote was taken back and whose texts are not at hand any more."""
    button = _button("Next pair" if kind == "ready" else "Next question", "next", "N", primary=True)
    words = "It doesn't count. The two answers are not at hand any more, so you can't choose again."
    return _place("undone", _panel("Your vote is taken back", words, button), "Your vote is taken back.")


_SKIP = (
    '<button type="button" class="ml-tool" data-do="next" aria-keyshortcuts="N">Skip '
    '<kbd aria-hidden="true">N</kbd></button>'
)

# --- where there is no pair ----------------------------------------------------------------

_LIVE = '<button type="button" class="vt-button vt-primary" data-do="live">Ask a question of your own</button>'

_WHY: dict[Nothing, tuple[str, str, str]] = {
    Nothing.EMPTY: (
        "No ready-made answers yet",
        "Whoever runs this app makes them once, with <code>python -m medilite votes prepare</code>. Until then, "
        "ask a question of your own: two models answer it, and you vote on what they say.",
        _LIVE,
    ),
    Nothing.STALE: (
        "The ready-made answers are out of date",
        "The models have been trained anew since. Whoever runs this app makes new answers with "
        "<code>python -m medilite votes prepare</code>. Until then, ask a question of your own.",
        _LIVE,
    ),
    Nothing.SEEN: (
        "You have seen every pair",
        "Thank you: there is no ready-made pair left that you haven't had. Questions of your own make new ones.",
        _LIVE,
    ),
    Nothing.SAME: (
        "Both answers are the same",
        "The two models wrote the same, word for word. That is noted as “same”, and there is nothing to choose. "
        "Ask once more for another two, or ask something else.",
        "",
    ),
    Nothing.WORDLESS: (
        "One model said nothing",
        "An answer without a word can't be compared. Ask once more for another two.",
        "",
    ),
    Nothing.STOPPED: (
        "Stopped before the end",
        "Half an answer says little about who wrote it, so there is nothing to choose. Ask once more, and let both "
        "answers end.",
        "",
    ),
    Nothing.FAILED: (
        "One model broke down",
        "There is nothing to compare, and nothing was counted. Ask once more for another two.",
        "",
    ),
}


def nothing_html(reason: Nothing, question: str = "", texts: Sequence[str] = ()) -> str:
    """Return why there is no pair, and what to do; a live question's answers are shown all the same."""
    title, words, button = _WHY[reason]
    panel = _panel(title, words, button)
    if not any(texts):
        return (
            f'<section class="vt-pair" data-state="nothing" data-token="" data-say="{escape(title)}">{panel}</section>'
        )
    cards = [Card(side, text, usable=False) for side, text in zip(LETTERS, texts, strict=True)]
    return _frame("nothing", question, cards, told=panel, say=title)


def start_html() -> str:
    """Return what stands where live answers come."""
    return _place(
        "start",
        _panel(
            "Two answers to your own question",
            "Type a question and press Ask. Two models, drawn at random, answer it side by side, word by word on one "
            "clock; you learn which they were once you have voted.",
        ),
    )


def closed_html() -> str:
    """Return what stands where pairs come while the votes' database can't be used; the reason stands above."""
    again = _button("Try again", "next", primary=True)
    return _place("closed", _panel("No votes at the moment", "Everything else in the app works as usual.", again))


def drawing_html() -> str:
    """Return what stands there before the first pair has come."""
    return _place("drawing", '<p class="ml-quiet">Drawing two answers.</p>')


# --- parts -----------------------------------------------------------------------------------


def _frame(
    state: str,
    question: str,
    cards: Sequence[Card],
    *,
    bar: str = "",
    told: str = "",
    token: str = "",
    say: str = "",
    skip: bool = False,
) -> str:
    both = "".join(_card(card, after=state in ("taken", "voted")) for card in cards)
    result = f'<div class="vt-told">{told}</div>' if told else ""
    footer = f'<div class="vt-bar">{bar}</div>' if bar else ""
    other = _SKIP if skip else ""
    return (
        f'<section class="vt-pair" data-state="{state}" data-token="{escape(token)}" data-say="{escape(say)}">'
        f'<div class="vt-asked"><h2 class="vt-question ml-text" tabindex="-1">{escape(question)}</h2>{other}</div>'
        f'<div class="vt-answers">{both}</div>{result}{footer}</section>'
    )


def _card(card: Card, *, after: bool) -> str:
    label = f"Answer {LETTERS[card.side]}"
    foot = card.after if after else _details(card)
    return (
        f'<article class="ml-card vt-card" aria-label="{label}" {card.style}>'
        f'<header class="ml-card-head"><h3 class="ml-card-name">{label}</h3>{card.name}</header>'
        f'<div class="ml-answer" tabindex="0" role="region" aria-label="Text of answer {LETTERS[card.side]}">'
        f'<p class="ml-text">{escape(card.text)}</p></div>'
        f'<footer class="ml-card-foot">{foot}</footer></article>'
    )


def _details(card: Card) -> str:
    """Return the switches for what one may say of an answer, before the choice: afterwards names are known."""
    letter = LETTERS[card.side]
    off = "" if card.usable else " disabled"
    chips = "".join(
        f'<button type="button" class="vt-chip vt-chip-{name}" aria-pressed="false" data-side="{card.side}" '
        f'data-detail="{name}"{off}>{escape(words)}</button>'
        for name, words in DETAIL_WORDS.items()
    )
    return (
        f'<div class="vt-chips" role="group" aria-label="What you may say of answer {letter} before you choose">'
        f'{chips}</div><p class="ml-fine">{SHORT_NOTICE}</p>'
    )


def _choices(*, usable: bool = True) -> str:
    off = "" if usable else " disabled"
    buttons = "".join(
        f'<button type="button" class="vt-button vt-choice" data-choice="{choice}" aria-keyshortcuts="{key}"{off}>'
        f'{words[0]} <kbd aria-hidden="true">{key}</kbd></button>'
        for key, (choice, words) in enumerate(CHOICE_WORDS.items(), start=1)
    )
    return f'<div class="vt-choices" role="group" aria-label="Your vote">{buttons}</div>'


def _button(words: str, do: str, key: str = "", *, primary: bool = False, seconds: float = 0) -> str:
    hint = f' <kbd aria-hidden="true">{key}</kbd>' if key else ""
    shortcut = f' aria-keyshortcuts="{key}"' if key else ""
    left = f' data-seconds="{seconds:.0f}"' if seconds else ""
    count = f' <span class="vt-count" aria-hidden="true">{seconds:.0f}</span>' if seconds else ""
    kind = " vt-primary" if primary else ""
    return f'<button type="button" class="vt-button{kind}" data-do="{do}"{shortcut}{left}>{words}{hint}{count}</button>'


def _next(pair: Pair) -> str:
    return _button("Next pair" if pair.kind == "ready" else "Next question", "next", "N", primary=True)


def _place(state: str, content: str, say: str = "") -> str:
    """Return the place for a pair without one."""
    return f'<section class="vt-pair" data-state="{state}" data-token="" data-say="{escape(say)}">{content}</section>'


def _panel(title: str, words: str, button: str = "") -> str:
    return f'<div class="vt-panel"><h2>{title}</h2><p>{words}</p>{button}</div>'


def _fine(text: str) -> str:
    return f'<p class="ml-fine">{escape(text)}</p>'


def _question(texts: Texts | None) -> str:
    return texts[0] if texts else "The question of this pair"


def _label(candidate: Candidate, profile: Profile) -> str:
    return next((spec.label for spec in profile.models if spec.id == candidate.contestant.model), "a model of old")


def _who(pair: Pair, profile: Profile) -> str:
    return f"A is {_name(pair.left, profile)}, B is {_name(pair.right, profile)}."


def _said(pair: Pair, profile: Profile) -> str:
    return f"A is {_label(pair.left, profile)}, B is {_label(pair.right, profile)}."


def _name(candidate: Candidate, profile: Profile) -> str:
    spec = next((spec for spec in profile.models if spec.id == candidate.contestant.model), None)
    return name_html(spec) if spec else escape(_label(candidate, profile))


def _after(pair: Pair, ballot: Ballot, texts: Texts | None, profile: Profile) -> list[Card]:
    said = _given(ballot)
    cards = []
    for i, (side, candidate) in enumerate((("left", pair.left), ("right", pair.right)), start=1):
        spec = next((spec for spec in profile.models if spec.id == candidate.contestant.model), None)
        words = f"{candidate.words:,} word{'' if candidate.words == 1 else 's'}"
        foot = (
            f'<div class="ml-card-first">{grade_badge_html(candidate.grade)}<span class="ml-fine">{words}</span></div>'
            f"{_you_said(said[side])}"
        )
        text = texts[i] if texts else GONE
        cards.append(Card(side, text, foot, _name(candidate, profile), colours(spec) if spec else ""))
    return cards


def _you_said(details: Sequence[str]) -> str:
    told = ", ".join(DETAIL_WORDS[name].lower() for name in details)
    you = f'<p class="ml-fine">You said: {escape(told)}</p>' if told else ""
    return f'{you}<p class="ml-fine">{SHORT_NOTICE}</p>'


def _given(ballot: Ballot) -> dict[str, tuple[str, ...]]:
    return {
        "left": (*((UNSAFE,) if ballot.left_unsafe else ()), *ballot.left_reasons),
        "right": (*((UNSAFE,) if ballot.right_unsafe else ()), *ballot.right_reasons),
    }


def _bar(share: float) -> str:
    return f'<span class="vt-split-bar" style="--share:{100 * share:.1f}%"></span>' if share else ""


def _others(counts: Mapping[Choice, int] | None) -> str:
    if counts is None:
        return _fine("How others voted on these two answers can't be told at the moment.")
    total = sum(counts.values())
    if not total:
        return '<p class="ml-quiet">Nobody else has voted on these two answers yet.</p>'
    rows = "".join(
        f'<div class="vt-split-row"><dt>{escape(CHOICE_WORDS[choice][2])}</dt>'
        f"<dd>{_bar(count / total)}"
        f'<span class="vt-split-count">{count:,}</span></dd></div>'
        for choice, count in counts.items()
    )
    heading = f"How {total:,} other{'' if total == 1 else 's'} voted on these two answers"
    return f'<div class="vt-others"><h3>{heading}</h3><dl class="vt-split">{rows}</dl></div>'
