"""Text generation behind one protocol.

`protocol.Engine` is the interface for ui/, eval/ and cli/; `local.LocalEngine` answers on this machine, all models in
one batch, `zero.ZeroEngine` on a GPU that ZeroGPU lends answer by answer, and `remote.RemoteEngine` asks model servers.
`open_engine` picks one and imports it only then, so importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medilite.engine.protocol import Availability, Engine
from medilite.progress import LoadProgress

if TYPE_CHECKING:
    from medilite.models import Profile
    from medilite.settings import Settings

__all__ = ["Availability", "Engine", "LoadProgress", "open_engine"]


def open_engine(profile: Profile, settings: Settings) -> Engine:
    """Return the engine for this profile, not yet loaded; raises SettingsError if its servers can't be used."""
    if settings.engine == "remote":
        from medilite.engine.remote.engine import RemoteEngine

        return RemoteEngine(profile, settings)
    if settings.zero_gpu:
        from medilite.engine.local.zero import ZeroEngine

        return ZeroEngine(profile, settings)
    from medilite.engine.local.engine import LocalEngine

    return LocalEngine(profile, settings)
