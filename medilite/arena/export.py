"""Votes as files: every vote as JSONL, CSV or Parquet, and preference pairs for training by preferences."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from medilite.arena.hiding import hidden
from medilite.arena.records import NO_SEED, PUBLIC_BANK, Vote
from medilite.errors import DataError
from medilite.files import csv_cell

Record = dict[str, Any]


def vote_record(vote: Vote) -> Record:
    """Return a vote as plain data; what is not kept or not known is None.

    With more than one of `turns` the texts are JSON lists (`conversation_text`), and words and grade are of all turns.
    """
    pair, ballot = vote.pair, vote.ballot
    record: Record = {
        "id": pair.id, "kind": pair.kind, "profile": pair.profile, "question_id": pair.question_id,
        "question_key": pair.question_key, "question": pair.question,
    }  # fmt: skip
    for side, candidate in (("left", pair.left), ("right", pair.right)):
        record |= {
            f"{side}_model": candidate.contestant.model, f"{side}_contestant_sha256": candidate.contestant.sha256,
            f"{side}_answer_key": candidate.key, f"{side}_answer": candidate.text,
            f"{side}_seed": None if candidate.seed == NO_SEED else candidate.seed,
            f"{side}_words": candidate.words, f"{side}_flesch_kincaid_grade": candidate.grade,
        }  # fmt: skip
    return record | {
        "similarity": pair.similarity, "decoding": json.dumps(dataclasses.asdict(pair.decoding), sort_keys=True),
        "choice": ballot.choice, "left_unsafe": ballot.left_unsafe, "right_unsafe": ballot.right_unsafe,
        "left_reasons": ",".join(ballot.left_reasons), "right_reasons": ",".join(ballot.right_reasons),
        "decide_s": vote.decide_s, "voter": pair.voter, "shown_at": _iso(pair.created_at),
        "voted_at": _iso(vote.voted_at), "undone_at": _iso(vote.undone_at), "marks": ",".join(vote.marks),
        "counted": vote.counted, "app_version": pair.app_version,
        "bank": pair.bank, "two_probability": pair.two_probability, "place_probability": pair.place_probability,
        "network": vote.network or None, "turns": pair.turns, "asked": pair.asked,
    }  # fmt: skip


PRIVATE = (
    "question_key", "question", "left_answer_key", "left_answer", "left_seed", "right_answer_key", "right_answer",
    "right_seed",
)  # fmt: skip
"""Fields that would reveal a visitor's own question, or let somebody test a guess at it."""

HOUR_S = 3600.0
DECIDE_STEP_S = 10.0


