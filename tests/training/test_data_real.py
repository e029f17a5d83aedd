"""The real MedQuAD, where it is at hand: the published counts, from both importers.

`MEDILITE_MEDQUAD` names the folder that holds `medquad.csv.gz` and
`medquad-xml.tar.xz`; without it, `shared/medquad` beside the checkout is tried.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from eval.sentences import judged, load_answers, load_labels, our_ends, textstat_ends
from eval.statements import repeated_in_training
from medilite.data import question_key
from medilite.errors import DataError
from medilite.models import ROOT
from medilite.sources.collection import COLLECTION, read_collection
from training.data.manifest import load_manifest, load_split
from training.data.sealing import used_ids
from training.data.sources import read_source
from training.data.splits import SPLITS
from training.prepare_medquad import main

# Read here because tests run without MEDILITE_ variables.
FOLDER = Path(os.environ.get("MEDILITE_MEDQUAD") or ROOT.parent / "shared" / "medquad")
FILES = {"csv": FOLDER / "medquad.csv.gz", "xml": FOLDER / "medquad-xml.tar.xz"}

SEALED_FINGERPRINT = "a9e7c599c502a26a"
"""Of known and new together: what docs/protocol.md is about."""

pytestmark = [
    pytest.mark.skipif(
        not all(file.is_file() for file in FILES.values()),
        reason=f"MedQuAD is not in {FOLDER}: put {' and '.join(file.name for file in FILES.values())} (made from "
        "https://github.com/abachaa/MedQuAD) there, or set MEDILITE_MEDQUAD to their folder",
    ),
    pytest.mark.xdist_group("medquad"),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepare the data from both files, once for the module."""
    folder = tmp_path_factory.mktemp("medquad")
    for kind, file in FILES.items():
        assert main(["--source", str(file), "--out", str(folder / kind)]) == 0
    return {kind: folder / kind for kind in FILES}


@pytest.mark.parametrize("kind", ["csv", "xml"])
def test_every_answer_and_its_address_is_at_hand_for_the_library(prepared, kind):
    entries, about = read_collection(prepared[kind] / COLLECTION)

    assert (len(entries), about.title, about.date) == (16_407, "MedQuAD", "2017")
    assert all(entry.address.startswith("http") for entry in entries)
    assert {entry.id for entry in entries} >= {row.qid for row in load_split(prepared[kind], "test")}
    assert any(entry.names for entry in entries) == (kind == "xml")


def test_the_questions_whose_answers_training_has_are_known(prepared):
    listed = (ROOT / "tests" / "fixtures" / "repeated_in_training.txt").read_text(encoding="utf-8").split()
    assert repeated_in_training(prepared["xml"], "clean/new") == set(listed)
    assert repeated_in_training(prepared["xml"], "clean/known") == set()


@pytest.mark.parametrize("kind", ["csv", "xml"])
def test_the_published_counts(prepared, kind):
    manifest = load_manifest(prepared[kind])

    counts = manifest["counts"]
    assert counts["with_answer"] == 16_407
    assert counts["distinct_questions"] == 14_979
    assert counts["focus_area_missing"] == 14
    assert counts["kept"] == 13_946
    assert manifest["with_answer_by_source"] == {
        "GHR": 5_430,
        "GARD": 5_389,
        "NIDDK": 1_192,
        "NINDS": 1_088,
        "MPlusHealthTopics": 981,
        "NIHSeniorHealth": 769,
        "CancerGov": 729,
        "NHLBI": 559,
        "CDC": 270,
    }


@pytest.mark.parametrize("kind", ["csv", "xml"])
def test_the_studys_split_its_prompts_and_what_it_shares(prepared, kind):
    study = load_manifest(prepared[kind])["sets"]["study"]

    assert {name: entry["rows"] for name, entry in study["splits"].items()} == {
        "train": 11_156,
        "val": 1_394,
        "test": 1_396,
        "grpo": 5_021,
    }
    assert study["made"]["grpo_share_of_train"] == 0.45
    assert (study["grpo"]["train_rows"], study["grpo"]["eval_rows"]) == (4_921, 100)
    assert study["overlap_in_words"].startswith("226 of 1,396 test rows ask a question also in train")
    assert study["made"]["rows_by_division"]["test_from_val"] == {"stratified": 803, "at_random": 1_987}


