"""What an event may carry: nothing reaches Gradio's machinery that the page itself could not have sent.

Gradio answers much of what it can't use with a server error, reads options
from a request that only its own clients set, and follows descriptions of files
inside of values. Here an event is read strictly and rebuilt.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from medilite.errors import RateLimitError
from medilite.ui.guard.address import network_of
from medilite.ui.guard.asgi import App, Receive, Scope, Send, header, refuse, retry_after
from medilite.ui.guard.bodies import replay
from medilite.ui.guard.doors import API, MCP
from medilite.ui.page.gradio_internals import awaits_messages, components_of, event_by_number, public_events

if TYPE_CHECKING:
    import gradio as gr

    from medilite.ui.guard.limits import VisitorLimits
    from medilite.ui.guard.visits import Visits

_DIRECT = re.compile(rf"{API}/(?:run|api)/predict/?")
_JOIN = f"{API}/queue/join"
_CALL = re.compile(rf"{API}/call(/v2)?/([a-z_]+)/?")
"""A program's call of an endpoint by its name: arguments by place or, at v2, by name."""

BUILD = b"x-medilite-build"
"""By which the page says which build it is of; programs, which call events by name, send none."""

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DEPTH = 12
_ITEMS = 2000
_BIGGEST = 2**53
_FILE_MARKS = {"_type", "__type__", "is_file", "is_stream", "orig_name"}
"""Keys of Gradio's descriptions of files and updates; no value of ours has any."""


class BadCall(ValueError):
    """Why a call can't be used, in words for its caller."""


class CheckedCalls:
    """Reads every event before Gradio does; answers 422, with the reason, to anything else."""

    def __init__(
        self,
        app: App,
        page: gr.Blocks,
        limits: VisitorLimits | None = None,
        visits: Visits | None = None,
        build: str = "",
    ) -> None:
        self.app, self.page, self.limits, self.visits, self.build = app, page, limits, visits, build

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class. Its body is there in one piece (BoundedBody)."""
        if scope["type"] == "http" and scope["path"] == f"{API}/queue/data" and not self._is_awaited(scope):
            # Gradio would write a page of traceback to the log each time.
            await refuse(send, 404, "This session has asked for nothing. Reload the page.")
            return
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(f"{API}/"):
            await self.app(scope, receive, send)
            return
        # A page elsewhere can send anything but JSON without permission (CORS).
        if not (header(scope, b"content-type") or "").lower().startswith("application/json"):
            await refuse(send, 415, "Events are sent as application/json.")
            return
        # What another build's page calls event 7 may be any other here.
        if header(scope, BUILD) not in (None, self.build):
            await refuse(send, 409, "MediLite was updated since this page was opened. Reload the page.")
            return
        message = await receive()
        try:
            call = self._read(scope["path"], message.get("body", b""))
            self._admit(call.get("session_hash"), (scope.get("client") or ("", 0))[0])
        except BadCall as error:
            await refuse(send, 422, str(error))
            return
        except RateLimitError as error:
            await refuse(send, 429, str(error), [retry_after(error)])
            return
        body = json.dumps(call, allow_nan=False).encode("ascii")
        replaced = (b"content-length", b"content-type", b"transfer-encoding")
        headers = [pair for pair in scope["headers"] if pair[0] not in replaced]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.app({**scope, "headers": headers}, replay(body, receive), send)

    def _is_awaited(self, scope: Scope) -> bool:
        given = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        return awaits_messages(self.page, given.get("session_hash", ""))

    def _admit(self, session: object, address: str) -> None:
        """Count a session that is new; raises RateLimitError if there are too many from its address."""
        if (
            self.limits is None
            or self.visits is None
            or not isinstance(session, str)
            or self.visits.heard_from(session)
        ):
            return
        self.limits.count("sessions", address=address)
        self.visits.note(session, network_of(address))

    def _read(self, path: str, body: bytes) -> dict[str, Any]:
        try:
            given = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise BadCall("The body is not valid JSON. Send one JSON object.") from error
        if not isinstance(given, dict):
            raise BadCall(f"The body is JSON, but {_kind(given)} instead of an object.")
        given = _plain(given)
        if path in MCP:
            return _rpc(given)
        if call := _CALL.fullmatch(path):
            return self._call(given, call[2], by_name=call[1] is not None)
        session = given.get("session_hash")
        if not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise BadCall("session_hash has to be 1 to 64 letters, digits, hyphens or underscores.")
        if path == _JOIN or _DIRECT.fullmatch(path):
            return self._event(given, session, direct=path != _JOIN)
        event, number = given.get("event_id"), given.get("fn_index")
        known = {"event_id": event if isinstance(event, str) else "", "fn_index": number if _whole(number) else 0}
        return {"session_hash": session, **known}

    def _call(self, given: dict[str, Any], name: str, *, by_name: bool) -> dict[str, Any]:
        """Return a program's call with defaults for what it left out; what the values can be, the endpoint says."""
        known = public_events(self.page)
        if name not in known:
            raise BadCall(f"There is no endpoint {name!r}. Those that can be called are {', '.join(known)}.")
        takes = inspect.signature(known[name]).parameters
        if by_name:
            sent = given
        else:
            data = given.get("data")
            if not isinstance(data, list) or len(data) > len(takes):
                raise BadCall(f"data has to be a list of {len(takes)} values at most: {', '.join(takes)}.")
            sent = dict(zip(takes, data, strict=False))
        check_names(name, sent, {key: one.default is one.empty for key, one in takes.items()})
        whole = {key: sent.get(key, one.default) for key, one in takes.items()}
        return whole if by_name else {"data": list(whole.values())}

    def _event(self, given: dict[str, Any], session: str, *, direct: bool) -> dict[str, Any]:
        number, data, trigger = given.get("fn_index"), given.get("data"), given.get("trigger_id")
        fn = event_by_number(self.page, int(number)) if number is not None and _whole(number) else None
        if fn is None:
            raise BadCall("fn_index names no event of this page. Reload it: it may be an older one.")
        if not isinstance(data, list) or len(data) != len(fn.inputs):
            raise BadCall(f"data has to be a list of {len(fn.inputs)} values, as many as this event takes.")
        values = [None if part.stateful else value for part, value in zip(fn.inputs, data, strict=True)]
        parts = components_of(self.page, session, fn.inputs)
        for place, (part, value) in enumerate(zip(parts, values, strict=True)):
            _check(part, value, place, direct=direct)
        return {
            "data": values, "fn_index": number, "session_hash": session,
            "trigger_id": trigger if _whole(trigger) and trigger in self.page.blocks else None,
        }  # fmt: skip


