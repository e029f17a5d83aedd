"""Answers by model servers: every model of the profile is a served model of an OpenAI-compatible server.

A thread of its own runs an event loop for all connections; callers' threads read steps from it. The wire format is in
`completions`, tries and limits of one answer in `row`, how rows stay in step in `lockstep`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.engine.loading import LoadOnce
from medilite.engine.protocol import Availability
from medilite.engine.remote.circuit import Circuit, Clock
from medilite.engine.remote.completions import body
from medilite.engine.remote.lockstep import Lockstep
from medilite.engine.remote.row import Limits, Writer
from medilite.engine.remote.servers import Server, parse_addresses
from medilite.engine.tokenizer import BaseTokenizer
from medilite.engine.validate import check_context, check_plain, checked
from medilite.engine.wording import Wording
from medilite.errors import EngineError, WeightsError
from medilite.models import Profile
from medilite.progress import LoadProgress, ProgressCallback
from medilite.prompts import prompt_ids
from medilite.records import Message, Request, RowStep, Step
from medilite.settings import Settings
from medilite.weights import ensure_tokenizer

if TYPE_CHECKING:
    import httpx

ASK_AGAIN_S = 30.0
"""Seconds after which servers are asked again which models they serve."""


@dataclass(slots=True)
class _Loaded:
    tokenizer: BaseTokenizer
    stop_ids: frozenset[int]
    context: int
    loop: asyncio.AbstractEventLoop
    http: httpx.AsyncClient
    writer: Writer
    wording: Wording
    asked_at: float
    calls: set[Lockstep] = field(default_factory=set)


class RemoteEngine:
    """The engine whose answers model servers write; see protocol.Engine for what each method promises.

    Raises SettingsError if the settings name no server that could be asked.
    """

    def __init__(
        self, profile: Profile, settings: Settings, *, limits: Limits | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._profile, self._settings, self._clock = profile, settings, clock
        self._limits = limits or Limits(
            settings.server_connect_s, settings.server_first_token_s, settings.server_next_token_s
        )
        self._servers = [
            Server(url, Circuit(self._limits.failures, self._limits.rest_s, clock))
            for url in parse_addresses(settings.servers)
        ]
        self._once = LoadOnce(
            self._load_all, "Waiting to connect to the model servers", "The model servers can't be used"
        )

    def load(self, on_progress: ProgressCallback | None = None) -> None:
        """Read the base's tokenizer and ask every server what it serves.

        Raises WeightsError if the tokenizer is not available, EngineError if no server answers.
        """
        self._once.get(on_progress)

    def progress(self) -> LoadProgress:
        """Return the loading progress."""
        return self._once.progress

    def availability(self) -> Mapping[str, Availability]:
        """Return, by model id, whether a server that answers serves it, as it last said.

        If that was more than `ASK_AGAIN_S` ago, the servers are asked again in the background, and this call still
        returns what they said before.
        """
        self._ask_again(self._once.get())
        return {spec.id: self._available(spec.id) for spec in self._profile.every}

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the prompt's length in tokens."""
        return len(_ids(self._once.get(), messages))

    def context_length(self) -> int:
        """Return how many tokens prompt and answer may have together: the base's, or a server's if it takes fewer."""
        loaded = self._once.get()
        return min([loaded.context, *(server.context for server in self._servers if server.context)])

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        """Yield steps until every request has stopped."""
        requests = checked(self._profile, requests)
        check_plain(requests, "model servers")
        loaded = self._once.get()
        self._ask_again(loaded)
        asked = {messages: _ids(loaded, messages) for messages in {r.messages for r in requests}}
        for request in requests:
            check_context(request, len(asked[request.messages]), self.context_length())
        # Once for all models that answer one question from one passage.
        sourced = {(r.passage, r.messages[-1].content) for r in requests if r.passage}
        costs = {key: loaded.wording.costs(*key) for key in sourced}
        bodies = [
            body(r, asked[r.messages], loaded.stop_ids, costs.get((r.passage, r.messages[-1].content)))
            for r in requests
        ]
        call = Lockstep([RowStep("", 0) for _ in requests])
        loaded.calls.add(call)
        try:
            writing = _start(loaded.loop, self._write(loaded.writer, requests, bodies, call))
        except RuntimeError as error:  # the loop is closed
            raise _closed() from error
        writing.add_done_callback(lambda done: _report_failure(done, call))
        whole = False
        try:
            yield from call.steps()
            whole = True
        finally:
            # Whole answers are read to the connection's end, see `row`.
            if not whole:
                writing.cancel()
            loaded.calls.discard(call)

    def close(self) -> None:
        """Close every connection; running calls get EngineError. The engine can be loaded again."""
        loaded = self._once.let_go()
        if loaded is None:
            return
        for call in list(loaded.calls):
            call.break_off(_closed())
        _stop(loaded.loop, loaded.http)

    async def _write(
        self, writer: Writer, requests: Sequence[Request], bodies: Sequence[Mapping[str, Any]], call: Lockstep
    ) -> None:
        """Write all rows at once; cancelled, it closes every row's HTTP stream."""
        async with asyncio.TaskGroup() as group:
            for row, (request, asked) in enumerate(zip(requests, bodies, strict=True)):
                # `row=row`: each function has its own.
                def on_step(step: RowStep, row: int = row) -> None:
                    call.add(row, step)

                group.create_task(writer.write(request, asked, on_step))

    def _available(self, model: str) -> Availability:
        if any(server.answers and server.may_serve(model) for server in self._servers):
            return Availability(True)
        said = "; ".join(f"{s.name} {_serves(s) if s.answers else s.trouble}" for s in self._servers)
        return Availability(
            False, f"{model}: no model server that answers serves it under this name: {said}. Start one with it."
        )

    def _load_all(self, report: ProgressCallback) -> _Loaded:
        report(LoadProgress("Looking for the tokenizer", 0.0))
        folder = ensure_tokenizer(self._profile, self._settings, report)
        tokenizer = BaseTokenizer(folder)
        # Any control token ends an answer: after one, what follows is no part of it.
        stop_ids = frozenset(i for i, token in tokenizer.added_tokens_decoder.items() if token.special)
        context = _context(folder)
        report(LoadProgress("Asking the model servers", None))
        http = self._client()
        loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(loop,), name="medilite-remote", daemon=True).start()
        try:
            _start(loop, self._ask_all(http)).result()
            if not any(server.answers for server in self._servers):
                said = "; ".join(f"{server.name} {server.trouble}" for server in self._servers)
                raise EngineError(
                    f"No model server answers: {said}. Start one (docs/remote.md) or correct MEDILITE_SERVERS, then"
                    " try again."
                )
        except BaseException:  # or the thread would run on, one more at every try
            _stop(loop, http)
            raise
        writer = Writer(self._servers, http, tokenizer, stop_ids, self._limits, self._clock)
        wording = Wording(tokenizer, tokenizer.size)
        return _Loaded(tokenizer, stop_ids, context, loop, http, writer, wording, self._clock())

    def _client(self) -> httpx.AsyncClient:
        import httpx

        key = self._settings.server_key
        return httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
            # Reading has limits of its own: a comment in a stream is not a token.
            timeout=httpx.Timeout(None, connect=self._limits.connect_s, write=self._limits.connect_s),
            # The servers have queues of their own, and the app limits its visitors.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            follow_redirects=False,
        )

    def _ask_again(self, loaded: _Loaded) -> None:
        """Ask the servers in the background what they serve, if the last reply is old."""
        if self._clock() - loaded.asked_at >= ASK_AGAIN_S:
            loaded.asked_at = self._clock()
            _start(loaded.loop, self._ask_all(loaded.http))

    async def _ask_all(self, http: httpx.AsyncClient) -> None:
        await asyncio.gather(*(self._ask(http, server) for server in self._servers))

    async def _ask(self, http: httpx.AsyncClient, server: Server) -> None:
        """Note which models a server serves, or why it can't be asked."""
        import httpx

        trouble = None
        try:
            async with asyncio.timeout(2 * self._limits.connect_s):
                reply = await http.get(f"{server.url}/v1/models")
            if reply.status_code in (404, 405):
                server.models = None  # it has no such list
            else:
                listed = reply.raise_for_status().json()["data"]
                models = frozenset(str(entry["id"]) for entry in listed)
                lengths = [entry.get("max_model_len") for entry in listed]
                server.context = min((n for n in lengths if isinstance(n, int) and n > 0), default=None)
                server.models = models
        except (TimeoutError, httpx.TimeoutException):
            trouble = f"doesn't answer within {2 * self._limits.connect_s:g} s"
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            refused = f"refuses the key ({status}); MEDILITE_SERVER_KEY sets it"
            trouble = refused if status in (401, 403) else f"answers with an error ({status})"
        except httpx.HTTPError:
            trouble = "can't be reached"
        except (ValueError, KeyError, TypeError, AttributeError):
            trouble = "answers /v1/models with something else than a list of models"
        server.answers, server.trouble = trouble is None, trouble
        if server.answers:
            server.missing.clear()


