"""Settings: what of them is secret."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from medilite.arena.database import Database, database_url
from medilite.engine.remote.servers import parse_addresses
from medilite.errors import SettingsError
from medilite.settings import load_settings


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://user:pass-word@host:5432/votes", ("pass-word",)),
        ("postgresql://user:p%40ss%2Fw%3Frd@host/votes", ("p%40ss%2Fw%3Frd", "p@ss/w?rd")),
        ("postgresql://host/votes?user=a&password=hidden&sslmode=require", ("hidden",)),
        ("postgresql://user@host:5432/votes", ()),
        ("sqlite:////srv/votes.db", ()),
    ],
)
def test_the_password_of_the_votes_database_is_a_secret(monkeypatch, url, secrets):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert load_settings(votes_url=url).secrets == secrets


def test_keys_and_the_hub_s_token_are_secrets(monkeypatch):
    monkeypatch.setenv("MEDILITE_JUDGE_KEYS", "first-key, second-key")
    monkeypatch.setenv("HF_TOKEN", "hub-token")
    assert set(load_settings().secrets) >= {"first-key", "second-key", "hub-token"}


@pytest.mark.parametrize(
    "password",
    [
        "se/cret",
        "se?cret",
        "se#cret",
        "se@cret",
        "se:cret",
        "se[cret",
        "se]cret",
        "se%cret",
        "se%zzcret",
        "se cret",
        "/secret",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused_and_not_quoted(password):
    with pytest.raises(SettingsError, match="percent-encoded") as caught:
        load_settings(votes_url=f"postgresql://voter:{password}@db.example:5432/votes")
    said = str(caught.value)
    assert "MEDILITE_VOTES_URL" in said
    assert not any(part in said for part in ("cret", "voter", "db.example"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%2Fw@[::1]:5432/votes?sslmode=require",
        "postgres://u@/votes?host=/run/postgresql",
        "postgresql+psycopg://u:a!b$c&d*e~f@db-1.example/votes?connect_timeout=3&prepare_threshold=5",
        "postgresql://db/votes?prepare_threshold=none",
    ],
)
def test_addresses_that_can_be_read_are_accepted(url):
    assert database_url(load_settings(votes_url=url).votes_database).drivername == "postgresql+psycopg"


@pytest.mark.parametrize("sign", [*"/?#@:[]% \\<>^{|}*+,;=", "é", "€"])
def test_a_driver_s_words_are_masked_however_the_password_is_written(sign):
    password = f"se{sign}cret"
    written = quote(password, safe="")
    for form in (written, re.sub("%..", lambda code: code[0].lower(), written)):
        database = Database(f"postgresql://voter:{form}@db.example/votes?sslpassword=hid%2Fden")
        said = database._masked(f"{password} {written} {form} {quote(password)} for voter, hid/den hid%2fden")
        assert not re.search("cret|voter|den", said), said
        assert not re.search("cret|voter|den", database.name)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("autocommit=true", "autocommit"),
        ("row_factory=x", "row_factory"),
        ("cursor_factory=x", "cursor_factory"),
        ("ssl_mode=require", "sslmode"),
        ("prepare_threshold=soon", "prepare_threshold"),
        ("connect_timeout=soon", "connect_timeout"),
        ("sslmode=require&sslmode=disable", "sslmode"),
        ("sslmode=required", "sslmode"),
        ("target_session_attrs=rw", "target_session_attrs"),
        ("client_encoding=latin1", "client_encoding"),
        ("port=votes", "port"),
        ("pgbouncer=true", "pgbouncer"),
    ],
)
def test_an_option_that_the_driver_cannot_use_is_refused_by_name(options, named):
    with pytest.raises(SettingsError, match=named) as caught:
        database_url(f"postgresql://voter:secret@host/votes?{options}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["sqlite:///votes.db?mode=ro", "sqlite://", "sqlite:///:memory:", "mysql://a:secret@b/c"]
)
def test_what_keeps_no_votes_is_refused(url):
    with pytest.raises(SettingsError) as caught:
        database_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("::1", "::1"),
        ("[::1]", "::1"),
        (" 127.0.0.1", "127.0.0.1"),
        ("[::]", "::"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("[fe80::1%eth0]", "fe80::1%eth0"),
        ("[fe80::1%25eth0]", "fe80::1%eth0"),  # RFC 6874
        ("fe80::1%25eth0", "fe80::1%eth0"),
        ("[fe80::1%251]", "fe80::1%1"),
        ("fe80::1%251", "fe80::1%251"),
        ("[fe80::1%25]", "fe80::1%25"),
    ],
)
def test_an_address_counts_with_and_without_brackets_and_its_zone_as_in_a_url(host, kept):
    assert load_settings(host=host).host == kept


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "0.0.0.0"])
def test_a_free_port_of_either_kind_of_address(host):
    from medilite.health.listening import bound_port

    assert bound_port(host) > 0


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "2001:db8::1", "not an address"])
def test_an_address_that_is_not_this_machines_names_the_variable(host):
    from medilite.health.listening import bound_port

    with pytest.raises(SettingsError, match="MEDILITE_HOST"):
        bound_port(host)


@pytest.mark.parametrize(
    ("host", "cause"),
    [
        ("fe80::1%nope", r"zone 'nope' is no network interface of this machine, which has .*\blo\b"),
        ("fe80::1%9999", "zone '9999' is no network interface"),
        ("fe80::1%lo", "no such address in the zone 'lo'"),
        ("fe80::1", r"needs the zone that it is in, as in fe80::1%eth0 \(here there are .*\blo\b"),
        ("::1%lo", r"only link-local addresses \(fe80::…\) have a zone, so leave %lo out"),
        ("127.0.0.1%lo", "so leave %lo out"),
        ("169.254.0.9", "Errno"),
    ],
)
def test_an_address_that_fails_for_its_zone_says_so(host, cause):
    from medilite.health.listening import bound_port

    with pytest.raises(SettingsError, match=f"{host} can.t be listened on: .*{cause}"):
        bound_port(host)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch, tmp_path):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", nobody)
    with pytest.raises(SettingsError, match="MEDILITE_DATA_DIR"):
        load_settings()
    assert load_settings(data_dir=tmp_path, cache_dir=tmp_path).data_dir == tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("votes_url", "host=db user=voter password=s3cr3t dbname=votes"),
        ("votes_url", "voter:s3cr3t@db/votes"),
        ("votes_url", "${DATABASE_URL:-s3cr3t}"),
        ("votes_url", "file:votes.db?key=s3cr3t"),
        ("mirror", "https://owner:s3cr3t@huggingface.co/datasets/owner/votes"),
        ("mirror", "hf_abcdefghijs3cr3t"),
        ("mirror", "https://huggingface.co/datasets/owner/votes?token=s3cr3t"),
        ("allowed_origins", "https://u:s3cr3t@clinic.example, x"),
        ("trusted_proxies", "http://u:s3cr3t@10.0.0.1:3128"),
        ("prefix", "https://u:s3cr3t@h/medilite"),
        ("host", "http://u:s3cr3t@h"),
        ("profile", "https://u:s3cr3t@h/mine.yaml"),
        ("weights", "https://u:s3cr3t@h/base"),
        ("sources", "https://u:s3cr3t@h/table.csv"),
        ("data_dir", "postgresql://u:s3cr3t@h/votes"),
        ("cache_dir", "s3://key:s3cr3t@bucket/cache"),
        ("server_key", "s3cr3t\nsecond line"),
        ("server_key", "s3cr3té"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_without_the_secret_in_it(name, value):
    with pytest.raises(SettingsError, match=f"MEDILITE_{name.upper()}") as caught:
        load_settings(**{name: value})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["https://h/v1?api_key=s3cr3t", "h:8000?key=s3cr3t", "http://h/v1#s3cr3t", "http://u:s3cr3t[@h", "http://h;s3cr3t",
     "http://u:p/s3cr3t@h", "https://h/s3cr3t@x y"],
)  # fmt: skip
def test_a_server_s_address_that_cannot_be_used_is_refused_without_its_secret(address):
    with pytest.raises(SettingsError, match="MEDILITE_SERVERS") as caught:
        parse_addresses(address)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_no_server_has_is_refused(port):
    with pytest.raises(SettingsError, match="port"):
        database_url(f"postgresql://voter:secret@host:{port}/votes")


def test_votes_are_not_kept_by_another_driver_of_sqlite():
    with pytest.raises(SettingsError):
        database_url("sqlite+pysqlcipher://:secret@/votes.db")


@pytest.mark.parametrize(
    ("variable", "given", "field", "kept"),
    [
        ("HF_TOKEN", "hf_abc\n", "hf_token", "hf_abc"),
        ("MEDILITE_SERVER_KEY", " key\r\n", "server_key", "key"),
        ("MEDILITE_PROFILE", "lite ", "profile", "lite"),
        ("MEDILITE_ENGINE", "Local", "engine", "local"),
        ("MEDILITE_PRECISION", "INT8\n", "precision", "int8"),
        ("MEDILITE_SOURCES", "OFF", "sources", "off"),
        ("MEDILITE_WEIGHTS", " ", "weights", None),
        ("MEDILITE_HOST", " ", "host", "127.0.0.1"),
        ("MEDILITE_VOTES_URL", " \n", "votes_url", None),
        # Kubernetes sets it for a Service called medilite
        ("MEDILITE_PORT", "tcp://10.96.0.1:7860", "port", 7860),
    ],
)
def test_a_value_counts_without_what_surrounds_it(variable, given, field, kept, monkeypatch):
    monkeypatch.setenv(variable, given)
    found = getattr(load_settings(), field)
    assert (found.get_secret_value() if hasattr(found, "get_secret_value") else found) == kept


@pytest.mark.parametrize("host", ["0.0.0.0:7860", "[::1]:7860", "http://localhost", "127.0.0.1/", "local host"])
def test_what_is_more_than_an_address_is_refused(host):
    with pytest.raises(SettingsError, match="MEDILITE_PORT"):
        load_settings(host=host)
