"""Every address besides the page itself: downloads of votes, health, metrics, and those for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medilite.arena.downloads import Downloads
from medilite.arena.export import WRITERS
from medilite.errors import MediLiteError, without_folders
from medilite.health.ready import Readiness
from medilite.metrics import CONTENT_TYPE, Meters
from medilite.ui.guard.visits import LEFT, VOTES, Visits

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MEDIA_TYPES = {
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}

METRICS_OFF = "Metrics are off; MEDILITE_METRICS=1 turns them on.\n"


def routes(
    downloads: Downloads, readiness: Readiness, visits: Visits, meters: Meters | None, programs: Sequence[Any] = (),
    build: str = "",
) -> list[Any]:  # fmt: skip
    """Return the routes for the server that serves the page; without `meters`, `/metrics` answers that it is off.

    `visits` is told of pages that are closed, `programs` are the routes that are for programs (`ui/api`), and
    `build` names the page that is served.
    """
    from starlette.routing import Route

    return [
        *vote_routes(downloads),
        Route("/healthz", _alive(build), methods=["GET"]),
        Route("/readyz", _ready(readiness), methods=["GET"]),
        Route("/metrics", _metrics(meters), methods=["GET"]),
        Route(f"{LEFT}{{session}}", _left(visits), methods=["POST"]),
        *programs,
    ]


def votes_path(suffix: str) -> str:
    """Return the address, without a slash before it, of the votes in a format."""
    return f"{VOTES[1:]}votes{suffix}"


def vote_routes(downloads: Downloads) -> list[Any]:
    """Return the routes of the votes, one a format."""
    from starlette.routing import Route

    return [Route(f"/{votes_path(suffix)}", _votes(downloads, suffix), methods=["GET"]) for suffix in WRITERS]


def _votes(downloads: Downloads, suffix: str) -> Any:
    from starlette.responses import FileResponse, PlainTextResponse

    def answer(request: Request) -> Response:
        try:
            path = downloads.path(suffix)
        except MediLiteError as error:
            return PlainTextResponse(f"{without_folders(str(error))}\n", 503)
        if path is None:
            return PlainTextResponse("Nobody has voted here yet.\n", 404)
        return FileResponse(path, media_type=MEDIA_TYPES[suffix], filename=f"votes{suffix}")

    return answer


def _alive(build: str) -> Any:
    from starlette.responses import JSONResponse

    # Answers at once: the process is alive and its event loop runs. Open pages read here whether they are out of date.
    async def answer(request: Request) -> Response:
        return JSONResponse({"alive": True, "build": build}, headers={"Cache-Control": "no-store"})

    return answer


def _ready(readiness: Readiness) -> Any:
    from starlette.responses import JSONResponse

    # A plain function, which runs in a thread, because the store may be slow.
    def answer(request: Request) -> Response:
        reasons = readiness.reasons()
        state = {"ready": not reasons, "reasons": reasons}
        return JSONResponse(state, 503 if reasons else 200, headers={"Cache-Control": "no-store"})

    return answer


def _left(visits: Visits) -> Any:
    from starlette.responses import Response

    # Sent by a page as it is closed, which reads no answer.
    async def answer(request: Request) -> Response:
        visits.left(request.path_params["session"])
        return Response(status_code=204)

    return answer


def _metrics(meters: Meters | None) -> Any:
    from starlette.responses import PlainTextResponse, Response

    def answer(request: Request) -> Response:
        if meters is None:
            return PlainTextResponse(METRICS_OFF, 404)
        return Response(meters.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return answer
