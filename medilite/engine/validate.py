"""What every engine refuses before it generates anything."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.errors import ContextOverflowError, EngineError, QuestionError
from medilite.models import Profile
from medilite.records import Request


def checked(profile: Profile, requests: Sequence[Request]) -> tuple[Request, ...]:
    """Return the requests; raises EngineError without one, UnknownModelError, QuestionError where nothing is asked."""
    if not requests:
        raise EngineError("No request was given: name at least one model.")
    for request in requests:
        profile.get(request.model)
        if not any(m.role == "user" and m.content.strip() for m in request.messages):
            raise QuestionError("There is no question yet: type one, or pick one of the examples.")
    return tuple(requests)


def check_context(request: Request, prompt: int, context: int) -> None:
    """Raise ContextOverflowError where prompt and answer are more tokens together than `context`."""
    new = request.decoding.max_new_tokens
    if prompt + new > context:
        raise ContextOverflowError(
            f"The conversation has {prompt:,} tokens and the answer may have {new:,} more, together over the"
            f" model's {context:,}. Ask for a shorter answer, shorten the question, or start a new conversation."
        )
