"""`app.py` as it is, around an engine without a model: `python -m tests.scripted_app SECONDS_A_STEP`."""

from __future__ import annotations

import sys

import medilite.engine
from medilite.ui import stopping
from tests.fakes import ScriptedEngine


def main(step_s: float) -> int:
    """Run the app; what asks for an engine gets a scripted one."""
    medilite.engine.open_engine = lambda profile, settings: ScriptedEngine(profile, step_s=step_s)
    # What ends early ends early; a busy machine gets the time that it needs.
    stopping.LAST_WORDS_S = 120.0
    import app

    return app.main()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
