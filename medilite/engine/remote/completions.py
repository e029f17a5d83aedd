"""OpenAI's completions as model servers speak them: what is asked, what is streamed back, what a refusal means.

Why /v1/completions with token ids, and not /v1/chat/completions: a chat's
messages are put through the template by the server, as one text in which a
person's "<|im_end|>" becomes a control token. Ids are made here, by
`prompts.prompt_ids` as for the local engine, so the model reads the same prompt
to the token and no one's text is ever parsed for control tokens.

| the server                                   | means                                               |
| -------------------------------------------- | --------------------------------------------------- |
| can't be reached, breaks off, is silent      | a failure of the server; another try before the first token |
| 5xx, 408, an error or garbage in the stream  | the same                                            |
| 429                                          | it is busy: another server, or a wait of retry-after (else 0.5, 1 s) |
| 404                                          | it doesn't serve this model: another server          |
| 401, 403                                     | it refuses the key: another server                   |
| any other 4xx                                | it can't do what is asked; no other try              |
"""

from __future__ import annotations

import codecs
import contextlib
import email.utils
import json
import math
import re
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medilite.prompts import clean_text
from medilite.records import Request

if TYPE_CHECKING:
    import httpx

LONGEST_LINE = 1 << 20
"""Bytes of one line of a stream; a server that writes more on one speaks another protocol."""

_LINE_END = re.compile(rb"\r\n|\n|\r")

_FIELD = re.compile(rb"(?:data|event|id|retry)?(?::|$)")
_IN_ADDRESS = re.compile(r"://[^\s/]+@")

_SHOWN = 200
"""Most characters of a server's own words that a message repeats."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One event of a stream: token ids, or text if the server sends none, and why the answer ended."""

    text: str
    ids: tuple[int, ...] | None
    finish: str | None


class ServerFailure(Exception):
    """A failed try; the message is a sentence about the server, for people.

    `retry`: before the first token another try may succeed, with `elsewhere` only at another server. `blame`: the fault
    is the server's, not the request's. `wait_s`: how long it asks to be left alone.
    """

    def __init__(
        self, why: str, *, retry: bool = True, elsewhere: bool = False, blame: bool = True, wait_s: float | None = None
    ) -> None:
        super().__init__(why)
        self.retry, self.elsewhere, self.blame, self.wait_s = retry, elsewhere, blame, wait_s


def body(
    request: Request, prompt: Sequence[int], stop_ids: Collection[int], costs: Mapping[int, float] | None = None
) -> dict[str, Any]:
    """Return the body of a streaming request; `costs` is what a token's logit gets added (OpenAI's `logit_bias`).

    `temperature`, `top_p` and `top_k` are always given: a server takes what is left
    out from the model's generation_config.json. `repetition_penalty`,
    `stop_token_ids` and `return_token_ids` are vLLM's, beside OpenAI's fields.
    """
    decoding = request.decoding
    return {
        "model": request.model,
        "prompt": list(prompt),
        "stream": True,
        "max_tokens": decoding.max_new_tokens,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "top_k": -1,
        "repetition_penalty": decoding.repetition_penalty,
        # As in the local engine's `SeedNoise`: any integer, by its lowest 63 bits.
        "seed": request.seed & (2**63 - 1),
        "stop_token_ids": sorted(stop_ids),
        "return_token_ids": True,
        **({"logit_bias": {str(token): cost for token, cost in costs.items()}} if costs else {}),
    }


async def pieces(response: httpx.Response) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of a streamed answer until it is over; raises ServerFailure for anything else."""
    done = False
    async with contextlib.aclosing(_events(response)) as events:
        async for kind, data in events:
            done = done or data.strip() == b"[DONE]"
            # Read to the end, so that the connection can be used again.
            if done:
                continue
            if kind == b"error":
                raise ServerFailure(f"broke off with an error{_masked(_error_event(data), response)}")
            # Other types, such as "ping", are ignored.
            if kind not in (b"", b"message"):
                continue
            for one in _documents(data):
                try:
                    piece = _piece(one)
                except ServerFailure as failure:
                    raise ServerFailure(_masked(str(failure), response)) from failure
                if piece is not None:
                    yield piece


async def _events(response: httpx.Response) -> AsyncGenerator[tuple[bytes, bytes], None]:
    """Yield (type, data) of a stream's events, by the HTML standard's "server-sent events", 9.2.6.

    Fields are joined over the lines of an event, which a blank line ends; comments
    and unknown fields are ignored, and so is an event without data. Beyond the standard, the last event
    counts without its blank line: some servers end so.
    """
    kind, data, bare = b"", list[bytes](), list[bytes]()
    size, begun = 0, False
    async with contextlib.aclosing(_lines(response)) as lines:
        async for line in lines:
            if not line:
                if any(data):
                    yield kind, b"\n".join(data)
                kind, data, size = b"", [], 0
                continue
            if not begun and not _FIELD.match(line) and (bare or line.lstrip().startswith(b"{")):
                bare.append(line)
                size += len(line)
                if size > LONGEST_LINE:
                    raise ServerFailure("sends what is no completion")
                continue
            begun, bare = True, []
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data.append(value)
                size += len(value)
                if size > LONGEST_LINE:
                    raise ServerFailure("sends what is no completion")
            elif name == b"event":
                kind = value
    # Some answer with one JSON document, for an error above all, whatever was asked for.
    if any(data) or bare:
        yield kind, b"\n".join(data or bare)


def _documents(data: bytes) -> list[bytes]:
    """Return an event's JSON documents: one, or one a line from servers that leave out the blank lines between."""
    if b"\n" not in data:
        return [data]
    try:
        json.loads(data)
    except ValueError:
        return [line for line in data.split(b"\n") if line.strip() not in (b"", b"[DONE]")]
    return [data]


