"""How many turns of a live pair's conversation were shown, and how many questions were asked; 1 before follow-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns."""
    for table in ("pairs", "votes"):
        for name in ("turns", "asked"):
            op.add_column(table, sa.Column(name, sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    """Drop the columns."""
    for table in ("pairs", "votes"):
        for name in ("asked", "turns"):
            op.drop_column(table, name)
