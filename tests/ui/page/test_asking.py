"""What the tabs have in common in which a visitor asks."""

from __future__ import annotations

import gradio as gr

from medilite.ui.page.asking import streamed


def test_an_update_repeats_what_earlier_ones_changed_of_components_and_no_text():
    """Gradio's client may apply an update's differences to the one before, before it has shown that."""
    shown, hidden, enabled = gr.Column(visible=True), gr.Column(visible=False), gr.Button(interactive=True)

    @streamed
    def handler(first):
        yield {"place": hidden, "field": "", "status": first}
        yield {"place": shown, "status": "working"}
        yield {"button": enabled}

    assert list(handler("asking")) == [
        {"place": hidden, "field": "", "status": "asking"},
        {"place": shown, "status": "working"},
        {"place": shown, "button": enabled},
    ]