def _error_event(data: bytes) -> str:
    try:
        reply = json.loads(data)
    except ValueError:
        reply = data.decode("utf-8", "replace")
    return _quoted(reply.get("error", reply) if isinstance(reply, dict) else reply)


async def refusal(response: httpx.Response, model: str) -> ServerFailure:
    """Return what an answer with an error status means."""
    status = response.status_code
    if status == 429:
        return ServerFailure("is busy (429)", blame=False, wait_s=retry_after_s(response.headers.get("retry-after")))
    if status in (401, 403):
        return ServerFailure(f"refuses the key ({status}); MEDILITE_SERVER_KEY sets it", elsewhere=True, blame=False)
    if status == 404:
        return ServerFailure(f"doesn't serve {model} (404)", elsewhere=True, blame=False)
    if status >= 500 or status == 408 or status < 400:
        # Redirects are not followed: the key and people's texts go only to the server that was named.
        return ServerFailure(f"answers with an error ({status})")
    said = _masked(await _said(response), response)
    return ServerFailure(f"refuses the request ({status}{': ' if said else ''}{said})", retry=False, blame=False)


def retry_after_s(value: str | None, now: float | None = None) -> float | None:
    """Return the seconds of a retry-after header, a number or a date; None without one that can be read."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _piece(data: bytes) -> Piece | None:
    """Return one event's piece; None for one without a choice, such as a count of tokens at the end."""
    try:
        event = json.loads(data)
    except ValueError as error:
        raise ServerFailure("sends what is no completion") from error
    if not isinstance(event, dict):
        raise ServerFailure("sends what is no completion")
    if event.get("error") is not None:
        raise ServerFailure(f"broke off with an error{_quoted(event['error'])}")
    if event.get("object") == "error":
        raise ServerFailure(f"broke off with an error{_quoted(event)}")
    choices = event.get("choices")
    # Such as a count of tokens at the end.
    if choices == [] or (choices is None and ("usage" in event or not event)):
        return None
    choice = choices[0] if isinstance(choices, list) else None
    if not isinstance(choice, dict):
        raise ServerFailure("sends what is no completion")
    text, ids, finish = choice.get("text") or "", choice.get("token_ids"), choice.get("finish_reason")
    known = ids is None or (isinstance(ids, list) and all(type(i) is int and 0 <= i < 2**31 for i in ids))
    if not isinstance(text, str) or not known or not (finish is None or isinstance(finish, str)):
        raise ServerFailure("sends what is no completion")
    # JSON can carry half a surrogate pair, which nothing after this could write.
    return Piece(text.encode("utf-8", "replace").decode(), None if ids is None else tuple(ids), finish)


async def _lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield a stream's lines as they become whole, ended by CR LF, LF or CR; httpx's own have no longest."""
    rest, first = b"", True
    async for chunk in response.aiter_bytes():
        rest += chunk
        if first and len(rest) >= len(codecs.BOM_UTF8):
            rest, first = rest.removeprefix(codecs.BOM_UTF8), False
        # A CR at the end may be the first half of a CR LF.
        held = rest.endswith(b"\r")
        *lines, rest = _LINE_END.split(rest[:-1] if held else rest)
        rest += b"\r" if held else b""
        for line in lines:
            yield line
        if len(rest) > LONGEST_LINE:
            raise ServerFailure("sends what is no completion")
    rest = rest.removesuffix(b"\r")
    if rest:
        yield rest


async def _said(response: httpx.Response) -> str:
    """Return a refusal's own words, short and on one line; "" if there are none."""
    found = b""
    async for chunk in response.aiter_bytes():
        found += chunk
        if len(found) > LONGEST_LINE:
            return ""
    try:
        reply = json.loads(found)
    except ValueError:
        return ""
    reply = reply.get("error", reply) if isinstance(reply, dict) else reply
    return _quoted(reply).removeprefix(": ")


def _masked(words: str, response: httpx.Response) -> str:
    """Return a server's words without the key that it was sent, whole or in part, and passwords in addresses."""
    key = response.request.headers.get("authorization", "").removeprefix("Bearer ")
    # Some servers quote a key's beginning alone.
    parts = (key[:end] for end in range(len(key), 5, -1))
    known = next((part for part in parts if part in words), None)
    return _IN_ADDRESS.sub("://…@", words.replace(known, "…") if known else words)


def _quoted(error: object) -> str:
    """Return ": words" of an error object, or ""."""
    words = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    if not isinstance(words, str) or not words.strip():
        return ""
    line = " ".join(clean_text(words).split())
    return f": {line[:_SHOWN]}{'…' if len(line) > _SHOWN else ''}"
