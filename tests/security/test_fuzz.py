"""Made-up calls of every event of the page, from its own description of them: no answer is a 500.

What Gradio describes as its API (`/gradio_api/info`) has the four endpoints for
programs alone: their calls are made from it. The page's own events are private,
but answer raw requests all the same; theirs are made from `/config`, which lists
each event with the components that it takes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.visitor import API, Visitor, raw, request

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security")]

bounded = partial(settings, suppress_health_check=list(HealthCheck))

TEXTS = st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "voter": VALUES,
        "token": VALUES | st.from_regex(r"[A-Za-z0-9_-]{32}", fullmatch=True),
        "choice": st.sampled_from(["left", "right", "equal", "both_bad"]) | VALUES,
        "left": st.lists(st.sampled_from(["unsafe", "easier", "long"])) | VALUES,
        "right": VALUES,
        "standing": VALUES,
    },
)
SESSIONS = st.sampled_from(["fuzz-a", "fuzz-b", "fuzz-c"])
ADDRESSES = st.sampled_from(["/", "/config", "/static/", "/assets/", "/votes/", f"{API}/", "/left/", f"{API}/file="])


@pytest.fixture(scope="module")
def page(server):
    here = Visitor(server.url, known=server.config)
    yield here
    here.close()


def _value(page: Visitor, number: int) -> st.SearchStrategy[Any]:
    """Values for a component: mostly of its kind, sometimes anything."""
    part = page.parts[number]
    props, kind = part["props"], part["type"]
    choices = [value for _, value in props.get("choices") or []]
    fitting: st.SearchStrategy[Any] = {
        "state": st.none(),
        "textbox": st.text(max_size=80),
        "json": CALLS,
        "checkbox": st.booleans(),
        "checkboxgroup": st.lists(st.sampled_from(choices), max_size=6) if choices else st.just([]),
        "slider": st.floats(props.get("minimum", 0), props.get("maximum") or 1),
        "number": st.integers(-5, 2**40),
    }.get(kind, st.sampled_from(choices) if choices else st.none())
    return fitting | fitting | VALUES


def _calls(page: Visitor) -> st.SearchStrategy[dict[str, Any]]:
    events = page.config["dependencies"]

    def of(event: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        data = st.tuples(*(_value(page, number) for number in event["inputs"])).map(list)
        return st.fixed_dictionaries(
            {"data": data, "fn_index": st.just(event["id"]), "session_hash": SESSIONS},
            optional={"trigger_id": VALUES, "event_data": VALUES, "event_id": VALUES, "batched": VALUES},
        )

    return st.sampled_from(events).flatmap(of)


def test_no_event_answers_500(page):
    @bounded(max_examples=250)
    @given(body=_calls(page), direct=st.booleans())
    def never(body, direct):
        answer = (page.run if direct else page.join)(body)
        # 404: an event that has to be queued and is not.
        assert answer.status_code in (200, 404, 422, 503), (answer.status_code, answer.text)
        assert answer.status_code != 503 or "ueue is full" in answer.text

    never()


def _arguments(page: Visitor) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Calls by name: arguments mostly of the type that is told, sometimes anything, some left out, some made up."""
    told = page.http.get(f"{API}/info").json()["named_endpoints"]

    def of(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        known = {one["parameter_name"]: _of_type(one["type"]) | VALUES for one in told[name]["parameters"]}
        return st.tuples(st.just(name), st.fixed_dictionaries({}, optional={**known, "more": VALUES}))

    return st.sampled_from(list(told)).flatmap(of)


def _of_type(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "oneOf" in schema:
        return st.one_of(*map(_of_type, schema["oneOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(_of_type(schema["items"]), max_size=4)
    kinds = {"string": st.text(max_size=80), "integer": st.integers(), "boolean": st.booleans(), "null": st.none(),
             "number": st.floats(allow_nan=False, allow_infinity=False)}  # fmt: skip
    return kinds[schema["type"]]


def test_no_program_s_call_answers_500(page):
    @bounded(max_examples=40)
    @given(call=_arguments(page))
    def never(call):
        name, arguments = call
        joined = page.http.post(f"{API}/call/v2{name}", json=arguments)
        assert joined.status_code in (200, 422), (joined.status_code, joined.text)
        if joined.status_code == 200:
            told = page.http.get(f"{API}/call{name}/{joined.json()['event_id']}").text
            last = told.strip().split("\n\n")[-1]
            assert last.startswith(("event: complete", "event: error")), told
            assert '"error": null' not in last.partition("data: ")[2][:20], "an error without a sentence"
            assert "Something went wrong" not in last

    never()


def test_no_body_answers_500(page):
    @bounded(max_examples=100)
    @given(
        body=VALUES,
        path=st.sampled_from(
            ["queue/join", "run/predict", "cancel", "reset", "upload", "call/x", "call/ask", "call/v2/ask", "mcp/"]
        ),
    )
    def never(body, path):
        assert page.http.post(f"{API}/{path}", json=body).status_code < 500

    never()


def test_no_address_answers_500(page, server):
    @bounded(max_examples=100)
    @given(start=ADDRESSES, rest=st.text(max_size=30), method=st.sampled_from(["GET", "HEAD", "POST", "PUT"]))
    def never(start, rest, method):
        path = (start + rest).replace(" ", "%20").replace("\r", "%0d").replace("\n", "%0a")
        answer = raw(server.url, request(method, path), 20.0)
        assert answer.status < 500, (path, answer)

    never()
