"""The mirror's schedule: it restores once, pushes what is new, waits, and tries again."""

from __future__ import annotations

import dataclasses
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from medilite.arena.booth import UNDO_S
from medilite.arena.mirror.lines import Change, Text, read_line, write_change, write_text
from medilite.arena.mirror.state import MirrorState, read_state, write_state
from medilite.arena.votes import Votes
from medilite.errors import MirrorError, StoreError

if TYPE_CHECKING:
    from medilite.arena.mirror.journal import Lack
    from medilite.arena.store import Store
    from medilite.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 10.0
"""Seconds between checks for anything new."""

RETRY_S, LONGEST_RETRY_S = 30.0, 900.0
"""Seconds it waits after the first failure, doubling each time, and at most."""

PUSH_CHANGES = 5_000
"""Most changes of one commit: some megabytes, which the Hub takes without its storage for large files."""

FILE_BYTES = 512 * 1024
"""Size at which the next file is begun: each push sends a file whole."""

STATE_EVERY_S = 60.0

SETTLED_S = UNDO_S + 5.0
"""Least age of a vote before it is pushed: until then it may be taken back, and the mirror can't delete."""

FLUSH_S = 10.0
"""Seconds that an ending process waits for its last push."""


class Repo(Protocol):
    """Where the mirror is: `hub.HubRepo` or a substitute. Both methods raise MirrorError."""

    repo: str
    is_public: bool

    def files(self) -> AbstractContextManager[list[Path]]:
        """Yield every file of the mirror, as local copies."""

    def write(self, name: str, content: bytes, message: str) -> None:
        """Put a file there, whole."""