def _report_failure(done: Any, call: Lockstep) -> None:
    """Pass a failure on to the reader, which would wait for ever otherwise."""
    if not done.cancelled() and (error := done.exception()) is not None:
        call.break_off(EngineError(f"Generation failed ({type(error).__name__}). Ask again."))


def _ids(loaded: _Loaded, messages: Sequence[Message]) -> list[int]:
    tokenizer: Any = loaded.tokenizer  # what prompt_ids needs of transformers' own
    return prompt_ids(tokenizer, messages)


def _serves(server: Server) -> str:
    return f"serves {', '.join(sorted((server.models or frozenset()) - server.missing)) or 'no model'}"


def _context(folder: Path) -> int:
    try:
        return int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder}/config.json lacks max_position_embeddings; get the folder again.") from error


def _start(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Any:
    """Start work in the loop's thread and return its future; raises RuntimeError once the loop is closed."""
    try:
        return asyncio.run_coroutine_threadsafe(work, loop)
    except RuntimeError:
        work.close()
        raise


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped."""
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, http: httpx.AsyncClient) -> None:
    """End all work in the loop, and the loop's thread."""
    _start(loop, _end(http)).result()
    loop.call_soon_threadsafe(loop.stop)


async def _end(http: httpx.AsyncClient) -> None:
    """Cancel all tasks and close the connections."""
    here = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not here]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await http.aclose()


def _closed() -> EngineError:
    return EngineError("The engine is shutting down. Start it again, then ask again.")
