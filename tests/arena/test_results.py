"""Results are computed once for all, and anew only when there are other votes."""

from __future__ import annotations

import dataclasses
import json
import time
from types import SimpleNamespace

import pytest

from medilite.__main__ import main
from medilite.arena import downloads
from medilite.arena import results as module
from medilite.arena.contestants import contestants
from medilite.arena.downloads import Downloads
from medilite.arena.records import Ballot
from medilite.arena.results import SETTLED_S, LiveResults
from medilite.arena.votes import Votes
from medilite.errors import StoreError
from medilite.settings import load_settings
from tests.arena.filled import keep, made_votes, on_public_pairs
from tests.arena.made import MANY, NOW, candidate, no_marks, pair


@pytest.fixture
def settings(tmp_path):
    return load_settings(data_dir=tmp_path)


@pytest.fixture
def here(lite):
    return contestants(lite)


@pytest.fixture
def fits(monkeypatch):
    """How often votes were rated."""
    done = []
    rate = module.rate
    monkeypatch.setattr(module, "rate", lambda *given: (done.append(1), rate(*given))[1])
    return done


def live(lite, settings, at):
    return LiveResults(lite, settings, Votes(settings.votes_database), refresh_s=10, clock=lambda: at[0])


def test_everything_is_there(lite, settings, here, open_store):
    store = open_store(settings.votes_database)
    keep(store, made_votes(here, 200))
    store.add_same(pair(*(dataclasses.replace(candidate(m), contestant=here[m]) for m in ("base", "grpo"))))
    found = LiveResults(lite, settings, Votes(settings.votes_database)).get()
    assert (found.counts.given, found.counts.counted, found.counts.undone) == (200, 197, 1)
    assert found.ratings.votes == 197
    bad = sum(row.bad_votes for row in found.ratings.rows) // 2
    assert found.matrix.wins.sum() + found.matrix.ties.sum() // 2 + bad == 197
    assert found.public is None, "no vote was on a pair that anybody can look up"
    assert found.sensitivity.tenth == 19
    assert found.sensitivity.most_moved > 0
    assert sum(p.counted + p.left_out for p in found.periods) == 200
    assert found.easier.n > 100
    assert found.same_answers[frozenset((here["base"], here["grpo"]))][2] == 1
    assert (found.base, dict(found.current)) == (here["base"], here)


@pytest.mark.parametrize(
    ("public", "private", "of_public"),
    [(200, 1, True), (200, 60, True), (200, 140, False), (1, 60, False), (200, 0, True), (0, 60, False)],
)
def test_a_few_votes_of_one_kind_do_not_replace_the_ratings_of_many_of_the_other(
    lite, settings, here, open_store, capsys, monkeypatch, public, private, of_public
):
    votes = made_votes(here, public + private)
    many = max(public, private)
    looked_up = votes[:many] if public == many else votes[many:]
    store = open_store(settings.votes_database)
    keep(store, [*on_public_pairs(looked_up), *(vote for vote in votes if vote not in looked_up)])
    found = LiveResults(lite, settings, Votes(settings.votes_database)).get()
    assert found.of_public is of_public
    assert (found.public is not None) == bool(public)
    ratings = {row.contestant: row.rating.value for row in found.ratings.rows if row.rating}
    assert ratings == pytest.approx(found.sensitivity.counted)
    assert len(ratings) == 6
    # Who beat whom is of the same votes.
    bad = sum(row.bad_votes for row in found.ratings.rows) // 2
    assert found.matrix.wins.sum() + found.matrix.ties.sum() // 2 + bad == found.ratings.votes
    assert found.easier.n <= found.ratings.votes
    store.database.close()
    monkeypatch.setenv("MEDILITE_DATA_DIR", str(settings.data_dir))
    assert main(["votes", "rate", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["votes"]["counted"] == found.ratings.votes
    assert {row["model"]: row["rating"]["value"] for row in printed["models"]} == pytest.approx(
        {one.model: value for one, value in ratings.items()}, abs=1e-3
    )


def test_a_view_costs_no_fit_unless_there_are_other_votes(lite, settings, here, open_store, fits):
    store = open_store(settings.votes_database)
    keep(store, made_votes(here, 60))
    at = [0.0]
    shown = live(lite, settings, at)
    first = shown.get()
    at[0] = 100.0
    assert shown.get() is first
    assert len(fits) == 1, "the same votes"
    token = store.add_pair(pair(*(dataclasses.replace(candidate(m), contestant=here[m]) for m in ("base", "grpo"))))
    store.cast(token, "voter", Ballot("left"), NOW + 60, MANY, no_marks)
    at[0] = 105.0
    assert shown.get() is first
    assert len(fits) == 1, "too soon"
    at[0] = 111.0
    assert shown.get().counts.given == 61
    store.undo(token, "voter", NOW + 61, 10, no_marks)
    at[0] = 122.0
    assert shown.get().counts.undone == 2
    assert len(fits) == 3


def test_a_vote_that_can_be_taken_back_is_in_no_result_and_in_no_file(lite, settings, here, open_store, monkeypatch):
    store, now, voted_at = open_store(settings.votes_database), [0.0], NOW + 60
    for place in (module, downloads):
        monkeypatch.setattr(place, "time", SimpleNamespace(time=lambda: now[0], monotonic=time.monotonic))
    token = store.add_pair(pair(*(dataclasses.replace(candidate(m), contestant=here[m]) for m in ("base", "grpo"))))
    store.cast(token, "voter", Ballot("left"), voted_at, MANY, no_marks)
    results = LiveResults(lite, settings, Votes(settings.votes_database), refresh_s=0)
    files = Downloads(Votes(settings.votes_database), settings.data_dir, refresh_s=0)
    for age in (0.0, SETTLED_S - 1):
        now[0] = voted_at + age
        assert results.get().counts.given == 0
        assert files.path(".jsonl") is None
    now[0] = voted_at + SETTLED_S + 1
    assert results.get().counts.given == 1
    assert len(files.path(".jsonl").read_text().splitlines()) == 1


def test_nothing_is_made_where_there_is_nothing(lite, settings, tmp_path):
    assert LiveResults(lite, settings, Votes(settings.votes_database)).get() is None
    assert not (tmp_path / "votes.db").exists()


def test_no_votes_are_results_too(lite, settings, open_store):
    _ = open_store(settings.votes_database).secret
    assert LiveResults(lite, settings, Votes(settings.votes_database)).get().counts.given == 0


def test_a_broken_store_is_said_and_asked_again_later(lite, settings, here, open_store, tmp_path):
    (tmp_path / "votes.db").write_bytes(b"this is no database" * 100)
    at = [0.0]
    shown = live(lite, settings, at)
    for _ in range(2):
        with pytest.raises(StoreError):
            shown.get()
    (tmp_path / "votes.db").unlink()
    keep(open_store(settings.votes_database), made_votes(here, 20))
    at[0] = 11.0
    assert shown.get().counts.given == 20
