"""The endpoints as programs meet them: over HTTP, from the served app, and told of in llms.txt."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from medilite.settings import load_settings
from medilite.ui.api import endpoints
from medilite.ui.api.endpoints import json_schema
from medilite.ui.api.llms import llms_text
from medilite.ui.guard.limits import Admission
from tests.support.fakes import ScriptedEngine
from tests.ui.api.conftest import NO_LIMITS

pytestmark = pytest.mark.xdist_group("api")

CALL = "/gradio_api/call"
NAMES = ["ask", "compare", "sources", "readability", "leaderboard"]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "ask": {"question": "What is asthma?", "model": "grpo", "max_new_tokens": 16},
    "compare": {"question": "What is asthma?", "models": ["base", "grpo"], "max_new_tokens": 16, "from_source": True},
    "sources": {"question": "What is gout?", "count": 2},
    "readability": {"text": "Wash your hands."},
    "leaderboard": {},
}


@pytest.fixture(scope="module")
def http(served):
    with httpx.Client(base_url=served, timeout=120, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def offered(lite):
    return endpoints(ScriptedEngine(lite), lite, load_settings(**NO_LIMITS), Admission(5))


def called(http, name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    """Call by name and return the last event and its data."""
    joined = http.post(f"{CALL}/v2/{name}", json=arguments)
    assert joined.status_code == 200, joined.text
    told = http.get(f"{CALL}/{name}/{joined.json()['event_id']}").text
    return re.findall(r"^event: (\w+)\ndata: (.*)$", told, re.M)[-1]


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_of_the_type_that_was_told(http, name):
    event, data = called(http, name, ARGUMENTS[name])
    assert event == "complete"
    (answer,) = json.loads(data)
    info = http.get("/gradio_api/info").json()["named_endpoints"]
    (told,) = info[f"/{name}"]["returns"]
    assert misfits(answer, told["type"]) == []


def test_gradio_tells_of_the_same_endpoints_with_their_types(http, offered):
    info = http.get("/gradio_api/info").json()
    assert list(info["named_endpoints"]) == [f"/{one.name}" for one in offered]
    assert info["unnamed_endpoints"] == {}
    for one in offered:
        told = info["named_endpoints"][f"/{one.name}"]
        assert told["description"] == one.about
        assert [p["parameter_name"] for p in told["parameters"]] == [p.name for p in one.parameters]
        assert [p["parameter_has_default"] for p in told["parameters"]] == [not p.required for p in one.parameters]
        assert [p["parameter_default"] for p in told["parameters"]] == [p.default for p in one.parameters]
        assert [p["type"] for p in told["parameters"]] == [json_schema(p.kind) for p in one.parameters]
        assert told["returns"][0]["type"] == one.output_schema != {}


def test_the_description_holds_no_host_that_somebody_named(http):
    told = http.get("/gradio_api/info", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}).text
    assert "evil.example" not in told
    assert "evil.example" not in http.get("/gradio_api/info").text


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("ask", {"model": "gpro"}, "Did you mean 'grpo'"),
        ("ask", {"question": "a" * 2001}, "at most 2,000 fit"),
        ("ask", {"max_new_tokens": "many"}, "max_new_tokens 'many' can't be used"),
        ("compare", {"models": "base"}, "models='base' can't be used"),
        ("readability", {"text": {"a": 1}}, "text={'a': 1} can't be used"),
        ("leaderboard", {"metric": 7}, "metric=7 can't be used"),
    ],
)
def test_an_error_is_a_sentence(http, name, changed, said):
    event, data = called(http, name, {**ARGUMENTS[name], **changed})
    assert event == "error"
    assert said in json.loads(data)["error"]


def test_endpoints_can_t_be_called_past_the_queue(http):
    config = http.get("/config").json()
    for one in config["dependencies"]:
        if one["api_name"] in NAMES:
            body = {"fn_index": one["id"], "session_hash": "abc", "data": list(ARGUMENTS[one["api_name"]].values())}
            body["data"] += [None] * (len(one["inputs"]) - len(body["data"]))
            assert http.post("/gradio_api/run/predict", json=body).status_code == 404


def test_llms_txt_tells_of_what_is_registered_and_links_to_what_is_there(http, lite, offered):
    told = http.get("/llms.txt")
    assert (told.status_code, told.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    lines = told.text.splitlines()
    assert lines[0] == "# MediLite"
    assert lines[2].startswith("> ")
    assert re.findall(r"^- \[(\w+)\]\(/gradio_api/call/v2/\w+\)", told.text, re.M) == [one.name for one in offered]
    public = [d["api_name"] for d in http.get("/config").json()["dependencies"] if d["api_visibility"] == "public"]
    assert public == [one.name for one in offered]
    for one in offered:
        for parameter in one.parameters:
            assert f"    - `{parameter.name}` (" in told.text
    for address in re.findall(r"\]\((/[^)]*)\)", told.text):
        status = http.get(address).status_code
        assert status == (405 if address.startswith((CALL, "/gradio_api/mcp")) else 200), address
    assert "not medical advice" in told.text


def test_llms_txt_says_nothing_of_what_is_off(lite, offered):
    assert "/gradio_api/mcp/" in llms_text(lite, offered, mcp=True, guide=True)
    without = llms_text(lite, offered, mcp=False, guide=False)
    assert "mcp" not in without.lower()
    assert "api.md" not in without


def misfits(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """Where a value isn't what its schema says; as much of JSON schema as Gradio writes."""
    if "oneOf" in schema:
        found = [misfits(value, one, at) for one in schema["oneOf"]]
        return [] if [] in found else [f"{at}: none of {schema['oneOf']}"]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r}"]
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
             "object": dict, "array": list}  # fmt: skip
    kind = schema.get("type")
    if kind is None:
        return []
    if not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{at}: {value!r} is no {kind}"]
    if kind == "array":
        return [found for i, one in enumerate(value) for found in misfits(one, schema["items"], f"{at}[{i}]")]
    if kind == "object" and "properties" in schema:
        odd = [f"{at}: {key}" for key in schema.get("required", []) if key not in value]
        odd += [f"{at}: {key} is new" for key in value if key not in schema["properties"]]
        return odd + [found for key, one in value.items() if key in schema["properties"]
                      for found in misfits(one, schema["properties"][key], f"{at}.{key}")]  # fmt: skip
    return []
