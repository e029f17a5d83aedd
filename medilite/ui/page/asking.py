"""What the tabs have in common in which a visitor asks the model."""

from __future__ import annotations

from medilite.engine.protocol import Engine
from medilite.models import Profile
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.guard.limits import Admission


class AskingTab:
    """A tab in which a visitor asks: whom, within which limits, and the library beside the answers.

    It is built once for all; what a visitor has of their own is in their Session.
    """

    def __init__(
        self, engine: Engine, profile: Profile, settings: Settings, admission: Admission, shelf: Shelf | None = None
    ) -> None:
        self.engine, self.profile, self.settings = engine, profile, settings
        self.admission, self.shelf = admission, shelf or Shelf(settings)
