"""Exports and the commands of `python -m medilite votes`."""

from __future__ import annotations

import csv
import dataclasses
import json

import pytest

from medilite.__main__ import main
from medilite.arena.contestants import contestants
from medilite.arena.export import preference_pairs, public_records, vote_record, write_records
from medilite.arena.records import Ballot
from medilite.errors import DataError
from tests.arena.made import MANY, NOW, candidate, no_marks, pair, texts_of, vote


def test_a_record_has_everything_of_a_vote():
    record = vote_record(vote("both_bad", question="Q?", left=candidate("base", "A."), right=candidate("grpo", "B.")))
    assert (record["left_model"], record["left_answer"], record["choice"]) == ("base", "A.", "both_bad")
    assert record["voted_at"] == "2023-11-14T22:14:20.000+00:00"
    assert record["undone_at"] is None
    assert (record["counted"], record["decide_s"]) == (True, 60.0)
    assert len(record["left_contestant_sha256"]) == 64


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_every_format_holds_every_vote(tmp_path, suffix):
    records = [vote_record(vote(choice)) for choice in ("left", "equal")]
    path = tmp_path / f"votes.{suffix}"
    assert write_records(iter(records), path) == 2
    if suffix == "jsonl":
        assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == records
    elif suffix == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["choice"] for row in rows] == ["left", "equal"]
        assert list(rows[0]) == list(records[0])
    else:
        from pyarrow import parquet

        assert parquet.read_table(path).to_pylist() == records
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_anybody_may_have_holds_nothing_private():
    own = vote(kind="live", question_id="own", question="My secret?", question_key="sha256:guess", voter="browser:b")
    ready = [vote(voter="browser:a"), vote(voter="browser:b"), vote(voter="browser:a")]
    records = list(public_records([*ready, own]))
    assert [r["voter"] for r in records] == ["voter 1", "voter 2", "voter 1", "voter 2"]
    assert records[0]["question"] == "What helps?"
    assert records[0]["left_answer"] == "base says this."
    private = records[3]
    assert {name for name, value in private.items() if value is None} >= {
        "question", "question_key", "left_answer", "right_answer", "left_answer_key", "right_answer_key",
        "left_seed", "right_seed",
    }  # fmt: skip
    assert (private["left_model"], private["choice"]) == ("base", "left")
    said = json.dumps(records)
    assert not any(secret in said for secret in ("browser:", "My secret", "sha256:guess"))
    assert {r["voted_at"] for r in records} == {"2023-11-14T22:00:00.000+00:00"}
    assert records[0].keys() == vote_record(ready[0]).keys()


def test_parquet_is_written_in_parts_with_types_that_hold(tmp_path, monkeypatch):
    from pyarrow import parquet

    monkeypatch.setattr("medilite.arena.export.PARQUET_ROWS", 2)
    unknown = [vote_record(vote(left=candidate("base", grade=None), decide_s=None)) for _ in range(3)]
    records = [*unknown, vote_record(vote())]
    assert write_records(iter(records), tmp_path / "votes.parquet") == 4
    assert parquet.read_table(tmp_path / "votes.parquet").to_pylist() == records


def test_no_votes_are_an_empty_file(tmp_path):
    for suffix in ("jsonl", "csv", "parquet"):
        assert write_records([], tmp_path / f"none.{suffix}") == 0


