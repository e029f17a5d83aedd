"""Every address besides the page itself: downloads of votes, health, metrics, what is for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medilite.health.ready import Readiness
from medilite.metrics import CONTENT_TYPE, Meters
from medilite.settings import Settings
from medilite.ui.leaderboard.votes.files import VoteFiles

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

METRICS_OFF = "Metrics are off; MEDILITE_METRICS=1 turns them on.\n"


def routes(settings: Settings, readiness: Readiness, meters: Meters | None, programs: Sequence[Any] = ()) -> list[Any]:
    """Return the routes for the server that serves the page; without `meters`, `/metrics` says that it is off.

    `programs` are the routes that are for programs (`ui/api`).
    """
    from starlette.routing import Route

    return [
        *VoteFiles(settings).routes(),
        Route("/healthz", _alive, methods=["GET"]),
        Route("/readyz", _ready(readiness), methods=["GET"]),
        Route("/metrics", _metrics(meters), methods=["GET"]),
        *programs,
    ]


async def _alive(request: Request) -> Response:
    """Answer at once: the process lives and its event loop turns."""
    from starlette.responses import JSONResponse

    return JSONResponse({"alive": True}, headers={"Cache-Control": "no-store"})


def _ready(readiness: Readiness) -> Any:
    from starlette.responses import JSONResponse

    # A plain function: it runs in a thread, for the store may take its time.
    def answer(request: Request) -> Response:
        reasons = readiness.reasons()
        told = {"ready": not reasons, "reasons": reasons}
        return JSONResponse(told, 503 if reasons else 200, headers={"Cache-Control": "no-store"})

    return answer


def _metrics(meters: Meters | None) -> Any:
    from starlette.responses import PlainTextResponse, Response

    def answer(request: Request) -> Response:
        if meters is None:
            return PlainTextResponse(METRICS_OFF, 404)
        return Response(meters.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return answer
