"""One reply from a judge's server, through all that a server can do wrong.

The server is Groq or any other that speaks OpenAI's chat completions; both are
asked by the Groq library, which has the connection, the timeouts and the kinds
of failure. It retries nothing here: what a failure means depends on the keys.

| the server says                       | what happens                                              |
| ------------------------------------- | --------------------------------------------------------- |
| 429                                   | the key rests as long as retry-after says; else 1, 2, 4 s … |
| 429, a daily limit or no quota left   | the same; without retry-after the key rests for a day     |
| 401, 403                              | the key is left out; the others continue                     |
| 408, 409, 498, 5xx, timeout, no or broken HTTP answer | asked again after 1, 2, 4 s … or retry-after, `tries` times |
| 413, or the context is too long       | this ask can't be judged (`NotJudged`); the others continue  |
| 400 json_validate_failed              | what the judge wrote is its reply, JSON or not            |
| any other 4xx                         | `JudgeError`: no ask would fare better                    |
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError

from eval.judging.keys import Clock, Key, KeyRing, Sleep, in_words
from eval.judging.verdicts import KINDS
from medilite.engine.remote.completions import retry_after_s
from medilite.errors import JudgeError, SettingsError
from medilite.prompts import clean_text
from medilite.records import Message

if TYPE_CHECKING:
    import groq
    import httpx

GROQ_URL = "https://api.groq.com/openai/v1"
GROQ_MODEL = "llama-3.1-8b-instant"
"""The study's judge."""

ReplyFormat = Literal["object", "schema", "text"]
"""The reply's format as requested from the server: a JSON object, an object of this very form, or nothing.

Groq knows "object" for its default model; llama.cpp and vLLM also "schema", which makes even a small judge
reply in form.
"""

MAX_NEW_TOKENS = 200
"""Four scores take about 40 tokens; a judge that reasons first needs more."""

SEED = 42
DAY_S = 24 * 3600.0
LONGEST_BACKOFF_S = 60.0
MOST_LIMITS = 100
"""How often one ask may be delayed by the server before it is given up, so that a run can't hang for ever."""

_DAILY = re.compile(r"per[ _]day|\((?:TPD|RPD)\)|daily|insufficient_quota", re.IGNORECASE)
_TRY_AGAIN = re.compile(r"try again in (?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>[\d.]+)s)?(?:(?P<ms>[\d.]+)ms)?")
_SHOWN = 300
"""Most characters of a server's own words that a message repeats."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the judge wrote, what it took, and None where the server didn't say."""

    raw: str
    duration_s: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class NotJudged(Exception):
    """One ask got no reply; `outage` says that the server is to blame, not the ask."""

    def __init__(self, reason: str, *, outage: bool) -> None:
        super().__init__(reason)
        self.outage = outage


