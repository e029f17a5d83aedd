"""The store, on SQLite and on PostgreSQL: what is acknowledged stays, once."""

from __future__ import annotations

import dataclasses
import importlib.util
import socket
import sqlite3
import threading
import time
import traceback
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from medilite.arena.database import database_url
from medilite.arena.hiding import hidden
from medilite.arena.records import OWN_QUESTION, Ballot, text_key
from medilite.arena.schema import metadata
from medilite.arena.store import OPEN_PAIRS, Limits
from medilite.arena.table import COLUMNS
from medilite.errors import LimitError, SettingsError, StoreError, TokenError
from tests.arena.made import MANY, NOW, candidate, contestant, no_marks, pair, texts_of

LEFT = Ballot("left")
PRIVATE = "my embarrassing rash"


def cast(store, token, voter="voter", ballot=LEFT, now=NOW + 60, limits=MANY, marker=no_marks, texts=None):
    return store.cast(token, voter, ballot, now, limits, marker, texts=texts)


def own_pair(question):
    """Return a pair of a visitor's own question."""
    sides = [candidate(m, f"{m} on {question}", key=text_key(f"{m} on {question}"), seed=77) for m in ("base", "grpo")]
    return pair(*sides, kind="live", question_id=OWN_QUESTION, question=question, question_key=text_key(question))


# -- the file --------------------------------------------------------------------


def test_what_is_committed_is_on_the_disk_and_what_is_deleted_is_not(tmp_path):
    """In a module as it is shipped: `conftest` has SQLite wait for no disk in the one that other tests use."""
    spec = importlib.util.find_spec("medilite.arena.database")
    shipped = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shipped)
    database = shipped.Database(tmp_path / "votes.db")
    with database.write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    database.close()
    assert found == ["wal", 2, 1], "2 is FULL"


# -- pairs and votes -------------------------------------------------------------


def test_a_vote_comes_back_whole(store):
    shown = pair(left="base", right="grpo")
    ballot = Ballot("both_bad", left_unsafe=True, left_reasons=("long",), right_reasons=("easier", "safer"))
    token = store.add_pair(shown)
    given, fresh = cast(
        store, token, ballot=ballot, now=NOW + 12.5, marker=lambda votes: [("hasty",)] * len(votes),
        texts=texts_of(shown),
    )  # fmt: skip
    assert fresh
    assert (given.ballot, given.decide_s, given.marks, given.counted) == (ballot, 12.5, ("hasty",), False)
    (kept,) = store.votes()
    assert kept.pair == shown
    assert (kept.ballot, kept.voted_at, kept.decide_s, kept.marks) == (ballot, NOW + 12.5, 12.5, ("hasty",))


def test_the_token_itself_is_kept_nowhere(store):
    token = store.add_pair(pair())
    cast(store, token)
    with store.database.read() as connection:
        kept = [str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]
    assert kept
    assert not any(token in row for row in kept)


def test_a_second_vote_with_a_token_changes_nothing(store):
    token = store.add_pair(pair())
    first, _ = cast(store, token)
    again, fresh = cast(store, token, ballot=Ballot("right"), now=NOW + 70)
    assert not fresh
    assert (again.ballot, again.voted_at) == (first.ballot, first.voted_at)
    assert [v.ballot.choice for v in store.votes()] == ["left"]
    # An answer that got lost is asked for again after the pair has expired: the vote counts all the same.
    assert cast(store, token, now=NOW + 1e6)[1] is False


@pytest.mark.parametrize("wrong", ["forged", "another voter's", "expired", "empty"])
def test_a_token_that_does_not_fit_counts_nothing(store, wrong):
    token = store.add_pair(pair())
    with pytest.raises(TokenError):
        cast(
            store,
            {"forged": "x" * 32, "empty": ""}.get(wrong, token),
            voter="other" if wrong == "another voter's" else "voter",
            now=NOW + (4000 if wrong == "expired" else 60),
        )
    assert list(store.votes()) == []
    if wrong != "expired":
        assert cast(store, token)[1]


def test_what_is_said_of_a_token_does_not_tell_whether_it_exists(store):
    token = store.add_pair(pair())
    said = set()
    for tried in (token, "x" * 32):
        with pytest.raises(TokenError) as raised:
            cast(store, tried, voter="other")
        said.add(str(raised.value))
    assert len(said) == 1


def test_fifty_at_once_with_one_token_count_once(store):
    token = store.add_pair(pair())
    together = threading.Barrier(50)

    def one(number: int) -> bool:
        together.wait()
        return cast(store, token, ballot=Ballot("left" if number % 2 else "right"))[1]

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(one, range(50))) == 1
    assert len(list(store.votes())) == 1


