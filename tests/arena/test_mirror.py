"""The votes' mirror, by the Hub's own client against a stand-in of its HTTP API: restart, two processes, refusals."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from medilite.arena.hiding import hidden, hidden_key
from medilite.arena.marks import mark
from medilite.arena.mirror.hub import HubRepo
from medilite.arena.mirror.journal import absorb, count_pending
from medilite.arena.mirror.lines import QUESTION, Text
from medilite.arena.mirror.mirror import LONGEST_RETRY_S, RETRY_S, Mirror, start_mirror
from medilite.arena.mirror.state import read_state
from medilite.arena.records import NO_SEED, OWN_QUESTION, Ballot, text_key
from medilite.arena.retention import DAY_S, Retention, delete_old
from medilite.arena.schema import answers, changed, questions
from medilite.arena.store import Store
from medilite.arena.votes import Votes
from medilite.settings import load_settings
from tests.arena.made import MANY, NOW, candidate, no_marks, pair, texts_of
from tests.arena.old import old_database
from tests.support.hub import TOKEN, Hub, running_hub

REPO = "clinic/votes"
OWN = "May I take ibuprofen with my heart tablets?"


class Clock:
    """Seconds that pass when told to; the wall clock may leap by itself."""

    def __init__(self) -> None:
        self.passed, self.leapt = 0.0, 0.0

    def timer(self) -> float:
        return self.passed

    def wall(self) -> float:
        return NOW + 100 + self.passed + self.leapt


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with running_hub() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mirrored(hub: Hub, clock: Clock) -> Callable[..., Mirror]:
    """Return a function that makes the mirror of a store, as a process of its own would."""

    def make(store: Store, **more: object) -> Mirror:
        repo = HubRepo(REPO, str(more.pop("token", TOKEN)), hub.url)
        return Mirror(store, repo, clock=clock.wall, timer=clock.timer, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture(autouse=True)
def _no_real_waits(monkeypatch):
    """The Hub's own client tries a refused call five times more, with seconds between them."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda seconds: None))


def cast(store, shown=None, choice="left", marker=no_marks):
    shown = shown or pair()
    token = store.add_pair(shown)
    texts = texts_of(shown) if shown.question else None
    store.cast(token, shown.voter, Ballot(choice), shown.created_at + 60, MANY, marker, texts=texts)
    return token


def own(kept=True):
    """Return the pair of a visitor's own question, its texts kept or not."""
    if not kept:
        sides = [candidate(model, None) for model in ("base", "grpo")]
        return hidden(pair(*sides, kind="live", question_id=OWN_QUESTION, question=None))
    sides = [candidate(model, f"{model} on hearts.") for model in ("base", "grpo")]
    return pair(*sides, kind="live", question_id=OWN_QUESTION, question=OWN, question_key=text_key(OWN))


def ready():
    """Return a ready-made pair whose keys are those of its texts, as in the app."""
    return pair(question="What helps?", question_key=text_key("What helps?"))


def everything(store):
    """Return all that is kept of votes, as it would be exported."""
    return sorted(store.votes(), key=lambda vote: vote.pair.id)


# -- restart -------------------------------------------------------------------------


def test_votes_outlive_the_database(store, hub, mirrored, open_store, tmp_path):
    for choice in ("left", "right", "both_bad"):
        cast(store, ready(), choice)
    cast(store, own())
    store.add_same(pair())
    mirrored(store).look()
    assert hub.private[REPO] is True
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)
    assert everything(fresh)[0].pair.question in ("What helps?", OWN)
    assert fresh.same_answers() == store.same_answers()
    assert fresh.version() == store.version()


def test_restoring_twice_counts_nothing_twice_and_pushes_nothing(store, hub, mirrored, open_store, tmp_path):
    cast(store, ready())
    mirrored(store).look()
    fresh = open_store(tmp_path / "fresh.db")
    for _ in range(2):
        mirrored(fresh).look()
        mirrored(store).look()
    assert len(everything(fresh)) == len(everything(store)) == 1
    assert hub.commits(REPO) == 1
    assert count_pending(fresh) == count_pending(store) == 0


def test_votes_of_before_the_mirror_go_there(open_store, hub, mirrored, tmp_path):
    old_database(tmp_path / "old.db", "0001", votes=[ready()])
    upgraded = open_store(tmp_path / "old.db")
    mirrored(upgraded).look()
    assert [line["event"] for line in hub.lines(REPO)] == ["question", "answer", "answer", "changed"]


