"""The first schema: questions, answers, pairs, votes, sames."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "meta",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "questions",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_questions"),
    )
    op.create_table(
        "answers",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
    )
    op.create_table(
        "pairs",
        *_pair(),
        sa.Column("token_sha256", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pairs"),
        sa.UniqueConstraint("token_sha256", name="uq_pairs_token_sha256"),
    )
    op.create_index("ix_pairs_voter", "pairs", ["voter"])
    op.create_index("ix_pairs_expires_at", "pairs", ["expires_at"])
    op.create_table(
        "votes",
        *_pair(),
        sa.Column("choice", sa.String, nullable=False),
        sa.Column("left_unsafe", sa.Boolean, nullable=False),
        sa.Column("right_unsafe", sa.Boolean, nullable=False),
        sa.Column("left_reasons", sa.String, nullable=False),
        sa.Column("right_reasons", sa.String, nullable=False),
        sa.Column("voted_at", sa.Double, nullable=False),
        sa.Column("decide_s", sa.Double, nullable=True),
        sa.Column("undone_at", sa.Double, nullable=True),
        sa.Column("marks", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
    )
    op.create_index("ix_votes_voter_voted_at", "votes", ["voter", "voted_at"])
    op.create_index("ix_votes_voted_at", "votes", ["voted_at"])
    op.create_index("ix_votes_left_answer_key_right_answer_key", "votes", ["left_answer_key", "right_answer_key"])
    op.create_table(
        "sames",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("profile", sa.String, nullable=False),
        sa.Column("question_key", sa.String, nullable=False),
        sa.Column("contestant_a", sa.String, nullable=False),
        sa.Column("contestant_b", sa.String, nullable=False),
        sa.Column("model_a", sa.String, nullable=False),
        sa.Column("model_b", sa.String, nullable=False),
        sa.Column("answer_key", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sames"),
    )
    op.create_index("ix_sames_at", "sames", ["at"])


def downgrade() -> None:
    """Drop every table."""
    for table in ("sames", "votes", "pairs", "answers", "questions", "meta"):
        op.drop_table(table)


def _pair() -> list[sa.Column]:
    sides: list[sa.Column] = []
    for side in ("left", "right"):
        sides += [
            sa.Column(f"{side}_model", sa.String, nullable=False),
            sa.Column(f"{side}_contestant", sa.String, nullable=False),
            sa.Column(f"{side}_answer_key", sa.String, nullable=False),
            sa.Column(f"{side}_seed", sa.BigInteger, nullable=False),
            sa.Column(f"{side}_words", sa.Integer, nullable=False),
            sa.Column(f"{side}_grade", sa.Double, nullable=True),
        ]
    return [
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("profile", sa.String, nullable=False),
        sa.Column("voter", sa.String, nullable=False),
        sa.Column("question_id", sa.String, nullable=False),
        sa.Column("question_key", sa.String, nullable=False),
        *sides,
        sa.Column("similarity", sa.Double, nullable=False),
        sa.Column("decoding", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("app_version", sa.String, nullable=False),
    ]
