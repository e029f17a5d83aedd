"""The forks of the real models, held against what the parents do; `python -m bench.forks` does it for 200 pairs."""

from __future__ import annotations

import math

import pytest

from bench.forks import pairs, score, written
from medilite.records import Decoding

pytestmark = pytest.mark.model


def test_a_fork_is_where_the_parents_own_choice_is_another(engine, lite):
    held = []
    for question in ("What is asthma?", "How is high blood pressure treated?"):
        found = written(engine, lite, question, Decoding(max_new_tokens=24))
        behind = score(engine, found)
        held += pairs(engine, found, behind)
        most = math.log2(len(lite.ids))
        for one in found.scored.values():
            assert all(bits is not None and 0 <= bits <= most + 1e-6 for bits in one.apart)
        # What a model wrote greedily is what it holds for likeliest.
        assert all(far < 1e-6 for model in lite.ids for far in behind[model][model])
    assert len(held) == 2 * (len(lite.ids) - 1)
    assert [pair for pair in held if not pair.agrees] == []
    assert any(pair.at for pair in held)
