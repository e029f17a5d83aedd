"""The checks of `python -m medilite doctor`, one function each; it returns what it found or raises what is wrong.

A check raises a MediLiteError (value, cause, remedy) if something is wrong, Skipped if there is nothing to check, and
returns a sentence otherwise. None of them leaves anything behind, fetches anything, or shows a secret.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medilite import __version__
from medilite.arena.mirror import check as mirror
from medilite.checkpoints import WEIGHTS_FILE, read_training_record
from medilite.engine import Engine, open_engine
from medilite.engine.protocol import collect
from medilite.errors import (
    DataError,
    EngineError,
    MediLiteError,
    ModelUnavailableError,
    SettingsError,
    StoreError,
    WeightsUnavailableError,
)
from medilite.health.listening import bound_port, runs_at
from medilite.machine import available_bytes
from medilite.models import ROOT, FolderBase, ModelSpec, Profile
from medilite.packages import altered_files, sha256_of
from medilite.prompts import question_messages
from medilite.readability import measure
from medilite.records import Decoding, Request
from medilite.safety import emergency_notice
from medilite.settings import Settings
from medilite.sources.layout import FORMAT, read_manifest
from medilite.sources.shelf import PREPARED, ready_library, shelf_folder
from medilite.weights import ensure_adapter, ensure_base, find_base

if TYPE_CHECKING:
    from medilite.arena.database import Database

State = Literal["ok", "failed", "skipped"]

GIB = 1 << 30
VOTES_BYTES = 100 << 20
"""Bytes that should be free where votes are stored: a million of them without texts."""

FETCH_BYTES = 2 * GIB
"""Least bytes that fetching and converting a base takes temporarily."""

WORKING_BYTES = GIB
"""Least memory of the app beside the base's weights: libraries, caches, pages of several visitors."""

QUESTION = "What helps against hay fever?"
ANSWER = "Hay fever is an allergy to pollen. Rinse your nose, and ask your doctor for a spray."


class Skipped(Exception):
    """There is nothing to check, for the reason given."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `message` of a failed one names value, cause and remedy."""

    check: str
    state: State
    message: str


Check = Callable[[], str]


def findings(
    profile: Profile,
    settings: Settings,
    skip: Sequence[str] = (),
    engine_of: Callable[[Profile, Settings], Engine] = open_engine,
) -> Iterator[Finding]:
    """Yield each check's finding, in the order of dependency; `skip` names checks to leave out.

    If the weights are not in order the engine is left out, as it would report
    the same; if nobody checked them, where loading it would fetch them.
    """
    local = getattr(settings, "engine", "local") == "local"
    yield from _run("versions", skip, check_versions)
    yield from _run("disk", skip, partial(check_disk, profile, settings))
    yield from _run("address", skip, partial(check_address, settings))
    sound, verified = True, False
    if local:
        yield from _run("memory", skip, partial(check_memory, profile, settings))
        for finding in _run("weights", skip, partial(check_weights, profile, settings)):
            sound, verified = finding.state != "failed", finding.state == "ok"
            yield finding
        for spec in profile.every:
            if spec.adapter is not None:
                yield from _run("adapter", skip, partial(check_adapter, profile, spec), spec.id)
    if not sound:
        yield Finding("engine", "skipped", "not tried, for the weights are not in order")
    elif "engine" in skip:
        yield Finding("engine", "skipped", "left out by --skip")
    elif not verified and _would_be_fetched(profile, settings):
        yield Finding(
            "engine", "skipped",
            f"not tried, for it would fetch {profile.base.model}, which is not fetched yet (or not whole):"
            " `python -m medilite fetch` gets it",
        )  # fmt: skip
    else:
        yield from check_engine(profile, settings, engine_of)
    yield from _run("scores", skip, check_scores)
    yield from _run("assets", skip, partial(check_assets, profile))
    yield from _run("library", skip, partial(check_library, settings))
    yield from _run("store", skip, partial(check_store, settings))
    yield from _run("mirror", skip, partial(check_mirror, settings))


def _run(name: str, skip: Sequence[str], check: Check, of: str = "") -> Iterator[Finding]:
    shown = f"{name} {of}".strip()
    if name in skip:
        yield Finding(shown, "skipped", "left out by --skip")
        return
    yield _found(shown, check)


