"""`app.py` as it is, around an engine without a model: `python -m tests.support.scripted_app SECONDS_A_STEP [BANK]`.

BANK is a folder into which made-up ready-made answers are written, to vote on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import medilite.engine
from medilite.arena import booth
from medilite.models import Profile
from medilite.ui.page import stopping
from tests.support.banks import write_bank
from tests.support.fakes import ScriptedEngine


def main(step_s: float, bank: Path | None = None) -> int:
    """Run the app; what asks for an engine gets a scripted one."""
    medilite.engine.open_engine = lambda profile, settings: ScriptedEngine(profile, step_s=step_s)
    if bank:
        booth.bank_folder = lambda profile: _written(bank, profile)
    # What ends early ends early; a busy machine gets the time that it needs.
    stopping.LAST_WORDS_S = 120.0
    import app

    return app.main()


def _written(folder: Path, profile: Profile) -> Path:
    return folder if folder.is_dir() else write_bank(folder, profile)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
