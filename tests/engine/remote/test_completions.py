"""A stream of server-sent events as the standard has them, and as servers send them."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from medilite.engine.remote.completions import ServerFailure, pieces, refusal


class Response:
    request = httpx.Request("POST", "http://server")

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    async def aiter_bytes(self):
        for chunk in self._chunks:
            yield chunk


def read(*chunks: bytes) -> str:
    async def collect() -> str:
        return "".join([piece.text async for piece in pieces(Response(list(chunks)))])

    return asyncio.run(collect())


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"text": text}]}).encode()


A, B = event("a"), event("b")


@pytest.mark.parametrize(
    "stream",
    [
        A + b"\n\n" + B + b'\n\ndata: {"choices": null, "usage": {}}\n\ndata: {"usage": {"total_tokens": 2}}\n\n',
        b'{\n  "choices": [\n    {"text": "ab", "finish_reason": "stop"}\n  ]\n}\n',
        b'{"status": "waiting"}\n' + A + b"\n\n" + B + b"\n\n",
        A + b"\n\n" + B + b"\n\ndata: [DONE]\n\n",
        b"data:\n\n" + A + b"\n\ndata\n\ndata: \n\n" + B + b"\n\n",
        b'event: ping\ndata: {"type": "ping"}\n\n' + A + b"\n\nevent: ping\ndata: {}\n\n" + B + b"\n\n",
        b"event: message\n" + A + b"\n\n: keep alive\n\n" + B + b"\n\n",
        b"id: 7\nretry: 1000\n" + A + b"\n\nunknown: x\nnonsense\n" + B + b"\n\n",
        b"\xef\xbb\xbf" + A + b"\r\n\r\n" + B + b"\r\n\r\n",
        A + b"\r\r" + B + b"\r\r",
        b'data: {"choices":\ndata: [{"text": "a"}]}\n\n' + B + b"\n\n",
        A + b"\n" + B + b"\ndata: [DONE]\n",
        A + b"\n\n" + B,
        A.replace(b"data: ", b"data:") + b"\n\n" + B + b"\n\ndata:[DONE]\n\n" + event("after the end") + b"\n\n",
    ],
    ids=[
        "counts",
        "one document",
        "a line before",
        "plain",
        "empty",
        "typed",
        "comments",
        "fields",
        "bom and crlf",
        "cr",
        "lines",
        "no blanks",
        "no end",
        "spaces",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_stream_is_read_as_the_standard_says_however_it_is_cut(stream, size):
    assert read(*(stream[i : i + size] for i in range(0, len(stream), size))) == "ab"


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (b"data: {half\n\n", "no completion"),
        (b'event: error\ndata: {"message": "out of memory"}\n\n', "out of memory"),
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b'data: {"error": {"message": "no"}}\n\n', "no"),
        (b'data: {"object": "error", "message": "too long", "code": 400}\n\n', "too long"),
    ],
)
def test_what_goes_wrong_in_a_stream_is_said(stream, said):
    with pytest.raises(ServerFailure, match=said):
        read(A + b"\n\n" + stream)


def test_an_error_without_a_stream_is_said():
    with pytest.raises(ServerFailure, match="overloaded"):
        read(b'{"error": {"message":\n\n"overloaded"}}')


@pytest.mark.parametrize(
    "said",
    ["Incorrect API key provided: sk-s3cr3t-0123456789", "bad key sk-s3cr3t-0***", "at http://u:s3cr3t@10.0.0.1/v1"],
)
@pytest.mark.parametrize("how", ["status", "event", "field"])
def test_a_server_s_words_are_repeated_without_the_key(said: str, how: str) -> None:
    error = {"error": {"message": said}}
    stream = {"status": "", "event": "event: error\n", "field": ""}[how] + f"data: {json.dumps(error)}\n\n"
    response = httpx.Response(
        400 if how == "status" else 200,
        content=(json.dumps(error) if how == "status" else stream).encode(),
        request=httpx.Request("POST", "http://h", headers={"Authorization": "Bearer sk-s3cr3t-0123456789"}),
    )

    async def failure() -> str:
        if how == "status":
            return str(await refusal(response, "base"))
        with pytest.raises(ServerFailure) as caught:
            _ = [piece async for piece in pieces(response)]
        return str(caught.value)

    found = asyncio.run(failure())
    assert ": " in found
    assert "s3cr3t" not in found