def test_limits_hold_for_votes_at_once_too(store):
    tokens = [store.add_pair(pair()) for _ in range(OPEN_PAIRS)]
    together = threading.Barrier(len(tokens))

    def one(token: str) -> bool:
        together.wait()
        try:
            return cast(store, token, limits=Limits(2, 100))[1]
        except LimitError:
            return False

    with ThreadPoolExecutor(len(tokens)) as pool:
        assert sum(pool.map(one, tokens)) == 2
    assert len(list(store.votes())) == 2


def test_who_waits_may_vote_with_the_same_token(store):
    first, second = store.add_pair(pair()), store.add_pair(pair())
    one_a_minute = Limits(1, 2)
    cast(store, first, limits=one_a_minute)
    with pytest.raises(LimitError, match="wait a moment and choose again"):
        cast(store, second, now=NOW + 100, limits=one_a_minute)
    assert cast(store, second, now=NOW + 121, limits=one_a_minute)[1]
    third = store.add_pair(pair(expires_at=NOW + 1e6))
    with pytest.raises(LimitError, match="tomorrow"):
        cast(store, third, now=NOW + 500, limits=one_a_minute)
    assert cast(store, store.add_pair(pair(voter="other")), voter="other", limits=one_a_minute)[1]


def test_a_clock_that_was_set_back_leaves_no_time(store):
    token = store.add_pair(pair(created_at=NOW))
    given, _ = cast(store, token, now=NOW - 86_400)
    assert given.decide_s is None
    assert next(store.votes()).decide_s is None
    # Votes from the future don't shut their voter out for longer than others do.
    assert cast(store, store.add_pair(pair()), now=NOW - 2 * 86_400 - 100, limits=Limits(1, 1))[1]


def test_undo_within_the_time_only(store):
    early, late = (store.add_pair(pair()) for _ in range(2))
    for token in (early, late):
        cast(store, token)
    assert store.undo(early, "voter", NOW + 65, 10, no_marks)
    assert store.undo(early, "voter", NOW + 90, 10, no_marks), "asked twice is taken back once"
    assert not store.undo(late, "voter", NOW + 75, 10, no_marks)
    assert sorted(v.undone_at is not None for v in store.votes()) == [False, True]
    for token, voter in ((early, "other"), ("x", "voter"), (store.add_pair(pair()), "voter")):
        with pytest.raises(TokenError):
            store.undo(token, voter, NOW + 65, 10, no_marks)
    # No names were told between, so one may choose anew.
    again, fresh = cast(store, early, now=NOW + 66, ballot=Ballot("right"))
    assert fresh
    assert (again.undone_at, again.ballot.choice) == (None, "right")
    assert len(list(store.votes())) == 2


def test_who_was_told_the_names_can_take_nothing_back(store):
    token = store.add_pair(pair())
    with pytest.raises(TokenError, match="Vote first"):
        store.reveal(token, "voter", NOW + 50)
    cast(store, token)
    assert store.reveal(token, "voter", NOW + 61).ballot == LEFT
    assert not store.undo(token, "voter", NOW + 62, 10, no_marks)
    assert store.reveal(token, "voter", NOW + 63).ballot == LEFT, "told twice is told once"
    with pytest.raises(TokenError):
        store.reveal(token, "other", NOW + 61)


def test_who_took_a_vote_back_is_not_told_the_names(store):
    token = store.add_pair(pair())
    cast(store, token)
    assert store.undo(token, "voter", NOW + 62, 10, no_marks)
    with pytest.raises(TokenError, match="Vote first"):
        store.reveal(token, "voter", NOW + 63)


def test_a_text_comes_with_its_vote_and_goes_with_it(tmp_path, open_store):
    """In the database's own files too: neither is it left in deleted pages nor in SQLite's log of writes."""
    path = tmp_path / "votes.db"
    store = open_store(path)
    words = "my embarrassing rash"
    mine = own_pair(words)

    def everywhere():
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    token = store.add_pair(mine)
    assert words.encode() not in everywhere(), "nobody has voted"
    cast(store, token, texts=texts_of(mine))
    assert words.encode() in everywhere()
    assert next(store.votes()).pair == mine
    assert store.undo(token, "voter", NOW + 62, 10, no_marks)
    assert words.encode() not in everywhere()
    (kept,) = store.votes()
    assert kept.pair == hidden(mine)


