"""What is between the network and Gradio: which addresses are served, to whom, how much, and with which headers.

Pure ASGI throughout: a middleware that wraps responses in tasks of its own
would hold up streams. `guards` gives them in the order in which a request
passes them. Outside of these are compression, `origin.OwnPages` (in the place of
Gradio's CORS), and Gradio's sessions where visitors can sign in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medilite.ui.guard.address import KnownAddress, TrustedProxies
from medilite.ui.guard.bodies import BoundedBody, body_limit
from medilite.ui.guard.cached import Cached
from medilite.ui.guard.calls import CheckedCalls
from medilite.ui.guard.doors import OpenDoors
from medilite.ui.guard.headers import SafeHeaders
from medilite.ui.guard.host import FixedHost
from medilite.ui.guard.limits import VisitorLimits
from medilite.ui.guard.sign_in import SignIn
from medilite.ui.guard.visits import Paced, Visits

if TYPE_CHECKING:
    import gradio as gr
    from starlette.middleware import Middleware

    from medilite.settings import Settings

__all__ = ["VisitorLimits", "Visits", "guards"]


def guards(
    page: gr.Blocks,
    settings: Settings,
    head: str,
    routes: list[Any],
    visits: Visits | None = None,
    build: str = "",
    limits: VisitorLimits | None = None,
) -> list[Middleware]:
    """Return the middleware for `launch(app_kwargs={"middleware": …})`.

    `head` is the HTML that the page adds to its head, whose scripts may run;
    `routes` are addresses of our own, which are served beside the page's; `visits`
    knows which pages are open, `build` is which page is served, and `limits` count
    with what the page's own handlers count.
    """
    from starlette.middleware import Middleware

    # A Space has one, whether it is named or not.
    proxies = settings.trusted_proxies or ("1" if settings.space_id else None)
    limits, visits = limits or VisitorLimits(settings), visits or Visits()
    sign_in = [Middleware(SignIn, settings=settings)] if settings.signs_in else []
    return [
        Middleware(SafeHeaders, head=head),
        Middleware(KnownAddress, proxies=TrustedProxies.parse(proxies)),
        Middleware(OpenDoors, own=routes, signs_in=settings.signs_in),
        Middleware(Cached, limits=limits),
        Middleware(Paced, limits=limits, visits=visits),
        *sign_in,
        Middleware(BoundedBody, limit=body_limit(settings.max_question_chars)),
        Middleware(CheckedCalls, page=page, limits=limits, visits=visits, build=build),
        Middleware(FixedHost),
    ]