class _Said(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Said


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


class _BrokenAnswer(Exception):
    """An answer with a good status whose content is no completion."""


class JudgeClient:
    """Asks one judge at one server, with several keys; safe for several threads."""

    def __init__(
        self,
        keys: KeyRing,
        *,
        base_url: str = GROQ_URL,
        model: str = GROQ_MODEL,
        reply_format: ReplyFormat = "object",
        max_new_tokens: int = MAX_NEW_TOKENS,
        timeout_s: float = 60.0,
        tries: int = 6,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
        on_note: Callable[[str], object] = lambda note: None,
    ) -> None:
        import groq

        if not re.match(r"https?://[^\s/]+", base_url):
            raise SettingsError(
                f"--base-url {base_url!r} can't be used: give the address under which the server has "
                "/chat/completions, such as http://127.0.0.1:8080/v1."
            )
        self.model, self.base_url = model, base_url.rstrip("/")
        self.reply_format, self.max_new_tokens = reply_format, max_new_tokens
        self._keys, self._tries = keys, tries
        self._clock, self._sleep, self._on_note = clock, sleep, on_note
        # Redirects are not followed: the key and people's texts go only to the server that was named.
        self._http = groq.DefaultHttpxClient(follow_redirects=False)
        self._api = groq.Groq(
            api_key="unset", base_url=self.base_url, timeout=timeout_s, max_retries=0, http_client=self._http
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def body(self, kind: str, messages: Sequence[Message]) -> dict[str, Any]:
        """Return what is asked, all of it that can change the reply; `kind` is one of verdicts.KINDS."""
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0,
            "seed": SEED,
            "max_tokens": self.max_new_tokens,
        }
        if self.reply_format == "object":
            asked["response_format"] = {"type": "json_object"}
        elif self.reply_format == "schema":
            schema = {"name": kind, "strict": True, "schema": KINDS[kind].model_json_schema()}
            asked["response_format"] = {"type": "json_schema", "json_schema": schema}
        return asked

    def ask(self, kind: str, messages: Sequence[Message]) -> Reply:
        """Return the judge's reply.

        Raises NotJudged if this ask can't be answered, KeysRest if every key
        rests for too long, JudgeError if no ask can be answered.
        """
        import groq

        failures = limits = 0
        while True:
            key = self._keys.take()
            started = self._clock()
            try:
                return self._completion(key, self.body(kind, messages), started)
            except groq.RateLimitError as error:
                limits += 1
                if limits >= MOST_LIMITS:
                    raise NotJudged(f"asked to wait {limits} times: {_words(error, key)}", outage=True) from None
                self._limited(key, error, limits)
            except (groq.AuthenticationError, groq.PermissionDeniedError) as error:
                self._keys.refuse(key, f"{error.status_code}, {_words(error, key)}")
                self._on_note(f"Key {key.number} of {len(self._keys)} is refused ({error.status_code}) and left out.")
            except groq.APIStatusError as error:
                if error.status_code < 500 and error.status_code not in (408, 409, 498):
                    return self._settled(key, error, started)
                failures = self._failed(failures, f"{error.status_code}, {_words(error, key)}", error.response.headers)
            except groq.APITimeoutError:
                failures = self._failed(failures, "no answer in time")
            except groq.APIConnectionError as error:
                failures = self._failed(failures, f"no connection ({type(error.__cause__).__name__})")
            except _BrokenAnswer as error:
                failures = self._failed(failures, f"a broken answer: {error}")

    def _completion(self, key: Key, body: dict[str, Any], started: float) -> Reply:
        import httpx

        response: httpx.Response = self._api.with_options(api_key=key.secret).post(
            "/chat/completions", body=body, cast_to=httpx.Response
        )
        try:
            completion = _Completion.model_validate(response.json())
        except (ValueError, RecursionError) as error:
            what = "not what a chat completion looks like" if isinstance(error, ValidationError) else "not JSON"
            raise _BrokenAnswer(f"{what}, {len(response.content):,} bytes") from None
        if not completion.choices:
            raise _BrokenAnswer("it holds no choice")
        usage = completion.usage or _Usage()
        return Reply(
            raw=_writable(completion.choices[0].message.content or ""),
            duration_s=self._clock() - started,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )

    def _settled(self, key: Key, error: groq.APIStatusError, started: float) -> Reply:
        """Return the reply inside a 4xx, if that is what it is; raise what it means otherwise."""
        about = _about(error)
        written = about.get("failed_generation")
        if about.get("code") == "json_validate_failed" and isinstance(written, str):
            return Reply(_writable(written), self._clock() - started)
        words = _words(error, key)
        too_long = error.status_code == 413 or re.search(r"context.{0,10}(length|size|window)", words, re.IGNORECASE)
        if too_long:
            raise NotJudged(f"too long for the judge ({error.status_code}, {words})", outage=False) from None
        remedy = "Check --model and --base-url."
        if error.status_code in (400, 422) and self.reply_format != "text":
            remedy = "Check --model and --base-url; a server without JSON mode wants --reply text."
        raise JudgeError(f"{self.base_url} refuses to judge: {error.status_code}, {words} {remedy}") from None

    def _limited(self, key: Key, error: groq.RateLimitError, limits: int) -> None:
        words = f"{error.message} {_about(error).get('code', '')} {_about(error).get('type', '')}"
        daily = _DAILY.search(words) is not None
        said = _retry_after_s(error.response.headers, error.message)
        seconds = said if said is not None else DAY_S if daily else _backoff_s(limits)
        self._keys.rest(key, seconds)
        if daily:
            self._on_note(f"Key {key.number} of {len(self._keys)}: daily limit reached, rests {in_words(seconds)}.")

    def _failed(self, failures: int, reason: str, headers: Mapping[str, str] | None = None) -> int:
        """Wait before the next try and return how many have failed; raises NotJudged after the last."""
        failures += 1
        if failures >= self._tries:
            raise NotJudged(f"{failures} tries: {reason}", outage=True) from None
        said = _retry_after_s(headers or {}, "")
        self._sleep(_backoff_s(failures) if said is None else min(said, LONGEST_BACKOFF_S))
        return failures


def _writable(text: str) -> str:
    """Return the text without half characters (lone surrogates), which no file takes."""
    return text.encode("utf-8", "replace").decode()


def _backoff_s(number: int) -> float:
    """Return how long to wait where the server doesn't say: 1, 2, 4 … seconds, at most a minute."""
    return min(2.0 ** (number - 1), LONGEST_BACKOFF_S)


def _retry_after_s(headers: Mapping[str, str], message: str) -> float | None:
    """Return how long the server says to wait: retry-after in seconds or as a date, else "try again in 7m12.5s"."""
    said = retry_after_s(headers.get("retry-after"))
    if said is not None:
        return min(said, DAY_S)
    found = _TRY_AGAIN.search(message)
    if not found or not any(found.groupdict().values()):
        return None
    part = {name: float(text.rstrip(".") or 0) if text else 0.0 for name, text in found.groupdict().items()}
    return min(part["h"] * 3600 + part["m"] * 60 + part["s"] + part["ms"] / 1000, DAY_S)


def _about(error: groq.APIStatusError) -> dict[str, Any]:
    """Return the object under "error" of a server's JSON, or an empty one."""
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}


def _words(error: groq.APIStatusError, key: Key) -> str:
    """Return what the server says, fit for a message: short, one line, and without the key."""
    said = _about(error).get("message")
    text = said if isinstance(said, str) else error.message
    # Groq names the account that a key belongs to.
    text = re.sub(r"\borg_\w+", "[account]", clean_text(text).replace(key.secret, "[key]"))
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
