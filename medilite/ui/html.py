"""HTML from templates: values are escaped by jinja, and nowhere else.

A template is a file of macros beside the code that fills it; each macro is a
piece of the page, and is called like a function:

    templates("vote/cards.html").account(signed_in=True)

A macro returns `Markup`, which goes into another one unchanged, while a plain
string is escaped. A line break in a template disappears beside a tag or a block
and is a space within a text, so templates can be laid out in lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from medilite.ui.page.words import counted, interval_text, number_text, number_word, percent

__all__ = ["Markup", "templates"]

_BESIDE_TAG = re.compile(r"(?:(?<=>)|(?<=[%#]\}))\s*\n\s*|\s*\n\s*(?=<|\{[%#])")
_IN_TEXT = re.compile(r"\s*\n\s*")


class _Laid(Extension):
    """Removes the line breaks from templates, as the module says."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _IN_TEXT.sub(" ", _BESIDE_TAG.sub("", source))


class _Environment(Environment):
    """Reads `row.clear` of a mapping as its item; jinja takes the dict's own method, which is always true."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def _environment() -> Environment:
    made = _Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Laid],
        cache_size=-1,
        auto_reload=False,
    )
    made.filters |= {
        **{"number": number_text, "interval": interval_text, "percent": percent},
        **{"count": counted, "word": number_word},
    }
    return made


@cache
def templates(name: str) -> Any:
    """Return the macros of a template; `name` is its path below `medilite/ui`."""
    return _environment().get_template(name).module
