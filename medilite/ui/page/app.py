"""The whole page: header, notice, tabs, and the model that loads meanwhile."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from medilite import metrics
from medilite.arena.bank import private_folder
from medilite.arena.booth import Booth
from medilite.arena.downloads import Downloads
from medilite.arena.results import LiveResults
from medilite.arena.votes import Votes
from medilite.draining import Drain, DrainedEngine
from medilite.engine.protocol import Availability, Engine
from medilite.errors import SettingsError
from medilite.health.listening import bound_port
from medilite.health.ready import Readiness
from medilite.leaderboard import FOLDER
from medilite.logs import take_over
from medilite.models import Profile
from medilite.safety import NOT_MEDICAL_ADVICE
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.api import Endpoint, endpoints, offer
from medilite.ui.api.llms import llms_routes
from medilite.ui.api.mcp_server import open_mcp
from medilite.ui.chat.tab import ChatTab
from medilite.ui.compare.tab import CompareTab
from medilite.ui.guard import VisitorLimits, Visits, guards
from medilite.ui.guard.address import no_proxy_by_default
from medilite.ui.guard.limits import Admission
from medilite.ui.guard.origin import in_gradios_place, own_pages
from medilite.ui.guard.patience import with_patience
from medilite.ui.html import templates
from medilite.ui.lab.tab import LabTab
from medilite.ui.leaderboard.tab import LeaderboardTab
from medilite.ui.leaderboard.votes.tab import VotesResults
from medilite.ui.page import notices
from medilite.ui.page.about import about_html
from medilite.ui.page.controls import LIGHT, html_slot, model_choices
from medilite.ui.page.events import watch_events
from medilite.ui.page.gradio_internals import build_of, hold_little, rest_when_idle, without_apps
from medilite.ui.page.loading import is_loading
from medilite.ui.page.reload import outlive_reloads
from medilite.ui.page.routes import routes
from medilite.ui.page.session import Session
from medilite.ui.page.stopping import serve_until_stopped
from medilite.ui.page.theme import ICON, head, theme
from medilite.ui.vote.tab import VoteTab

if TYPE_CHECKING:
    from gradio.data_classes import BlocksConfigDict

POLL_S = 1.0
TITLE = "MediLite"
_SESSIONS = 2000
"""How many open pages' states Gradio keeps: each is a few hundred kB, and anyone can make up new ones."""

_SPARE_THREADS = 40
"""Threads for events that don't ask the model, beyond one for each visitor who asks or waits."""

_SERVER_PARTS = (
    "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
)  # fmt: skip
"""What the server imports when it starts, for which Gradio gives it five seconds: too few for a busy machine."""


class Page(gr.Blocks):
    """The page, with what serving and stopping it needs to know."""

    engine: DrainedEngine
    drain: Drain
    shelf: Shelf
    votes: Votes
    leaderboard: LeaderboardTab
    booth: Booth
    limits: VisitorLimits
    endpoints: tuple[Endpoint, ...]
    signs_in: bool = False

    @property
    def expects_oauth(self) -> bool:
        """Whether Gradio attaches its sessions and its routes for signing in.

        Else it goes by a `gr.LoginButton`, which shows the account's name and
        opens the Hub's page inside of a Space's frame, where cookies are blocked.
        """
        return self.signs_in

    def get_config_file(self) -> BlocksConfigDict:
        """Return what Gradio's page is made from, without the connection that it would hold open in every tab.

        Without HTTP/2 a browser opens six connections to a server, for all its tabs: a seventh tab would never load.
        `Visits` and `OpenPages` know from requests which pages are there.
        """
        return {**super().get_config_file(), "connect_heartbeat": False}


