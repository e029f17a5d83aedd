"""The small data set of the evaluation's tests, for the benchmarks that answer its questions."""

from __future__ import annotations

from tests.eval.conftest import data as data