def public_records(votes: Iterable[Vote], in_use: Collection[str] = ()) -> Iterator[Record]:
    """Yield votes as anybody may have them: no voter's id, times to the hour, and no text that is still a secret.

    For visitors' own questions there is nothing to test a guess with: no text, seed or key, and coarse counts. The same
    holds for pairs of the banks that are `in_use`, whose sides could otherwise be looked up here; not even the question
    is named. Voters and networks are numbered in order of appearance, so that votes of one can be grouped within a file
    and not between sites.
    """
    voters: dict[str, int] = {}
    networks: dict[str, int] = {}
    for vote in votes:
        pair, secret = vote.pair, vote.pair.bank in in_use
        if pair.kind != "ready" or secret:
            vote = dataclasses.replace(vote, pair=hidden(pair))
        record = vote_record(vote)
        if pair.kind != "ready" or secret:
            record |= dict.fromkeys(PRIVATE)
            if vote.decide_s is not None:
                record["decide_s"] = round(vote.decide_s / DECIDE_STEP_S) * DECIDE_STEP_S
        if secret:
            record["question_id"] = None
        record["bank"] = {"": "own question", PUBLIC_BANK: PUBLIC_BANK}.get(pair.bank, "private")
        record["voter"] = f"voter {voters.setdefault(pair.voter, len(voters) + 1)}"
        if vote.network:
            record["network"] = f"network {networks.setdefault(vote.network, len(networks) + 1)}"
        times = {"shown_at": pair.created_at, "voted_at": vote.voted_at, "undone_at": vote.undone_at}
        yield record | {name: None if at is None else _iso(at // HOUR_S * HOUR_S) for name, at in times.items()}


def preference_pairs(votes: Iterable[Vote]) -> Iterator[Record]:
    """Yield {prompt, chosen, rejected} for every two answers of which one was preferred.

    Several votes on the same two answers make one pair, by majority; a draw makes none. Only counted votes whose texts
    are kept go in, and an answer that a majority of its voters called wrong or unsafe is never the chosen one. Votes
    after follow-ups stay out: there each model continued from its own answers, so the two don't share a prompt.
    """
    leads: dict[tuple[str, str, str], int] = {}
    unsafe: dict[tuple[str, str], int] = {}
    for vote in votes:
        pair, ballot = vote.pair, vote.ballot
        if not vote.counted or pair.turns > 1 or None in (pair.question, pair.left.text, pair.right.text):
            continue
        question, left, right = pair.question or "", pair.left.text or "", pair.right.text or ""
        for text, flagged in ((left, ballot.left_unsafe), (right, ballot.right_unsafe)):
            unsafe[question, text] = unsafe.get((question, text), 0) + (1 if flagged else -1)
        lead = {"left": 1, "right": -1}.get(ballot.choice, 0)
        first, second = sorted((left, right))
        key = (question, first, second)
        leads[key] = leads.get(key, 0) + (lead if first == left else -lead)
    for (question, first, second), lead in leads.items():
        chosen, rejected = (first, second) if lead > 0 else (second, first)
        if lead and unsafe[question, chosen] <= 0:
            yield {"prompt": question, "chosen": chosen, "rejected": rejected}


PARQUET_ROWS = 20_000

_PARQUET_TYPES = {
    **{f"{side}_{name}": kind for side in ("left", "right") for name, kind in (
        ("seed", "int64"), ("words", "int64"), ("flesch_kincaid_grade", "float64"), ("unsafe", "bool_"))},
    "similarity": "float64", "decide_s": "float64", "counted": "bool_", "two_probability": "float64",
    "place_probability": "float64", "turns": "int64", "asked": "int64",
}  # fmt: skip
"""Types of columns that aren't text. Not inferred, since a column may hold only None for a long time."""


def write_records(records: Iterable[Record], path: Path) -> int:
    """Write records to a file in the format that its name ends with; return how many. Raises DataError.

    The file appears whole or not at all.
    """
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise DataError(f"{path} can't be written: its name has to end with {', '.join(WRITERS)}.")
    fresh = path.with_name(path.name + ".new")
    try:
        count = writer(records, fresh)
        fresh.replace(path)
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return count


def _write_jsonl(records: Iterable[Record], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            count += 1
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return count


def _write_csv(records: Iterable[Record], path: Path) -> int:
    count = 0
    # With a byte-order mark, without which spreadsheets on Windows assume another encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = None
        for count, record in enumerate(records, 1):
            writer = writer or csv.DictWriter(file, fieldnames=list(record))
            if count == 1:
                writer.writeheader()
            writer.writerow({name: csv_cell(value) for name, value in record.items()})
    return count


def _write_parquet(records: Iterable[Record], path: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    records = iter(records)
    count, writer = 0, None
    try:
        # In parts: a million votes with their texts at once would fill the memory.
        while part := list(islice(records, PARQUET_ROWS)):
            if writer is None:
                schema = pa.schema([(name, getattr(pa, _PARQUET_TYPES.get(name, "string"))()) for name in part[0]])
                writer = parquet.ParquetWriter(path, schema)
            writer.write_table(pa.Table.from_pylist(part, schema))
            count += len(part)
    finally:
        if writer is None:
            parquet.write_table(pa.table({}), path)
        else:
            writer.close()
    return count


WRITERS: Mapping[str, Callable[[Iterable[Record], Path], int]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds") if at is not None else None
