"""Run by Alembic: migrates the database behind the connection that `medilite.arena.database` hands over."""

from __future__ import annotations

from alembic import context

from medilite.arena.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
