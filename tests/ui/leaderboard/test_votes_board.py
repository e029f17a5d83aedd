"""What the tab Leaderboard shows of the votes: every number where it belongs, and sentences where there is none."""

from __future__ import annotations

import csv
import dataclasses
import io
import time

import gradio as gr
import numpy as np
import pytest

from medilite.arena.contestants import contestants
from medilite.arena.downloads import Downloads
from medilite.arena.mirror.state import MirrorState, write_state
from medilite.arena.ratings import Interval
from medilite.arena.records import Contestant
from medilite.arena.results import LiveResults
from medilite.arena.store import Store
from medilite.arena.trust import Sensitivity
from medilite.arena.votes import Votes
from medilite.errors import DataError, StoreError
from medilite.settings import load_settings
from medilite.ui.leaderboard.board.view import find_boards
from medilite.ui.leaderboard.votes import agreement, apart, equal, intro, ratings
from medilite.ui.leaderboard.votes.downloads import downloads_html
from medilite.ui.leaderboard.votes.mirror import mirror_html
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.leaderboard.votes.tab import VotesResults
from medilite.ui.page.routes import vote_routes
from tests.arena.filled import OWN, keep, made_votes, on_public_pairs
from tests.ui.html import read
from tests.ui.leaderboard.conftest import EARLIER


def rows_of(html):
    return {row.all("th")[0].text: row for row in read(html).all("tr") if row.all("td")}


# -- figures ---------------------------------------------------------------------------


def test_every_table_has_a_caption(lite, data, made_boards):
    part, seen = built(lite, data, made_boards[0])
    page = read("".join(value for value in part.show(0.0, seen).values() if isinstance(value, str)))
    assert len(page.all("table")) == 8
    for table in page.all("table"):
        assert table.one("caption").text
    for scroll in page.all("div", "lb-table-scroll"):
        assert scroll.attributes["aria-label"]


def test_ratings_stand_with_interval_rank_and_counts(results, names):
    rows = tuple(dataclasses.replace(row, rank=place) for place, row in enumerate(results.ratings.rows, 1))
    ranked = dataclasses.replace(results, ratings=dataclasses.replace(results.ratings, rows=rows))
    page = read(ratings.ratings_html(ranked, names))
    table = {row.attributes["data-model"]: row for row in page.one("tbody").all("tr") if "earlier" not in row.text}
    for rating in rows:
        if rating.contestant == EARLIER:
            continue
        row = table[rating.contestant.model]
        assert row.all("td")[0].text == str(rating.rank)
        assert row.one("span", "lb-mean").text == f"{rating.rating.value:,.0f}"
        assert f"{rating.rating.low:,.0f} to {rating.rating.high:,.0f}" in row.text
        assert f"{rating.wins}, {rating.ties}, {rating.losses}" in row.text
        assert f"{rating.unsafe_votes:,} of {rating.votes:,}" in row.text


def test_ratings_by_trust_are_each_in_their_column(results, names):
    moved = [{row.contestant: value for row in results.ratings.rows} for value in (1001.0, 1002.0, 1003.0, 1004.0)]
    told = dataclasses.replace(results, sensitivity=Sensitivity(*moved, tenth=59))
    page = read(ratings.trust_html(told, names))
    assert [cell.text for cell in page.all("th")[1:5]] == [
        "As counted", "With votes of low trust", "Trusted voters only", "Without the most suspicious tenth",
    ]  # fmt: skip
    for row in page.one("tbody").all("tr"):
        assert [cell.text for cell in row.all("td")] == ["1,001", "1,002", "1,003", "1,004"]


def test_an_earlier_training_stands_apart_and_says_so(results, names):
    rows = [row for row in read(ratings.ratings_html(results, names)).one("tbody").all("tr") if "earlier" in row.text]
    assert len(rows) == 1
    assert "GRPO (earlier, eeeeeee)" in rows[0].text
    assert "preliminary" in rows[0].text


def test_what_cannot_be_rated_says_why(lite, results):
    island = dataclasses.replace(
        results.ratings.rows[-1],
        rating=None,
        rank=None,
        equal=None,
        reason="no chain of votes connects it with the base",
    )
    changed = dataclasses.replace(results, ratings=dataclasses.replace(results.ratings, rows=(island,)))
    page = read(ratings.ratings_html(changed, Names(lite, changed)))
    assert page.one("td", "vb-reason").text == "no chain of votes connects it with the base"
    assert ratings.ratings(changed, Names(lite, changed)) is None
    assert apart.apart_html(changed, Names(lite, changed)) == ""


