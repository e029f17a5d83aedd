"""The whole app as a process of its own, and what has to hold after whatever happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medilite.arena.records import text_key
from medilite.arena.store import Store
from tests.faults.forks import Forks, Running
from tests.faults.people import Crowd
from tests.support.model_servers import free_port
from tests.support.thorough import usually

OUTAGE_S = usually(2.0, 30.0)
"""How long what fails stays away."""

STORE_S = 10.0 if OUTAGE_S >= 10 else 1.0
"""How long the votes' database may take: as it ships, if there is time for it."""

NO_LIMITS = {f"MEDILITE_{what}_PER_{who}": "off" for what in ("ANSWERS", "PAIRS") for who in ("VISITOR", "ADDRESS")}
NO_LIMITS |= {"MEDILITE_READINGS_PER_ADDRESS": "off"}
"""Readings too: a test that asks for a file until it is there would wait a minute for having asked too often."""

Start = Callable[..., Running]


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The process that apps are forks of."""
    made = Forks(tmp_path_factory.mktemp("forks"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def start(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return a function that starts an app, by default with all it writes in a folder of its own."""
    apps: list[Running] = []

    def begin(folder: Path | None = None, port: int | None = None, **options: object) -> Running:
        folder = folder or tmp_path_factory.mktemp("app")
        env = {
            "HOME": str(folder), "MEDILITE_DATA_DIR": str(folder / "data"), "TMPDIR": str(folder),
            "GRADIO_TEMP_DIR": str(folder / "gradio"), "MEDILITE_CACHE_DIR": str(folder / "cache"), **NO_LIMITS,
        }  # fmt: skip
        app = forks.app(folder / "log", port or free_port(), **{"timeout_s": STORE_S, **env, **options})
        apps.append(app)
        return app.until_ready()

    yield begin
    for app in apps:
        app.kill()
        assert "Unexpected" not in app.said(), app.said()


def check_votes(database: str | Path, crowd: Crowd) -> None:
    """Fail unless every acknowledged vote of a crowd is in a database, once and as it was acknowledged."""
    import sqlalchemy as sa

    from medilite.arena import schema

    store = Store(database)
    try:
        joined = sa.join(schema.votes, schema.pairs, schema.votes.c.id == schema.pairs.c.id)
        wanted = sa.select(schema.pairs.c.token_sha256, schema.votes.c.choice).select_from(joined)
        with store.database.read() as connection:
            kept = {row[0]: row[1] for row in connection.execute(wanted)}
    finally:
        store.database.close()
    acknowledged = {text_key(token): choice for token, choice in crowd.acknowledged.items()}
    assert acknowledged, "nobody voted"
    assert {key: kept.get(key) for key in acknowledged} == acknowledged
