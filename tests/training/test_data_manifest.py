"""Splits on disk: whole or not there, sealed, and read back only as they were written."""

from __future__ import annotations

import json
import shutil

import pytest

from medilite.errors import DataError
from medilite.records import Example
from tests.training.data_fixtures import make_examples
from training.data import manifest as manifest_module
from training.data.manifest import FOLDERS, load_manifest, load_split, write_splits, write_whole
from training.data.splits import SPLITS, split_as_study, without_shared_questions

AWKWARD = Example("q,1", 'Why "so" ?\u2028', "Näh: \x85 {}\\n \u2029 </script>", "Clinic", "Gout", "")
"""Characters that some readers take for the end of a line."""


@pytest.fixture
def folder(tmp_path):
    write_sets(tmp_path / "out")
    return tmp_path / "out"


def write_sets(folder, extra=()):
    study = split_as_study([*make_examples(["F"] * 24), AWKWARD, *extra], 42)
    sets = {"study": study, "distinct": without_shared_questions(study)}
    about = {name: {"rule": name} for name in sets}
    write_splits(folder, {name: splits.named() for name, splits in sets.items()}, {"source": {"name": "x"}}, about)
    return sets


def test_what_was_written_is_read_back(tmp_path):
    sets = write_sets(tmp_path)

    for name, splits in sets.items():
        for split in SPLITS:
            assert load_split(tmp_path / FOLDERS[name], split) == splits.named()[split]
    assert any(AWKWARD in load_split(tmp_path, split) for split in SPLITS)


def test_the_manifest_is_the_same_from_either_folder_and_describes_both_sets(folder):
    manifest = load_manifest(folder)

    assert load_manifest(folder / "distinct") == manifest
    assert load_manifest(str(folder)) == manifest
    assert manifest["sets"]["study"]["splits"]["train"]["rows"] == 19
    assert manifest["sets"]["distinct"]["rule"] == "distinct"
    assert manifest["source"] == {"name": "x"}


def test_each_line_is_one_record_in_its_own_order(folder):
    lines = (folder / "val.jsonl").read_bytes().split(b"\n")

    assert lines[-1] == b""
    assert list(json.loads(lines[0])) == ["qid", "question", "answer", "source", "focus_area", "qtype"]


def test_the_fingerprint_follows_the_content_and_nothing_else(folder, tmp_path):
    first = load_manifest(folder)["fingerprint"]

    write_sets(tmp_path / "again")
    write_sets(tmp_path / "more", make_examples(["F"]))

    assert load_manifest(tmp_path / "again")["fingerprint"] == first
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert load_manifest(tmp_path / "more")["fingerprint"] != first


def test_a_missing_folder_or_manifest_names_the_command_that_makes_it(tmp_path):
    command = r"python -m training\.prepare_medquad --source PATH\|kaggle\|hub --out "
    with pytest.raises(DataError, match=rf"There is no folder .*nowhere\. Prepare the data: {command}.*nowhere$"):
        load_split(tmp_path / "nowhere", "train")
    with pytest.raises(DataError, match=rf"holds no manifest\.json\. Prepare the data: {command}"):
        load_manifest(tmp_path)
    with pytest.raises(DataError, match=r"--out .*data$"):
        load_split(tmp_path / "data" / "distinct", "train")


def test_a_file_changed_by_hand_is_refused_and_its_neighbours_are_not(folder):
    path = folder / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Answer", b"Anwser", 1))

    with pytest.raises(DataError, match=r"train\.jsonl is not the file that manifest\.json describes"):
        load_split(folder, "train")
    assert load_split(folder, "val")
    assert load_split(folder / "distinct", "train")


def test_a_missing_file_is_an_error(folder):
    (folder / "distinct" / "test.jsonl").unlink()

    with pytest.raises(DataError, match=r"test\.jsonl can't be read.*Prepare the data again"):
        load_split(folder / "distinct", "test")


def test_an_unknown_split_suggests_the_near_one(folder):
    with pytest.raises(DataError, match=r"There is no split 'trian'\. Did you mean 'train'\?"):
        load_split(folder, "trian")


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(format=99),
        lambda manifest: manifest.pop("sets"),
        lambda manifest: manifest.update(fingerprint="0" * 64),
        lambda manifest: manifest["sets"]["study"]["splits"]["train"].update(sha256="0" * 64),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(DataError, match="another version, or was changed"):
        load_manifest(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_broken_manifest_is_an_error_and_no_traceback(folder, content):
    (folder / "manifest.json").write_bytes(content)

    with pytest.raises(DataError, match="Prepare the data"):
        load_manifest(folder)


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(folder, monkeypatch):
    before = (folder / "train.jsonl").read_bytes()

    def no_room(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest_module.Path, "write_bytes", no_room)
    with pytest.raises(DataError, match=r"No space left on device.*--out"):
        write_whole(folder / "train.jsonl", b"x" * 100)

    assert (folder / "train.jsonl").read_bytes() == before
    assert not [file.name for file in folder.iterdir() if file.name.endswith(".tmp")]


def test_a_run_that_dies_halfway_is_found_out_by_the_reader(folder, monkeypatch):
    before = load_split(folder, "test")
    real = manifest_module.write_whole
    written = []

    def dies_at_the_third(path, content):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path.name)
        real(path, content)

    monkeypatch.setattr(manifest_module, "write_whole", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_sets(folder, make_examples(["F"] * 10))

    with pytest.raises(DataError, match="is not the file that manifest"):
        load_split(folder, "train")
    assert load_split(folder, "test") == before


def test_writing_into_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(DataError, match="can't be written"):
        write_sets(tmp_path / "file")


def test_a_folder_of_its_own_that_is_called_distinct_is_an_ordinary_one(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "elsewhere" / "distinct")

    assert load_split(tmp_path / "elsewhere" / "distinct", "test") == load_split(folder, "test")
