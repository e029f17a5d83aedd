"""`python -m medilite votes …`: rate the votes, mark them again, export them, make answers to vote on."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.arena.contestants import base_contestant, contestants
from medilite.arena.export import preference_pairs, vote_record, write_records
from medilite.arena.marks import MARKS, mark
from medilite.arena.ratings import Interval, Ratings, of_public_pairs, rate
from medilite.arena.records import UNDONE, Contestant
from medilite.arena.retention import Retention, delete_old
from medilite.arena.table import VoteTable, read_table
from medilite.arena.trust import judge, sensitivity
from medilite.arena.vote_statistics import count
from medilite.cli import votes_prepare
from medilite.cli.terminal import chosen, print_json
from medilite.models import Profile

if TYPE_CHECKING:
    from medilite.arena.store import Store
    from medilite.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; return its exit code."""
    commands = {"rate": _rate, "recheck": _recheck, "clean": _clean, "export": _export, "prepare": votes_prepare.run}
    return commands[options.votes_command](options)


def _rate(options: argparse.Namespace) -> int:
    """Print the ratings and the public counts, as text or JSON."""
    settings, profile = chosen(options)
    here = contestants(profile)
    with _opened(settings) as store:
        trust = judge(read_table(store, here.values()))
    table = trust.table
    base = base_contestant(profile, here)
    of_public = of_public_pairs(table, base)
    ratings = rate(table.where(table.public == of_public), base)
    record = rating_record(ratings, table, here)
    record["on_public_pairs"] = _points(rate(table.where(table.public), base))
    moved = sensitivity(trust, base)
    record["trust"] = {
        "votes_of_one_network_and_day_move_points_at_most": trust.bounds[of_public],
        "most_suspicious_tenth": {"votes": moved.tenth, "moves_points_at_most": moved.most_moved},
        "rating": {
            c.model: {"with_low_trust": moved.everything.get(c), "trusted_only": moved.trusted.get(c)}
            for c in here.values()
        },
    }
    if options.json:
        print_json(record)
    else:
        print("\n".join(_as_text(profile, ratings, record, of_public)))
    return 0


def _recheck(options: argparse.Namespace) -> int:
    settings, _ = chosen(options)
    with _opened(settings) as store:
        looked_at, changed = store.recheck(mark)
    print(f"{looked_at:,} votes looked at; the marks of {changed:,} have changed.")
    return 0


def _clean(options: argparse.Namespace) -> int:
    settings, _ = chosen(options)
    keep = Retention.of(settings)
    with _opened(settings) as store:
        deleted = delete_old(store, keep, time.time())
    print(
        f"Deleted: {deleted.pairs:,} expired pairs, {deleted.votes:,} votes, {deleted.questions:,} visitors' questions"
    )
    if keep == Retention():
        print("All are kept for ever; MEDILITE_KEEP_VOTES_DAYS and MEDILITE_KEEP_QUESTIONS_DAYS can say otherwise.")
    return 0


def _export(options: argparse.Namespace) -> int:
    settings, _ = chosen(options)
    path = Path(options.out).expanduser()
    with _opened(settings) as store:
        votes = store.votes()
        records: Iterator[dict[str, Any]] = preference_pairs(votes) if options.pairs else map(vote_record, votes)
        count = write_records(records, path)
    print(f"{count:,} {'preference pairs' if options.pairs else 'votes'} are in {path}")
    return 0


class _opened:
    """The votes' store for the length of a `with`."""

    def __init__(self, settings: Settings) -> None:
        from medilite.arena.store import Store

        self._store = Store(settings.votes_database)

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.database.close()


def rating_record(ratings: Ratings, table: VoteTable, here: dict[str, Contestant]) -> dict[str, Any]:
    """Return what `--json` prints; a rating that can't be estimated is None, with the cause under `reason`."""
    counts = count(table)
    left_out = {**counts.marked, **({UNDONE: counts.undone} if counts.undone else {})}
    current = set(here.values())
    return {
        "votes": {
            "given": len(table),
            "counted": ratings.votes,
            "left_out": counts.left_out,
            "left_out_by": left_out,
            "means": {**MARKS, UNDONE: UNDONE},
        },
        "voters": ratings.voters,
        "questions": ratings.questions,
        "left_share": _interval(ratings.left_share),
        "effects_points": {effect.name: _interval(effect.points) for effect in ratings.effects},
        "better": "higher",
        "models": [
            {
                "model": row.contestant.model,
                "contestant_sha256": row.contestant.sha256,
                "current": row.contestant in current,
                "rank": row.rank,
                "rating": _interval(row.rating),
                "rating_at_equal_grade_and_length": _interval(row.equal),
                "votes": row.votes,
                "wins": row.wins,
                "ties": row.ties,
                "losses": row.losses,
                "both_bad": row.bad_votes,
                "both_bad_share": _interval(row.bad),
                "preliminary": row.preliminary,
                "unsafe_share": _interval(row.unsafe),
                "reason": row.reason,
            }
            for row in ratings.rows
        ],
        "more_votes": [
            {"higher": a.model, "lower": b.model, "votes": votes} for (a, b), votes in ratings.more_votes.items()
        ],
    }


def _points(ratings: Ratings) -> dict[str, float]:
    return {row.contestant.model: round(row.rating.value, 4) for row in ratings.rows if row.rating}


def _interval(value: Interval | None) -> dict[str, float] | None:
    return {name: round(number, 4) for name, number in dataclasses.asdict(value).items()} if value else None


def _as_text(profile: Profile, ratings: Ratings, record: dict[str, Any], of_public: bool) -> Iterator[str]:
    yield f"{record['votes']['given']:,} votes given, {ratings.votes:,} counted, by {ratings.voters:,} voters"
    for reason, votes in record["votes"]["left_out_by"].items():
        yield f"  left out: {votes:,} {reason} ({record['votes']['means'].get(reason, reason)})"
    if ratings.left_share:
        value, low, high = (100 * end for end in dataclasses.astuple(ratings.left_share))
        yield f"Left is chosen {value:.0f} % ({low:.0f} to {high:.0f}) between equals"
    labels = {spec.id: spec.label for spec in profile.models}
    yield ""
    pairs = ", of votes on pairs that anybody can look up" * of_public
    yield f"Ratings{pairs}: higher is better; the base is at 1000"
    yield f"{'rank':<4} {'model':<16} {'rating':>7} {'95 % interval':>15} {'at equal grade':>15} {'votes':>8}"
    for row, model in zip(ratings.rows, record["models"], strict=True):
        label = labels.get(row.contestant.model, row.contestant.model)
        name = label if model["current"] else f"{label} (earlier)"
        if row.rating is None:
            yield f"{'–':<4} {name:<16} {'–':>7} {row.reason}"
            continue
        between = f"{row.rating.low:.0f} to {row.rating.high:.0f}"
        equal = f"{row.equal.value:.0f}" if row.equal else "–"
        first = "  preliminary" if row.preliminary else ""
        yield f"{row.rank:<4} {name:<16} {row.rating.value:>7.0f} {between:>15} {equal:>15} {row.votes:>8,}{first}"
