"""The charts of a recipe's report, from training records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from training.data.report_charts import style

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Curve = Sequence[Sequence[float]]
"""[step, value] pairs, as training.json keeps them."""

# Distinct for colour-blind eyes (Okabe and Ito), in mid-tones that stand out from light and dark pages.
PALETTE = ("#2b7bb9", "#c8801a", "#3a9a6b", "#b4548f", "#8a7a1f", "#6b7280", "#c2504a", "#4aa3b5")


def curves(series: Mapping[str, Curve], colours: Mapping[str, str], y_title: str, smooth: int = 1) -> Figure:
    """Draw one line a series over optimiser steps; `smooth` draws the mean of that many values over the raw ones."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, curve in series.items():
        steps, values = [point[0] for point in curve], [point[1] for point in curve]
        line = {"color": colours[name], "width": 2}
        if smooth > 1:
            figure.add_scatter(
                x=steps, y=values, mode="lines", line={**line, "width": 1}, opacity=0.3, hoverinfo="skip",
                showlegend=False, legendgroup=name,
            )  # fmt: skip
        figure.add_scatter(
            x=steps, y=moving_mean(values, smooth), name=name, legendgroup=name, line=line,
            mode="lines+markers" if len(steps) < 30 else "lines",
            hovertemplate=f"{name}, step %{{x:,}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    style(figure, 380)
    figure.update_layout(showlegend=True, margin_t=64)
    figure.update_xaxes(title_text="optimiser steps", showgrid=False)
    figure.update_yaxes(title_text=y_title, showgrid=True, tickformat=".2f")
    return figure


def moving_mean(values: Sequence[float], width: int) -> list[float]:
    """Return, for each value, the mean of it and up to `width` - 1 before it."""
    return [sum(part) / len(part) for part in (values[max(0, i + 1 - width) : i + 1] for i in range(len(values)))]


def losses(rows: Sequence[tuple[str, str, float, Sequence[float]]], x_title: str) -> Figure:
    """Draw one dot a row of (label, colour, mean, interval), its interval as a bar, the first on top."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, (label, colour, mean, (low, high)) in enumerate(rows):
        error: dict[str, Any] = {
            "type": "data", "array": [high - mean], "arrayminus": [mean - low], "thickness": 2, "width": 5,
        }  # fmt: skip
        figure.add_scatter(
            x=[mean], y=[place], error_x=error, mode="markers", marker={"color": colour, "size": 11},
            hovertemplate=f"{label}: %{{x:.3f}} ({low:.3f} to {high:.3f})<extra></extra>",
        )  # fmt: skip
    style(figure, 90 + 34 * len(rows))
    figure.update_yaxes(autorange="reversed", tickvals=list(range(len(rows))), ticktext=[row[0] for row in rows])
    figure.update_xaxes(title_text=x_title, showgrid=True, tickformat=".2f")
    return figure