def build_ui(
    engine: Engine,
    profile: Profile,
    settings: Settings,
    boards: Path = FOLDER,
    booth: Booth | None = None,
    shelf: Shelf | None = None,
    votes: Votes | None = None,
) -> Page:
    """Return the page for this engine and profile, with its queue set; nothing is loaded, opened or started.

    `boards` is the folder of the leaderboards, `votes` are this process's (by
    default the booth's, or the database's that the settings name), `booth` draws
    pairs and takes votes (by default on the profile's answers), `shelf` has the library (by
    default the one that they name, once `page.shelf.start()` was called).
    """
    limits = VisitorLimits(settings)
    admission = Admission(settings.max_queue, limits)
    drain = Drain()
    engine = DrainedEngine(engine, drain)
    shelf = shelf or Shelf(settings)
    compare = CompareTab(engine, profile, settings, admission, shelf)
    chat = ChatTab(engine, profile, settings, admission, shelf)
    votes = votes or (booth.votes if booth else Votes(settings.votes_database))
    booth = booth or Booth(profile, votes, private=private_folder(settings.data_dir, profile))
    vote = VoteTab(engine, profile, settings, admission, booth, shelf)
    voted = VotesResults(profile, LiveResults(profile, settings, votes), boards)
    leaderboard = LeaderboardTab(profile, boards, votes=voted, admission=admission)
    lab = LabTab(engine, profile, settings, admission, shelf)
    parts = templates("page/parts.html")
    with (
        without_apps(),
        Page(title=f"{TITLE}: health answers side by side", analytics_enabled=False, fill_width=True) as page,
    ):
        session = gr.State(Session())
        html_slot(parts.header(TITLE, len(profile.models), NOT_MEDICAL_ADVICE), "header", "ml-header-slot")
        with gr.Tabs(elem_classes="ml-tabs"):
            with gr.Tab("Compare", id="compare"):
                compare.build(session)
            with gr.Tab("Chat", id="chat"):
                chat.build(session)
            with gr.Tab("Blind vote", id="vote", elem_id="vote-tab") as voting:
                vote.build(session, voting)
            with gr.Tab("Leaderboard", id="leaderboard") as board:
                leaderboard.build(board)
            with gr.Tab("Lab", id="lab") as looking:
                lab.build(session, looking)
            with gr.Tab("About", id="about"):
                html_slot(about_html(profile), "about", "ml-about-slot")
        html_slot(parts.footer(profile.title), "footer", "ml-footer-slot")
        _watch_loading(engine, profile, session, compare, chat, vote)
        outlive_reloads(page, session, compare, chat, vote, lab)
        page.endpoints = endpoints(engine, profile, settings, admission, boards, shelf)
        offer(page.endpoints)
    watch_events(page, drain)
    drain.at_the_end("close the engine", engine.close)
    drain.at_the_end("close the votes' database", votes.close)
    drain.at_the_end("close the library", shelf.close)
    page.shelf, page.votes, page.leaderboard, page.booth, page.limits = shelf, votes, leaderboard, booth, limits
    page.engine, page.drain, page.signs_in = engine, drain, settings.signs_in
    # Else Gradio's page, in a Space, asks other hosts for fonts and a header, which our policy refuses.
    page.space_id = None
    # Handlers don't wait for each other (see MODEL_EVENTS); this bounds what Gradio holds before they start.
    with without_apps():
        page.queue(max_size=settings.max_queue, api_open=False)
    rest_when_idle(page)
    return page


