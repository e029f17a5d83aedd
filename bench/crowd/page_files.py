"""Which files of code and style a browser fetches to show the page, read from Gradio's own files as they come."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable

_DEPENDS = re.compile(r"import\(`\./([\w.-]+\.js)`\)(?:(?!import\()[^\[\]])*__vite__mapDeps\(\[([\d,]*)\]\)")
_COMPONENT = re.compile(
    r"(\w+):\{(?:(?:base|example):[^{}]*?,)*component:\(\)=>\w+\(\(\)=>([^{}]*?__vite__mapDeps\(\[[\d,]*\]\))"
)
_LISTED = re.compile(r"m\.f=\[([^\]]*)\]")
_ENTRY, _STARTS, _DRAWS, _COMPONENTS = "index-", ("Index-", "core-"), "Blocks-", "core-"
"""How the files are called that begin, that the first one loads, that draws the page, and that knows the components."""


class Files:
    """Reads each file once for all visitors, so that reading doesn't load the app."""

    def __init__(self) -> None:
        self._more: dict[str, tuple[str, ...]] = {}

    async def fetch(
        self, named: Iterable[str], types: Iterable[str], get: Callable[[str], Awaitable[str]], cached: set[str]
    ) -> None:
        """Fetch by `get` what the document names, and what that leads to, but what is `cached`; adds it there.

        `types` are the kinds of components that the page has. Files that are
        known to be needed are fetched at once, as a browser does.
        """
        wanted = [path for path in dict.fromkeys(named) if path not in cached]
        kinds = frozenset(types)
        while wanted:
            cached.update(wanted)
            texts = await asyncio.gather(*(get(path) for path in wanted))
            for path, text in zip(wanted, texts, strict=True):
                if path not in self._more:
                    self._more[path] = tuple(needed(path, text, kinds))
            found = dict.fromkeys(more for path in wanted for more in self._more[path])
            wanted = [path for path in found if path not in cached]


def needed(path: str, text: str, types: frozenset[str]) -> list[str]:
    """Return which other files a file of Gradio's leads to on a page with components of these types."""
    folder, _, name = path.rpartition("/")
    listed = _LISTED.search(text)
    if not name.endswith(".js") or name.startswith(_DRAWS) or not listed:
        return []
    files = re.findall(r'"\./([^"]+)"', listed[1])
    if name.startswith(_COMPONENTS):
        used = [loads for kind, loads in _COMPONENT.findall(text) if kind in types]
    else:
        wanted = _STARTS if name.startswith(_ENTRY) else (_DRAWS,)
        used = [found[0] for found in _DEPENDS.finditer(text) if found[1].startswith(wanted)]
    found = []
    for loads in used:
        for chunk, numbers in _DEPENDS.findall(loads):
            found += [chunk, *(files[int(number)] for number in numbers.split(",") if number)]
    return [f"{folder}/{file}" for file in dict.fromkeys(found)]