def test_taking_back_and_marks_are_mirrored(store, hub, mirrored, open_store, tmp_path, clock):
    token = cast(store, ready())
    kept = cast(store, ready(), "right")
    mirror = mirrored(store)
    mirror.look()
    assert store.undo(token, "voter", NOW + 65, 12, lambda votes: [("hasty",)] * len(votes))
    clock.passed += 300
    mirror.look()
    assert sorted(line["event"] for line in hub.lines(REPO)[-2:]) == ["changed", "taken back"]
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)
    by_undone = sorted(everything(fresh), key=lambda vote: vote.undone_at is None)
    assert by_undone[0].undone_at == NOW + 65
    assert by_undone[1].marks == ("hasty",)
    assert kept


def test_what_was_deleted_stays_deleted(store, hub, mirrored, open_store, tmp_path, clock):
    cast(store, ready())
    store.add_same(pair())
    mirror = mirrored(store)
    mirror.look()
    delete_old(store, Retention(votes_s=5 * DAY_S), NOW + 10 * DAY_S)
    clock.passed += 300
    mirror.look()
    assert [line["event"] for line in hub.lines(REPO)[-2:]] == ["deleted", "deleted"]
    assert everything(store) == []
    for database in (store, open_store(tmp_path / "fresh.db")):
        mirrored(database).look()
        assert everything(database) == []
        assert database.same_answers() == []
        assert count_pending(database) == 0


def test_an_older_store_catches_up(open_store, hub, mirrored, tmp_path, clock):
    store = open_store(tmp_path / "votes.db")
    token, deleted = cast(store, ready()), ready()
    cast(store, deleted)
    mirror = mirrored(store)
    mirror.look()
    older = open_store(tmp_path / "older.db")
    mirrored(older).look()
    mine = cast(older, ready(), "equal")
    store.undo(token, "voter", NOW + 65, 12, no_marks)
    with store.database.write() as connection:
        connection.execute(sa.text("DELETE FROM votes WHERE id = :id"), {"id": deleted.id})
    cast(store, ready(), "right")
    clock.passed += 300
    mirror.look()
    mirrored(older).look()
    assert sorted((vote.ballot.choice, vote.undone_at is None) for vote in everything(older)) == [
        ("equal", True),
        ("left", False),
        ("right", True),
    ]
    mirrored(store).look()
    assert everything(store) == everything(older)
    assert mine


# -- what may go there -----------------------------------------------------------------


def test_a_private_question_stays_private(store, hub, mirrored):
    shown = own(kept=False)
    cast(store, shown)
    mirrored(store).look()
    assert [line["event"] for line in hub.lines(REPO)] == ["vote"]
    row = hub.lines(REPO)[0]["row"]
    assert row["question_key"] == hidden_key(shown.id, "question")
    assert (row["left_seed"], row["right_seed"]) == (NO_SEED, NO_SEED)


def test_what_is_to_be_deleted_some_day_never_goes_there(store, hub, mirrored, open_store, tmp_path):
    cast(store, own())
    store.add_same(own())
    mirrored(store, forgets=True).look()
    said = json.dumps(hub.lines(REPO))
    for text in (OWN, "base on hearts."):
        assert text not in said
        assert text_key(text) not in said
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh, forgets=True).look()
    (vote,) = everything(fresh)
    assert (vote.pair.question, vote.pair.left.text) == (None, None)
    assert vote.pair == hidden(vote.pair)
    assert vote.ballot.choice == "left"


def test_neither_the_secret_nor_a_token_goes_there(store, hub, mirrored):
    token = cast(store, ready())
    mirrored(store).look()
    said = b"".join(hub.files(REPO).values()).decode()
    for secret in (store.secret.hex(), token, text_key(token), TOKEN):
        assert secret not in said


def test_with_one_voter_secret_a_voter_stays_the_same_after_a_restart(tmp_path, open_store):
    secret = "a long random text of the owner's"
    stores = []
    for name in ("before", "after"):
        settings = load_settings(data_dir=tmp_path / name, voter_secret=secret)
        assert start_mirror(settings, Votes(settings.votes_database)) is None
        stores.append(open_store(settings.votes_database))
    assert stores[0].secret == stores[1].secret
    assert secret.encode() not in stores[0].secret
    other = open_store(tmp_path / "other.db")
    made = other.secret
    other.adopt_secret(secret)
    assert open_store(tmp_path / "other.db").secret == made, "what is there keeps its own"


