"""What Gradio keeps of pages and events: no more than an open page needs, and nothing an hour after it was closed.

Gradio holds a copy of all that it last showed on every page, for links that
reopen a page as it stands, and holds it for as long as it runs. Such links are
switched off here (`guard.doors`); with a leaderboard and six answers a copy is
half a megabyte, so that the memory grew with every visitor. It also notes each
event for its monitoring page, which is switched off as well, and works the last
ten thousand of them out anew as a table of Pandas after every event.
"""

from __future__ import annotations

import datetime
from copy import copy
from functools import lru_cache
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.state_holder import SessionState, StateHolder

from medilite.ui.guard.visits import Visits

SHARED = 512
"""Components as updates left them that are kept for all pages; those used longest ago go first."""


@lru_cache(SHARED)
def _shared(like: _Like) -> Block:
    """Return the one component for all pages on which one is like this: which was the first of them."""
    return like.block


class _Like:
    """A component, compared by the app and the place that it is in, and by what it was made from."""

    def __init__(self, app: gr.Blocks, key: int, block: Block) -> None:
        self.block = block
        self._made_from = app, key, type(block), repr(sorted(block.constructor_args.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Like) and self._made_from == other._made_from

    def __hash__(self) -> int:
        return hash(self._made_from)


KEPT_S = 3600
"""How long the state of a closed page is kept, in seconds, for a visitor who comes back; as Gradio has it."""


class _Page(SessionState):
    """A page without the copy of what it shows, whose components are other pages' too where they are alike."""

    def __init__(self, blocks: gr.Blocks) -> None:
        # Not Gradio's: it works out the copy of every component, 22 ms for nothing, and whoever likes makes up names.
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = KEPT_S

    def __setitem__(self, key: int, value: Any) -> None:
        # What a component is updated with, Gradio reads from what is kept here: it can't be spared. But a page has
        # some twenty updated components, of 3 kB each, and all pages are in one of a few states.
        if isinstance(value, Block):
            value = _shared(_Like(self.blocks_config.root_block, key, value))
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Keep nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing."""


class OpenPages(StateHolder):
    """The pages that are open, or were within the hour: a visitor may come back to what they had.

    Where there are more than fit, `visits` says whose goes.
    """

    def __init__(self, visits: Visits | None = None) -> None:
        super().__init__()
        self._visits = visits or Visits()

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self._make_room()
            self.session_data[session_id] = _Page(self.blocks)
        return super().__getitem__(session_id)

    def _make_room(self) -> None:
        with self.lock:
            while len(self.session_data) >= self.capacity:
                gone = self._visits.whose_turn_to_go(list(self.session_data))
                del self.session_data[gone]
                self.time_last_used.pop(gone, None)

    def delete_all_expired_state(self) -> None:
        """Forget what has expired, and pages that are closed and whose state has; Gradio calls it every second."""
        super().delete_all_expired_state()
        now = datetime.datetime.now()
        with self.lock:
            for session_id, page in list(self.session_data.items()):
                idle = now - self.time_last_used.get(session_id, now)
                if page.is_closed and idle.total_seconds() > page.STATE_TTL_WHEN_CLOSED:
                    del self.session_data[session_id]
                    self.time_last_used.pop(session_id, None)


def keep_little(page: gr.Blocks, visits: Visits | None = None) -> None:
    """Have a page that is being served keep its visitors' pages here and note no events; pages stay what they are."""
    pages = OpenPages(visits)
    pages.set_blocks(page)
    before = page.app.state_holder
    pages.session_data, pages.time_last_used = before.session_data, before.time_last_used
    page.app.state_holder = pages
    page._queue.ANALYTICS_MAX_EVENTS = 0