def _found(name: str, check: Check) -> Finding:
    try:
        return Finding(name, "ok", check())
    except Skipped as reason:
        return Finding(name, "skipped", str(reason))
    except MediLiteError as error:
        return Finding(name, "failed", str(error))
    except Exception as error:  # a broken installation may raise anything, and the other checks still run
        return Finding(name, "failed", f"The check itself failed ({type(error).__name__}: {error}). Report it.")


# --- the machine ---------------------------------------------------------------------------


def check_versions(requirements: Path = ROOT / "requirements.txt") -> str:
    """Compare what is installed with requirements.txt. Raises SettingsError."""
    from importlib.metadata import PackageNotFoundError, version
    from platform import python_version

    from packaging.requirements import Requirement

    wrong, installed = [], {}
    lines = requirements.read_text(encoding="utf-8").splitlines() if requirements.is_file() else []
    for line in lines:
        text = line.split("#")[0].split(" --")[0].strip().rstrip("\\").strip()
        if not text or text.startswith("-"):
            continue
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            installed[wanted.name] = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(installed[wanted.name], prereleases=True):
            wrong.append(f"{wanted.name} is {installed[wanted.name]}, not {wanted.specifier}")
    if wrong:
        raise SettingsError(
            f"{'; '.join(wrong)}: what is installed is not what requirements.txt asks for. "
            "Run `pip install -r requirements.txt` in this environment."
        )
    shown = [f"{name} {installed[name]}" for name in ("torch", "transformers", "gradio") if name in installed]
    return ", ".join([f"medilite {__version__}", f"python {python_version()}", *shown])


def check_disk(profile: Profile, settings: Settings) -> str:
    """Look for room where votes and, where it is to be fetched yet, the base go. Raises DataError."""
    places = [(settings.data_dir.expanduser(), VOTES_BYTES, "MEDILITE_DATA_DIR", "votes")]
    if find_base(profile, settings) is None:
        places.append((settings.weights_dir, FETCH_BYTES, "MEDILITE_CACHE_DIR", "the weights"))
    found = []
    for folder, needed, variable, what in places:
        try:
            free = shutil.disk_usage(_existing(folder)).free
        except DataError as error:
            raise DataError(f"{variable}={folder} can't be used for {what}: {error}") from None
        if free < needed:
            raise DataError(
                f"{folder} has {_size(free)} free, and {what} should have {_size(needed)}: the disk is nearly full. "
                f"Make room, or set {variable} to another folder."
            )
        found.append(f"{_size(free)} free for {what}")
    return ", ".join(found)


def check_address(settings: Settings) -> str:
    """Check that the app could listen, or listens, at the configured address. Raises SettingsError."""
    host, port = settings.listens_on, settings.port if "port" in settings.model_fields_set else 0
    try:
        bound_port(host, port)
    except OSError as error:
        if runs_at(host, port):
            return f"MediLite runs on {host}, port {port}"
        raise SettingsError(
            f"Port {port} on {host} can't be used: {error.strerror}. Set MEDILITE_PORT to another, or to 0 for any "
            "free one."
        ) from error
    return f"port {port} on {host} is free" if port else f"{host} can be listened on"


def check_memory(profile: Profile, settings: Settings) -> str:
    """Compare the memory that is available with what the base takes. Raises EngineError, Skipped."""
    available = available_bytes()
    if available is None:
        raise Skipped("this system doesn't report how much memory is available")
    base = find_base(profile, settings)
    weights = sum(file.stat().st_size for file in base.glob("*.safetensors")) if base else 0
    needed = weights + WORKING_BYTES
    if available < needed:
        raise EngineError(
            f"{_size(available)} of memory are available, and the model needs about {_size(needed)}: other programs, "
            "or the container's limit, leave too little. End some of them, or raise the limit."
        )
    return f"{_size(available)} available, about {_size(needed)} needed"


# --- models --------------------------------------------------------------------------------


