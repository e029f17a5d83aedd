"""Check the arguments of programs strictly: each error names the argument, its value, and what it can be."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.errors import ArgumentError, suggestion
from medilite.models import FROM_A_PASSAGE, ModelSpec, Profile
from medilite.prompts import clean_text

SHOWN_CHARS = 80
"""Characters of a value that an error quotes."""


def one_model(given: object, profile: Profile) -> ModelSpec:
    """Return the model of that id, no rewriter. Raises ArgumentError or UnknownModelError."""
    if not isinstance(given, str) or not given.strip():
        raise ArgumentError(
            f"model={quoted(given)} can't be used: it has to be a model's id. Known models: {', '.join(profile.ids)}."
        )
    spec = profile.get(clean_text(given.strip())[:SHOWN_CHARS])
    if spec in profile.rewriters:
        raise ArgumentError(
            f"model={quoted(given)} can't be used: {FROM_A_PASSAGE}. Call compare with "
            "from_source=true and without models: its answer is then among them."
        )
    return spec


def several_models(given: object, profile: Profile) -> tuple[ModelSpec, ...]:
    """Return the models of these ids, in the profile's order; all of them for null. Raises as `one_model`."""
    if given is None:
        return profile.models
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise ArgumentError(
            f"models={quoted(given)} can't be used: it has to be a list of models' ids, or left out for all. "
            f"Known models: {', '.join(profile.ids)}."
        )
    chosen = {one_model(one, profile).id for one in given}
    return tuple(spec for spec in profile.models if spec.id in chosen)


def some_text(given: object, max_chars: int) -> str:
    """Return a text that can be measured, without control characters. Raises ArgumentError."""
    if not isinstance(given, str):
        raise ArgumentError(f"text={quoted(given)} can't be used: it has to be a text.")
    cleaned = clean_text(given).strip()
    if not cleaned:
        raise ArgumentError("text='' can't be used: it has nothing to read. Send a text of at least one word.")
    if len(cleaned) > max_chars:
        raise ArgumentError(
            f"text has {len(cleaned):,} characters; at most {max_chars:,} are measured at once. "
            "Shorten it, or send it in parts."
        )
    return cleaned


def choice(name: str, given: object, known: Sequence[str]) -> str:
    """Return `given` if it is one of the known names. Raises ArgumentError with the nearest."""
    if isinstance(given, str) and given in known:
        return given
    near = suggestion(given[:SHOWN_CHARS], known) if isinstance(given, str) else ""
    raise ArgumentError(f"{name}={quoted(given)} can't be used: it is not one of {', '.join(known)}.{near}")


def quoted(value: object) -> str:
    """Return a value as an error quotes it: cut, on one line, without control characters."""
    said = clean_text(repr(value)).replace("\n", " ")
    return said if len(said) <= SHOWN_CHARS else f"{said[:SHOWN_CHARS]}…"
