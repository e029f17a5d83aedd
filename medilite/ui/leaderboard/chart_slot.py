"""A chart's place on the page: its title, the plot, and the same numbers as a table."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from medilite.ui.html import templates
from medilite.ui.leaderboard.chart import Chart
from medilite.ui.page.controls import html_slot


class ChartSlot:
    """A chart's components, hidden until there is one to show; `key` is their id on the page."""

    def __init__(self, key: str) -> None:
        self.key = key
        with gr.Column(visible=False, elem_id=key, elem_classes="lb-section") as self.section:
            self.head = html_slot("", f"{key}-head", "lb-slot")
            self.plot = gr.Plot(show_label=False, container=False, elem_id=f"{key}-plot", elem_classes="lb-plot")
            self.numbers = html_slot("", f"{key}-numbers", "lb-slot")

    @property
    def parts(self) -> list[Any]:
        """The components that `show` fills."""
        return [self.section, self.head, self.plot, self.numbers]

    def show(self, chart: Chart | None) -> dict[Any, Any]:
        """Return the update that shows a chart, or hides its place if there is none."""
        if chart is None:
            return {self.section: gr.Column(visible=False)}
        macros = templates("leaderboard/parts.html")
        return {
            self.section: gr.Column(visible=True),
            self.head: macros.chart_head(chart),
            # As a property. Of an event that answers bit by bit Gradio's client changes the value that is an object in
            # place by the next update: a plot whose code comes later than that would find it empty.
            self.plot: gr.Plot(PlotData(type="plotly", plot=json.dumps(chart.figure))),
            self.numbers: macros.chart_numbers(chart, self.key),
        }