def test_which_models_differ_clearly(results, names):
    upper, lower = (row.contestant for row in results.ratings.rows[:2])
    for votes, words in (
        (0, "clearly different"),
        (None, "can’t be predicted"),
        (1234, "about 1,200 more votes needed"),
    ):
        more = {**results.ratings.more_votes, (upper, lower): votes}
        changed = dataclasses.replace(results, ratings=dataclasses.replace(results.ratings, more_votes=more))
        first = read(apart.apart_html(changed, names)).one("ul", "vb-list").all("li")[0]
        assert first.text.endswith(words)


def test_the_left_s_advantage_is_a_sentence(results):
    share = results.ratings.left_share
    # Its ends, which are not equally far away: a half-width would lead beyond 0 or 100 %.
    value, low, high = (f"{100 * end:.0f}" for end in (share.value, share.low, share.high))
    said = f"the left one is chosen {value} % of the time ({low} to {high} %)"
    assert said in read(intro.intro_html(results)).text


def test_the_page_says_which_votes_its_ratings_are_of(lite, tmp_path):
    votes = made_votes(contestants(lite), 303)
    settings = load_settings(data_dir=tmp_path)
    store = Store(settings.votes_database)
    keep(store, [*on_public_pairs(votes[:300]), *votes[300:]])
    store.database.close()
    found = LiveResults(lite, settings, Votes(settings.votes_database)).get()
    names = Names(lite, found)
    voters = len({vote.pair.voter for vote in votes[3:300]})
    said = read(intro.intro_html(found)).text
    assert f"297 votes by {voters} voters on 41 questions count, all on pairs from the public repository" in said
    assert "3 votes on other pairs count separately. 3 of the 303 given are left out" in said
    assert "in the ratings above, and 3 separately, on other pairs" in read(intro.counts_html(found)).text
    assert found.bound < 100, "not that of three votes"
    # Public ratings have a column of their own beside those of other votes, even where these rate nothing.
    other = dataclasses.replace(found, of_public=False, sensitivity=dataclasses.replace(found.sensitivity, counted={}))
    assert "counts separately" not in read(intro.intro_html(other)).text
    page = read(ratings.trust_html(other, names))
    assert page.all("th")[5].text == "On public pairs"
    assert all(row.all("td")[4].text != "–" for row in page.one("tbody").all("tr"))


def test_all_counts_are_public(results):
    rows = {name: row.all("td")[0].text for name, row in rows_of(intro.counts_html(results)).items()}
    assert rows["Given"] == "600"
    assert "1 of them on visitors’ own questions, 1 of these after follow-ups" in read(intro.counts_html(results)).text
    assert rows["Counted"] == "597"
    assert rows["Left out"] == "3"
    assert rows["Taken back"] == "1"
    assert (rows["Hasty"], rows["Pattern"], rows["One-sided"]) == ("2", "1", "0")


def test_pairs_that_were_the_same_are_counted(lite, results):
    two = frozenset((results.current["base"], results.current["grpo"]))
    changed = dataclasses.replace(results, same_answers={two: (3, 12, 4)})
    (row,) = [
        r for name, r in rows_of(intro.same_answers_html(changed, Names(lite, changed))).items() if "Base" in name
    ]
    assert [cell.text for cell in row.all("td")] == ["3 of 12 (25 %)", "4"]
    assert intro.same_answers_html(dataclasses.replace(results, same_answers={}), Names(lite, results)) == ""


def test_equally_easy(results, names):
    page = read(equal.equal_html(results, names))
    assert "All else equal, an answer one grade easier gains" in page.text
    rows = rows_of(equal.equal_html(results, names))
    assert "the base itself" in rows["Base"].text
    above, within, below = (Interval(m, m - 50, m + 50) for m in (1200.0, 1000.0, 800.0))
    for both, said in (
        ((above, above), "ahead either way"),
        ((above, within), "ahead; when equally easy, no clear difference"),
        ((below, above), "behind; when equally easy, ahead"),
    ):
        told = tuple(
            dataclasses.replace(row, rating=one, equal=other)
            for row in results.ratings.rows
            for one, other in [(within, within) if row.contestant == results.base else both]
        )
        page = equal.equal_html(
            dataclasses.replace(results, ratings=dataclasses.replace(results.ratings, rows=told)), names
        )
        assert rows_of(page)["GRPO"].all("td")[2].text == said
    without = tuple(dataclasses.replace(row, equal=None) for row in results.ratings.rows)
    changed = dataclasses.replace(results, ratings=dataclasses.replace(results.ratings, rows=without))
    assert "Not known yet" in equal.equal_html(changed, names)