def test_both_importers_give_the_same_splits(prepared):
    assert load_manifest(prepared["csv"])["fingerprint"] == load_manifest(prepared["xml"])["fingerprint"]


def test_no_question_stands_in_two_splits_of_the_distinct_set(prepared):
    folder = prepared["csv"] / "distinct"
    rows = {split: load_split(folder, split) for split in SPLITS}
    asked = {split: {question_key(row.question) for row in rows[split]} for split in SPLITS}

    assert not asked["train"] & asked["val"]
    assert not asked["train"] & asked["test"]
    assert not asked["val"] & asked["test"]
    assert sum(len(rows[split]) for split in ("train", "val", "test")) == 13_946
    tested = {question_key(row.question) for row in load_split(prepared["csv"], "test")}
    assert not tested & asked["train"]


def test_the_clean_set_and_its_sealed_parts(prepared):
    folder = prepared["xml"] / "clean"
    clean = load_manifest(folder)["sets"]["clean"]

    assert {name: entry["rows"] for name, entry in clean["splits"].items()} == {
        "train": 7_569,
        "val": 1_445,
        "test": 1_792,
        "grpo": 3_400,
        "known": 698,
        "new": 451,
    }
    assert (clean["made"]["questions"]["known"], clean["made"]["questions"]["new"]) == (640, 420)
    assert clean["sealed_fingerprint"].startswith(SEALED_FINGERPRINT)
    assert clean["made"]["used_pairs"] == {"listed": 1_972, "in_this_collection": 1_972}
    used = used_ids()
    rows = {split: load_split(folder, split) for split in clean["splits"]}
    asked = {split: {question_key(row.question) for row in rows[split]} for split in rows}
    for sealed in ("known", "new"):
        assert not {row.qid for row in rows[sealed]} & used
        assert not any(asked[sealed] & asked[other] for other in rows if other != sealed)
    train = {row.focus_area.casefold() for row in rows["train"]}
    assert not {row.focus_area.casefold() for row in rows["new"]} & train


def test_a_source_without_synonyms_gives_no_clean_set_and_says_so(prepared):
    assert "names no synonyms" in load_manifest(prepared["csv"])["no_clean_set"]
    with pytest.raises(DataError, match=r"no clean set.*XML"):
        load_split(prepared["csv"] / "clean", "known")


def test_a_table_with_a_column_of_synonyms_gives_the_same_sealed_parts(prepared, tmp_path):
    parts = ("question", "answer", "source", "focus_area", "qtype", "qid")
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([*parts, "synonyms"])
        for pair in read_source(str(FILES["xml"])).pairs:
            table.writerow([*(getattr(pair, part) for part in parts), "|".join(pair.synonyms)])

    assert main(["--source", str(tmp_path / "table.csv"), "--out", str(tmp_path / "out")]) == 0
    made, wanted = (load_manifest(folder)["sets"]["clean"] for folder in (tmp_path / "out", prepared["xml"]))
    assert made["fingerprint"] == wanted["fingerprint"]


def test_every_id_is_its_own(prepared):
    ids = [row.qid for split in SPLITS[:3] for row in load_split(prepared["csv"], split)]

    assert len(set(ids)) == 13_946
    assert all(qid.partition("/")[0] for qid in ids)


def test_documents_are_accounted_for(prepared):
    manifest = load_manifest(prepared["xml"])

    counts = manifest["counts"]
    assert counts["documents_read"] == 11_274
    assert counts["documents_without_answer"] == 5_778
    assert counts["documents_without_pairs"] == 6
    assert counts["without_answer"] == 31_034
    assert [problem["where"] for problem in manifest["malformed"]] == [
        "6_NINDS_QA/0000007.xml",
        "6_NINDS_QA/0000018.xml",
        "6_NINDS_QA/0000182.xml",
        "6_NINDS_QA/0000244.xml",
    ]
    assert manifest["source"]["licence"].startswith("CC BY 4.0")


def test_sentences_end_where_they_were_read_to_end(prepared):
    labels = [label for label in load_labels() if label["set"] == "reported"]
    answers = load_answers(prepared["csv"], labels)
    assert set(answers) == {label["qid"] for label in labels}

    ours = judged(our_ends, answers, labels, lists=True)

    assert ours["n"] == 579
    assert ours["share"] >= 0.98
    assert ours["f1"] > judged(textstat_ends, answers, labels, lists=True)["f1"] + 0.2
