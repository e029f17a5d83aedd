"""Everything that relies on Gradio's internals, which a release may change: check it when the pin changes.

- **What Gradio holds of pages and events.** It keeps a copy of all that it last
  showed on every page, for links that reopen a page, for as long as it runs.
  Such links are switched off here (`guard.doors`); with a leaderboard and six
  answers a copy is half a megabyte, so that memory grew with every visitor. It
  also notes each event for its monitoring page, which is switched off as well,
  and computes the last ten thousand of them again as a table of Pandas after
  every event. `hold_little` has it hold no more than an open page needs, and
  nothing an hour after it was closed, or a day after it was last used.
- **How often the queue looks for events** (`rest_when_idle`): an idle app wakes up a thousand times a second.
- **Events by name and number**, and a visitor's components as they are by now
  (`public_events`, `event_by_number`, `components_of`), for the guards.
- **One app a page** (`without_apps`): Gradio makes four of it, and serves the last.
- **Which build a page is of** (`build_of`): its events are numbers, which mean others in another.
- **Whose request it is** (`current_request`).
- **Whether everything is sent** (`all_sent`), for stopping.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block
from gradio.context import LocalContext
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

if TYPE_CHECKING:
    from medilite.ui.guard.visits import Visits

SHARED = 512
"""Components as updates left them that are kept for all pages; those used longest ago go first."""


@lru_cache(SHARED)
def _shared(like: _Like) -> Block:
    """Return the component that all pages share which have one like this: the first of them."""
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

ASLEEP_S = 24 * 3600
"""How long the state of any other is kept after it was last used: a tab may be hidden, or its machine asleep."""


class _Page(SessionState):
    """A page without the copy of what it shows, whose components are other pages' too where they are alike."""

    def __init__(self, blocks: gr.Blocks) -> None:
        # Not Gradio's: it works out the copy of every component, 22 ms for nothing, and anyone can make up names.
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
            # Not Gradio's: it works out the component's description, on the event loop, for the copy that isn't kept.
            self.blocks_config.blocks[key] = _shared(_Like(self.blocks_config.root_block, key, value))
        else:
            super().__setitem__(key, value)
            self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Keep nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing."""


class OpenPages(StateHolder):
    """The pages that are open, or were until lately: a visitor may come back to what they had.

    Where there are more than fit, `visits` says whose goes.
    """

    def __init__(self, visits: Visits) -> None:
        super().__init__()
        self._visits = visits

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
        """Forget what has expired, closed pages, and those not used for a day; Gradio calls it every second."""
        super().delete_all_expired_state()
        now = datetime.datetime.now()
        with self.lock:
            for session_id in list(self.session_data):
                idle = now - self.time_last_used.get(session_id, now)
                if idle.total_seconds() > (KEPT_S if self._visits.has_left(session_id) else ASLEEP_S):
                    del self.session_data[session_id]
                    self.time_last_used.pop(session_id, None)


def hold_little(page: gr.Blocks, visits: Visits) -> None:
    """Have a page that is being served hold its visitors' pages here and note no events; open pages don't change."""
    pages = OpenPages(visits)
    pages.set_blocks(page)
    before = page.app.state_holder
    pages.session_data, pages.time_last_used = before.session_data, before.time_last_used
    page.app.state_holder = pages
    page._queue.ANALYTICS_MAX_EVENTS = 0


IDLE_S = 0.01
"""Seconds between two looks for a new event, which begins half as much later on average; Gradio has 0.001."""

NO_PROGRESS_S = 1.0
"""The same for what `gr.Progress` notes, of which there is none here; Gradio has 0.01."""


def rest_when_idle(page: gr.Blocks) -> None:
    """Have the page's queue wake up less often: Gradio's takes a twentieth of a core from the models while idle."""
    page._queue.sleep_when_free = IDLE_S
    page._queue.progress_update_sleep_when_free = NO_PROGRESS_S


@contextmanager
def without_apps() -> Iterator[None]:
    """Have Gradio make no app of a page while it is put together: three, of a quarter of a second each.

    What is served is made when it is launched.
    """
    made = App.create_app
    App.create_app = staticmethod(lambda *_, **__: None)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        App.create_app = staticmethod(made)  # type: ignore[method-assign,assignment]


def public_events(page: gr.Blocks) -> dict[str, Callable[..., Any]]:
    """Return the functions that programs may call, by their names."""
    return {
        str(event.api_name): event.fn for event in page.fns.values() if event.api_visibility == "public" and event.fn
    }


def event_by_number(page: gr.Blocks, number: int) -> Any | None:
    """Return the event of that number, None if there is none or it happens in the browser alone."""
    found = page.fns.get(number)
    return found if found and found.fn else None


def components_of(page: gr.Blocks, session: str, inputs: Iterable[Any]) -> list[Any]:
    """Return an event's input components as the page of this session has them by now."""
    held = page.state_holder.session_data.get(session)
    here = held.blocks_config.blocks if held else page.blocks
    return [here.get(part._id, part) for part in inputs]


def build_of(page: gr.Blocks, head: str) -> str:
    """Return a name for what an open page and its server must agree on: components, events, scripts.

    It is the same in every process that runs the same code on the same profile.
    """
    made = page.get_config_file()
    parts = [(part["id"], part["type"]) for part in made["components"]]
    told = json.dumps([gr.__version__, parts, made["dependencies"], head], sort_keys=True, default=str)
    return hashlib.sha256(told.encode("utf-8")).hexdigest()[:16]


def current_request() -> gr.Request | None:
    """Return the request whose event is being handled, None outside of any.

    Gradio hands requests to handlers that name one among their parameters; it
    keeps the same one here, so handlers can stay free of it.
    """
    return LocalContext.request.get(None)


def set_current_request(request: Any) -> None:
    """Have what follows in this context count as an event of this request (ZeroGPU looks there too)."""
    LocalContext.request.set(gr.Request(request))


def awaits_messages(page: gr.Blocks, session: str) -> bool:
    """Return whether messages of this session wait to be sent."""
    return session in page._queue.pending_messages_per_session


def all_sent(page: gr.Blocks) -> bool:
    """Return whether no event waits or runs, and every message has gone to its browser."""
    queue = page._queue
    waiting = list(queue.pending_messages_per_session.values())
    # Events that haven't started count too: each ends at once, saying that the app is being stopped.
    return not len(queue) and not any(queue.active_jobs) and all(messages.empty() for messages in waiting)