def test_agreement_is_a_number_or_a_reason(results, made_boards):
    rows = rows_of(agreement.agreement_html(results, None))
    told = agreement.agreement_html(results, None)
    assert "for the better of the two" not in told, "easier is not better"
    assert "with the grade, the easier one" in told
    grade, similarity, judge = rows.values()
    assert f"{100 * results.easier.value:.0f} %" in grade.all("td")[0].text
    assert f"n {results.easier.n}" in grade.all("td")[0].text
    assert "no leaderboard" in grade.all("td")[1].text
    assert "no reference answers" in similarity.all("td")[0].text
    assert "not judged" in judge.all("td")[0].text
    board, _ = find_boards("lite", made_boards[0])
    grade, similarity, judge = rows_of(agreement.agreement_html(results, board)).values()
    # The base has the lowest rating, the highest grade and the least similarity.
    assert grade.all("td")[1].text.startswith("τ 0.")
    assert "n 5 models" in grade.all("td")[1].text
    assert similarity.all("td")[1].text.startswith("τ 0.")
    assert judge.all("td")[1].text.startswith("–")


def test_names_from_outside_are_data(lite, results):
    evil = Contestant("<img src=x onerror=alert(1)>", "f" * 64)
    row = dataclasses.replace(results.ratings.rows[0], contestant=evil)
    swapped = tuple(evil if c == results.ratings.rows[0].contestant else c for c in results.matrix.contestants)
    changed = dataclasses.replace(
        results,
        ratings=dataclasses.replace(results.ratings, rows=(row, *results.ratings.rows[1:])),
        matrix=dataclasses.replace(results.matrix, contestants=swapped),
    )
    assert read(ratings.ratings_html(changed, Names(lite, changed))).all("img") == []


# -- the part of the tab ---------------------------------------------------------------


def built(lite, settings, boards):
    part = VotesResults(lite, LiveResults(lite, settings, Votes(settings.votes_database), refresh_s=0), boards)
    with gr.Blocks(), gr.Tab("Leaderboard") as tab:
        part.build(tab)
    return part, gr.State(0.0)


def test_what_the_visitor_has_already_is_not_sent_again(lite, data, tmp_path):
    part, seen = built(lite, data, tmp_path)
    first = part.show(0.0, seen)
    assert "What people prefer" in first[part.intro]
    assert part.show(first[seen], seen) == {part.error: ""}


def test_without_votes_it_says_what_to_do(lite, tmp_path):
    part, seen = built(lite, load_settings(data_dir=tmp_path), tmp_path)
    assert "Blind vote" in part.show(0.0, seen)[part.intro]


def test_a_broken_store_is_a_sentence(lite, tmp_path):
    (tmp_path / "votes.db").write_bytes(b"this is no database" * 100)
    part, seen = built(lite, load_settings(data_dir=tmp_path), tmp_path)
    update = part.show(0.0, seen)
    assert "be shown at the moment" in update[part.error]
    assert update[part.intro] == ""
    # What stands there already stays.
    assert part.intro not in part.show(5.0, seen)


# -- the mirror ------------------------------------------------------------------------

MIRRORED = {"mirror": "clinic/votes", "hf_token": "hf_secret", "space_id": "clinic/space"}


def test_in_a_space_without_a_mirror_votes_are_said_to_be_lost(lite, tmp_path):
    for missing in ({}, {"mirror": "clinic/votes"}, {"hf_token": "hf_secret"}):
        settings = load_settings(data_dir=tmp_path, space_id="clinic/space", **missing)
        part, _ = built(lite, settings, tmp_path)
        (said,) = part.show_mirror().values()
        assert "are lost when this Space restarts" in said
    part, _ = built(lite, load_settings(data_dir=tmp_path), tmp_path)
    assert list(part.show_mirror().values()) == [""]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "are being fetched"),
        (MirrorState("clinic/votes", error="no"), "can&#39;t be fetched"),
        (MirrorState("clinic/votes", 990.0, 1.0), "holds every vote"),
        (MirrorState("clinic/votes", None, 1.0, waiting=2), "2 votes on the way"),
        (MirrorState("clinic/votes", 700.0, 1.0, waiting=1), "is 5 minutes old, and 1 vote given or changed since is"),
        (
            MirrorState("clinic/votes", -6300.0, 1.0, "the Hub answers 503", 9),
            "is 2 hours old, and 9 votes given or changed since are",
        ),
        (MirrorState("clinic/votes", -6300.0, 1.0, "the Hub answers 503", 9), "the app keeps trying"),
    ],
)
def test_how_old_the_mirror_is(state, said):
    html = mirror_html(load_settings(**MIRRORED), state, 1000.0)
    assert said in html
    assert "503" not in html
    assert "hf_secret" not in html


