"""Shared by all plots of the leaderboard: a plotly figure in the page's style, and its numbers as a table.

Gradio draws a figure with the plotly.js that it ships, which a browser loads
with the first figure. A figure, and the PNG that a visitor downloads, has the
light theme's colours; `dark_theme_css` replaces them on a dark page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from medilite.models import ModelSpec

INK, MUTED, LINE, ACCENT = "#17212b", "#55626f", "#d3dae1", "#12497f"
BAND = "#d3ecdf"
_PAPER, _CLEAR = "#ffffff", "rgba(0,0,0,0)"
_DARK = {
    **{INK: "var(--ml-ink)", MUTED: "var(--ml-muted)", LINE: "var(--ml-line)", ACCENT: "var(--ml-accent)"},
    **{_PAPER: "var(--ml-surface)", BAND: "#1c4634"},
}
"""The dark theme's colour for each of the light theme (base.css)."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "x")
"""A shape for each model, for readers who can't tell their colours apart."""

Spec = dict[str, Any]
"""A figure, a trace, an axis: plotly's own description of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a plot: a caption, the columns' heads, and rows of texts, each with its name first."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot with its title, what it shows and what follows from it.

    `table` has the same numbers; it is None if a table right below the plot has them already.
    """

    title: str
    about: str
    figure: Spec
    table: Table | None = None
    said: str = ""


def figure(name: str, traces: Iterable[Spec], height: int, **layout: Any) -> Spec:
    """Return a figure `height` pixels high, as wide as its place; `name` is its PNG's file name.

    Raises ValueError for a property that plotly doesn't know.
    """
    import plotly.graph_objects as go

    shared = {
        "template": {},
        "autosize": True,
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 34, "b": 8},
        "paper_bgcolor": _PAPER,
        "plot_bgcolor": _CLEAR,
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "hoverlabel": {"bgcolor": _PAPER, "bordercolor": MUTED, "font": {"color": INK}, "align": "left"},
        # At the figure's lower end: a distance from the plot area covers the axis's title where that area is low.
        "legend": {
            **{"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
            **{"itemclick": False, "bgcolor": _CLEAR},
        },
        # Dragging would zoom, and on a phone it has to scroll the page: the buttons zoom.
        "dragmode": False,
        "modebar": {"bgcolor": _CLEAR, "color": MUTED, "activecolor": ACCENT, "remove": ["lasso2d", "select2d"]},
    }
    made = go.Figure(data=list(traces), layout={**shared, **layout}).to_plotly_json()
    png = {"filename": f"medilite-{name}", "scale": 2}
    return {**made, "config": {"displaylogo": False, "displayModeBar": True, "toImageButtonOptions": png}}


def axis(title: str = "", **more: Any) -> Spec:
    """Return an axis with this title in the page's style."""
    look = {"gridcolor": LINE, "linecolor": LINE, "tickcolor": LINE, "zeroline": False, "automargin": True}
    return {"title": {"text": escape(title), "font": {"color": MUTED, "size": 12}}, **look, **more}


def row_of(row: int, rows: int, gap: float) -> list[float]:
    """Return the ends of row `row` of `rows` as shares of a figure's height (1 is the top); `gap` of it stays free."""
    return [1 - row / rows, 1 - (row - 1 + gap) / rows]


def points(label: str, colour: str, x: Sequence[Any], y: Sequence[Any], symbol: str = "circle", **more: Any) -> Spec:
    """Return one model's points, without a line between them."""
    marker = {"color": colour, "size": 11, "symbol": symbol}
    return {"type": "scatter", "mode": "markers", "name": escape(label), "x": x, "y": y, "marker": marker, **more}


def whiskers(colour: str, value: float | None, low: float | None, high: float | None) -> Spec:
    """Return the interval around one value; none without ends."""
    if value is None or low is None or high is None:
        return {"visible": False}
    ends = {"array": [high - value], "arrayminus": [value - low]}
    return {"type": "data", "symmetric": False, **ends, "color": colour, "thickness": 2, "width": 0}


def note(text: str, **place: Any) -> Spec:
    """Return a text in the figure; plotly reads `text` as HTML, so names in it have to be escaped."""
    return {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "font": {"color": INK}, **place}


def band(low: float, high: float) -> Spec:
    """Return the shape that marks these grades over a figure's whole height."""
    place = {"xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1}
    return {"type": "rect", **place, "fillcolor": BAND, "line": {"width": 0}, "layer": "below"}


def dark_theme_css(models: Iterable[ModelSpec]) -> str:
    """Return the rules that replace a figure's colours on a dark page; plotly writes each into a style attribute."""
    swaps = {**_DARK, **{spec.colour: spec.colour_dark for spec in models}}
    return "\n".join(
        f'.dark .lb-plot [style*="{what}: {_rgb(light)}"]{{{what}:{dark} !important}}'
        for light, dark in swaps.items()
        for what in ("fill", "stroke")
    )


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour.removeprefix("#")))