def test_taking_a_vote_back_leaves_the_texts_to_one_that_is_being_given(store):
    """On PostgreSQL neither sees what the other does before it is done."""
    mine, other = own_pair(PRIVATE), dataclasses.replace(own_pair(PRIVATE), voter="other")
    first, second = store.add_pair(mine), store.add_pair(other)
    cast(store, first, texts=texts_of(mine))
    stored, go_on = threading.Event(), threading.Event()

    def wait(votes):
        """Mark nothing, once both have begun: texts are stored before votes are marked."""
        stored.set()
        assert go_on.wait(30)
        return no_marks(votes)

    with ThreadPoolExecutor(2) as pool:
        giving = pool.submit(cast, store, second, "other", marker=wait, texts=texts_of(other))
        assert stored.wait(30)
        taking_back = pool.submit(store.undo, first, "voter", NOW + 65, 10, no_marks)
        # Long enough for it to be done if nothing holds it up.
        futures.wait([taking_back], timeout=1)
        go_on.set()
        assert giving.result()[1]
        assert taking_back.result()
    assert {vote.pair for vote in store.votes()} == {hidden(mine), other}


def test_a_voter_holds_few_pairs_at_once(store):
    tokens = [store.add_pair(pair(created_at=NOW + i)) for i in range(OPEN_PAIRS + 2)]
    # Those that were shown are remembered, and the earliest are no longer open.
    ends = [store.find_pair(token, "voter").expires_at for token in tokens]
    assert [end > NOW + 60 for end in ends] == [False] * 2 + [True] * OPEN_PAIRS
    with pytest.raises(TokenError, match="has expired"):
        cast(store, tokens[0])
    # A pair that was voted on takes no room, and is remembered.
    cast(store, tokens[-1])
    store.add_pair(pair(created_at=NOW + 100))
    assert store.find_pair(tokens[2], "voter").expires_at > NOW + 100
    assert cast(store, tokens[-1])[1] is False


def test_skipped_ready_made_pairs_leave_a_live_one_open(store):
    live = store.add_pair(own_pair(PRIVATE))
    skipped = [store.add_pair(pair(created_at=NOW + 1 + i)) for i in range(OPEN_PAIRS + 1)]
    assert cast(store, live)[1]
    with pytest.raises(TokenError, match="has expired"):
        cast(store, skipped[0])
    others = [
        store.add_pair(dataclasses.replace(own_pair(PRIVATE), created_at=NOW + 70 + i)) for i in range(OPEN_PAIRS)
    ]
    store.add_pair(dataclasses.replace(own_pair(PRIVATE), created_at=NOW + 80))
    with pytest.raises(TokenError, match="has expired"):
        cast(store, others[0], now=NOW + 90)
    assert cast(store, skipped[1], now=NOW + 90)[1]


def test_marks_reach_back_to_earlier_votes(store):
    def all_once_there_are_two(votes):
        return [("pattern",) if len(votes) > 1 else ()] * len(votes)

    first, second = store.add_pair(pair()), store.add_pair(pair())
    assert cast(store, first, marker=all_once_there_are_two)[0].counted
    cast(store, second, now=NOW + 61, marker=all_once_there_are_two)
    assert [v.marks for v in store.votes()] == [("pattern",)] * 2
    # Taking one back lets the other stand again.
    store.undo(second, "voter", NOW + 62, 10, all_once_there_are_two)
    assert [v.marks for v in store.votes() if v.undone_at is None] == [()]
    assert store.recheck(lambda votes: [("hasty",)] * len(votes)) == (2, 1)
    assert store.recheck(lambda votes: [("hasty",)] * len(votes)) == (2, 0)


def test_texts_that_may_not_be_kept_are_not(store):
    own = "My own secret question?"
    private = own_pair(own)
    cast(store, store.add_pair(private))
    (kept,) = store.votes()
    assert kept.pair == hidden(private)
    with store.database.read() as connection:
        assert connection.execute(sa.select(metadata.tables["answers"])).all() == []


def test_two_stores_with_one_database_share_everything(address, open_store):
    one, other = open_store(address), open_store(address)
    assert one.secret == other.secret
    assert len(one.secret) == 32
    token = one.add_pair(pair())
    assert cast(other, token)[1]
    assert not cast(one, token)[1]


