"""The log: what it says as text and as JSON, and what it never says."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextvars import copy_context

import pytest

from medilite.logs import BLACK, Redactor, begin_request, request_id, set_up_logging
from medilite.settings import load_settings

KEY = "gsk-0123456789abcdef"
PASSWORD = "pa55%40word"  # an @, quoted for a URL
TOKEN = "hf_" + "Ab3" * 8
PRIVATE = "my embarrassing rash"
SECRETS = (KEY, PASSWORD, "pa55@word", TOKEN)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], io.StringIO]]:
    """Return a function that sets the log up in a form and returns what is written."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    undos = []

    def start(form: str) -> io.StringIO:
        out = io.StringIO()
        settings = load_settings(log=form, judge_keys=KEY, votes_url=f"postgresql://votes:{PASSWORD}@host/votes")
        undos.append(set_up_logging(settings, out))
        return out

    yield start
    for undo in undos:
        undo()


def fail(words: str) -> None:
    """Raise what a library might: one exception from another, with words in both."""
    try:
        raise KeyError(words)
    except KeyError as error:
        raise ValueError(f"can't use {words!r}") from error


def test_a_start_shows_nothing_of_the_database_s_tools(tmp_path):
    """Alembic names each of its plugins when it is loaded: seven lines before the app's own first one."""
    code = (
        "from medilite.logs import set_up_logging; from medilite.settings import load_settings\n"
        "settings = load_settings(); set_up_logging(settings)\n"
        "from medilite.arena.store import Store; Store(settings.votes_database).votes()"
    )
    env = {**os.environ, "MEDILITE_DATA_DIR": str(tmp_path)}
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert made.stderr == made.stdout == ""


def in_an_event(act: Callable[[], object]) -> str:
    """Do something as an event of the page would; return the event's id."""
    context = copy_context()
    made = context.run(begin_request)
    context.run(act)
    return made


def lines(out: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_logged_in_any_form(logged, form):
    out = logged(form)
    log = logging.getLogger("medilite.anything")
    for secret in SECRETS:
        log.warning("plain %s and %r", secret, {"key": secret})
        log.warning("with data", extra={"data": {"where": f"at {secret}"}})
        try:
            fail(f"postgresql://votes:{secret}@host and {secret}")
        except ValueError:
            log.exception("broken by %s", secret)
    log.info("never set, but looks like one: hf_%s, ftp://me:zz@there", "x" * 20)
    said = out.getvalue()
    for secret in (*SECRETS, "x" * 20, ":zz@"):
        assert secret not in said, said
    assert BLACK in said
    assert "ValueError" in said
    assert "can't use" in said, "outside of events an exception's words help whoever reads the log"


def test_secrets_in_the_forms_that_they_take_in_texts():
    redact = Redactor(['sl\\ash"quote', "a b&c"])
    for text in ('sl\\ash"quote', repr('sl\\ash"quote'), json.dumps('sl\\ash"quote'), "a%20b%26c", "a b&c"):
        assert redact(text).strip("'\"") == BLACK
    assert Redactor()("nothing to hide") == "nothing to hide"
    # The longer of two that begin alike goes whole.
    assert Redactor(["secret", "secret-longer"])("secret-longer") == BLACK
    # A short one would black out words by chance.
    assert Redactor(["it"])("it is late, http://me:it@here") == f"it is late, http://me:{BLACK}@here"


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_event_s_exceptions_have_no_words_of_their_own(logged, form):
    out = logged(form)

    def event() -> None:
        try:
            fail(PRIVATE)
        except ValueError:
            logging.getLogger("medilite.ui.anything").exception("It failed.")

    in_an_event(event)
    said = out.getvalue()
    assert PRIVATE not in said
    assert "ValueError" in said
    assert "KeyError" in said
    assert "in fail" in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_library_s_exceptions_have_no_words_of_their_own(logged, form):
    out = logged(form)
    try:
        fail(PRIVATE)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        # As Gradio does.
        traceback.print_exc()
    assert PRIVATE not in out.getvalue()
    assert out.getvalue().count("in fail") >= 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_task_that_nobody_waited_for_is_logged_without_words(logged, form):
    """asyncio shows the exception in its message, so the message is withheld and the traceback has no words."""
    out = logged(form)

    async def main() -> None:
        async def failing() -> None:
            fail(PRIVATE)

        asyncio.create_task(failing())  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    assert "asyncio" in out.getvalue()
    assert "words withheld" in out.getvalue() or "default_exception_handler" in out.getvalue()
    assert "in fail" in out.getvalue()
    assert PRIVATE not in out.getvalue()


def test_a_traceback_that_another_handler_has_written_is_not_taken_from_it(logged):
    """`logging` keeps the text of the first handler on the record, for the next ones."""
    first = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(first)
    try:
        out = logged("text")

        def event() -> None:
            try:
                fail(PRIVATE)
            except ValueError:
                logging.getLogger("medilite.x").exception("It failed.")

        in_an_event(event)
    finally:
        logging.getLogger().removeHandler(first)
    assert PRIVATE in first.stream.getvalue()
    assert PRIVATE not in out.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_thread_that_dies_is_logged_without_words(logged, form):
    out = logged(form)
    thread = threading.Thread(target=fail, args=(f"{PRIVATE} {KEY}",), name="some-work")
    thread.start()
    thread.join()
    assert "some-work" in out.getvalue()
    assert PRIVATE not in out.getvalue()
    assert KEY not in out.getvalue()


def test_a_wrong_log_call_prints_nothing_of_what_it_was_to_say(logged, capsys):
    out = logged("text")
    logging.getLogger("medilite.x").warning("%d", PRIVATE)
    assert PRIVATE not in out.getvalue() + "".join(capsys.readouterr())


def test_text_lines_are_as_ever_and_carry_an_event_s_id(logged):
    out = logged("text")
    logging.getLogger("medilite.x").info("outside")
    made = in_an_event(lambda: logging.getLogger("medilite.x").info("inside"))
    outside, inside = out.getvalue().splitlines()
    assert outside.endswith(" INFO medilite.x: outside")
    assert inside.endswith(f" INFO medilite.x [{made}]: inside")


def test_json_lines(logged):
    out = logged("json")

    def event() -> None:
        logging.getLogger("medilite.x").info("two\nlines of %s", "words", extra={"data": {"tokens": 3, "at": None}})

    made = in_an_event(event)
    logging.getLogger("medilite.x").warning("outside")
    inside, outside = lines(out)
    assert inside.pop("time").endswith("+00:00")
    assert inside == {
        "level": "INFO", "logger": "medilite.x", "message": "two\nlines of words", "request": made, "tokens": 3,
        "at": None,
    }  # fmt: skip
    assert (outside["level"], "request" in outside) == ("WARNING", False)
    assert request_id() == ""


def test_what_libraries_print_becomes_lines_where_the_log_is_json(logged):
    out = logged("json")
    print(f"a warning of {KEY}\nand mo", end="", file=sys.stderr)
    print("re\r\n", file=sys.stderr)
    assert [line["message"] for line in lines(out)] == [f"a warning of {BLACK}", "and more"]


def test_undoing_leaves_nothing(logged):
    before = (sys.stderr, sys.excepthook, threading.excepthook, traceback.print_exc, logging.getLogger().handlers[:])
    undo = set_up_logging(load_settings(log="json"), io.StringIO())
    assert sys.stderr is not before[0]
    undo()
    after = (sys.stderr, sys.excepthook, threading.excepthook, traceback.print_exc, logging.getLogger().handlers[:])
    assert after == before
