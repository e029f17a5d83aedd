"""The look: system fonts, one accent, colours of the models; nothing is fetched from other hosts."""

from __future__ import annotations

import inspect

import gradio as gr

from medilite.models import ROOT, Profile
from medilite.ui.leaderboard.chart import dark_theme_css

STYLE_DIR = ROOT / "assets" / "style"
CSS_FILES = (
    "base.css", "controls.css", "cards.css", "chat.css", "about.css", "leaderboard.css", "vote.css", "results.css",
    "lab.css",
)  # fmt: skip
SCRIPT_FILES = ("medilite.js", "updated.js", "early.js", "tab.js", "leaderboard.js", "vote.js", "lab.js")
ICON = STYLE_DIR / "icon.png"
"""Drawn in icon.svg; Gradio takes no SVG."""

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue", "Arial", "sans-serif")
PAGE_LIGHT, PAGE_DARK = "#ffffff", "#0e1418"
INK_LIGHT, INK_DARK = "#17212b", "#e8eef2"
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Return Gradio's plain theme in MediLite's colours (the variables of base.css) and the system's own fonts."""
    accent, ink, muted = "var(--ml-accent)", "var(--ml-ink)", "var(--ml-muted)"
    surface, page, line = "var(--ml-surface)", "var(--ml-page)", "var(--ml-line)"
    values = {
        "body_text_color_subdued": muted,
        "background_fill_primary": surface,
        "background_fill_secondary": page,
        "block_background_fill": "transparent",
        "block_border_width": "0px",
        "block_label_text_color": ink,
        "block_title_text_color": ink,
        "block_title_text_weight": "600",
        "block_info_text_color": muted,
        "border_color_primary": line,
        "border_color_accent": accent,
        "color_accent": accent,
        "color_accent_soft": "var(--ml-accent-soft)",
        "input_background_fill": surface,
        "input_border_color": "var(--ml-field-line)",
        "input_border_width": "1px",
        "input_border_color_focus": accent,
        "input_placeholder_color": muted,
        "button_primary_background_fill": accent,
        "button_primary_border_color": accent,
        "button_primary_border_color_hover": accent,
        "button_primary_background_fill_hover": "var(--ml-accent-strong)",
        "button_primary_text_color": "var(--ml-on-accent)",
        "button_secondary_background_fill": surface,
        "button_secondary_background_fill_hover": "var(--ml-accent-soft)",
        "button_secondary_border_color": "var(--ml-field-line)",
        "button_secondary_text_color": ink,
        "checkbox_background_color": surface,
        "checkbox_background_color_selected": accent,
        "checkbox_border_color": "var(--ml-field-line)",
        "checkbox_border_color_selected": accent,
        "checkbox_label_background_fill": surface,
        "checkbox_label_background_fill_hover": "var(--ml-accent-soft)",
        "checkbox_label_background_fill_selected": surface,
        "checkbox_label_border_color": line,
        "checkbox_label_text_color": ink,
        "checkbox_label_text_color_selected": ink,
        "slider_color": accent,
        "link_text_color": accent,
        "link_text_color_hover": "var(--ml-accent-strong)",
        "link_text_color_visited": accent,
    }
    base = gr.themes.Base(font=list(SANS), font_mono=list(MONO), text_size=gr.themes.sizes.text_md)
    themed = set(inspect.signature(base.set).parameters)
    both = values | {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in themed}
    # The page's own background is in its first bytes, before the style sheet: it can't be a variable.
    return base.set(
        **both,
        body_background_fill=PAGE_LIGHT,
        body_background_fill_dark=PAGE_DARK,
        body_text_color=INK_LIGHT,
        body_text_color_dark=INK_DARK,
    )


def style(profile: Profile) -> str:
    """Return the style sheet: the files of assets/style, and the models' colours on their choices and in plots."""
    sheets = [(STYLE_DIR / name).read_text(encoding="utf-8") for name in CSS_FILES]
    for number, spec in enumerate(profile.models, start=1):
        sheets.append(
            f".ml-models label:nth-of-type({number}){{--model-light:{spec.colour};--model-dark:{spec.colour_dark}}}"
        )
    return "\n".join([*sheets, dark_theme_css(profile.every)])


def head(profile: Profile, build: str = "") -> str:
    """Return what goes into the page's head: description, `build` (`build_of`), style and script, all inline.

    The style isn't passed as `launch(css=…)`, because Gradio would repeat every rule
    with a prefix of its own, and then rules that start at the root never match.
    """
    script = "\n".join((STYLE_DIR / name).read_text(encoding="utf-8") for name in SCRIPT_FILES)
    return (
        '<meta name="description" content="Versions of one small language model answer a health question '
        'side by side, with how hard each answer is to read.">'
        '<meta name="referrer" content="no-referrer">'
        f'<meta name="medilite-build" content="{build}">'
        f"<style>{style(profile)}</style><script>{script}</script>"
    )
