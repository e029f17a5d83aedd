"""The base of the tabs in which a visitor asks the model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

import gradio as gr
from gradio.blocks import Block

from medilite.engine.protocol import Engine
from medilite.models import Profile
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.guard.limits import Admission
from medilite.ui.page import notices

Update = dict[Any, Any]
P = ParamSpec("P")


def streamed(handler: Callable[P, Iterator[Update]]) -> Callable[P, Iterator[Update]]:
    """Let each update of a handler that answers bit by bit repeat what earlier ones changed of components.

    Gradio sends a stream's updates as differences, and its client applies each to the objects of the one before. On a
    busy machine it reads two before it shows the first: what the second no longer has (a button that can be pressed
    now, a place that is shown) would never be seen. Values that are text are no objects, and are not repeated: the
    visitor may have typed since.
    """

    @functools.wraps(handler)
    def repeating(*args: P.args, **kwargs: P.kwargs) -> Iterator[Update]:
        changed: Update = {}
        for update in handler(*args, **kwargs):
            changed |= {part: value for part, value in update.items() if isinstance(value, Block)}
            yield {**changed, **update}

    return repeating


class AskingTab:
    """A tab in which a visitor asks: the engine, the limits, and the library beside the answers.

    It is built once for all; what a visitor has of their own is in their Session.
    """

    error: gr.HTML
    emergency: gr.HTML

    def __init__(
        self, engine: Engine, profile: Profile, settings: Settings, admission: Admission, shelf: Shelf | None = None
    ) -> None:
        self.engine, self.profile, self.settings = engine, profile, settings
        self.admission, self.shelf = admission, shelf or Shelf(settings)

    def refused(self, message: str, *questions: object) -> Update:
        """Return why `questions` get no answer, and the notice that they get all the same if one is an emergency.

        Without one the notice on the page stays: the answers under it do too.
        """
        notice = notices.emergency_html(*questions)
        return {self.error: notices.error_html(message), **({self.emergency: notice} if notice else {})}
