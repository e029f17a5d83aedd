"""What trust needs: networks, draws, banks, when names were shown; and less from which texts could be guessed.

Visitors' own questions whose text isn't kept lose seeds, exact counts and keys
that depend on the text. A text is deleted if no vote remains for which it was kept.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_SIDES = ("left", "right")


def upgrade() -> None:
    """Add the columns, then hide what older versions have stored."""
    for table in ("pairs", "votes"):
        op.add_column(table, sa.Column("bank", sa.String, nullable=False, server_default=""))
        op.add_column(table, sa.Column("two_probability", sa.Double, nullable=True))
        op.add_column(table, sa.Column("place_probability", sa.Double, nullable=True))
        op.execute(f"UPDATE {table} SET bank = 'public' WHERE kind = 'ready'")
    op.add_column("pairs", sa.Column("revealed_at", sa.Double, nullable=True))
    op.add_column("votes", sa.Column("network", sa.String, nullable=False, server_default=""))
    op.create_index("ix_votes_network", "votes", ["network"])
    connection = op.get_bind()
    _hide(connection, "pairs", "kind = 'live'")
    _hide(connection, "votes", "kind = 'live' AND (undone_at IS NOT NULL OR question_key NOT LIKE 'sha256:%')")
    same = sa.table("sames", *(sa.column(name) for name in ("id", "kind", "question_key", "answer_key")))
    for (id,) in connection.execute(sa.select(same.c.id).where(same.c.kind == "live")).all():
        hidden = {"question_key": _key(id, "question"), "answer_key": _key(id, "left")}
        connection.execute(same.update().where(same.c.id == id).values(hidden))
    op.execute("DELETE FROM questions WHERE key NOT IN (SELECT question_key FROM votes)")
    op.execute(
        "DELETE FROM answers WHERE key NOT IN "
        "(SELECT left_answer_key FROM votes UNION SELECT right_answer_key FROM votes)"
    )


def downgrade() -> None:
    """Drop the columns; what was hidden stays so."""
    op.drop_index("ix_votes_network", "votes")
    op.drop_column("votes", "network")
    op.drop_column("pairs", "revealed_at")
    for table in ("pairs", "votes"):
        for name in ("place_probability", "two_probability", "bank"):
            op.drop_column(table, name)


def _hide(connection: sa.Connection, name: str, where: str) -> None:
    columns = ["id", "question_key", "similarity"]
    columns += [f"{side}_{part}" for side in _SIDES for part in ("answer_key", "seed", "words", "grade")]
    table = sa.table(name, *(sa.column(column) for column in columns))
    for row in connection.execute(sa.select(table).where(sa.text(where))).mappings().all():
        hidden: dict[str, Any] = {
            "question_key": _key(row["id"], "question"), "similarity": round(row["similarity"] / 0.25) * 0.25,
        }  # fmt: skip
        for side in _SIDES:
            words, grade = row[f"{side}_words"], row[f"{side}_grade"]
            hidden |= {
                f"{side}_answer_key": _key(row["id"], side),
                f"{side}_seed": -1,
                f"{side}_words": 2 ** round(math.log2(words)) if words > 0 else 0,
                f"{side}_grade": None if grade is None else min(max(round(grade / 2) * 2.0, 0.0), 20.0),
            }
        connection.execute(table.update().where(table.c.id == row["id"]).values(hidden))


def _key(id: str, what: str) -> str:
    return "hidden:" + hashlib.sha256(f"{id} {what}".encode()).hexdigest()
