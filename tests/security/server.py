"""The page around a scripted engine that says what it is asked, served by a process of its own.

    python -m tests.security.server FOLDER

Votes and ready-made answers are in FOLDER; settings come from the environment.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from medilite.arena.votes import Votes
from medilite.records import Request, Step
from tests.support.banks import write_bank
from tests.support.fakes import ScriptedEngine


class EchoEngine(ScriptedEngine):
    """Every model answers with the question, so that what a visitor types also stands where answers do."""

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        self.scripts = {request.model: request.messages[-1].content for request in requests}
        return super().stream(requests)


def main(folder: Path) -> None:
    """Serve until the process is stopped."""
    from medilite.arena.booth import Booth
    from medilite.logs import set_up_logging
    from medilite.models import load_profile
    from medilite.settings import load_settings
    from medilite.ui.page.app import build_ui, serve

    profile, settings = load_profile("lite"), load_settings(data_dir=folder / "votes")
    set_up_logging(settings)
    engine = EchoEngine(profile, step_s=float(os.environ.get("MEDILITE_TEST_STEP_S", "0")))
    engine.load()
    booth = Booth(profile, Votes(settings.votes_database), folder=write_bank(folder / "bank", profile))
    serve(build_ui(engine, profile, settings, folder / "boards", booth), profile, settings, block=False)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    main(Path(sys.argv[1]))
