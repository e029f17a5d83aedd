"""The state of the votes' mirror, for `medilite doctor`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from medilite.errors import MirrorError, SettingsError

if TYPE_CHECKING:
    from medilite.settings import Settings


def check(settings: Settings) -> str | None:
    """Return how far the mirror is, from the store; None if none is set up.

    Raises SettingsError for a repository without a token, MirrorError with the last error, StoreError if the store
    can't be read.
    """
    from medilite.arena.mirror.state import read_state
    from medilite.arena.store import Store

    if settings.mirror is None:
        return None
    if not settings.is_mirrored:
        raise SettingsError(
            f"MEDILITE_MIRROR={settings.mirror} needs HF_TOKEN as well, so votes are not mirrored. Set a token that "
            "may write to that dataset repository."
        )
    store = Store(settings.votes_database)
    try:
        state = read_state(store)
    finally:
        store.database.close()
    if state is None:
        return f"{settings.mirror}: nothing is mirrored yet; the app starts mirroring once it runs"
    age = state.age_s(time.time())
    waiting = f"{state.waiting:,} {'vote waits' if state.waiting == 1 else 'votes wait'}"
    whole = "it never held everything" if age is None else f"it held everything {age / 60:.0f} minutes ago"
    if state.error:
        raise MirrorError(f"{state.repo}: {state.error} {waiting}; {whole}.")
    return f"{state.repo}: {waiting}; {whole}"
