"""What is read from the store of pairs and votes; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from medilite.arena import schema
from medilite.arena.database import Database
from medilite.arena.records import PUBLIC_BANK, UNDONE, Contestant, Vote
from medilite.arena.rows import as_vote


class StoreReader:
    """The queries of a store; safe to use from several threads, and from several processes at once."""

    def __init__(self, target: str | Path, timeout_s: float = 10.0) -> None:
        self.database = Database(target, timeout_s)

    def votes(self, *, voter: str | None = None, before: float | None = None) -> Iterator[Vote]:
        """Yield every vote (of one voter; given before that time), oldest first, with the texts that are kept."""
        votes = schema.votes
        wanted = schema.votes_with_texts().order_by(votes.c.voted_at, votes.c.id)
        if voter is not None:
            wanted = wanted.where(votes.c.voter == voter)
        if before is not None:
            wanted = wanted.where(votes.c.voted_at < before)
        with self.database.read() as connection:
            for row in connection.execution_options(yield_per=1000).execute(wanted):
                yield as_vote(row._mapping)

    def version(self, before: float | None = None) -> tuple[Any, ...]:
        """Return a value that changes whenever other votes count: numbers of votes, taken back, marked and same.

        Votes given at `before` (seconds since 1970) or later are left out.
        """
        c = schema.votes.c
        wanted = sa.select(
            sa.func.count(), sa.func.count(c.undone_at), sa.func.count(sa.case((c.marks != "", 1))),
            sa.func.max(c.voted_at), sa.select(sa.func.count()).select_from(schema.sames).scalar_subquery(),
        ).select_from(schema.votes)  # fmt: skip
        if before is not None:
            wanted = wanted.where(c.voted_at < before)
        with self.database.read() as connection:
            return tuple(connection.execute(wanted).one())

    def private_banks(self) -> set[str]:
        """Return the names of the private banks whose pairs are remembered, whichever replica drew them.

        They are remembered for a week after they expired (`retention`), as long as a bank is used: one that has left
        its folder still has open pairs, and a replica's own folder names no other's bank.
        """
        c = schema.pairs.c
        with self.database.read() as connection:
            wanted = sa.select(c.bank).where(c.kind == "ready", c.bank.not_in(("", PUBLIC_BANK))).distinct()
            return set(connection.execute(wanted).scalars())

    def rating_rows(self, before: float | None = None) -> list[tuple[Any, ...]]:
        """Return `table.COLUMNS` of every vote (given before that time), oldest first, as plain tuples."""
        c = schema.votes.c
        left_out = sa.case((c.undone_at.is_not(None), UNDONE), else_=c.marks)
        contestants = (c[f"{side}_model"] + "@" + c[f"{side}_contestant"] for side in ("left", "right"))
        wanted = sa.select(
            *contestants, c.choice, c.voter, c.question_key, c.left_grade - c.right_grade, c.left_words,
            c.right_words, c.similarity, c.left_unsafe, c.right_unsafe, c.kind, c.voted_at, left_out, c.network, c.bank,
            c.turns,
        )  # fmt: skip
        if before is not None:
            wanted = wanted.where(c.voted_at < before)
        compiled = wanted.compile(self.database.engine, compile_kwargs={"literal_binds": True})
        with self.database.read() as connection:
            # The driver's own rows: making SQLAlchemy's for a million takes longer than reading them.
            cursor = connection.exec_driver_sql(str(compiled)).cursor
            assert cursor is not None
            return list(cursor.fetchall())

    def choices_on(self, first: str, second: str, but: str) -> list[tuple[str, str]]:
        """Return (key of the answer on the left, choice) of the counted votes on two answers, one vote left out."""
        votes = schema.votes
        both = sa.or_(
            sa.and_(votes.c.left_answer_key == first, votes.c.right_answer_key == second),
            sa.and_(votes.c.left_answer_key == second, votes.c.right_answer_key == first),
        )
        wanted = sa.select(votes.c.left_answer_key, votes.c.choice).where(
            both, votes.c.id != but, votes.c.undone_at.is_(None), votes.c.marks == ""
        )
        with self.database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(wanted)]

    def given_by(self, voter: str) -> int:
        """Return how many valid votes a voter has given, including marked ones."""
        c = schema.votes.c
        wanted = sa.select(sa.func.count()).where(c.voter == voter, c.undone_at.is_(None))
        with self.database.read() as connection:
            return int(connection.execute(wanted).scalar_one())

    def first_vote(self, voter: str) -> tuple[float, int]:
        """Return when a voter first voted (seconds since 1970; 0 without a vote), and on how many days."""
        c = schema.votes.c
        day = sa.func.floor(c.voted_at / 86_400.0)
        own = sa.select(sa.func.min(c.voted_at), sa.func.count(day.distinct())).where(c.voter == voter)
        with self.database.read() as connection:
            first, days = connection.execute(own).one()
        return float(first or 0.0), int(days)

    def same_answers(self) -> list[tuple[Contestant, Contestant, int]]:
        """Return how often each two contestants gave the same answer, word for word."""
        c = schema.sames.c
        by = (c.model_a, c.contestant_a, c.model_b, c.contestant_b)
        with self.database.read() as connection:
            rows = connection.execute(sa.select(*by, sa.func.count()).group_by(*by)).all()
        return [(Contestant(r[0], r[1]), Contestant(r[2], r[3]), r[4]) for r in rows]

    def voted_on(self, voter: str) -> list[tuple[str, int, str, str]]:
        """Return (key of the question, seed, contestants' hashes) of a voter's ready-made pairs, oldest vote first."""
        c = schema.votes.c
        wanted = sa.select(c.question_key, c.left_seed, c.left_contestant, c.right_contestant)
        wanted = wanted.where(c.voter == voter, c.kind == "ready", c.undone_at.is_(None)).order_by(c.voted_at, c.id)
        with self.database.read() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(wanted)]

    def seen_by(self, voter: str) -> set[tuple[str, frozenset[str]]]:
        """Return the questions and contestants of the pairs that a voter was shown."""
        seen = set()
        with self.database.read() as connection:
            for table in (schema.pairs, schema.votes):
                c = table.c
                rows = connection.execute(
                    sa.select(c.question_key, c.left_contestant, c.right_contestant).where(c.voter == voter)
                )
                seen |= {(row[0], frozenset((row[1], row[2]))) for row in rows}
        return seen
