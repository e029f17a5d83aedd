"""A proxy before several replicas: each new visitor goes to the next one, and stays there."""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.support.model_servers import serving

COOKIE = "replica"
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]


@dataclass
class Proxy:
    """Where it is, who is at home where, how many requests went to each replica and how many visitors it was given."""

    url: str = ""
    homes: dict[str, str] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    visitors: Counter[str] = field(default_factory=Counter)


@contextmanager
def round_robin(replicas: Sequence[str], *, sticky: bool = True) -> Iterator[Proxy]:
    """Serve the replicas at one address; not `sticky`, every single request goes to the next one.

    A visitor whose replica can't be reached goes to the next, as with nginx.
    """
    replicas = [replica.rstrip("/") for replica in replicas]
    known, turn = Proxy(), itertools.cycle(replicas)
    homes = known.homes
    http = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))

    async def forward(request: Request) -> Response:
        visitor = request.cookies.get(COOKIE) or secrets.token_hex(8)
        if not sticky or visitor not in homes:
            homes[visitor] = next(turn)
            known.visitors[homes[visitor]] += 1
        sent = await request.body()
        for _ in replicas:
            home = homes[visitor]
            asked = http.build_request(
                request.method, f"{home}{request.url.path}?{request.url.query}".rstrip("?"), content=sent,
                headers=[(k, v) for k, v in request.headers.raw if k.decode() not in HOP],
            )  # fmt: skip
            try:
                answer = await http.send(asked, stream=True)
            except httpx.ConnectError:
                homes[visitor] = next(other for other in turn if other != home)
                continue
            known.requests[home] += 1
            reply = StreamingResponse(body(answer), answer.status_code)
            reply.raw_headers = [(k.lower(), v) for k, v in answer.headers.raw if k.decode().lower() not in HOP]
            reply.set_cookie(COOKIE, visitor, httponly=True, samesite="lax")
            return reply
        return Response(status_code=502)

    async def body(answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            with contextlib.suppress(httpx.HTTPError):  # a replica that dies in mid-answer
                async for chunk in answer.aiter_raw():
                    yield chunk
        finally:
            await answer.aclose()

    with serving(Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])) as url:
        known.url = url
        yield known
