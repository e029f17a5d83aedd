"""Checks of requests that every engine makes before it generates anything."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.errors import ContextOverflowError, EngineError, QuestionError
from medilite.models import Profile
from medilite.records import Request


def checked(profile: Profile, requests: Sequence[Request]) -> tuple[Request, ...]:
    """Return the requests; raises EngineError without one, UnknownModelError, QuestionError if nothing is asked."""
    if not requests:
        raise EngineError("No request was given: name at least one model.")
    for request in requests:
        profile.get(request.model)
        if not any(m.role == "user" and m.content.strip() for m in request.messages):
            raise QuestionError("There is no question yet: type one.")
        if request.other:
            profile.get(request.other)
    if len({request.scored is None for request in requests}) > 1:
        raise EngineError("A call scores texts or has answers written, not both: make two of it.")
    if any(request.scored == () for request in requests):
        raise EngineError("There is no answer to score: it has no token.")
    if any(request.divergence for request in requests):
        asked = {(r.scored, r.begun, r.messages, r.divergence) for r in requests}
        if len(asked) > 1 or requests[0].scored is None:
            raise EngineError(
                "How far models are apart can be said of one answer: score the same one, to one question, in all"
                " requests of the call."
            )
    return tuple(requests)


def check_plain(requests: Sequence[Request], engine: str, *, strengths: bool = False) -> None:
    """Raise EngineError if a request needs the engine with compiled code.

    With `strengths` this engine mixes adapters, and continues the beginning of an answer, too.
    """
    for request in requests:
        if request.begun and not strengths:
            raise EngineError(
                f"Going on from the beginning of an answer can't be had from {engine}. Use MEDILITE_ENGINE=local."
            )
        mixed = request.strength != 1 and not strengths
        if request.alternatives is not None or mixed or request.scored is not None:
            what = (
                "Probabilities and scores of a text" if strengths else "Strengths, probabilities and scores of a text"
            )
            raise EngineError(
                f"{what} can't be had from {engine}. Use MEDILITE_ENGINE=local with MEDILITE_PRECISION=int8 or int4, on"
                " a CPU."
            )


def check_context(request: Request, prompt: int, context: int) -> None:
    """Raise ContextOverflowError if prompt and answer are more tokens together than `context`."""
    new = request.decoding.max_new_tokens
    if prompt + new > context:
        raise ContextOverflowError(
            f"The conversation has {prompt:,} tokens and the answer may have {new:,} more, together over the"
            f" model's {context:,}. Ask for a shorter answer, shorten the question, or start a new conversation."
        )
