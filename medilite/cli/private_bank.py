"""A deployment's own ready-made answers, made while the engine is idle: the repository's can be looked up.

The same questions with new seeds, so that nobody who has the repository, or the
last bank, has any of these texts. One question at a time, and only while the
engine has nothing else to do; a stopped app resumes. After ROTATE_S a new bank
takes the place of the old one, whose votes are published whole once its last
pair is forgotten (`StoreReader.private_banks`).
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from medilite.arena.bank import ANSWERS_FILE, private_folder
from medilite.arena.contestants import contestants
from medilite.arena.live import LIVE_DECODING
from medilite.cli.votes_prepare import FEWEST_SEEDS, PARTIAL_FILE, Plan, prepare, write_bank
from medilite.engine.protocol import Engine, occupancy_of
from medilite.errors import EngineError, MediLiteError
from medilite.models import Profile
from medilite.provenance import precision_name
from medilite.questions import QUESTIONS_FILE, Question, read_questions

if TYPE_CHECKING:
    from medilite.settings import Settings

log = logging.getLogger(__name__)

ROTATE_S = 7 * 86_400.0
"""Seconds after which a bank is replaced: by then frequent voters have seen most of its pairs."""

POLL_S = 2.0
RETRY_S = 600.0


def is_wanted(settings: Settings) -> bool:
    """Whether this deployment makes a bank of its own."""
    if settings.private_bank is not None:
        return settings.private_bank
    return settings.reached_by_others and not settings.zero_gpu


def start(engine: Engine, profile: Profile, settings: Settings, over: Callable[[], bool]) -> None:
    """Renew the bank in the background until `over`; does nothing if none is wanted."""
    if is_wanted(settings):
        work = threading.Thread(target=_keep, args=(engine, profile, settings, over), name="private-bank", daemon=True)
        work.start()


def _keep(engine: Engine, profile: Profile, settings: Settings, over: Callable[[], bool]) -> None:
    folder = private_folder(settings.data_dir, profile)
    while not over():
        wait_s = RETRY_S
        try:
            if engine.progress().ready and _age_s(folder) > ROTATE_S:
                make(engine, new_plan(profile, settings, folder), folder, over)
            elif not engine.progress().ready:
                wait_s = POLL_S
        except MediLiteError as error:
            log.info("This deployment's own answers wait: %s", error)
        except Exception:
            log.exception("This deployment's own answers could not be made.")
        end = time.monotonic() + wait_s
        while not over() and time.monotonic() < end:
            time.sleep(POLL_S)


def new_plan(profile: Profile, settings: Settings, folder: Path, questions: tuple[Question, ...] | None = None) -> Plan:
    """Return what to ask: with secret seeds, or those of a run that was stopped."""
    able = contestants(profile)
    precision = None if settings.engine == "remote" else precision_name(settings)
    asked = tuple(questions or read_questions(QUESTIONS_FILE))
    fresh = tuple(secrets.randbelow(2**31) for _ in range(FEWEST_SEEDS))
    plan = Plan(profile, able, asked, fresh, LIVE_DECODING, precision, secrets.token_hex(8))
    try:
        with (folder / PARTIAL_FILE).open(encoding="utf-8") as file:
            begun = json.loads(file.readline())
        again = Plan(profile, able, asked, tuple(begun["seeds"]), LIVE_DECODING, precision, begun["name"])
        if again.header() == begun:
            return again
    except (OSError, ValueError, KeyError, TypeError):
        pass
    # Of other models or settings, so it can't be resumed.
    (folder / PARTIAL_FILE).unlink(missing_ok=True)
    return plan


def make(engine: Engine, plan: Plan, folder: Path, over: Callable[[], bool]) -> None:
    """Have every model answer, one question at a time while nobody asks, and put the bank in its place.

    Raises EngineError if the app is being stopped, or a model failed.
    """
    began = time.monotonic()

    def until_idle(_: str) -> None:
        while not over():
            busy = occupancy_of(engine)
            if busy is None or not (busy.waiting or busy.used):
                return
            time.sleep(POLL_S)
        raise EngineError("The app is being stopped.")

    answers, failed = prepare(engine, plan, folder, len(plan.contestants), until_idle)
    if failed:
        raise EngineError(f"{failed} answers failed.")
    write_bank(plan, answers, folder, time.monotonic() - began)
    log.info("This deployment has %d ready-made answers of its own.", len(answers))


def _age_s(folder: Path) -> float:
    try:
        return time.time() - (folder / ANSWERS_FILE).stat().st_mtime
    except OSError:
        return float("inf")
