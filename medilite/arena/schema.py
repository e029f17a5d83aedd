"""The tables of the votes' database. Changing them takes a migration (migrations/versions)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""Single values of the whole store, such as its secret."""

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
"""Texts that may be kept: the project's own questions, and visitors' who agreed."""

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
"""Answers to those questions."""


def _pair_columns() -> list[sa.Column]:
    """Return the columns that say what a voter was shown; the same in `pairs` and `votes`."""
    sides = [
        sa.Column(f"{side}_{name}", kind, nullable=nullable)
        for side in ("left", "right")
        for name, kind, nullable in (
            ("model", sa.String(), False),
            ("contestant", sa.String(), False),
            ("answer_key", sa.String(), False),
            ("seed", sa.BigInteger(), False),
            ("words", sa.Integer(), False),
            ("grade", sa.Double(), True),
        )
    ]
    return [
        sa.Column("id", sa.String, primary_key=True),
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
        sa.Column("bank", sa.String, nullable=False, server_default=""),
        sa.Column("two_probability", sa.Double, nullable=True),
        sa.Column("place_probability", sa.Double, nullable=True),
        sa.Column("turns", sa.Integer, nullable=False, server_default="1"),
        sa.Column("asked", sa.Integer, nullable=False, server_default="1"),
    ]


pairs = sa.Table(
    "pairs",
    metadata,
    *_pair_columns(),
    sa.Column("token_sha256", sa.String, nullable=False, unique=True),
    sa.Column("revealed_at", sa.Double, nullable=True),
    sa.Index(None, "voter"),
    sa.Index(None, "expires_at"),
)
"""Pairs that were shown; deleted some time after they expired. `revealed_at` is when the voter saw the names."""

votes = sa.Table(
    "votes",
    metadata,
    *_pair_columns(),
    sa.Column("choice", sa.String, nullable=False),
    sa.Column("left_unsafe", sa.Boolean, nullable=False),
    sa.Column("right_unsafe", sa.Boolean, nullable=False),
    sa.Column("left_reasons", sa.String, nullable=False),
    sa.Column("right_reasons", sa.String, nullable=False),
    sa.Column("voted_at", sa.Double, nullable=False),
    sa.Column("decide_s", sa.Double, nullable=True),
    sa.Column("undone_at", sa.Double, nullable=True),
    sa.Column("marks", sa.String, nullable=False),
    sa.Column("network", sa.String, nullable=False, server_default=""),
    sa.Index(None, "voter", "voted_at"),
    sa.Index(None, "network"),
    sa.Index(None, "voted_at"),
    sa.Index(None, "left_answer_key", "right_answer_key"),
)
"""Votes, each whole in itself. Its id is its pair's, so a pair can't be voted on twice."""

sames = sa.Table(
    "sames",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("profile", sa.String, nullable=False),
    sa.Column("question_key", sa.String, nullable=False),
    sa.Column("contestant_a", sa.String, nullable=False),
    sa.Column("contestant_b", sa.String, nullable=False),
    sa.Column("model_a", sa.String, nullable=False),
    sa.Column("model_b", sa.String, nullable=False),
    sa.Column("answer_key", sa.String, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index(None, "at"),
)
"""Pairs that were drawn and not shown, because both answers were the same word for word."""

changed = sa.Table(
    "changed",
    metadata,
    sa.Column("what", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Index(None, "pending"),
)
"""How often each vote or same (`what`) was written, and whether the mirror lacks the last change.

Kept by triggers, so nothing that is written can be forgotten; deleted rows keep their line here, and nothing else, so
that a copy does not restore them.
"""


def votes_with_texts() -> sa.Select[Any]:
    """Return the query of votes with the texts that are kept: `left_text`, `right_text` and `question`, else null."""
    left, right, question = answers.alias("l"), answers.alias("r"), questions.alias("q")
    joined = (
        votes.outerjoin(left, left.c.key == votes.c.left_answer_key)
        .outerjoin(right, right.c.key == votes.c.right_answer_key)
        .outerjoin(question, question.c.key == votes.c.question_key)
    )
    texts = (left.c.text.label("left_text"), right.c.text.label("right_text"), question.c.text.label("question"))
    return sa.select(votes, *texts).select_from(joined)
