"""The endpoints as events of the page, for Gradio's API: by name, with types, and with errors in words."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from medilite.errors import MediLiteError, RateLimitError
from medilite.ui.api.endpoints import Endpoint
from medilite.ui.page.answering import message_of
from medilite.ui.page.controls import MODEL_EVENTS

UNEXPECTED = "Something went wrong in the app; its log says where. Ask again."


def offer(endpoints: tuple[Endpoint, ...]) -> None:
    """Add the endpoints to the current Blocks; they don't wait in Gradio's queue (see MODEL_EVENTS)."""
    for endpoint in endpoints:
        gr.api(
            handler(endpoint),
            api_name=endpoint.name,
            api_description=endpoint.about,
            concurrency_id=MODEL_EVENTS["concurrency_id"] if endpoint.streams else "programs",
            concurrency_limit=None,
        )


def handler(endpoint: Endpoint) -> Callable[..., Any]:
    """Return the endpoint's function with its errors as Gradio's; its annotations are where Gradio looks for them."""

    @functools.wraps(endpoint.function)
    def once(*given: Any) -> Any:
        try:
            return endpoint.function(*given)
        except Exception as error:
            raise spoken(error) from None

    @functools.wraps(endpoint.function)
    def streaming(*given: Any) -> Iterator[Any]:
        try:
            yield from endpoint.function(*given)
        except Exception as error:
            raise spoken(error) from None

    made: Any = streaming if endpoint.streams else once
    made.__signature__, made.__annotations__ = endpoint.signature(), endpoint.kinds
    return made


def spoken(error: Exception) -> gr.Error:
    """Return an error for programs; Gradio doesn't print it, because it may quote what was sent."""
    title = type(error).__name__ if isinstance(error, MediLiteError) else "Error"
    # Gradio's error has no field of its own for it: this one goes to programs as it is.
    wait_s: dict[str, Any] = {"duration": math.ceil(error.wait_s)} if isinstance(error, RateLimitError) else {}
    return gr.Error(message_of(error, UNEXPECTED), title=title, print_exception=False, **wait_s)
