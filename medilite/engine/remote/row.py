"""One answer by a model server: which server, how long to wait, when to try again, and what its text is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medilite.engine.detokenize import IncrementalText
from medilite.engine.remote.circuit import Clock
from medilite.engine.remote.completions import Piece, ServerFailure, pieces, refusal
from medilite.engine.remote.servers import Server, pick
from medilite.records import Request, RowStep, StopReason

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

_LOOK_S = 0.05
"""Seconds between checks whether another row's probe has closed a circuit."""

_READ_ON_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take, and how often it is tried; seconds."""

    connect_s: float = 5.0
    first_token_s: float = 30.0
    next_token_s: float = 15.0
    tries: int = 3
    backoff_s: float = 0.5
    longest_wait_s: float = 10.0
    failures: int = 3
    rest_s: float = 15.0

    @property
    def begin_s(self) -> float:
        """Seconds after the request in which another try may start: enough for one try that takes all its time."""
        return 2 * self.first_token_s


class Growing:
    """The text of one answer out of a server's pieces, token by token as the local engine gives it.

    If a server sends no token ids, a step is a piece of text and tokens are counted by the base's tokenizer, which can
    differ by a few from what the model wrote.
    """

    def __init__(self, tokenizer: Any, stop_ids: Collection[int], limit: int) -> None:
        self._tokenizer, self._stop_ids, self._limit = tokenizer, stop_ids, limit
        self._text = IncrementalText(tokenizer)
        self.tokens = 0

    def take(self, piece: Piece) -> list[RowStep]:
        """Return the steps that a piece brings; the last has `stopped` where the answer ends. Raises ServerFailure."""
        steps = self._written(piece.text) if piece.ids is None else self._tokens(piece.ids)
        if piece.finish is None or (steps and steps[-1].stopped):
            return steps
        reasons: dict[str, StopReason] = {"stop": "end", "length": "length"}
        if piece.finish not in reasons:
            raise ServerFailure(f"ended the answer for a reason of its own ({piece.finish[:40]!r})")
        last = steps.pop() if steps and piece.finish == "length" else RowStep("", self.tokens)
        return [*steps, RowStep(last.text + self._text.rest(), self.tokens, reasons[piece.finish])]

    def _tokens(self, ids: Sequence[int]) -> list[RowStep]:
        steps: list[RowStep] = []
        for token in ids:
            # What follows a control token is no part of the answer, even if the server sends it.
            if token in self._stop_ids:
                return [*steps, RowStep(self._text.rest(), self.tokens, "end")]
            self.tokens += 1
            text = self._text.add(token)
            if self.tokens >= self._limit:
                return [*steps, RowStep(text + self._text.rest(), self.tokens, "length")]
            steps.append(RowStep(text, self.tokens))
        return steps

    def _written(self, text: str) -> list[RowStep]:
        if not text:
            return []
        self.tokens += len(self._tokenizer(text)["input_ids"]) or 1
        # The count is our own, so allow four times the limit; it stops a server that never ends.
        over = self.tokens >= 4 * self._limit
        return [RowStep(text, self.tokens, "length" if over else None)]


class Writer:
    """Writes answers with several servers; used by one event loop."""

    def __init__(
        self, servers: Sequence[Server], http: httpx.AsyncClient, tokenizer: Any, stop_ids: Collection[int],
        limits: Limits, clock: Clock,
    ) -> None:  # fmt: skip
        self._servers, self._http, self._tokenizer, self._stop_ids = servers, http, tokenizer, stop_ids
        self._limits, self._clock = limits, clock
        self._picks = 0

    async def write(self, request: Request, asked: Mapping[str, Any], on_step: Callable[[RowStep], None]) -> None:
        """Pass an answer's steps to `on_step`; the last may be an error. A begun answer is never tried again.

        `asked` is the HTTP request's body.
        """
        growing = Growing(self._tokenizer, self._stop_ids, request.decoding.max_new_tokens)
        tried: list[Server] = []
        began, begun = self._clock(), False
        try:
            while True:
                server = await self._admit(request.model, tried, began)
                tried.append(server)
                try:
                    async for step in self._try(server, request, asked, growing):
                        begun = True
                        on_step(step)
                    return
                except ServerFailure as failure:
                    server.trouble = str(failure) if failure.blame else server.trouble
                    log.warning("Model server %s %s", server.name, str(failure).partition(":")[0])
                    if begun:
                        raise _cut(server, failure, growing.tokens) from failure
                    if not self._again(request.model, tried, failure, began):
                        raise _given_up(server, failure, len(tried)) from failure
                    await self._wait(request.model, tried, failure)
        except ServerFailure as failure:
            on_step(RowStep("", growing.tokens, "error", str(failure)))
        except Exception as error:  # the other rows must not wait for a row that failed
            log.error("An answer failed: %s", type(error).__name__)
            on_step(RowStep("", growing.tokens, "error", f"The answer failed ({type(error).__name__}). Ask again."))

    async def _admit(self, model: str, tried: Sequence[Server], began: float) -> Server:
        """Return the server to try, noted as used; waits while another row's probe tests the only servers left."""
        while True:
            if server := pick(self._servers, model, tried):
                self._picks += 1
                server.last_used = self._picks
                return server
            able = [server for server in self._servers if server.may_serve(model)]
            if not able:
                raise ServerFailure(
                    f"None of the model servers ({_names(self._servers)}) serves {model}. Start one with it, under"
                    " this very name, or leave the model out."
                )
            if not any(s.circuit.probing for s in able) or self._clock() - began >= self._limits.begin_s:
                rest = min(s.circuit.rests_s for s in able)
                raise ServerFailure(
                    f"No model server can be used now: {'; '.join(f'{s.name} {s.trouble}' for s in able)}. After"
                    f" {self._limits.failures} failures in a row a server is left alone for"
                    f" {self._limits.rest_s:g} s; ask again in {max(1, round(rest))} s."
                )
            await asyncio.sleep(_LOOK_S)

    def _again(self, model: str, tried: Sequence[Server], failure: ServerFailure, began: float) -> bool:
        """Whether to try again."""
        if not failure.retry or len(tried) >= self._limits.tries or self._clock() - began >= self._limits.begin_s:
            return False
        return not failure.elsewhere or self._untried(model, tried) is not None

    def _untried(self, model: str, tried: Sequence[Server]) -> Server | None:
        return pick([server for server in self._servers if server not in tried], model)

    async def _wait(self, model: str, tried: Sequence[Server], failure: ServerFailure) -> None:
        """Wait before another try, unless there is a server that has not been tried."""
        if self._untried(model, tried):
            return
        wait_s = failure.wait_s
        if wait_s is None:
            # Random, so that rows that failed together don't retry together.
            wait_s = self._limits.backoff_s * 2 ** (len(tried) - 1) * random.uniform(0.75, 1.25)
        elif wait_s > self._limits.longest_wait_s:
            raise _given_up(tried[-1], failure, len(tried))
        await asyncio.sleep(wait_s)

    async def _try(
        self, server: Server, request: Request, asked: Mapping[str, Any], growing: Growing
    ) -> AsyncGenerator[RowStep, None]:
        """Yield an answer's steps from one server; the last has `stopped`. Raises ServerFailure."""
        probe = server.circuit.enter()
        server.busy += 1
        over = server.circuit.left  # how to note the end, if nothing else is known
        try:
            async with contextlib.aclosing(self._pieces(server, request, asked)) as stream:
                limit_s, begun = self._limits.first_token_s, False
                until = asyncio.get_running_loop().time() + limit_s
                while True:
                    try:
                        async with asyncio.timeout_at(until):
                            piece = await anext(stream)
                    except TimeoutError as error:
                        what = "between two tokens" if begun else "before its first token"
                        raise ServerFailure(f"was silent for {limit_s:g} s {what}") from error
                    except StopAsyncIteration as error:
                        raise ServerFailure("closed the connection before the answer was whole") from error
                    for step in growing.take(piece):
                        if not begun:
                            begun, limit_s = True, self._limits.next_token_s
                            server.circuit.answered(probe)
                        until = asyncio.get_running_loop().time() + limit_s
                        if step.stopped:
                            over, server.trouble = server.circuit.completed, None
                        yield step
                        if step.stopped and piece.finish:
                            await _read_on(stream)
                        if step.stopped:
                            return
        except ServerFailure as failure:
            over = server.circuit.failed if failure.blame else server.circuit.left
            raise
        finally:
            server.busy -= 1
            over(probe)

    async def _pieces(self, server: Server, request: Request, asked: Mapping[str, Any]) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of one server's answer; closing closes the HTTP stream. Raises ServerFailure."""
        import httpx

        try:
            async with self._http.stream("POST", f"{server.url}/v1/completions", json=asked) as response:
                if response.status_code == 404:
                    server.missing.add(request.model)
                if response.status_code != 200:
                    raise await refusal(response, request.model)
                async with contextlib.aclosing(pieces(response)) as found:
                    async for piece in found:
                        yield piece
        except httpx.ConnectTimeout as error:
            raise ServerFailure(f"can't be reached within {self._limits.connect_s:g} s") from error
        except httpx.ConnectError as error:
            raise ServerFailure("can't be reached") from error
        except httpx.HTTPError as error:
            raise ServerFailure("broke the connection") from error


async def _read_on(stream: AsyncIterator[Piece]) -> None:
    """Read what a server sends after an answer's end, for a moment: a connection read to its end is used again."""
    with contextlib.suppress(ServerFailure, TimeoutError):
        async with asyncio.timeout(_READ_ON_S):
            async for _ in stream:
                pass


def _cut(server: Server, failure: ServerFailure, tokens: int) -> ServerFailure:
    return ServerFailure(
        f"The answer ends here, after {tokens} token{'' if tokens == 1 else 's'}: the model server {server.name}"
        f" {failure}. Ask again for a whole one."
    )


def _given_up(server: Server, failure: ServerFailure, tries: int) -> ServerFailure:
    times = "" if tries == 1 else f" ({tries} tries)"
    later = "Ask again later" if failure.retry else "Ask for something else"
    return ServerFailure(f"The model server {server.name} {failure}{times}. {later}, or look at the server's own log.")


def _names(servers: Sequence[Server]) -> str:
    return ", ".join(server.name for server in servers)