def _rpc(given: dict[str, Any]) -> dict[str, Any]:
    """Return a message of MCP. Raises BadCall for anything else: the SDK would quote it in its log."""
    known = {
        "jsonrpc": (str,), "id": (str, int, float), "method": (str,), "params": (dict,), "result": (dict,),
        "error": (dict,),
    }  # fmt: skip
    odd = given.get("jsonrpc") != "2.0" or not {"method", "result", "error"} & given.keys()
    if odd or any(key not in known or not isinstance(value, known[key]) for key, value in given.items()):
        raise BadCall("The body is not a JSON-RPC 2.0 message as MCP defines it: jsonrpc, method, id and params.")
    return given


def check_names(name: str, sent: Mapping[str, Any], takes: Mapping[str, bool]) -> None:
    """Raise BadCall for an argument that an endpoint doesn't take, or that it needs (True) and wasn't sent."""
    if odd := sorted(sent.keys() - takes.keys()):
        raise BadCall(f"{name} takes no argument {odd[0][:80]!r}. What it takes: {', '.join(takes)}.")
    if missing := [key for key, needed in takes.items() if needed and key not in sent]:
        raise BadCall(f"{name} needs the argument {missing[0]}, which is missing. Send it.")


def _check(part: Any, value: object, place: int, *, direct: bool) -> None:
    """Raise BadCall for a value that its component can't have; `direct`: the event doesn't wait its turn.

    Gradio would print what it can't use to the log, a visitor's words included.
    Numbers out of range are left to it in events that wait, because there the page
    tells its visitor; one that doesn't wait would fail as if the server were at
    fault.
    """
    if part.stateful:
        return
    kind = part.get_block_name()
    kinds = _KINDS.get(kind)
    if kinds and value is not None and (not isinstance(value, kinds) or (bool not in kinds and _is_bool(value))):
        raise BadCall(f"Value {place} of data is {_kind(value)}, which “{_name(part)}” can't be.")
    if direct or kind not in ("slider", "number"):
        try:
            part.preprocess(value)
        except Exception as error:
            raise BadCall(f"Value {place} of data is not one that “{_name(part)}” can have.") from error


_KINDS: dict[str, tuple[type, ...]] = {
    "textbox": (str,),
    "checkbox": (bool,),
    "checkboxgroup": (list,),
    "radio": (str,),
    "dropdown": (str,),
    "slider": (int, float),
    "number": (int, float),
}


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a copy without lone surrogates, which no text can be sent back with. Raises BadCall for odd values."""
    if depth > _DEPTH:
        raise BadCall(f"The body is nested more than {_DEPTH} deep.")
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadCall("A number in the body is too large.")
    if _whole(value) and abs(value) > _BIGGEST:
        raise BadCall("A number in the body is too large.")
    if isinstance(value, list | dict) and len(value) > _ITEMS:
        raise BadCall(f"The body has a list of {len(value):,} values; at most {_ITEMS:,} are taken.")
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if _FILE_MARKS & value.keys():
            raise BadCall("The body describes a file or an update; MediLite only takes text, numbers and choices.")
        return {_plain(key): _plain(item, depth + 1) for key, item in value.items()}
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not _is_bool(value)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _name(part: Any) -> str:
    return str(getattr(part, "label", None) or part.get_block_name())


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")