def serve(page: Page, profile: Profile, settings: Settings, *, block: bool = True) -> str:
    """Serve the page and return its address; with `block`, only once it is stopped (see `stopping`).

    Where the settings don't name them, the host is the one of Gradio's own
    setting, as in a Space, and Gradio chooses the port: the first free one from 7860 on. What comes
    in and goes out passes the guards (ui/guard). Raises SettingsError when a
    host asked for isn't this machine's, or a port is taken.
    """
    asked, threads = settings.model_fields_set, settings.max_queue + _SPARE_THREADS
    port = settings.port if "port" in asked else None
    names_host = "host" in asked or settings.gradio_server_name
    # Gradio would try for five seconds, and then name the port.
    free = bound_port(settings.listens_on) if names_host or port == 0 else None
    readiness = Readiness(page.engine, page.votes, page.drain)
    page.drain.at_the_end("end the thread that readiness is asked by", readiness.close)
    meters = metrics.switch_on() if settings.metrics else None
    if meters:
        meters.follow_engine(page.engine, lambda: page.drain.running)
    for part in _SERVER_PARTS:
        importlib.import_module(part)
    mcp = open_mcp(page.endpoints, settings, page.drain, threads)
    programs = [
        *llms_routes(profile, page.endpoints, mcp=mcp is not None, prefix=settings.prefix),
        *(mcp.routes() if mcp else ()),
    ]
    visits = Visits()
    build = build_of(page, head(profile))
    added = head(profile, build)
    own = routes(Downloads(page.votes, settings.data_dir), readiness, visits, meters, programs, build)
    middleware = guards(page, settings, added, own, visits, build, page.limits)
    app: dict[str, Any] = {"routes": own, "middleware": middleware}
    if mcp:
        app["lifespan"] = mcp.lifespan
    launch = no_proxy_by_default()(page.launch)
    pages = own_pages(settings)
    try:
        with in_gradios_place(**pages), with_patience():
            _, local, _ = launch(
                server_name=_in_brackets(settings.listens_on),
                server_port=free if port == 0 else port,
                inbrowser=settings.open_browser,
                theme=theme(),
                head=added,
                favicon_path=ICON,
                app_kwargs=app,
                footer_links=[],
                run_history=False,  # otherwise people's questions stay in the browser's storage
                root_path=settings.prefix or None,
                share=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,  # there is one of our own: see ui/api/mcp_server.py
                enable_monitoring=False,
                show_error=False,
                quiet=True,
                max_threads=threads,
                state_session_capacity=_SESSIONS,
                prevent_thread_lock=True,
                # Else Gradio asks for the page once more and gives up after three seconds, which a machine that is busy
                # with loading the model may need; all it is for is to offer a tunnel.
                _frontend=False,
            )
    except OSError as error:
        ports = "The ports from 7860 on" if port is None else f"Port {port}"
        raise SettingsError(
            f"{ports} on {settings.listens_on} can't be used: {error} "
            "Set MEDILITE_PORT to another, or to 0 for any free one."
        ) from error
    hold_little(page, visits)
    take_over()
    print(f"MediLite runs on {local.replace('%', '%25')}  (Ctrl+C stops it)", flush=True)  # a zone, as a URL has it
    if block:
        serve_until_stopped(page, page.drain, settings.grace_s)
    return local


def _in_brackets(host: str) -> str:
    """Return a host as an address has it: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


def _watch_loading(
    engine: Engine, profile: Profile, session: gr.State, compare: CompareTab, chat: ChatTab, vote: VoteTab
) -> None:
    """Show the model's loading once a second, until it is ready or has failed."""
    timer = gr.Timer(POLL_S)

    def tick(held: Session, chosen: list[str], talking_to: str | None) -> dict[Any, Any]:
        progress = engine.progress()
        update: dict[Any, Any] = {}
        for desk, tab in ((held.compare, compare), (held.chat, chat), (held.vote, vote)):
            if desk.lends_status(ready=progress.ready):
                update[tab.status] = notices.progress_html(progress)
        if progress.ready:
            every = engine.availability()
            states = {model: every[model] for model in profile.ids}
            choices = model_choices(profile, states)
            able = [model for model in chosen or [] if states[model].available]
            kept: dict[str, Any] = {} if able == chosen or not able else {"value": able}
            talk: dict[str, Any] = {} if _can(states, talking_to) else {"value": _last_able(states)}
            update |= {
                timer: gr.Timer(active=False),
                compare.models: gr.CheckboxGroup(choices=choices, **kept),
                chat.model: gr.Radio(choices=choices, **talk),
                compare.unavailable: notices.unavailable_html(states, profile),
            }
        elif progress.error and not is_loading():
            update[timer] = gr.Timer(active=False)
        return update or gr.skip()

    timer.tick(
        tick,
        [session, compare.models, chat.model],
        [timer, compare.status, chat.status, vote.status, compare.models, chat.model, compare.unavailable],
        **LIGHT,
    )


def _can(states: Mapping[str, Availability], model: str | None) -> bool:
    return model is not None and model in states and states[model].available


def _last_able(states: Mapping[str, Availability]) -> str | None:
    return next((model for model in reversed(list(states)) if states[model].available), None)
