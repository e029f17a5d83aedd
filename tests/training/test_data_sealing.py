"""The clean set: what is left out, what is sealed, and that nothing sealed can train or choose."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from medilite.data import CHOOSING, SEALED, SPLITS, data_fingerprint, load_manifest, load_split, load_split_for_choosing
from medilite.data import question_key as key
from medilite.errors import DataError
from medilite.models import ROOT
from medilite.records import Example
from training.config import SFTRun, load_config
from training.data.cleaning import CleanRule, cleaned, count_boilerplate, is_prose
from training.data.diseases import disease_of
from training.data.manifest import write_splits
from training.data.sealing import CleanSet, SealRule, make_clean_set, used_ids
from training.data.splits import split_as_study, without_shared_questions
from training.stage import Start

SEAL = SealRule(known_questions=12, new_questions=10)
CONFIG = ROOT / "training/configs/lite/sft-r8-high.yaml"
KINDS = ("information", "causes", "treatment", "outlook", "symptoms")


def make_collection() -> tuple[list[Example], dict[str, tuple[str, ...]]]:
    """Return 40 diseases of five questions, every fourth with a synonym that another disease is called by."""
    examples, synonyms = [], {}
    for number in range(40):
        name = f"Ailment{number:02}"
        for kind in KINDS:
            qid = f"S/{number}-{kind}"
            examples.append(Example(qid, f"What about {kind} of {name} ?", f"{kind} of {name}.", "S", name, kind))
            if number % 4 == 0:
                synonyms[qid] = (f"ailment{number + 1:02}", f"Other name of {number}")
    return examples, synonyms


@pytest.fixture(scope="module")
def made():
    """The collection, its distinct set, the disease of each pair, the used ids, and the clean set."""
    examples, synonyms = make_collection()
    distinct = without_shared_questions(split_as_study(examples, 1))
    used = frozenset(example.qid for example in distinct.train[:12])
    clean = make_clean_set(distinct, examples, synonyms, 1, used=used, seal=SEAL)
    assert isinstance(clean, CleanSet)
    return SimpleNamespace(
        examples=examples, distinct=distinct, disease=disease_of(examples, synonyms), used=used, splits=clean.splits,
        notes=clean.notes, synonyms=synonyms,
    )  # fmt: skip


def diseases(made, *names):
    return {made.disease[example.qid] for name in names for example in made.splits[name]}


def test_a_shared_name_makes_diseases_one_whatever_its_spelling():
    examples = [
        Example(q, "?", "a", "S", focus, "") for q, focus in (("1", "Gout"), ("2", "Podagra"), ("3", "Measles"))
    ]

    found = disease_of(examples, {"1": ("Crystal arthritis",), "2": ("crystal-ARTHRITIS",)})

    assert found["1"] == found["2"] != found["3"]


def test_sealed_questions_are_enough_and_of_pairs_that_nothing_was_trained_on(made):
    in_distinct = {example.qid for example in made.distinct.train}
    for name, wanted in (("known", SEAL.known_questions), ("new", SEAL.new_questions)):
        rows = made.splits[name]
        assert len({key(row.question) for row in rows}) >= wanted
        assert not {row.qid for row in rows} & made.used
        assert {row.qid for row in rows} <= in_distinct
        assert made.notes["questions"][name] == len({key(row.question) for row in rows})


def test_no_sealed_question_is_asked_elsewhere(made):
    asked = {name: {key(row.question) for row in rows} for name, rows in made.splits.items()}
    for sealed in SEALED:
        for other in made.splits:
            assert other == sealed or not asked[sealed] & asked[other], (sealed, other)


def test_known_diseases_are_trained_on_by_other_questions(made):
    assert diseases(made, "known") <= diseases(made, "train")


def test_new_diseases_are_in_no_pair_of_any_training_nor_where_one_chooses(made):
    new = diseases(made, "new")
    assert not new & diseases(made, "train", "val", "test", "grpo")
    assert not new & {made.disease[qid] for qid in made.used}


def test_a_disease_whose_name_is_part_of_anothers_is_not_new(made):
    longer = [replace(row, qid=f"{row.qid}x", focus_area=f"Guide to {row.focus_area}", question=f"{row.question} !")
              for row in made.examples if row.focus_area == made.splits["new"][0].focus_area]  # fmt: skip
    train = [*made.distinct.train, *longer]
    distinct = replace(made.distinct, train=train)

    again = make_clean_set(distinct, [*made.examples, *longer], made.synonyms, 1, used=made.used, seal=SEAL)

    assert isinstance(again, CleanSet)
    held_out = {row.focus_area for row in again.splits["new"]}
    assert not held_out & {longer[0].focus_area, made.splits["new"][0].focus_area}


def test_without_synonyms_or_with_too_few_questions_there_is_no_clean_set(made):
    no_names = make_clean_set(made.distinct, made.examples, {}, 1, used=made.used, seal=SEAL)
    too_few = make_clean_set(made.distinct, made.examples, made.synonyms, 1, used=made.used)

    assert "no synonyms" in str(no_names)
    assert "420 are wanted" in str(too_few)


def test_lists_go_and_tables_stay_up_to_their_share():
    rule = CleanRule(symptom_table_share=0.1)
    rows = [Example(f"p{i}", f"{i}?", f"Answer {i}.", "S", "F", "") for i in range(50)]
    rows += [Example(f"l{i}", "?", "These resources address the diagnosis of F.", "S", "F", "") for i in range(7)]
    rows += [Example(f"t{i}", "?", "The Human Phenotype Ontology provides a list.", "S", "F", "") for i in range(20)]

    kept = [row.qid for row in cleaned(rows, rule, 3)]

    assert [qid for qid in kept if qid[0] == "p"] == [f"p{i}" for i in range(50)]
    assert sum(qid[0] == "l" for qid in kept) == 0
    assert sum(qid[0] == "t" for qid in kept) == 5
    assert kept == [row.qid for row in cleaned(rows, rule, 3)]
    assert count_boilerplate(rows, rule) == {
        "rows": 77, "resource_lists": 7, "symptom_tables": 20, "same_answer_in_5_rows_or_more": 27,
    }  # fmt: skip


def test_what_was_used_is_a_list_of_ids_each_once():
    listed = [line for line in (ROOT / "training/data/used.txt").read_text().splitlines() if not line.startswith("#")]

    assert len(listed) == len(set(listed)) == len(used_ids()) == 1_972
    assert all("/" in qid for qid in listed)


@pytest.fixture
def folder(made, tmp_path):
    sets = {name: made.distinct.named() for name in ("study", "distinct")} | {"clean": made.splits}
    write_splits(tmp_path, sets, {"source": {}}, {name: {} for name in sets})
    return tmp_path


def test_the_clean_set_has_fingerprints_of_its_own(folder):
    manifest = load_manifest(folder)
    clean = manifest["sets"]["clean"]

    assert data_fingerprint(folder, "study") == data_fingerprint(folder, "distinct") == manifest["fingerprint"]
    assert data_fingerprint(folder, "clean") == clean["fingerprint"]
    assert len({manifest["fingerprint"], clean["fingerprint"], clean["sealed_fingerprint"]}) == 3
    path = folder / "clean" / "known.jsonl"
    path.write_bytes(path.read_bytes().replace(b"outlook", b"OUTLOOK", 1))
    with pytest.raises(DataError, match=r"known\.jsonl is not the file that manifest\.json describes"):
        load_split(folder / "clean", "known")


def test_a_folder_without_a_clean_set_says_how_to_get_one(made, tmp_path):
    sets = {name: made.distinct.named() for name in ("study", "distinct")}
    write_splits(tmp_path, sets, {"no_clean_set": "the source names no synonyms"}, {name: {} for name in sets})

    for read in (lambda: load_split(tmp_path / "clean", "known"), lambda: data_fingerprint(tmp_path, "clean")):
        with pytest.raises(DataError, match=r"no clean set \(the source names no synonyms\)\. Prepare it from .* XML"):
            read()


@pytest.mark.parametrize("split", [split for split in (*SPLITS, *SEALED) if split not in CHOOSING])
def test_what_is_for_reporting_neither_trains_nor_chooses(folder, split):
    """Through the door that every training stage reads its data by."""
    start = Start.__new__(Start)
    object.__setattr__(start, "job", SimpleNamespace(splits=folder / "clean", run=load_config(CONFIG, SFTRun)))

    assert load_split(folder / "clean", split)
    with pytest.raises(DataError, match=rf"The split '{split}' is for reporting.*use val"):
        load_split_for_choosing(folder / "clean", split)
    with pytest.raises(DataError, match=rf"The split '{split}' is for reporting"):
        start.examples(split)
    with pytest.raises(DataError, match=rf"The split '{split}' is for reporting"):
        start.pairs(split, None)
    assert all(start.examples(name) for name in CHOOSING)


def test_training_has_no_other_door():
    """`load_split` reads sealed parts too: only measuring finished adapters may use it, and DPO, to refuse them."""
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in Path(ROOT / "training").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and any(name.name == "load_split" for name in node.names)
    }

    assert callers == {"training/measure.py", "training/loss_table.py", "training/dpo.py", "training/data/manifest.py"}


@pytest.mark.parametrize(
    ("answer", "prose"),
    [
        ("It goes away - mostly by itself. X-ray pictures help.", True),
        ("Rest, and - Drink water - Sleep", False),
        ("- Rest\n- Sleep", False),
        ("• Rest\n• Sleep", False),
        ("These resources address the diagnosis of F.", False),
        ("The Human Phenotype Ontology provides a list.", False),
    ],
)
def test_prose_has_no_list_and_no_table(answer: str, prose: bool) -> None:
    assert is_prose(Example("p", "?", answer, "S", "F", ""), CleanRule()) is prose
