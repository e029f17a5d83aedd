"""The few kinds of chart that the report needs, in one style for light and dark pages."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from training.data.report_numbers import Spread

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ACCENT = "#2b7bb9"
SECOND = "#c8801a"
BAND = "#3a9a6b"
"""Mid-tones that stand out from a white page and from a near-black one, and from each other for colour-blind eyes."""

BOX_READING = "Box: the middle half, with the median as a line; whiskers: 5th to 95th percentile."


def bars(rows: Sequence[tuple[str, int]], unit: str) -> Figure:
    """Draw one horizontal bar a row, the first on top, its count at its end."""
    return grouped_bars([label for label, _ in rows], {"": [float(count) for _, count in rows]}, unit)


def grouped_bars(labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, digits: int = 0) -> Figure:
    """Draw one horizontal bar a label and series, the value at its end; a legend if there are several series."""
    import plotly.graph_objects as go

    shown = [_label(label) for label in labels]
    figure = go.Figure()
    for (name, values), colour in zip(series.items(), (ACCENT, SECOND), strict=False):
        figure.add_bar(
            # Positions, not names, make the axis: two long names may look the same once cut.
            y=list(range(len(labels))),
            x=list(values),
            orientation="h",
            name=name,
            marker_color=colour,
            customdata=shown,
            texttemplate=f"%{{x:,.{digits}f}}",
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{customdata}}: %{{x:,.{digits}f}} {unit}<extra>{name}</extra>",
        )
    style(figure, _height(len(labels) * len(series)))
    largest = max((value for values in series.values() for value in values), default=0)
    figure.update_yaxes(autorange="reversed", tickvals=list(range(len(labels))), ticktext=shown)
    # Every bar carries its value, so the axis would only repeat them.
    figure.update_xaxes(visible=False, range=[0, (largest or 1) * 1.12])
    figure.update_layout(barmode="group", showlegend=len(series) > 1)
    return figure


def columns(edges: Sequence[float], counts: Sequence[int], unit: str) -> Figure:
    """Draw a histogram: one column between each two neighbouring edges, which are evenly spaced."""
    import plotly.graph_objects as go

    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    width = (edges[1] - edges[0]) * 0.94
    figure = go.Figure(go.Bar(x=middles, y=list(counts), width=[width] * len(counts), marker_color=ACCENT))
    style(figure, 360)
    figure.update_yaxes(title_text=unit, showgrid=True)
    figure.update_xaxes(showgrid=False)
    return figure


def boxes(spreads: Sequence[tuple[str, Spread]]) -> Figure:
    """Draw one horizontal box a distribution, from its percentiles alone."""
    import plotly.graph_objects as go

    found = [values for _, values in spreads]
    figure = go.Figure(
        go.Box(
            y=list(range(len(found))),
            lowerfence=[values.p5 for values in found],
            q1=[values.p25 for values in found],
            median=[values.median for values in found],
            q3=[values.p75 for values in found],
            upperfence=[values.p95 for values in found],
            orientation="h",
            marker_color=ACCENT,
            line_width=1.5,
        )
    )
    style(figure, _height(len(found)) + 60)
    shown = [_label(f"{name} (n = {values.n:,})") for name, values in spreads]
    figure.update_yaxes(autorange="reversed", tickvals=list(range(len(found))), ticktext=shown)
    figure.update_xaxes(rangemode="tozero")
    return figure


def mark_recommended(figure: Figure, low: float, high: float) -> None:
    """Lay a band over the grades that are recommended for patients."""
    figure.add_vrect(x0=low, x1=high, fillcolor=BAND, opacity=0.22, line_width=0, layer="below")
    figure.add_annotation(x=(low + high) / 2, y=1, yref="paper", yanchor="bottom", text="recommended", showarrow=False)


def style(figure: Figure, height: int) -> None:
    """Give a figure the look that all charts share, `height` in pixels."""
    # Backgrounds and text colours come from the page's style sheet, so that one figure serves both themes.
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 8, "r": 48, "t": 28, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        showlegend=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        bargap=0.25,
        dragmode=False,
    )
    axis = {"automargin": True, "zeroline": False, "tickformat": ",", "title_font_size": 13, "title_standoff": 8}
    figure.update_xaxes(**axis)
    # Invisible ticks keep the names off the bars.
    figure.update_yaxes(**axis, showgrid=False, ticks="outside", ticklen=6, tickcolor="rgba(0,0,0,0)")


def _height(bars: int) -> int:
    return 60 + 26 * bars


def _label(text: str) -> str:
    """Return a name for plotly, which would read tags in it, cut to a line's length."""
    return html.escape(text if len(text) <= 32 else text[:31] + "…", quote=False)
