"""The page as the server sends it: its components and what they show, its events and what each sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medilite.errors import DataError

_CONFIG = re.compile(r"<script>window\.gradio_config = (\{.*?\});</script>", re.DOTALL)
_ASSET = re.compile(r'(?:src|href)="\.?(/(?:assets|static|theme\.css)[^"]*)"')


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its number, the component that sets it off, and the components that it sends and fills."""

    number: int
    trigger: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """A page's configuration from the document, and the files that the document names."""

    config: Mapping[str, Any]
    assets: tuple[str, ...]

    @classmethod
    def read(cls, document: str) -> Page:
        """Read the document. Raises DataError if it is no page of the app, or not a whole one."""
        found = _CONFIG.search(document)
        if not found or not document.rstrip().endswith("</html>"):
            raise DataError(f"What came for the page is none, or not a whole one: {document[:200]!r}")
        return cls(json.loads(found[1]), tuple(dict.fromkeys(_ASSET.findall(document))))

    @cached_property
    def parts(self) -> dict[int, dict[str, Any]]:
        """Every component by its number."""
        return {part["id"]: part for part in self.config["components"]}

    @property
    def kinds(self) -> set[str]:
        """The kinds of components that the page draws."""
        return {part["type"] for part in self.parts.values() if part["props"].get("visible") is not False}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {part["props"]["elem_id"]: id for id, part in self.parts.items() if part["props"].get("elem_id")}

    @cached_property
    def _tabs(self) -> dict[str, int]:
        return {part["props"]["id"]: id for id, part in self.parts.items() if part["type"] == "tabitem"}

    def number(self, elem_id: str) -> int:
        """Return the number of a component by its id in the page. Raises DataError for one that isn't there."""
        try:
            return self._numbers[elem_id]
        except KeyError:
            raise DataError(f"The page has no component {elem_id!r}: this is another version of the app.") from None

    def name(self, number: int) -> str | None:
        """Return a component's id in the page, if it has one."""
        return self.parts[number]["props"].get("elem_id")

    def events(self, target: int | None, kind: str) -> list[Event]:
        """Return the events of that kind that a component sets off and the server handles; None is the page itself."""
        return [
            Event(one["id"], number or 0, tuple(one["inputs"]), tuple(one["outputs"]))
            for one in self.config["dependencies"]
            for number, what in map(tuple, one["targets"])
            if what == kind and one["backend_fn"] and target in (None, number)
        ]

    def click(self, elem_id: str) -> Event:
        """Return what a click on a component sets off."""
        return self.events(self.number(elem_id), "click")[0]

    def opening(self, tab: str) -> list[Event]:
        """Return what opening a tab sets off."""
        return self.events(self._tabs[tab], "select")

    @property
    def timers(self) -> list[tuple[int, float, Event]]:
        """Every timer: its number, its seconds and its event."""
        found = [(id, part) for id, part in self.parts.items() if part["type"] == "timer"]
        return [(id, float(part["props"]["value"]), event) for id, part in found for event in self.events(id, "tick")]
