"""A small data set and a run with answers, for the whole folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.questions import TESTS, load_questions
from eval.run import Run
from tests.eval.boards import answers, setup_for, write_answers, write_data


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared splits with some thirty test questions."""
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="package", autouse=True)
def _made_data_have_no_clean_set() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eval.questions.SEALED", TESTS)
        yield


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Run:
    """A run whose answers are there and nothing else."""
    run = Run(tmp_path / "run")
    write_answers(run, answers(load_questions(data, "study/test"), setup_for(data)))
    return run