def test_a_text_that_is_being_taken_back_is_not_restored(store):
    shown = own()
    token = cast(store, shown)
    taken_back, go_on = threading.Event(), threading.Event()

    def wait(votes):
        """Mark nothing, once the mirror is being read: texts are deleted before votes are marked."""
        taken_back.set()
        assert go_on.wait(30)
        return no_marks(votes)

    with ThreadPoolExecutor(2) as pool:
        taking_back = pool.submit(store.undo, token, "voter", NOW + 65, 12, wait)
        assert taken_back.wait(30)
        restoring = pool.submit(absorb, store, lambda: [Text(QUESTION, text_key(OWN), OWN, OWN_QUESTION)])
        futures.wait([restoring], timeout=1)
        go_on.set()
        assert taking_back.result()
        restoring.result()
    with store.database.read() as connection:
        assert connection.execute(sa.select(questions)).all() == []


# -- two processes ---------------------------------------------------------------------


def test_two_processes_write_files_of_their_own(store, hub, mirrored, open_store, tmp_path, clock):
    other = open_store(tmp_path / "other.db")
    mirrors = [mirrored(store), mirrored(other)]
    for _ in range(3):
        for database, mirror in zip((store, other), mirrors, strict=True):
            cast(database, ready())
            mirror.look()
        clock.passed += 300
    assert len(hub.files(REPO)) == 2
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert len(everything(fresh)) == 6


def test_two_processes_on_one_database_push_each_vote_once(store, hub, mirrored, clock):
    mirrors = [mirrored(store), mirrored(store)]
    for number in range(4):
        cast(store, ready())
        for mirror in mirrors[:: 1 if number % 2 else -1]:
            mirror.look()
        clock.passed += 300
    votes = [line["id"] for line in hub.lines(REPO) if line["event"] == "vote"]
    assert len(votes) == len(set(votes)) == 4


# -- what goes wrong -------------------------------------------------------------------


def test_a_hub_that_refuses_for_an_hour(store, hub, mirrored, open_store, tmp_path, clock):
    hub.make(REPO)
    mirror = mirrored(store)
    mirror.look()
    hub.refuses = 500
    given, tries = 0, []
    for second in range(0, 3600, 10):
        if second % 60 == 0:
            cast(store, ready())
            given += 1
        before = len(hub.calls)
        mirror.look()
        if len(hub.calls) > before:
            tries.append(second)
        clock.passed += 10
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert waits[0] == RETRY_S
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_RETRY_S
    assert len(tries) < 12
    state = read_state(store)
    assert state.waiting == given == 60
    assert state.age_s(clock.wall()) == pytest.approx(3600, abs=20)
    assert "500" in state.error
    assert TOKEN not in state.error
    hub.refuses = None
    clock.passed += LONGEST_RETRY_S
    mirror.look()
    state = read_state(store)
    assert (state.waiting, state.error) == (0, None)
    assert state.age_s(clock.wall()) == 0
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)


def test_a_hub_that_is_away_at_the_start(store, hub, mirrored, open_store, tmp_path, clock):
    cast(store, ready())
    mirrored(store).look()
    hub.refuses = 500
    fresh = open_store(tmp_path / "fresh.db")
    mirror = mirrored(fresh)
    mirror.look()
    assert "500" in mirror.state.error
    cast(fresh, ready(), "right")
    hub.refuses = None
    clock.passed += RETRY_S
    mirror.look()
    assert sorted(vote.ballot.choice for vote in everything(fresh)) == ["left", "right"]
    assert len([line for line in hub.lines(REPO) if line["event"] == "vote"]) == 2


