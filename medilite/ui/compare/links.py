"""The link that reopens a comparison: question, models and settings, in the address.

They come after the `#`, which a browser keeps to itself: a person's question
is then in no server's log. A query string after `?` is read just as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode

from medilite.errors import DecodingError
from medilite.models import Profile
from medilite.prompts import clean_text
from medilite.records import Decoding
from medilite.sources.records import Passage
from medilite.ui.compare.comparison import Comparison
from medilite.ui.page.decoding import DEFAULT_SEED, DEFAULTS, SETTINGS, as_decoding, as_seed

_KEYS = ("n", "t", "p", "r")
"""The short names of SETTINGS in a link, in their order."""

_PASSAGE = re.compile(r"[^<>]{1,200}#[1-9][0-9]{0,3}")
"""The form of a passage's id: what a page sends back may be anything."""


@dataclass(frozen=True, slots=True)
class LinkedState:
    """What a link asks for; None if it says nothing, `notes` where it says something unusable."""

    question: str
    models: tuple[str, ...]
    decoding: Decoding
    seed: int
    notes: tuple[str, ...] = ()
    from_source: bool = False
    """Whether the models are to answer from the source."""


def encode_link(
    question: str, models: Sequence[str], decoding: Decoding, seed: int, *, from_source: bool = False
) -> str:
    """Return the fragment ("#q=…") that reopens this question with these models and settings."""
    return (
        "#" + urlencode({"q": question}, quote_via=quote) + "&" + _encode_settings(models, decoding, seed, from_source)
    )


def _encode_settings(models: Sequence[str], decoding: Decoding, seed: int, from_source: bool) -> str:
    fields = {"m": ",".join(models)}
    fields |= {key: f"{getattr(decoding, setting.name):g}" for key, setting in zip(_KEYS, SETTINGS, strict=True)}
    fields["s"] = str(seed)
    if from_source:
        fields["from"] = "source"
    return urlencode(fields, quote_via=quote)


def settings_of(comparison: Comparison) -> str:
    """Return what a page keeps beside question and answers: what a link says, and the passage that was given."""
    said = _encode_settings(_chosen(comparison), comparison.decoding, comparison.seed, comparison.from_source)
    return f"{said}&{urlencode({'given': comparison.given.id}, quote_via=quote)}" if comparison.given else said


def given_of(settings: str) -> Passage | None:
    """Return the passage that `settings_of` names, by its id alone; None if it names none."""
    id = parse_qs(settings).get("given", [""])[-1]
    if not _PASSAGE.fullmatch(id) or not id.isprintable():
        return None
    return Passage(id, text="", question="", topic="", kind="", source="", institute="", address="")


def link_of(comparison: Comparison) -> str:
    """Return the fragment that reopens a comparison."""
    return encode_link(
        comparison.question,
        _chosen(comparison),
        comparison.decoding,
        comparison.seed,
        from_source=comparison.from_source,
    )


def _chosen(comparison: Comparison) -> list[str]:
    """Return the models that were chosen; rewriters come by themselves."""
    return [pane.spec.id for pane in comparison.panes if pane.spec not in comparison.profile.rewriters]


def decode_link(address: str, profile: Profile, max_chars: int) -> LinkedState | None:
    """Return what an address's query string or fragment asks for; None if it asks no question.

    Whatever can't be used (an unknown model, a number out of its range) is left
    out, and a note for people says so. A question longer than `max_chars` is
    kept whole up to four times that: asking it gives the usual message.
    """
    fields: dict[str, str] = {}
    for part in (address or "").replace("#", "?").split("?"):
        try:
            parsed = parse_qs(part, keep_blank_values=True, max_num_fields=50, errors="replace")
        except ValueError:
            continue
        fields |= {key: values[-1] for key, values in parsed.items()}
    question = clean_text(fields.get("q", "")).strip()[: 4 * max_chars]
    if not question:
        return None
    notes: list[str] = []
    models = _models(fields.get("m"), profile, notes)
    decoding = _decoding(fields, notes)
    seed = _seed(fields.get("s"), notes)
    return LinkedState(question, models, decoding, seed, tuple(notes), fields.get("from") == "source")


def _models(value: str | None, profile: Profile, notes: list[str]) -> tuple[str, ...]:
    wanted = [name.strip() for name in (value or "").split(",") if name.strip()]
    known = tuple(spec.id for spec in profile.models if spec.id in wanted)
    if set(wanted) - set(known) - {"all"}:
        notes.append("The link names a model that this app doesn't have; it is left out.")
    return known or profile.ids


def _decoding(fields: dict[str, str], notes: list[str]) -> Decoding:
    values: dict[str, float] = {}
    for key, setting in zip(_KEYS, SETTINGS, strict=True):
        value = _number(fields.get(key), setting.label, notes)
        if value is not None and setting.low <= value <= setting.high:
            values[setting.name] = value
        elif value is not None:
            notes.append(f"The link's value for “{setting.label}” is out of range; the default is used instead.")
    try:
        return as_decoding(*(values.get(setting.name) for setting in SETTINGS))
    except DecodingError as error:
        notes.append(f"{error} The default settings are used instead.")
        return DEFAULTS


def _seed(text: str | None, notes: list[str]) -> int:
    value = _number(text, "Seed", notes)
    try:
        return as_seed(value)
    except DecodingError:
        notes.append(f"The link's seed is out of range; {DEFAULT_SEED} is used instead.")
        return DEFAULT_SEED


def _number(text: str | None, name: str, notes: list[str]) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        value = float(text[:40])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        notes.append(f"The link's value for “{name}” is not a number; the default is used instead.")
        return None
    return value