def test_many_open_a_fresh_database_at_once(address, open_store):
    stores = [open_store(address) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        secrets = set(pool.map(lambda store: store.secret, stores))
    assert len(secrets) == 1


def test_rating_rows_hold_what_the_ratings_need(store):
    cast(store, store.add_pair(pair(right=candidate("grpo", grade=None))), ballot=Ballot("equal", right_unsafe=True))
    last = store.add_pair(pair())
    cast(store, last, ballot=Ballot("both_bad"), now=NOW + 61)
    store.undo(last, "voter", NOW + 62, 10, no_marks)
    base, grpo = contestant("base").key, contestant("grpo").key
    rows = [tuple(row) for row in store.rating_rows()]
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert rows == [
        (base, grpo, "equal", "voter", "q1", None, 2, 2, 0.4, 0, 1, "ready", NOW + 60, "", "", "", 1),
        (base, grpo, "both_bad", "voter", "q1", 0.0, 2, 2, 0.4, 0, 0, "ready", NOW + 61, "taken back", "", "", 1),
    ]


def test_what_others_chose_on_the_same_answers(store):
    here, mirrored = pair(left="base", right="grpo"), pair(left="grpo", right="base")
    cast(store, store.add_pair(here))
    cast(store, store.add_pair(mirrored), ballot=Ballot("right"))
    cast(store, store.add_pair(pair(left="base", right="sft-r8-low")))
    base, grpo = here.left.key, here.right.key
    assert sorted(store.choices_on(base, grpo, but="")) == sorted([(base, "left"), (grpo, "right")])
    assert store.choices_on(base, grpo, but=here.id) == [(grpo, "right")]


def test_same_answers_are_counted_by_pair(store):
    store.add_same(pair(left="grpo", right="base"))
    store.add_same(pair(left="base", right="grpo"))
    assert store.same_answers() == [(contestant("base"), contestant("grpo"), 2)]


def test_what_a_voter_has_seen(store):
    store.add_pair(pair(question_key="q1"))
    cast(store, store.add_pair(pair(question_key="q2")))
    store.add_pair(pair(question_key="q3", voter="other"))
    assert {question for question, _ in store.seen_by("voter")} == {"q1", "q2"}


# -- the schema ------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_uses(store):
    _ = store.secret
    with store.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_version_is_left_alone(address, open_store):
    store = open_store(address)
    cast(store, store.add_pair(pair()))
    with store.database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer MediLite"):
        list(open_store(address).votes())


# -- what goes wrong -------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "votes.db"


def test_sqlite_lets_readers_read(path, open_store):
    store = open_store(path)
    with store.database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        # Another reads while this one writes.
        assert list(store.votes()) == []


def test_a_locked_database_is_said_and_the_token_stays_good(path, open_store):
    store = open_store(path, timeout_s=0.2)
    token = store.add_pair(pair())
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="held by another program"):
        cast(store, token)
    holder.execute("ROLLBACK")
    holder.close()
    assert cast(store, token)[1]


def test_all_who_open_a_file_stand_in_one_line_of_writers(path, open_store, tmp_path):
    """The page, the mirror and what deletes old votes each open it: SQLite alone lets the lucky go first."""
    one, other = open_store(path), open_store(str(path))
    assert one.database._turns is other.database._turns
    assert open_store(tmp_path / "another.db").database._turns is not one.database._turns
    order, waits = [], threading.Event()

    def write(store, number):
        with store.database.write():
            order.append(number)

    # Both have brought the schema up to date: who does it for the first time waits elsewhere.
    token, _ = one.add_pair(pair()), other.add_pair(pair())
    with one.database.write():
        threads = []
        for number in range(6):
            threads.append(threading.Thread(target=write, args=((one, other)[number % 2], number)))
            threads[-1].start()
            for _ in range(1000):
                if one.database._turns.waiting > number:
                    break
                waits.wait(0.01)
    for thread in threads:
        thread.join()
    assert order == list(range(6))
    assert cast(other, token)[1]


def test_a_full_disk_is_said_and_the_token_stays_good(path, open_store):
    store = open_store(path)
    token = store.add_pair(pair())
    engine = store.database.engine

    # As many pages as there are: SQLite then fails as it does on a full disk.
    @sa.event.listens_for(engine, "checkout")
    def no_more_pages(connection, record, proxy):
        connection.execute(f"PRAGMA max_page_count = {1 if full else 1_000_000}")

    full = True
    huge = pair(left=candidate("base", "many words " * 50_000))
    with pytest.raises(StoreError, match="disk is full"):
        cast(store, token, texts=lambda shown: dataclasses.replace(huge, id=shown.id))
    full = False
    assert cast(store, token)[1]
    assert len(list(store.votes())) == 1