def check_weights(profile: Profile, settings: Settings) -> str:
    """Check that the base is here and every file with a known hash still has it. Raises WeightsError."""
    of_this_machine = settings.weights or isinstance(profile.base, FolderBase)
    folder = ensure_base(profile, settings) if of_this_machine else find_base(profile, settings)
    if folder is None:
        raise WeightsUnavailableError(
            f"{profile.base.model}, the base of profile {profile.name}, is not here (or not whole): it has not been "
            "fetched yet. `python -m medilite fetch` gets it; MEDILITE_WEIGHTS names a folder of your own."
        )
    altered = altered_files(folder)
    if altered is None:
        return f"{profile.base.model} in {folder}; no hashes are known to check it by"
    if altered:
        raise WeightsUnavailableError(
            f"{', '.join(altered)} in {folder}: no longer what was written there, so not used. "
            "Remove the folder, then `python -m medilite fetch`."
        )
    return f"{profile.base.model} in {folder}, every file as it was verified"


def _would_be_fetched(profile: Profile, settings: Settings) -> bool:
    """Return whether loading an engine would fetch the base, or its tokenizer; folders of one's own are only read."""
    if settings.weights or isinstance(profile.base, FolderBase):
        return False
    folder = find_base(profile, settings)
    return folder is None or bool(altered_files(folder))


def check_adapter(profile: Profile, spec: ModelSpec) -> str:
    """Compare an adapter's weights with the hash in its training.json. Raises ModelUnavailableError, Skipped."""
    where = profile.adapter_path(spec)
    if not isinstance(where, Path):
        raise Skipped(f"on the Hub ({where.removeprefix('hub:')}): the engine fetches it")
    folder = ensure_adapter(profile, spec)
    found = sha256_of(folder / WEIGHTS_FILE)
    record = read_training_record(profile, spec)
    known = record.get("adapter_sha256") if record else None
    if known is None:
        return f"sha256 {found[:12]}; its training.json has none to compare with"
    if known != found:
        raise ModelUnavailableError(
            f"{spec.id}: its weights have SHA-256 {found[:12]}, and its training.json was written for {str(known)[:12]}"
            ": one of the two was exchanged or damaged. Get the folder from the repository, or train it again."
        )
    return f"sha256 {found[:12]}, as its training.json says"


def check_engine(
    profile: Profile, settings: Settings, engine_of: Callable[[Profile, Settings], Engine] = open_engine
) -> Iterator[Finding]:
    """Load the engine and have each model write one token; yield a finding for each model, one if none can be asked."""
    engine: Engine | None = None
    try:
        engine = engine_of(profile, settings)
        messages = question_messages(QUESTION)
        requests = [Request(spec.id, messages, Decoding(max_new_tokens=1)) for spec in profile.every]
        answers = collect(requests, engine.stream(requests))
        if len(answers) != len(requests):
            raise EngineError("The engine ended without an answer. Try again; if it stays so, report it.")
        for answer in answers:
            yield _found(f"engine {answer.model}", partial(_one_token, answer.tokens, answer.error))
    except MediLiteError as error:
        yield Finding("engine", "failed", str(error))
    except Exception as error:  # as above
        yield Finding("engine", "failed", f"The engine failed ({type(error).__name__}: {error}). Report it.")
    finally:
        if close := getattr(engine, "close", None):
            close()


def _one_token(tokens: int, error: str | None) -> str:
    if error is not None:
        raise ModelUnavailableError(error)
    return f"{tokens} token{'' if tokens == 1 else 's'} written"


def check_scores() -> str:
    """Score an answer and look for a notice, as `ask` and the page do. Raises DataError."""
    scores = measure(ANSWER)
    if scores.flesch_kincaid_grade is None:
        raise DataError(f"“{ANSWER}” has no grade: the packages that count syllables are broken. Install them again.")
    if emergency_notice("I want to kill myself") is None or emergency_notice(QUESTION) is not None:
        raise DataError("The notices on emergencies are broken: get medilite/safety from the repository again.")
    return f"an answer has its grade ({scores.flesch_kincaid_grade:.1f}), an emergency its notice"


