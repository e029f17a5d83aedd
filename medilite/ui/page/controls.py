"""Controls that several tabs share: the question, which model, how to decode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from medilite.engine.protocol import Availability
from medilite.models import Profile
from medilite.ui.page.decoding import DEFAULT_SEED, DEFAULTS, MAX_SEED, SETTINGS

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""For every event: no spinner over its outputs (the page has its own status line), and no entry in an API."""

LIGHT: dict[str, Any] = {**QUIET, "queue": False}
"""For events that only rearrange the page: they never wait behind answers."""

MODEL_EVENTS: dict[str, Any] = {**QUIET, "concurrency_id": "model", "concurrency_limit": None}
"""For events that ask the model. The engine queues visitors and says how many are ahead, so Gradio must not."""


def html_slot(value: str, elem_id: str, classes: str) -> gr.HTML:
    """Return a component for HTML made here; Gradio updates it in place, element by element, and adds no style.

    The template is Gradio's plain `${value}`: the value itself is never read as a
    template.
    """
    return gr.HTML(value, elem_id=elem_id, elem_classes=classes, apply_default_css=False, js_on_load=None)


def question_field(
    elem_id: str, label: str = "Your health question", example: str = "For example: What helps against hay fever?",
    info: str | None = None,
) -> gr.Textbox:  # fmt: skip
    """Return the field for a question; it grows with its text."""
    return gr.Textbox(
        label=label, info=info, placeholder=example, lines=1, max_lines=8, elem_id=elem_id, elem_classes="ml-question"
    )


def model_choices(profile: Profile, availability: Mapping[str, Availability] | None = None) -> list[tuple[str, str]]:
    """Return (label, id) of every model; one that can't answer says so in its label."""
    broken = {model for model, state in (availability or {}).items() if not state.available}
    return [(f"{m.label} (unavailable)" if m.id in broken else m.label, m.id) for m in profile.models]


def decoding_controls(tab: str) -> tuple[gr.Number | gr.Slider, ...]:
    """Build the settings, folded away; returns the controls in the order of `as_decoding`, then the seed."""
    fold = gr.Accordion("Settings: how the words are chosen", open=False, elem_classes="ml-fold")
    with fold, gr.Row(elem_classes="ml-settings-row"):
        sliders = [
            gr.Slider(
                setting.low,
                setting.high,
                value=getattr(DEFAULTS, setting.name),
                step=setting.step,
                label=setting.label,
                info=setting.about,
                elem_id=f"{tab}-{setting.name.replace('_', '-')}",
                min_width=300,
            )
            for setting in SETTINGS
        ]
        seed = gr.Number(
            DEFAULT_SEED,
            label="Seed",
            info="The same seed gives all models the same random numbers. No effect at temperature 0.",
            precision=0,
            minimum=0,
            maximum=MAX_SEED,
            elem_id=f"{tab}-seed",
            min_width=300,
        )
    return (*sliders, seed)
