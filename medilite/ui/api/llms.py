"""`/llms.txt`: what a language model, or a developer who uses one, needs to know about this app (https://llmstxt.org).

Made from the endpoints themselves, so it is always up to date. docs/api.md is
served beside it as `/api.md`, with examples.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medilite.models import ROOT, Profile
from medilite.safety import NOT_MEDICAL_ADVICE
from medilite.ui.api.endpoints import Endpoint, Parameter
from medilite.ui.page.words import number_word

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

GUIDE = ROOT / "docs" / "api.md"
GUIDE_ADDRESS = "/api.md"
MCP_ADDRESS = "/gradio_api/mcp/"


def llms_text(profile: Profile, endpoints: tuple[Endpoint, ...], *, mcp: bool, guide: bool, prefix: str = "") -> str:
    """Return the text; `mcp` and `guide` say whether these are served, `prefix` is what addresses begin with."""
    count = len(profile.models)
    lines = [
        "# MediLite",
        "",
        f"> {number_word(count).capitalize()} checkpoint{'' if count == 1 else 's'} of one small language model answer "
        "health questions side by side, with how hard each answer is to read.",
        "",
        NOT_MEDICAL_ADVICE,
        "Always pass an answer on with its `notice`, and show `emergency` before it where that isn't null. What failed "
        "is null. Every figure comes with n, its 95 % interval and its origin.",
        "",
        "Models: "
        + ", ".join(f"`{spec.id}` ({spec.label})" for spec in profile.models)
        + f". Base: {profile.base.model}.",
        "",
        "## API",
        "",
        "POST the arguments as JSON to an endpoint's address; it answers with an `event_id`. GET "
        f"`{prefix}/gradio_api/call/NAME/EVENT_ID` then streams server-sent events; the data of `event: complete` is a "
        "list with the answer in it, that of `event: error` an object whose `error` says what to change.",
        "",
    ]
    for one in endpoints:
        lines.append(f"- [{one.name}]({prefix}/gradio_api/call/v2/{one.name}): {one.about}")
        lines += [f"    - {_parameter(parameter)}" for parameter in one.parameters]
    lines += ["", "## Docs", ""]
    if guide:
        lines.append(f"- [Guide]({prefix}{GUIDE_ADDRESS}): types, limits, examples for curl, Python and MCP clients.")
    lines.append(f"- [Schema]({prefix}/gradio_api/info): every endpoint's arguments and answers as JSON schemas.")
    if mcp:
        lines.append(f"- [MCP]({prefix}{MCP_ADDRESS}): the same endpoints as tools, by streamable HTTP, without a key.")
    lines += ["", "## Optional", "", f"- [The page]({prefix}/): the same for people, in a browser.", ""]
    return "\n".join(lines)


def _parameter(one: Parameter) -> str:
    default = "required" if one.required else f"default {json.dumps(one.default)}"
    return f"`{one.name}` ({default}): {one.about}"


def llms_routes(profile: Profile, endpoints: tuple[Endpoint, ...], *, mcp: bool, prefix: str = "") -> list[Any]:
    """Return the routes of the text and, where the repository's documents are installed, of the guide."""
    from starlette.routing import Route

    guide = GUIDE.read_text(encoding="utf-8") if GUIDE.is_file() else None
    text = llms_text(profile, endpoints, mcp=mcp, guide=guide is not None, prefix=prefix)
    found = [Route("/llms.txt", _says(text, "text/plain"), methods=["GET"])]
    if guide is not None:
        found.append(Route(GUIDE_ADDRESS, _says(guide, "text/markdown"), methods=["GET"]))
    return found


def _says(text: str, kind: str) -> Any:
    from starlette.responses import Response

    async def answer(request: Request) -> Response:
        return Response(text, media_type=f"{kind}; charset=utf-8")

    return answer
