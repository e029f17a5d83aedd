"""The door: settings, profile, engine, page. `python app.py` here and in a Space alike."""

from __future__ import annotations

import logging
import sys

from medilite.errors import MediLiteError


def main() -> int:
    """Open the page at once and load the model behind it; 2 for an error that a user can mend."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # These log the address of every request they make or get.
    for chatty in ("httpx", "httpx2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        from medilite.arena.mirror.mirror import start_mirror
        from medilite.arena.retention import start_deleting
        from medilite.engine import open_engine
        from medilite.models import load_profile
        from medilite.settings import load_settings
        from medilite.ui.app import build_ui, serve
        from medilite.ui.loading import load_now, start_loading

        settings = load_settings()
        profile = load_profile(settings.profile)
        engine = open_engine(profile, settings)
        if settings.zero_gpu:
            load_now(engine)
        page = build_ui(engine, profile, settings)
        start_loading(engine)
        mirror = start_mirror(settings)
        start_deleting(settings)
        try:
            serve(page, profile, settings)
        finally:
            if mirror is not None:
                mirror.close()
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
