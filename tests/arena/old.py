"""Databases as older versions of MediLite have left them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from medilite.arena.database import MIGRATIONS
from medilite.arena.records import Ballot, Pair, Vote
from medilite.arena.rows import pair_row, vote_row
from tests.arena.made import NOW


def old_database(
    path: Path, revision: str, votes: Iterable[Pair] = (), undone: Iterable[Pair] = (), pairs: Iterable[Pair] = ()
) -> Path:
    """Make a SQLite file of that revision of the schema, with votes (some taken back) and open pairs, and their texts.

    As those versions did, it keeps the texts of every pair that has any.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for listed, at in ((votes, None), (undone, NOW + 70)):
            for shown in listed:
                _insert(connection, "votes", vote_row(Vote(shown, Ballot("left"), NOW + 60, 60.0, at)))
                _keep(connection, shown)
        for number, shown in enumerate(pairs):
            _insert(connection, "pairs", {**pair_row(shown), "token_sha256": f"token {number}"})
            _keep(connection, shown)
    engine.dispose()
    return path


def _insert(connection: sa.Connection, table: str, row: dict[str, object]) -> None:
    known = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    values = {name: value for name, value in row.items() if name in known}
    connection.execute(sa.table(table, *map(sa.column, values)).insert().values(values))


def _keep(connection: sa.Connection, shown: Pair) -> None:
    if shown.question is not None:
        row = {"key": shown.question_key, "id": shown.question_id, "text": shown.question}
        connection.execute(sa.text("INSERT OR IGNORE INTO questions (key, id, text) VALUES (:key, :id, :text)"), row)
    for side in (shown.left, shown.right):
        if side.text is not None:
            row = {"key": side.key, "text": side.text}
            connection.execute(sa.text("INSERT OR IGNORE INTO answers (key, text) VALUES (:key, :text)"), row)


def texts_in(path: Path) -> set[str]:
    """Return every question and answer in a SQLite file."""
    connection = sqlite3.connect(path)
    try:
        return {row[0] for table in ("questions", "answers") for row in connection.execute(f"SELECT text FROM {table}")}
    finally:
        connection.close()