@pytest.mark.parametrize("ends", [False, True])
def test_a_restart_while_the_hub_is_away_forgets_not_how_old_the_mirror_is(store, hub, mirrored, clock, ends):
    cast(store, ready())
    mirrored(store).look()
    before = read_state(store)
    assert None not in (before.whole_at, before.restored_at)
    hub.refuses = 500
    cast(store, ready(), "right")
    clock.passed += 3600
    again = mirrored(store)
    if ends:
        assert again.flush() is False
    again.look()
    state = read_state(store)
    assert (state.whole_at, state.restored_at) == (before.whole_at, before.restored_at)
    assert state.age_s(clock.wall()) == pytest.approx(3600, abs=20)
    assert (state.waiting, "500" in state.error) == (1, True)
    assert again.state == dataclasses.replace(state, waiting=0)
    # It restores all the same, once the Hub is back.
    hub.refuses = None
    clock.passed += RETRY_S
    again.look()
    assert read_state(store).restored_at == clock.wall()
    other = Mirror(store, HubRepo("clinic/other", TOKEN, hub.url), clock=clock.wall, timer=clock.timer)
    hub.refuses = 500
    other.look()
    assert read_state(store).whole_at is None, "that of another repository is no news of this one"


def test_a_commit_whose_answer_was_lost_is_not_doubled(store, hub, mirrored, open_store, tmp_path, clock):
    hub.make(REPO)
    mirror = mirrored(store)
    mirror.look()
    token = cast(store, ready())
    hub.forgets_to_say = True
    mirror.look()
    assert hub.commits(REPO) == 1
    assert "504" in mirror.state.error
    store.undo(token, "voter", NOW + 65, 12, no_marks)
    clock.passed += RETRY_S
    mirror.look()
    # The stand-in refuses a file that doesn't begin as it stands there.
    assert [line["event"] for line in hub.lines(REPO)][-2:] == ["vote", "taken back"]
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)


def test_a_hub_that_takes_calls_and_says_nothing(store, hub, mirrored, open_store, tmp_path, clock):
    hub.make(REPO)
    mirrored(store).look()
    repo = HubRepo(REPO, TOKEN, hub.url, limit_s=0.3)
    mirror = Mirror(store, repo, clock=clock.wall, timer=clock.timer)
    cast(store, ready())
    hub.silent = True
    mirror.look()
    assert "doesn't answer within 0.3 s" in mirror.state.error
    hub.silent, repo.limit_s = False, 60
    cast(store, ready(), "right")
    clock.passed += RETRY_S
    for _ in range(2):  # to restore, and to push
        mirror.look()
    assert count_pending(store) == 0
    # What hung goes on now, and takes nothing away from what came later.
    hub.speaks.set()
    time.sleep(0.3)
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)


def test_a_commit_that_hung_and_comes_late_overwrites_nothing(store, hub, mirrored, open_store, tmp_path, clock):
    hub.make(REPO)
    repo = HubRepo(REPO, TOKEN, hub.url, limit_s=60)
    mirror = Mirror(store, repo, clock=clock.wall, timer=clock.timer)
    mirror.look()
    cast(store, ready())
    repo.limit_s = 0.3
    hub.silent = True
    mirror.look()
    assert mirror.state.error
    hub.silent, repo.limit_s = False, 60
    cast(store, ready(), "right")
    clock.passed += RETRY_S
    mirror.look()
    assert count_pending(store) == 0
    hub.speaks.set()
    until = time.monotonic() + 60
    while hub.commits(REPO) < 3:
        assert time.monotonic() < until, "the first commit never came"
        time.sleep(0.05)
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)


def test_a_kill_between_write_and_push_loses_nothing(store, hub, mirrored, clock):
    cast(store, ready())
    mirrored(store).look()
    cast(store, ready(), "right")
    # The process ends here; the disk stays. The next one pushes what it finds.
    again = mirrored(store)
    again.look()
    assert len([line for line in hub.lines(REPO) if line["event"] == "vote"]) == 2
    assert len(hub.files(REPO)) == 2


def test_a_wrong_token_says_what_to_do(store, mirrored, hub):
    mirror = mirrored(store, token="hf_wrong")
    cast(store, ready())
    mirror.look()
    assert "HF_TOKEN" in mirror.state.error
    assert "hf_wrong" not in mirror.state.error
    assert len(everything(store)) == 1


