"""Several hundred hostile inputs: none runs, none leaks, none breaks the app for other visitors."""

from __future__ import annotations

import json
import re

import pytest

from tests.security.calls import REQUESTS
from tests.security.texts import TEXTS
from tests.security.visitor import raw
from tests.support.thorough import usually
from tests.ui.html import Element, read

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security")]

ANSWERED = (0, 200, 202, 304, 400, 403, 404, 405, 406, 413, 414, 415, 421, 422, 426, 431)
"""What may come back; 0 is a connection that was closed. No 500: nothing of this is a fault of the server."""

TAGS = {
    *("a", "article", "b", "br", "button", "circle", "dd", "del", "details", "div", "dl", "dt", "em", "figcaption"),
    *("figure", "footer", "g", "h2", "h3", "h4", "h5", "header", "i", "ins", "kbd", "label", "legend", "li", "line"),
    *("mark", "ol", "p", "path", "progress", "rect", "section", "small", "span", "strong", "sub", "summary", "sup"),
    *("svg", "table", "tbody", "td", "text", "th", "thead", "time", "title", "tr", "ul", "fieldset", "polyline"),
}
"""What the page's own HTML is made of."""


def test_there_are_enough():
    assert len(TEXTS) + len(REQUESTS) >= 300
    assert len(set(TEXTS.values())) == len(TEXTS)


def _shown(outputs: list[object]) -> list[str]:
    """Every text among the outputs that a browser takes for HTML."""
    return [output for output in outputs if isinstance(output, str)]


def _inert(html: str) -> Element:
    tree = read(html)
    for element in tree.all():
        assert element.tag in TAGS, f"<{element.tag}> comes from a visitor's text"
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"{name} on <{element.tag}>"
            assert name not in ("srcdoc", "formaction", "action", "xlink:href", "src"), f"{name} on <{element.tag}>"
            if name == "href":
                # HTML as a link is a report to download: a browser opens no such address by itself.
                kinds = "application/json|text/csv" + ("|text/html" if "download" in element.attributes else "")
                assert re.match(rf"#|data:({kinds});|https://|votes/", value), value
    return tree


TABS = ("compare", "chat")
CASES = [(name, tab) for i, name in enumerate(TEXTS) for tab in usually(TABS[i % 2 :][:1], TABS)]
"""Each text in one of the two tabs, by turns; in both takes minutes more."""


@pytest.mark.parametrize(("name", "tab"), CASES)
def test_a_text_stays_a_text(server, visitor, name, tab):
    here = visitor()
    outputs = here.ask(TEXTS[name], tab)
    said = json.dumps(outputs, ensure_ascii=False)
    assert [leak for leak in server.leaks if leak in said] == []
    trees = [_inert(html) for html in _shown(outputs)]
    assert any(element.attributes.get("role") == "alert" or "ml-card" in element.attributes.get("class", "")
               or "ml-turn" in element.attributes.get("class", "") for tree in trees for element in tree.all()), (
        "neither an answer nor a reason why there is none"
    )  # fmt: skip


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith(("markup", "other"))])
def test_a_text_stays_a_text_in_a_live_pair(server, visitor, name):
    outputs = visitor().ask(TEXTS[name], "vote")
    for html in _shown(outputs):
        _inert(html)
    assert [leak for leak in server.leaks if leak in json.dumps(outputs)] == []


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_or_refused(server, visitor, name):
    made = REQUESTS[name](visitor())
    # A connection that is kept open is closed from here: what matters is what came until then.
    kept_open = b"/queue/data?" in made or not made.strip()
    answer = raw(server.url, made, 3.0 if kept_open else 10.0)
    assert answer.status in ANSWERED, answer
    told = answer.head + answer.body
    assert [leak for leak in server.leaks if leak in told] == []
    assert "set-cookie" not in answer.head.lower()
    assert "x-injected" not in answer.head.lower()
    if answer.status in (413, 414, 415, 422) and answer.body.startswith("{"):
        assert len(str(json.loads(answer.body)["detail"])) > 20, "a refusal says why"