def test_a_vanished_database_takes_no_vote_silently(path, open_store):
    store = open_store(path)
    token = store.add_pair(pair())
    aside = path.with_suffix(".aside")
    path.rename(aside)
    for _ in range(2):
        with pytest.raises(StoreError):
            cast(store, token)
        assert not path.exists(), "an empty database in its place would hide the loss"
    aside.rename(path)
    assert cast(store, token)[1]
    assert len(list(store.votes())) == 1


def test_a_database_that_vanishes_while_it_writes_acknowledges_nothing(path, open_store):
    store = open_store(path)
    token = store.add_pair(pair())

    def and_then_it_is_gone(votes):
        path.rename(path.with_suffix(".aside"))
        return [()] * len(votes)

    with pytest.raises(StoreError, match="vanished"):
        cast(store, token, marker=and_then_it_is_gone)


def test_a_vanished_database_is_not_made_anew_by_another_part_of_the_app(path, open_store):
    cast(store := open_store(path), store.add_pair(pair()))
    aside = path.with_suffix(".aside")
    path.rename(aside)
    with pytest.raises(StoreError):
        open_store(path).add_pair(pair())
    assert not path.exists()
    aside.rename(path)
    assert len(list(open_store(path).votes())) == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path, open_store):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="MEDILITE_DATA_DIR"):
        open_store(tmp_path / "file" / "votes.db").add_pair(pair())


def test_a_server_that_is_away_is_said_without_its_password(open_store):
    store = open_store("postgresql://me:hunter2@127.0.0.1:1/votes", timeout_s=2)
    with pytest.raises(StoreError, match="can't be used at the moment") as raised:
        store.add_pair(pair())
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("use", ["find_pair", "secret"])
def test_a_server_that_says_nothing_holds_nobody_up_in_turns(use, open_store):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_store(f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/votes", timeout_s=2)
        began = time.monotonic()

        def ask(_: int) -> str:
            with pytest.raises(StoreError) as raised:
                store.find_pair("token", "voter") if use == "find_pair" else store.secret
            return str(raised.value)

        with ThreadPoolExecutor(12) as pool:
            said = set(pool.map(ask, range(12)))
        # The driver gives up after two seconds, and who waits for who is first waits no longer than that.
        assert time.monotonic() - began < 12, "they waited one after another"
        assert all("can't be used at the moment" in one for one in said)


@pytest.mark.slow
def test_a_server_that_falls_silent_in_mid_connection_is_given_up_and_used_again(postgres, open_store, caplog):
    from bench.postgres import new_database

    store = open_store(new_database(postgres), timeout_s=4)
    token = store.add_pair(pair())
    with store.database.read() as connection:
        process = psutil.Process(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    def freeze(votes):
        process.suspend()
        return [()] * len(votes)

    try:
        with pytest.raises(StoreError, match="can't be used at the moment"):
            cast(store, token, marker=freeze)
        assert "not answered for 2 s" in caplog.text
        # The server's other processes answer, so a new connection does; the frozen one holds the voter's lock.
        assert store.find_pair(token, pair().voter) is not None
    finally:
        process.resume()
    # The commit was on its way: it is done now, or the second cast does it, and either way it counts once.
    assert cast(store, token)[0].ballot == LEFT
    assert len(list(store.votes())) == 1


@pytest.mark.slow
def test_a_connection_that_breaks_is_made_anew(postgres, open_store):
    from bench.postgres import new_database

    address = new_database(postgres)
    store = open_store(address)
    token = store.add_pair(pair())
    with store.database.read() as connection:
        mine = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
    with open_store(address).database.write() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
    assert cast(store, token)[1]


@pytest.mark.parametrize("url", ["mysql://host/votes", "sqlite://", "sqlite:///:memory:", "postgresql://x:y:z/"])
def test_a_url_that_keeps_no_votes_is_an_error_of_the_settings(url):
    with pytest.raises(SettingsError, match="MEDILITE_VOTES_URL"):
        database_url(url)


def test_errors_quote_nothing_of_what_was_to_be_stored(tmp_path, open_store):
    """SQLAlchemy's own exceptions list what was to be written; they end in tracebacks."""
    store = open_store(tmp_path / "votes.db")
    with pytest.raises(StoreError) as caught, store.database.write() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:text)"), {"text": PRIVATE})
    assert PRIVATE not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["\ud800", object()], ids=["surrogate", "object"])
def test_whatever_a_driver_makes_of_a_value_is_a_store_error(store, value):
    with pytest.raises(StoreError), store.database.write() as connection:
        connection.execute(sa.text("INSERT INTO meta (name, value) VALUES ('odd', :value)"), {"value": value})
    with store.database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM meta WHERE name = 'odd'")).scalar() == 0
