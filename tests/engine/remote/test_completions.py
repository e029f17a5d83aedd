"""A stream of server-sent events as the standard has them, and as servers send them."""

from __future__ import annotations

import asyncio
import json

import pytest

from medilite.engine.remote.completions import ServerFailure, pieces


class Response:
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
    ],
)
def test_what_goes_wrong_in_a_stream_is_said(stream, said):
    with pytest.raises(ServerFailure, match=said):
        read(A + b"\n\n" + stream)
