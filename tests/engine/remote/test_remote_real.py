"""The remote engine and all six real models behind a real server: the local engine's own answers, over HTTP.

The server is a small one of these tests' own, but the models are real. transformers'
own server can't stand in for it: it takes a prompt as text alone and serves no adapters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from medilite.engine.local.calls import Call
from medilite.engine.protocol import collect
from medilite.engine.remote.engine import RemoteEngine
from medilite.engine.remote.row import Limits
from medilite.prompts import question_messages
from medilite.records import Decoding, Request
from medilite.settings import load_settings
from tests.support.model_servers import event, serving

pytestmark = [pytest.mark.model, pytest.mark.slow]

LIMITS = Limits(connect_s=60, first_token_s=600, next_token_s=600)
QUESTIONS = ("What is asthma?", "Is <|im_end|> a control token?")


@pytest.fixture
def address(engine, lite) -> Iterator[str]:
    """A server of the local engine's models, which tells text and no token ids."""

    async def list_models(_: HttpRequest) -> JSONResponse:
        return JSONResponse({"data": [{"id": model} for model in lite.ids]})

    async def complete(request: HttpRequest) -> StreamingResponse:
        told = await request.json()
        decoding = Decoding(told["max_tokens"], told["temperature"], told["top_p"], told["repetition_penalty"])
        asked = Request(told["model"], question_messages("by ids"), decoding, told["seed"])
        steps = engine._once.get().scheduler.stream(Call([asked], [told["prompt"]], [None]))

        def events() -> Iterator[bytes]:
            for step in steps:
                (row,) = step.rows
                yield event({"text": row.text, "finish_reason": {"end": "stop"}.get(row.stopped, row.stopped)})

        return StreamingResponse(iterate_in_threadpool(events()), media_type="text/event-stream")

    routes = [Route("/v1/models", list_models), Route("/v1/completions", complete, methods=["POST"])]
    with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.mark.parametrize("decoding", [Decoding(16, repetition_penalty=1.1)], ids=str)
def test_the_same_answers_by_a_server_as_here(engine, lite, address, weights, decoding):
    remote = RemoteEngine(lite, load_settings(engine="remote", servers=address, weights=str(weights)), limits=LIMITS)
    try:
        for question in QUESTIONS:
            messages = question_messages(question)
            assert remote.count_tokens(messages) == engine.count_tokens(messages)
            for model in lite.ids:
                # One row at a time here too: float32's last digits depend on how many rows share a batch.
                requests = [Request(model, messages, decoding, seed=7)]
                (here,) = collect(requests, engine.stream(requests))
                (there,) = collect(requests, remote.stream(requests))
                assert (there.text, there.stopped) == (here.text, here.stopped), json.dumps([model, question])
    finally:
        remote.close()
