"""The decoding settings as the page shows them: defaults, ranges and plain words."""

from __future__ import annotations

from dataclasses import dataclass

from medilite.errors import DecodingError
from medilite.records import SHOWN_DECODING, Decoding

DEFAULTS = SHOWN_DECODING
DEFAULT_SEED = 0
MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """One control: its label, range, step and what it does, in plain words."""

    name: str
    label: str
    low: float
    high: float
    step: float
    about: str


SETTINGS = (
    Setting("max_new_tokens", "Longest answer", 16, 512, 16, "In tokens: one is about three quarters of a word."),
    Setting("temperature", "Temperature", 0.0, 1.5, 0.1, "0: always the likeliest word. Higher: more varied, riskier."),
    Setting("top_p", "Top-p", 0.05, 1.0, 0.05, "Choose among the likeliest words only. No effect at temperature 0."),
    Setting("repetition_penalty", "Repetition penalty", 1.0, 1.5, 0.05, "Above 1, words used before become rarer."),
)


def as_decoding(
    max_new_tokens: object, temperature: object, top_p: object, repetition_penalty: object, *, by_name: bool = False
) -> Decoding:
    """Return the decoding that the controls mean; an emptied control means its default.

    Raises DecodingError for a value that the page doesn't offer, so that a crafted
    request can't ask for more than a person could; it names the setting by its
    label, or with `by_name` as programs do.
    """
    given = dict(zip((s.name for s in SETTINGS), (max_new_tokens, temperature, top_p, repetition_penalty), strict=True))
    values: dict[str, float] = {}
    for setting in SETTINGS:
        value, called = given[setting.name], setting.name if by_name else setting.label
        if value is None or value == "":
            value = getattr(DEFAULTS, setting.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DecodingError(f"{called} {value!r:.80} can't be used: it has to be a number.")
        if not setting.low <= value <= setting.high:
            raise DecodingError(f"{called} {value:g} can't be used: choose from {setting.low:g} to {setting.high:g}.")
        values[setting.name] = value
    if values["max_new_tokens"] != int(values["max_new_tokens"]):
        called = "max_new_tokens" if by_name else SETTINGS[0].label
        raise DecodingError(f"{called} {values['max_new_tokens']:g} can't be used: give a whole number.")
    return Decoding(int(values["max_new_tokens"]), values["temperature"], values["top_p"], values["repetition_penalty"])


def as_seed(value: object) -> int:
    """Return the control's seed, 0 when it was emptied; raises DecodingError."""
    if value is None or value == "":
        return DEFAULT_SEED
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DecodingError(f"Seed {value!r:.80} can't be used: it has to be a number.")
    if not 0 <= value <= MAX_SEED or value != int(value):
        raise DecodingError(f"Seed {value!r} can't be used: give a whole number from 0 to {MAX_SEED:,}.")
    return int(value)


def decoding_words(decoding: Decoding, seed: int) -> str:
    """Return one line that says how the words were chosen."""
    length = f"at most {decoding.max_new_tokens} tokens"
    penalty = f"repetition penalty {decoding.repetition_penalty:g}"
    if decoding.temperature == 0:
        return f"{length} · likeliest words (temperature 0) · {penalty}"
    return f"{length} · temperature {decoding.temperature:g} · top-p {decoding.top_p:g} · {penalty} · seed {seed}"