def check_assets(profile: Profile) -> str:
    """Read the example questions, the answers to vote on and the leaderboard, as the page does. Raises DataError."""
    from medilite.arena.bank import bank_folder, read_bank
    from medilite.leaderboard import FOLDER, boards, load_board
    from medilite.questions import QUESTIONS_FILE, read_questions

    found = [f"{len(read_questions(QUESTIONS_FILE)):,} questions"]
    if bank := read_bank(bank_folder(profile)):
        found.append(f"answers to {len(bank.questions):,} of them to vote on")
    if profile.name in boards(FOLDER):
        load_board(FOLDER / profile.name)
        found.append("the leaderboard")
    return ", ".join(found)


# --- the library of passages -----------------------------------------------------------------


def check_library(settings: Settings, prepared: Path = PREPARED) -> str:
    """Check that the library is made and every file of it unchanged. Raises DataError, Skipped."""
    if settings.sources == "off":
        raise Skipped("switched off by MEDILITE_SOURCES")
    folder = ready_library(settings, prepared)
    shelf = shelf_folder(settings)
    if folder is None:
        for made in sorted(shelf.glob(f"*-v{FORMAT}")):
            read_manifest(made)
        half = next(shelf.glob(f"*-v{FORMAT}.half"), None)
        state = f"half made ({half}), and goes on from there" if half else "not made yet"
        raise Skipped(f"{state}: the app makes it behind the page, or `python -m medilite sources build`")
    manifest = read_manifest(folder)
    return f"{manifest['counts']['entries']:,} answers of {manifest['collection']['title']} in {folder}"


# --- votes ---------------------------------------------------------------------------------


class _TakenBack(Exception):
    """Raised on purpose, to roll a transaction back."""


def check_store(settings: Settings) -> str:
    """Write to the votes' database, read it, roll it back and check that it is gone. Raises StoreError.

    A missing file is not created: this may run as another user than the app.
    """
    from medilite.arena.database import Database

    database = Database(settings.votes_database)
    try:
        if not database.is_there:
            if Path(database.name).exists():
                raise StoreError(f"{database.name} is no file, and votes are kept in one. Move away what is there.")
            folder = Path(database.name).parent
            try:
                folder = _existing(folder)
                tempfile.TemporaryFile(dir=folder).close()
            except DataError as error:
                raise StoreError(f"{database.name} can't be made: {error} MEDILITE_DATA_DIR says where.") from None
            except OSError as error:
                raise StoreError(
                    f"{database.name} can't be made: {folder} can't be written ({error.strerror}). "
                    "Set MEDILITE_DATA_DIR to a folder that can."
                ) from error
            return f"{database.name} will be made with the first vote: its folder can be written"
        try:
            _write_and_take_back(database)
        except StoreError as error:
            why = f" The driver's own words: {error.cause}" if error.cause else ""
            raise StoreError(f"{database.name}: {error}{why}") from error
        return f"{database.name}: written, read and taken back"
    finally:
        database.close()


def _write_and_take_back(database: Database) -> None:
    import sqlalchemy as sa

    from medilite.arena import schema

    name = f"doctor-{os.urandom(8).hex()}"
    mine = sa.select(schema.meta.c.value).where(schema.meta.c.name == name)
    try:
        with database.write("doctor") as connection:
            connection.execute(schema.meta.insert().values(name=name, value="written"))
            if connection.execute(mine).scalar() != "written":
                raise StoreError("What was written can't be read. Restore the database from a copy.")
            raise _TakenBack
    except _TakenBack:
        pass
    with database.read() as connection:
        if connection.execute(mine).scalar() is not None:
            raise StoreError("What was taken back is still there. Restore the database from a copy.")


def check_mirror(settings: Settings) -> str:
    """Report how far the votes' mirror is. Raises Skipped if there is none, or the error that stopped it."""
    said = mirror.check(settings)
    if said is None:
        raise Skipped("not set up: votes are kept in the database alone")
    return said


# --- small things --------------------------------------------------------------------------


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there. Raises DataError if that is no folder."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    if not place.is_dir():
        raise DataError(f"{place} is no folder: nothing can be written below it. Name another one.")
    return place


def _size(bytes_: int) -> str:
    return f"{bytes_ / GIB:.1f} GiB" if bytes_ >= GIB else f"{bytes_ >> 20} MiB"
