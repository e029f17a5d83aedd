"""textstat's dictionary: written whole, mended, and had without a network, whoever asks first."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medilite.errors import DataError
from medilite.readability import dictionary, hard_spans, measure, scores, spans, textstat_module, warm_up

ROOT = Path(__file__).resolve().parents[1]
PLAIN = "The doctor will see you now. Diabetes is a serious condition."


def test_eight_threads_agree():
    texts = [f"{PLAIN} Medicine number {index} is here." for index in range(60)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(scores._measure, texts * 4))
        marked = list(pool.map(spans._hard_spans, texts))
    assert threaded == [measure(text) for text in texts] * 4
    assert marked == [tuple(hard_spans(text)) for text in texts]


def test_the_dictionary_is_whole_and_mended_when_it_is_not(tmp_path):
    assert dictionary._written(tmp_path)
    corpus = tmp_path / "corpora" / "cmudict" / "cmudict"
    content = corpus.read_bytes()
    assert content.count(b"\n") > 130_000
    assert b"\nDIABETES 1 D AY2 AH0 B IY1 T IY0 Z\n" in content
    written = corpus.stat().st_mtime_ns
    assert dictionary._written(tmp_path)
    assert corpus.stat().st_mtime_ns == written, "a whole dictionary is left alone"
    corpus.write_bytes(content[:1000])
    assert dictionary._written(tmp_path)
    assert corpus.read_bytes() == content
    assert sorted(path.name for path in corpus.parent.iterdir()) == ["cmudict", "sha256"]


def test_a_folder_that_cannot_be_written_is_reported_not_raised(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert not dictionary._written(tmp_path / "file" / "below")


def test_nowhere_to_write_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(dictionary.tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(OSError("read-only")))
    with pytest.raises(DataError, match="MEDILITE_CACHE_DIR"):
        dictionary._temporary_folder()


OFFLINE = """
import socket, sys, threading
def refuse(*_, **__): raise AssertionError("the network was asked for")
socket.socket.connect = refuse
import medilite.readability as r
assert not {"textstat", "nltk"} & set(sys.modules), "loaded at import"
import nltk
nltk.download = refuse
nltk.data.path[:] = []
found = []
def work(): found.append(r.measure("Diabetes is a serious condition."))
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == 8 and len(set(found)) == 1, found
print(found[0].flesch_kincaid_grade)
"""
GRADE = 0.39 * 5 + 11.8 * 12 / 5 - 15.59


def _offline(home: Path, **more: str) -> subprocess.Popen:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("MEDILITE_", "NLTK_", "XDG_"))
    }
    environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "TMPDIR": str(home)} | more
    return subprocess.Popen(
        [sys.executable, "-c", OFFLINE],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_first_use_without_network_and_with_an_empty_home(tmp_path):
    # Two processes, eight threads each, all at the first use at once.
    for process in [_offline(tmp_path), _offline(tmp_path)]:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        assert float(out) == pytest.approx(GRADE)
    [folder] = (tmp_path / ".cache" / "medilite" / "nltk_data").iterdir()
    assert sorted(path.name for path in (folder / "corpora" / "cmudict").iterdir()) == ["cmudict", "sha256"]


@pytest.mark.slow
def test_first_use_without_a_cache_that_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    process = _offline(tmp_path, MEDILITE_CACHE_DIR=str(tmp_path / "file" / "below"))
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert float(out) == pytest.approx(GRADE)
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "the temporary dictionary is gone"


def test_warm_up_can_be_called_again():
    warm_up()
    warm_up()
    assert textstat_module() is textstat_module()
