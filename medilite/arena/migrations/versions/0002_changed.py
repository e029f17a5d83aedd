"""What the mirror lacks: a line for every vote and same, kept by triggers in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WATCHED = {"votes": "vote", "sames": "same"}
"""Tables, and what one of their rows is called."""

_NOTE = """
INSERT INTO changed (what, id, revision, pending) VALUES ({what}, {id}, 1, TRUE)
ON CONFLICT (what, id) DO UPDATE SET revision = changed.revision + 1, pending = TRUE;
"""

_FUNCTION = f"""
CREATE FUNCTION medilite_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    {_NOTE.format(what="TG_ARGV[0]", id="OLD.id")}
  ELSE
    {_NOTE.format(what="TG_ARGV[0]", id="NEW.id")}
  END IF;
  RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Make the table and its triggers; what is there already counts as not mirrored."""
    op.create_table(
        "changed",
        sa.Column("what", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("what", "id", name="pk_changed"),
    )
    op.create_index("ix_changed_pending", "changed", ["pending"])
    for table, what in WATCHED.items():
        op.execute(f"INSERT INTO changed (what, id, revision, pending) SELECT '{what}', id, 1, TRUE FROM {table}")
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers and the table."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in WATCHED:
        for event in ("insert", "update", "delete") if on_sqlite else ("any",):
            op.execute(f"DROP TRIGGER note_{table}_{event}" + ("" if on_sqlite else f" ON {table}"))
    if not on_sqlite:
        op.execute("DROP FUNCTION medilite_note_change()")
    op.drop_table("changed")


def _triggers(dialect: str) -> Iterator[str]:
    if dialect != "sqlite":
        yield _FUNCTION
    for table, what in WATCHED.items():
        if dialect != "sqlite":
            yield (
                f"CREATE TRIGGER note_{table}_any AFTER INSERT OR UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION medilite_note_change('{what}')"
            )
            continue
        for event in ("insert", "update", "delete"):
            row = "OLD" if event == "delete" else "NEW"
            note = _NOTE.format(what=f"'{what}'", id=f"{row}.id")
            yield f"CREATE TRIGGER note_{table}_{event} AFTER {event.upper()} ON {table} BEGIN {note} END"
