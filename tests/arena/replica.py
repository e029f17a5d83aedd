"""A server of pairs and votes as a process that can be killed and started again, and a visitor's calls to it.

It is small, but what it stands on is the app's: the store, the draw, the marks.
Each replica is forked from a process that has everything imported, so starting
one again takes milliseconds.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
import socket
import time
from multiprocessing.context import ForkServerProcess
from typing import Any

from medilite.arena.drawing import Knowledge, Place, draw_place, draw_sides
from medilite.arena.marks import mark
from medilite.arena.records import Ballot
from medilite.arena.store import Store
from medilite.errors import BallotError, LimitError, StoreError, TokenError
from tests.arena.made import MANY, candidate, contestant, pair

_FORKS = multiprocessing.get_context("forkserver")
PRELOADED = (__name__, "starlette.applications", "uvicorn", "psycopg")
_FORKS.set_forkserver_preload(list(PRELOADED))

TWO = frozenset((contestant("base"), contestant("grpo")))
PLACES = {TWO: [Place(str(question), 0, 0.4) for question in range(100)]}


class Replica:
    """One server on an address and database of its own choice."""

    def __init__(self, database: str) -> None:
        self.database = database
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        self._process = _FORKS.Process(target=serve, args=(self.database, self.port), daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.join()


async def draw(client: Any, url: str, voter: str) -> str:
    """Return the token of a new pair. Raises httpx.HTTPError where there is no answer."""
    reply = await client.post(f"{url}/pair", json={"voter": voter})
    reply.raise_for_status()
    return str(reply.json()["token"])


async def cast(client: Any, url: str, voter: str, token: str, choice: str) -> tuple[str, str, bool]:
    """Return (the vote's id, what was chosen, whether this call did it) once it is acknowledged; as `draw`."""
    reply = await client.post(f"{url}/vote", json={"voter": voter, "token": token, "choice": choice})
    reply.raise_for_status()
    told = reply.json()
    return told["id"], told["choice"], told["fresh"]


def serve(database: str, port: int) -> None:
    """Serve until killed."""
    import uvicorn

    uvicorn.run(app_of(database), host="127.0.0.1", port=port, log_level="critical")


def app_of(database: str) -> Any:
    """Return the application on a database."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    store, rng = Store(database, timeout_s=20), random.Random()

    def new_pair(told: dict[str, Any]) -> dict[str, Any]:
        knowledge = Knowledge()
        drawn = draw_place(PLACES, knowledge, rng)
        assert drawn is not None
        place, (left, right, _) = drawn.place, draw_sides(drawn.two, knowledge, rng)
        sides = (candidate(c.model, f"{c.model} on {place.question}.") for c in (left, right))
        now = time.time()
        made = pair(*sides, voter=told["voter"], question_key=place.question, question=f"Question {place.question}?")
        return {"token": store.add_pair(dataclasses.replace(made, created_at=now, expires_at=now + 3600))}

    def vote(told: dict[str, Any]) -> dict[str, Any]:
        ballot = Ballot.parse(told["choice"])
        given, fresh = store.cast(told["token"], told["voter"], ballot, time.time(), MANY, mark)
        return {"id": given.pair.id, "choice": given.ballot.choice, "fresh": fresh}

    def endpoint(answer: Any) -> Any:
        async def reply(request: Request) -> JSONResponse:
            try:
                return JSONResponse(await run_in_threadpool(answer, await request.json()))
            except (TokenError, BallotError, LimitError) as error:
                return JSONResponse({"error": str(error)}, 400)
            except StoreError as error:
                return JSONResponse({"error": str(error)}, 503)

        return reply

    calls = {"/pair": new_pair, "/vote": vote}
    return Starlette(routes=[Route(path, endpoint(answer), methods=["POST"]) for path, answer in calls.items()])
