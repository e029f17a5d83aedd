"""Cache of what was computed for a visitor's last prompts and answers, for when they continue from there.

A turn of a chat begins with all turns before it; asking again, or with other settings, begins with the same prompt. A
token's keys and values depend, to the last bit, on the model and the tokens before it alone, so reusing them changes no
answer.

Entries belong to the visitor who made them, so nobody can learn from the time of an answer what others asked. Only the
beginning of every conversation (the template's first words) is shared by all; it is there from the start. An entry is
kept until its pages are needed, and for `KEPT_S` after its last use at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from medilite.engine.local.pages import PagePool, pages_for
from medilite.engine.native.arrays import PAGE

KEPT_S = 600.0
"""Seconds after which a visitor's entries are forgotten."""

_EVERYBODY = ""
"""The owner of the entries for the beginning of every conversation, which are never dropped."""


@dataclass(eq=False, slots=True)
class _Entry:
    visitor: str
    model: int
    tokens: np.ndarray
    pages: list[int]
    used_s: float


class Prefixes:
    """Entries of (visitor, model): tokens and the pages that hold their keys and values.

    Together they hold at most `most` pages of the pool; the least recently used goes first.
    """

    def __init__(self, pool: PagePool, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._most, self._clock = pool, most, clock
        self._entries: list[_Entry] = []  # most recently used last

    def keep(self, visitor: str, model: int, tokens: Sequence[int], pages: Sequence[int]) -> None:
        """Keep the pages of `tokens`, which the caller holds too; does nothing for a visitor without a name."""
        self.tidy()
        if visitor and tokens:
            self._add(visitor, model, tokens, pages)

    def keep_for_everybody(self, model: int, tokens: Sequence[int], pages: Sequence[int]) -> None:
        """Keep the beginning of every conversation with a model, for good."""
        self._add(_EVERYBODY, model, tokens, pages)

    def find(self, visitor: str, model: int, prompt: Sequence[int]) -> tuple[int, list[int]]:
        """Return how many of a prompt's first tokens are here, and the pages that hold them.

        The last token is never among them: the answer begins with what follows it.
        """
        self.tidy()  # a busy engine is never idle, when it would be tidied
        wanted = np.asarray(prompt[:-1], np.int32)
        best: _Entry | None = None
        most = 0
        for entry in self._entries:
            if entry.model == model and entry.visitor in (visitor, _EVERYBODY):
                common = _common(entry.tokens, wanted)
                if common > most:
                    best, most = entry, common
        if best is None:
            return 0, []
        self._entries.remove(best)
        self._entries.append(best)
        best.used_s = self._clock()
        return most, best.pages[: pages_for(most)]

    def make_room(self, pages: int) -> bool:
        """Drop entries until the pool has that many free pages; False if dropping all is not enough."""
        while self._pool.free < pages:
            if not self._drop_oldest():
                return False
        return True

    def tidy(self) -> None:
        """Forget what is older than KEPT_S."""
        before = self._clock() - KEPT_S
        for entry in [e for e in self._entries if e.visitor and e.used_s < before]:
            self._drop(entry)

    def forget(self, model: int) -> None:
        """Forget what was computed with a model."""
        for entry in [e for e in self._entries if e.model == model]:
            self._drop(entry)

    def clear(self) -> None:
        """Forget everything, the beginning of all conversations too."""
        for entry in list(self._entries):
            self._drop(entry)

    @property
    def held(self) -> int:
        """How many pages visitors' entries hold; a shared page counts once."""
        return len({page for entry in self._entries if entry.visitor for page in entry.pages})

    def _add(self, visitor: str, model: int, tokens: Sequence[int], pages: Sequence[int]) -> None:
        new = _Entry(visitor, model, np.array(tokens, np.int32), list(pages[: pages_for(len(tokens))]), self._clock())
        for entry in [e for e in self._entries if e.visitor == visitor and e.model == model]:
            common = _common(entry.tokens, new.tokens)
            if common == len(new.tokens):
                return  # all of it is here already
            # An entry that continues this one, or another answer to the same prompt, replaces it.
            if common == len(entry.tokens) or (visitor and common >= len(entry.tokens) // 2):
                self._drop(entry)
        self._pool.share(new.pages)
        self._entries.append(new)
        while visitor and self.held > self._most and self._drop_oldest():
            pass

    def _drop_oldest(self) -> bool:
        oldest = next((entry for entry in self._entries if entry.visitor), None)
        if oldest is None:
            return False
        self._drop(oldest)
        return True

    def _drop(self, entry: _Entry) -> None:
        self._entries.remove(entry)
        self._pool.give_back(entry.pages)


def shared_whole(tokens: int) -> int:
    """Return how many pages that many tokens fill: a row that continues writes to none of them."""
    return tokens // PAGE


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """Return the length of the common prefix of two arrays."""
    length = min(len(a), len(b))
    differs = np.flatnonzero(a[:length] != b[:length])
    return int(differs[0]) if len(differs) else length