class Mirror:
    """Mirrors one store; safe to use from several threads.

    `interval_s` is the least time from one push to the next; a change after a longer pause is pushed
    once it is SETTLED_S old, at the next look.
    `forgets`: visitors' own questions are deleted some day. `clock` gives seconds since 1970, `timer` monotonic
    seconds.
    """

    def __init__(
        self,
        store: Store,
        repo: Repo,
        *,
        interval_s: float = 300.0,
        forgets: bool = False,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._repo = store, repo
        self._interval_s, self._forgets = interval_s, forgets
        self._clock, self._timer = clock, timer
        self._working = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._not_before = float("-inf")
        self._failures = 0
        self._state = self._saved = MirrorState(repo.repo)
        self._recalled = self._restored = False
        # Unique per process, so no other process writes this file.
        self._name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._number, self._content, self._lines = 1, b"", b""
        self._unsure: list[Change] = []
        """Changes whose lines are in the file, while it isn't known whether the Hub has them."""
        self._texts: set[tuple[str, str]] = set()

    @property
    def state(self) -> MirrorState:
        """How far it is; `waiting` is what `state.read_state` counts."""
        return self._state

    def start(self) -> None:
        """Look every POLL_S seconds from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="medilite-mirror", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Do what is due: restore, push, or nothing. Failures are logged, kept in `state`, and tried again later."""
        from medilite.arena.mirror.journal import count_pending

        with self._working:
            try:
                self._recall()
                if not self._restored:
                    if not self._is_due:
                        return
                    self._restore()
                if count_pending(self._store):
                    if not self._is_due:
                        return
                    self._push(young=(self._clock() - SETTLED_S, self._clock()))
                else:
                    self._note(whole_at=self._clock())
            except MirrorError as error:
                self._failed(error)
            except StoreError as error:
                log.warning("the votes can't be mirrored at the moment: %s", error)

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Push what the mirror lacks now, even if no push is due; return whether it has everything.

        Returns after `timeout_s` seconds at the latest. What it could not push
        stays noted in the store.
        """
        done: list[bool] = []

        def run() -> None:
            with self._working:
                try:
                    self._recall()
                    self._push()
                    done.append(True)
                except (MirrorError, StoreError) as error:
                    log.warning("the last votes are not in the mirror yet: %s", error)

        thread = threading.Thread(target=run, name="medilite-mirror-flush", daemon=True)
        thread.start()
        thread.join(timeout_s)
        return bool(done)

    def close(self, timeout_s: float = FLUSH_S) -> bool:
        """Stop looking, push one last time, and give the store's connections back; as `flush`."""
        self._stop.set()
        whole = self.flush(timeout_s)
        self._store.database.close()
        return whole

    # --- what it does ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # votes are still taken, and the next try may succeed
                log.exception("the votes' mirror failed")
            if self._stop.wait(POLL_S):
                return

    @property
    def _is_due(self) -> bool:
        return self._timer() >= self._not_before

    def _recall(self) -> None:
        """Go on from the state of an earlier process with the same repository, once: how old the mirror is stays known.

        Raises StoreError.
        """
        if self._recalled:
            return
        found = read_state(self._store)
        if found is not None and found.repo == self._state.repo:
            self._state = self._saved = dataclasses.replace(found, waiting=0)
        self._recalled = True

    def _restore(self) -> None:
        from medilite.arena.mirror.journal import absorb

        with self._repo.files() as files:
            unusable = [0]

            def lines() -> Iterator[Change | Text]:
                unusable[0] = 0
                for path in files:
                    with path.open(encoding="utf-8", errors="replace") as file:
                        for text in file:
                            line = read_line(text)
                            if line is None:
                                unusable[0] += 1
                                continue
                            if isinstance(line, Text):
                                self._texts.add((line.what, line.key))
                            yield line

            count = absorb(self._store, lines)
        log.info("took %d changes out of %d files of the votes' mirror", count, len(files))
        if unusable[0]:
            log.warning("%d lines of the votes' mirror can't be used and are left alone", unusable[0])
        if self._repo.is_public:
            log.warning("the votes' mirror %s is public: make it private", self._repo.repo)
        self._failures, self._not_before = 0, float("-inf")
        self._restored = True
        self._note(restored_at=self._clock(), error=None)

    def _push(self, young: tuple[float, float] | None = None) -> None:
        from medilite.arena.mirror.journal import pending, settle

        more, written, at = True, False, self._clock()
        while more:
            if not self._unsure:
                at = self._clock()
                lacks = pending(self._store, forgets=self._forgets, limit=PUSH_CHANGES, young=young)
                if not lacks:
                    break
                self._append(lacks)
            else:
                # After a failure these lines may have arrived, or may yet: they are sent again, in a new file that no
                # late write can overwrite, then what is new. A repeated line does no harm.
                lacks = []
                self._number, self._content = self._number + 1, self._lines
            count = len(self._unsure)
            self._repo.write(f"{self._name}-{self._number:04d}.jsonl", self._content, f"{count} changes of votes")
            settle(self._store, self._unsure)
            self._unsure = []
            written, more = True, not lacks or len(lacks) == PUSH_CHANGES
        if young is not None and not written:
            return  # the rest may still be taken back
        self._failures, self._not_before = 0, self._timer() + self._interval_s
        self._note(whole_at=at, error=None)

    def _append(self, lacks: list[Lack]) -> None:
        if len(self._content) > FILE_BYTES:
            self._number, self._content = self._number + 1, b""
        lines = []
        for lack in lacks:
            fresh = [text for text in lack.texts if (text.what, text.key) not in self._texts]
            self._texts.update((text.what, text.key) for text in fresh)
            lines += [*map(write_text, fresh), write_change(lack.change)]
        self._lines = "".join(lines).encode()
        self._content += self._lines
        self._unsure = [lack.change for lack in lacks]

    def _failed(self, error: MirrorError) -> None:
        wait_s = min(RETRY_S * 2**self._failures, LONGEST_RETRY_S)
        self._failures = min(self._failures + 1, 16)
        self._not_before = self._timer() + wait_s
        log.warning("%s It is tried again in %.0f s; votes are kept here meanwhile.", error, wait_s)
        self._note(error=str(error))

    def _note(self, **news: object) -> None:
        """Store the state if it changed; without an error at most once a minute."""
        self._state = dataclasses.replace(self._state, **news)  # type: ignore[arg-type]
        same = dataclasses.replace(self._saved, whole_at=self._state.whole_at) == self._state
        since_s = abs((self._state.whole_at or 0) - (self._saved.whole_at or 0))
        if same and since_s < STATE_EVERY_S:
            return
        try:
            write_state(self._store, self._state)
            self._saved = self._state
        except StoreError as error:
            log.warning("the state of the votes' mirror can't be stored: %s", error)


def start_mirror(settings: Settings, votes: Votes) -> Mirror | None:
    """Start the mirror and return it; None if there is no repository or no token.

    Writes the voters' secret of the settings to a store that has none yet, so call it before anybody votes.
    """
    if settings.voter_secret:
        try:
            votes.store.adopt_secret(settings.voter_secret.get_secret_value())
        except StoreError as error:
            log.warning("MEDILITE_VOTER_SECRET could not be used: %s", error)
    if settings.mirror is None:
        return None
    if settings.hf_token is None:
        log.warning("MEDILITE_MIRROR=%s needs HF_TOKEN as well, so votes are not mirrored.", settings.mirror)
        return None
    from medilite.arena.mirror.hub import HubRepo

    mirror = Mirror(
        votes.store,
        HubRepo(settings.mirror, settings.hf_token.get_secret_value()),
        interval_s=60 * settings.mirror_minutes,
        forgets=settings.forgets,
    )
    mirror.start()
    return mirror