def test_lines_that_are_no_lines_are_left_alone(store, hub, mirrored, open_store, tmp_path, caplog):
    cast(store, ready())
    mirrored(store).look()
    (name,), (content,) = hub.files(REPO).keys(), hub.files(REPO).values()
    vote = json.loads(content.splitlines()[-1])
    bad = [
        {**vote, "id": "x1"},
        {**vote, "id": "x2", "row": {**vote["row"], "id": "x2", "choice": "mine"}},
        {**vote, "id": "x3", "row": {**vote["row"], "id": "x3", "left_words": "many"}},
        {**vote, "id": "x4", "row": {**vote["row"], "id": "x4", "voted_at": float("inf")}},
        {**vote, "id": "x5", "row": {**vote["row"], "id": "x5", "decoding": "{"}},
        {**vote, "id": "x6", "row": {**vote["row"], "id": "x6", "left_seed": 1 << 70}},
        {**vote, "id": "x7", "row": {**vote["row"], "id": "x7", "voter": "\ud800"}},
        {**vote, "id": "x8", "revision": 0},
        {**vote, "id": "x9", "row": {**vote["row"], "id": "x9", "turns": 2}},
        {**vote, "format": 2},
        {"format": 1, "event": "question", "key": text_key("this"), "text": "that", "id": "q"},
        {"format": 1, "event": "deleted", "what": "meta", "id": "secret", "revision": 1},
        ["a", "list"],
    ]
    more = "".join(json.dumps(line) + "\n" for line in bad).encode() + b"\xff\xfe\n" + content[: len(content) // 2]
    hub.repos[REPO].append({**hub.repos[REPO][-1], name: content + more})
    fresh = open_store(tmp_path / "fresh.db")
    mirrored(fresh).look()
    assert everything(fresh) == everything(store)
    assert "can't be used" in caplog.text


def test_the_wall_clock_s_leaps_do_not_disturb_the_schedule(store, hub, mirrored, clock):
    hub.make(REPO)
    mirror = mirrored(store)
    cast(store, ready())
    mirror.look()
    for leap in (-DAY_S, 30 * DAY_S):
        clock.leapt = leap
        cast(store, ready())
        mirror.look()
        assert mirror.state.error is None
    assert hub.commits(REPO) == 1, "the interval is not over"
    clock.passed += 300
    mirror.look()
    assert hub.commits(REPO) == 2
    assert count_pending(store) == 0


# -- when ------------------------------------------------------------------------------


def test_pushes_are_apart_and_the_first_after_a_silence_goes_at_once(store, hub, mirrored, clock):
    hub.make(REPO)
    mirror = mirrored(store, interval_s=300)
    for second in range(0, 1200, 10):
        cast(store, ready())
        mirror.look()
        assert hub.commits(REPO) == second // 300 + 1
        clock.passed += 10


def test_flushing_does_not_wait_for_the_interval(store, hub, mirrored):
    mirror = mirrored(store)
    cast(store, ready())
    mirror.look()
    cast(store, ready())
    assert mirror.flush()
    assert hub.commits(REPO) == 2
    hub.refuses = 503
    cast(store, ready())
    assert not mirror.flush()
    assert count_pending(store) == 1
    assert mirror.close() is False


def test_it_runs_by_itself_and_a_second_file_is_begun_in_time(store, hub, mirrored, monkeypatch, clock):
    monkeypatch.setattr("medilite.arena.mirror.mirror.FILE_BYTES", 1000)
    monkeypatch.setattr("medilite.arena.mirror.mirror.POLL_S", 0.02)
    mirror = mirrored(store, interval_s=0)
    mirror.start()
    for _ in range(3):
        cast(store, ready())
        until = time.monotonic() + 60
        while count_pending(store):
            assert time.monotonic() < until, "nothing was pushed"
            time.sleep(0.02)
    assert mirror.close()
    assert len(hub.files(REPO)) == 3
    assert len([line for line in hub.lines(REPO) if line["event"] == "question"]) == 1


def test_no_mirror_without_a_repository_or_a_token(tmp_path, caplog):
    votes = Votes(tmp_path / "votes.db")
    assert start_mirror(load_settings(data_dir=tmp_path), votes) is None
    assert start_mirror(load_settings(data_dir=tmp_path, mirror=REPO), votes) is None
    assert "HF_TOKEN" in caplog.text
    assert not (tmp_path / "votes.db").exists()


def test_every_line_of_the_table_of_changes_is_about_something(store):
    cast(store, ready(), marker=mark)
    with store.database.read() as connection:
        noted = connection.execute(sa.select(changed.c.what, changed.c.pending)).all()
        texts = [connection.execute(sa.select(sa.func.count()).select_from(t)).scalar() for t in (questions, answers)]
    assert noted == [("vote", True)]
    assert texts == [1, 2]