def test_a_text_that_a_spreadsheet_would_run_is_disarmed(tmp_path):
    record = vote_record(vote(left=candidate("base", "=HYPERLINK(1)")))
    write_records([record], tmp_path / "votes.csv")
    text = (tmp_path / "votes.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK(1)" in text
    assert text.startswith("\ufeff"), "else a spreadsheet on Windows breaks every letter beyond ASCII"


def test_a_file_of_another_kind_or_place_is_said(tmp_path):
    with pytest.raises(DataError, match="has to end with"):
        write_records([], tmp_path / "votes.xlsx")
    with pytest.raises(DataError, match="can't be written"):
        write_records([], tmp_path / "nowhere" / "votes.csv")


def on(choice: str, left: str = "A.", right: str = "B.", **fields):
    ballot = {name: fields.pop(name) for name in ("left_unsafe", "right_unsafe") if name in fields}
    made = vote(choice, question="Q?", left=candidate("base", left), right=candidate("grpo", right), **fields)
    return dataclasses.replace(made, ballot=dataclasses.replace(made.ballot, **ballot))


def test_preference_pairs_go_by_majority():
    assert list(preference_pairs([on("left"), on("right", "B.", "A."), on("right")])) == [
        {"prompt": "Q?", "chosen": "A.", "rejected": "B."}
    ]
    assert list(preference_pairs([on("left"), on("right")])) == []
    assert list(preference_pairs([on("equal"), on("both_bad")])) == []


def test_preference_pairs_leave_out_what_may_not_be_learnt():
    assert list(preference_pairs([on("left", left_unsafe=True)])) == [], "wrong or unsafe is never chosen"
    assert list(preference_pairs([on("left", left_unsafe=True), on("left"), on("left")])) != []
    assert list(preference_pairs([dataclasses.replace(on("left"), marks=("hasty",))])) == []
    assert list(preference_pairs([dataclasses.replace(on("left"), undone_at=NOW)])) == []
    private = vote(left=candidate("base", None), right=candidate("grpo", None), question=None)
    assert list(preference_pairs([private])) == []


# -- the commands ------------------------------------------------------------------


@pytest.fixture
def voted(tmp_path, monkeypatch, open_store, lite):
    """A store with eight votes of GRPO over the base, one of them hasty."""
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(tmp_path / "data"))
    store = open_store(tmp_path / "data" / "votes.db")
    here = contestants(lite)
    for i in range(8):
        sides = [dataclasses.replace(candidate(m, f"{m} says {i}."), contestant=here[m]) for m in ("grpo", "base")]
        shown = pair(*sides, voter=f"v{i}", question_key=f"q{i}", question=f"Question {i}?")
        at = NOW + (0.2 if i == 0 else 60)
        store.cast(store.add_pair(shown), f"v{i}", Ballot("left"), at, MANY, no_marks, texts=texts_of(shown))
    return store


def test_rate_tells_ratings_and_counts(voted, capsys):
    assert main(["votes", "recheck"]) == 0
    assert "8 votes looked at; the marks of 1 have changed" in capsys.readouterr().out
    assert main(["votes", "rate", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["votes"]["given"] == 8
    assert told["votes"]["counted"] == 7
    assert told["votes"]["left_out_by"] == {"hasty": 1}
    models = {row["model"]: row for row in told["models"]}
    assert models["base"]["rating"]["value"] == 1000
    assert models["grpo"]["rating"]["value"] > 1000
    assert models["sft-r8-low"]["rating"] is None
    assert models["sft-r8-low"]["reason"] == "no votes yet"
    assert main(["votes", "rate"]) == 0
    text = capsys.readouterr().out
    assert "8 votes given, 7 counted" in text
    assert "left out: 1 hasty (decided faster than a person can read)" in text
    assert "preliminary" in text


def test_export_writes_votes_and_pairs(voted, tmp_path, capsys):
    assert main(["votes", "export", str(tmp_path / "votes.parquet")]) == 0
    assert main(["votes", "export", "--pairs", str(tmp_path / "pairs.jsonl")]) == 0
    assert "8 preference pairs" in capsys.readouterr().out
    lines = (tmp_path / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]).keys() == {"prompt", "chosen", "rejected"}
    assert main(["votes", "export", str(tmp_path / "votes.doc")]) == 2
    assert "has to end with" in capsys.readouterr().err


def test_an_empty_store_is_rated_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(tmp_path))
    assert main(["votes", "rate"]) == 0
    assert "0 votes given" in capsys.readouterr().out
