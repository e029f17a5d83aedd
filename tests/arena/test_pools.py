"""A database behind a pool of connections, options in its address, and what is said when it can't be reached."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bench.postgres import POOL_REMEDY, find_pool, new_database
from medilite.arena.database import Database
from medilite.errors import StoreError
from tests.conftest import do_without

pytestmark = pytest.mark.slow


@pytest.fixture
def pooled(postgres: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database behind PgBouncer, which hands out two connections transaction by transaction."""
    program = find_pool() or do_without(POOL_REMEDY)
    direct = urlsplit(new_database(postgres))
    server = parse_qs(direct.query)["host"][0]
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(server)  # readable for the user that the pool runs as
    users, ini = folder / f"users-{port}", folder / f"pool-{port}.ini"
    users.write_text(f'"{direct.username}" ""\n')
    ini.write_text(
        f"[databases]\n* = host={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    as_whom = {"user": direct.username} if os.geteuid() == 0 else {}
    with subprocess.Popen([program, str(ini)], stderr=subprocess.DEVNULL, **as_whom) as pool:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with closing(socket.socket()) as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"postgresql://{direct.username}@127.0.0.1:{port}{direct.path}"
        finally:
            pool.terminate()


def test_a_pool_that_shares_connections_by_transaction_works(pooled: str) -> None:
    databases, failed = [Database(pooled) for _ in range(3)], []

    def work(database: Database) -> None:
        try:
            for i in range(30):
                # The same statements again and again, which a driver would prepare from the fifth time on.
                with database.write("x") as connection:
                    connection.execute(sa.text("SELECT count(*) FROM meta WHERE name = :id"), {"id": str(i)})
                with database.read() as connection:
                    connection.execute(sa.text("SELECT count(*) FROM meta"))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(database,)) for database in databases for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()

    assert not failed


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://voter:s3cr3t@127.0.0.1:1/private",
        "postgresql://voter:s3cr3t@no-such-host.invalid/private",
        "postgresql://voter:s3cr3t@127.0.0.1:1/private?gssencmode=nonsense",
        "postgresql://voter:s3cr3t@127.0.0.1:1/private?options=-c%20s3cr3t",
        "postgresql://voter:s%2F3cr3t@127.0.0.1:2/private",
    ],
)
def test_whatever_a_driver_says_is_a_store_error_without_its_words(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    database = Database(address, timeout_s=2)
    with pytest.raises(StoreError) as caught, database.read():
        pass
    for said in (str(caught.value), caught.value.cause, caplog.text):
        assert "3cr3t" not in said
        assert "voter" not in said
    assert "127.0.0.1" not in str(caught.value)
    assert "private" not in str(caught.value)
    assert "can't be used at the moment" in caplog.text
    assert caught.value.cause


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "UTF8"])
def test_texts_come_back_as_they_were_from_a_database_of_any_encoding(postgres: str, encoding: str) -> None:
    import psycopg

    name = f"encoded_{encoding.lower()}"
    with psycopg.connect(postgres.replace("/?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    database = Database(postgres.replace("/?", f"/{name}?"))
    text = "naïve ½ 糖尿病 😷"
    try:
        with database.write() as connection:
            connection.execute(sa.text("INSERT INTO meta (name, value) VALUES ('text', :value)"), {"value": text})
        with database.read() as connection:
            assert connection.execute(sa.text("SELECT value FROM meta WHERE name = 'text'")).scalar() == text
    finally:
        database.close()
