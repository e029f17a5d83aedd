"""The five endpoints for programs, each defined once for HTTP, MCP, llms.txt and docs/api.md."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_type_hints

from medilite.engine.protocol import Engine
from medilite.leaderboard import FOLDER
from medilite.models import Profile
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.api.asking import Asking
from medilite.ui.api.library import MOST, Sources
from medilite.ui.api.reading import Reading
from medilite.ui.api.schemas import Asked, Board, Compared, Measured, Sourced
from medilite.ui.guard.bodies import TEXT_CHARS
from medilite.ui.guard.limits import Admission, limits_in_words
from medilite.ui.page.decoding import MAX_SEED, SETTINGS


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument: its name, what it is for, its type, its JSON schema, and its default where it may be left out."""

    name: str
    about: str
    kind: Any
    schema: dict[str, Any]
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Endpoint:
    """A name, what it does, the function that does it, and the type of what it returns (schemas.py)."""

    name: str
    about: str
    function: Callable[..., Any]
    returns: Any
    parameters: tuple[Parameter, ...] = field(default=())

    @property
    def streams(self) -> bool:
        """Whether the function yields its answer as it grows, complete at the end."""
        return inspect.isgeneratorfunction(self.function)

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments, as one object."""
        properties = {}
        for one in self.parameters:
            default = {} if one.required else {"default": one.default}
            properties[one.name] = {**one.schema, "description": one.about, **default}
        required = [one.name for one in self.parameters if one.required]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of the answer."""
        return json_schema(self.returns)

    @property
    def kinds(self) -> dict[str, Any]:
        """Types of the arguments."""
        return {one.name: one.kind for one in self.parameters}

    def signature(self) -> inspect.Signature:
        """Return the function's signature with resolved types, and with the type of its last result."""
        said = inspect.signature(self.function)
        parameters = [one.replace(annotation=self.kinds[name]) for name, one in said.parameters.items()]
        return said.replace(parameters=parameters, return_annotation=self.returns)

    def steps(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Iterator[Any]:
        """Yield what `function` (this endpoint's, perhaps wrapped) answers, the complete answer last."""
        if self.streams:
            yield from function(**arguments)
        else:
            yield function(**arguments)


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a type, as Gradio makes it for its own description of the API."""
    from gradio_client.utils import python_type_to_json_schema

    return python_type_to_json_schema(kind)


def endpoints(
    engine: Engine,
    profile: Profile,
    settings: Settings,
    admission: Admission,
    boards: Path = FOLDER,
    shelf: Shelf | None = None,
) -> tuple[Endpoint, ...]:
    """Return the endpoints for this engine, profile and library, in the order in which they are described."""
    shelf = shelf or Shelf(settings)
    asking = Asking(engine, profile, settings, admission, shelf=shelf)
    reading = Reading(profile, admission, boards)
    library = Sources(shelf, settings, admission)
    one_of: Any = Literal[profile.ids]  # type: ignore[valid-type, name-defined]
    question = f"A health question in English, {settings.max_question_chars:,} characters at most."
    decoding = {setting.name: setting.about for setting in SETTINGS} | {
        "seed": "The same seed gives every model the same random numbers. No effect at temperature 0."
    }
    bounds = {setting.name: {"minimum": setting.low, "maximum": setting.high} for setting in SETTINGS} | {
        "seed": {"minimum": 0, "maximum": MAX_SEED}
    }
    answers, readings = (
        f" Limit: {words}, for all programs at one network address; beyond it the error says in how many seconds to "
        "ask again."
        if words
        else ""
        for words in (limits_in_words(settings, name) for name in ("answers_per_visitor", "readings_per_address"))
    )
    return (
        _endpoint(
            "ask",
            "Ask one small language model a health question. The answer is that of a very small model: it makes facts "
            f"up, and is no medical advice.{answers}",
            asking.ask,
            Asked,
            {"question": question, "model": "Which model.", **decoding},
            {"model": one_of},
            bounds,
        ),
        _endpoint(
            "compare",
            "Ask several checkpoints of one small language model the same health question, to compare their answers "
            "and how hard these are to read. They are very small models that make facts up: no medical advice."
            f"{answers}",
            asking.compare,
            Compared,
            {
                "question": question,
                "models": "Which models; by default all of them.",
                **decoding,
                "sources": "Search the library too, and mark each answer by it: found, not found, at odds.",
                "from_source": "Give the models the passage that fits, to answer from; implies `sources`. Without "
                "`models` a rewriter answers too, where the profile has one.",
            },
            {"models": list[one_of] | None},
            bounds,
        ),
        _endpoint(
            "sources",
            "Search the library of passages shown beside the answers: what US health institutes wrote on a "
            "question, word for word, with institute, address and date. Nothing is returned where no passage fits."
            f"{readings}",
            library.sources,
            Sourced,
            {"question": question, "count": "How many passages at most."},
            bounds={"count": {"minimum": 1, "maximum": MOST}},
        ),
        _endpoint(
            "readability",
            "Measure how hard an English text is to read: grades, reading ease, and counts of words and sentences."
            f"{readings}",
            reading.readability,
            Measured,
            {"text": f"The text, {TEXT_CHARS:,} characters at most."},
        ),
        _endpoint(
            "leaderboard",
            "Read how the models did on all test questions: one metric's figures, each with its 95 % interval, how "
            f"many answers it is of, and whether it was measured here or reported by others.{readings}",
            reading.leaderboard,
            Board,
            {
                "metric": "Which metric; the answer lists all of them under `metrics`.",
                "split": "Which test questions; by default the board's first split.",
                "board": "Whose board; by default that of the running profile.",
            },
        ),
    )


def _endpoint(
    name: str, about: str, function: Callable[..., Any], returns: Any, told: dict[str, str],
    narrower: dict[str, Any] | None = None, bounds: dict[str, dict[str, Any]] | None = None,
) -> Endpoint:  # fmt: skip
    """Return an endpoint with its function's parameters.

    `narrower` are types that depend on the profile; `bounds` is what no type can say of a number.
    """
    kinds = get_type_hints(function) | (narrower or {})
    parameters = []
    for one in inspect.signature(function).parameters.values():
        required = one.default is inspect.Parameter.empty
        kind, default = kinds[one.name], None if required else one.default
        schema = {**json_schema(kind), **(bounds or {}).get(one.name, {})}
        parameters.append(Parameter(one.name, told[one.name], kind, schema, required, default))
    return Endpoint(name, about, function, returns, tuple(parameters))
