"""Entry point: settings, profile, engine, page. `python app.py`, here and in a Space."""

from __future__ import annotations

import os
import sys

from medilite.errors import MediLiteError


def main() -> int:
    """Open the page at once and load the model behind it; 2 for an error that a user can fix."""
    # NumPy's products here are small, and on busy cores waiting for a second thread costs more than it saves: a search
    # took 150 ms beside a running comparison. Read when NumPy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from medilite.arena.database import database_url
        from medilite.arena.mirror.mirror import start_mirror
        from medilite.arena.retention import start_deleting
        from medilite.arena.votes import Votes
        from medilite.cli import private_bank
        from medilite.engine import open_engine
        from medilite.logs import set_up_logging
        from medilite.models import load_profile
        from medilite.settings import load_settings
        from medilite.ui.page.app import build_ui, serve
        from medilite.ui.page.loading import is_loading, load_now, start_loading

        settings = load_settings()
        database_url(settings.votes_database)
        votes = Votes(settings.votes_database)
        set_up_logging(settings)
        profile = load_profile(settings.profile)
        engine = open_engine(profile, settings)
        if settings.zero_gpu:
            load_now(engine)
        page = build_ui(engine, profile, settings, votes=votes)
        page.shelf.start()

        def read_ahead() -> None:
            # The first voter would wait for the pairs, the leaderboard's first visitor for its files and plotly.
            page.booth.read_ahead()
            page.leaderboard.open(None)

        start_loading(engine, read_ahead)
        if mirror := start_mirror(settings, votes):
            page.drain.at_the_end("push the votes to their mirror", mirror.close)
        start_deleting(settings, votes)
        private_bank.start(page.engine, profile, settings, lambda: page.drain.begun)
        serve(page, profile, settings)
        if is_loading():
            # A library that is loading can't be stopped, and would turn a clean exit into a crash.
            sys.stdout.flush()
            os._exit(0)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