def test_the_mirror_s_state_comes_from_the_store(lite, tmp_path):
    settings = load_settings(data_dir=tmp_path, **MIRRORED)
    store = Store(settings.votes_database)
    keep(store, made_votes(contestants(lite), 4))
    write_state(store, MirrorState("clinic/votes", time.time() - 4000, 1.0))
    store.database.close()
    part, _ = built(lite, settings, tmp_path)
    (said,) = part.show_mirror().values()
    assert "1 hour old, and 4 votes" in said


# -- files -----------------------------------------------------------------------------


def downloads(settings, **options):
    return Downloads(Votes(settings.votes_database), settings.data_dir, **options)


@pytest.fixture(scope="module")
def client(data):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    return TestClient(Starlette(routes=vote_routes(downloads(data))))


def test_the_links_lead_to_every_vote_and_to_nothing_private(client):
    for link in read(downloads_html()).all("a"):
        reply = client.get("/" + link.attributes["href"])
        assert reply.status_code == 200
        assert link.attributes["download"] in reply.headers["content-disposition"]
        assert OWN.encode() not in reply.content
        assert b"voter-1" not in reply.content
    rows = list(csv.DictReader(io.StringIO(client.get("/votes/votes.csv").text)))
    assert len(rows) == 600
    first_seen = list(dict.fromkeys(row["voter"] for row in rows))
    assert "are numbered in the order of their first vote in the file" in " ".join(read(downloads_html()).text.split())
    assert first_seen == [f"voter {number}" for number in range(1, len(first_seen) + 1)]
    assert np.unique([row["voted_at"][14:] for row in rows]).tolist() == ["00:00.000+00:00"]


def test_a_file_is_made_once_for_all(data):
    files = downloads(data)
    assert files.path(".jsonl") == files.path(".jsonl")
    again = downloads(data, refresh_s=0)
    assert again.path(".csv") == again.path(".csv"), "no other votes, no other file"


def test_no_votes_and_a_broken_store_are_sentences(tmp_path):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    none = TestClient(Starlette(routes=vote_routes(downloads(load_settings(data_dir=tmp_path / "none")))))
    assert none.get("/votes/votes.csv").status_code == 404
    assert "Nobody has voted" in none.get("/votes/votes.csv").text
    (tmp_path / "votes.db").write_bytes(b"this is no database" * 100)
    broken = TestClient(Starlette(routes=vote_routes(downloads(load_settings(data_dir=tmp_path)))))
    assert broken.get("/votes/votes.jsonl").status_code == 503


def test_a_database_that_is_away_is_asked_once_for_all_who_come(tmp_path, monkeypatch):
    asked = []

    def away(store, before=None):
        asked.append(1)
        raise StoreError("The votes' database is away.")

    monkeypatch.setattr("medilite.arena.store.Store.version", away)
    files = downloads(load_settings(votes_url="postgresql://me@127.0.0.1:1/votes"))
    for suffix in (".csv", ".jsonl", ".csv"):
        with pytest.raises(StoreError, match="is away"):
            files.path(suffix)
    assert len(asked) == 1
    monkeypatch.setattr("medilite.arena.downloads.FAILED_S", 0)
    with pytest.raises(StoreError):
        files.path(".csv")
    assert len(asked) == 2


def test_nowhere_to_write_a_file_is_a_sentence_without_a_path(data, tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device", str(tmp_path))

    files = downloads(data)
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.TemporaryDirectory", full)
        with pytest.raises(DataError, match="No space left on device") as raised:
            files.path(".csv")
    assert str(tmp_path) not in str(raised.value)
    monkeypatch.setattr("medilite.arena.downloads.FAILED_S", 0)
    assert files.path(".csv").is_file(), "there is space again"
