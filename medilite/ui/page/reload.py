"""A reload loses nothing, and the form follows the address: the events between the page's script (tab.js) and the tabs.

Gradio reloads a page by itself once a lost connection is back. Fields are filled
in the browser alone; answers go through the server, which scores and shows them
again.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from medilite.ui.chat.tab import ChatTab
from medilite.ui.compare.tab import CompareTab
from medilite.ui.lab.tab import LabTab
from medilite.ui.page.controls import LIGHT
from medilite.ui.vote.tab import VoteTab

_TAB = "window.medilite.tab"


def outlive_reloads(
    page: gr.Blocks, session: gr.State, compare: CompareTab, chat: ChatTab, vote: VoteTab, lab: LabTab
) -> None:
    """Wire what fills a page from what its tab had, and from its address, which only the browser knows."""
    kept, address = gr.JSON(visible=False), gr.Textbox(visible=False)
    forms = {"compare": [*compare.form, compare.error], "chat": chat.form, "vote": vote.form, "lab": lab.form}
    for name, form in forms.items():
        fill = f"(...now) => {_TAB}.form('{name}', now)"
        filled = _button(f"{name}-form").click(None, form, form, js=fill, **LIGHT)
        if name == "lab":
            filled = filled.then(lab.restore, [session, *lab.form[:2]], lab.restored, **LIGHT)
        filled.then(None, js=f"() => {_TAB}.settle('{name}')", **LIGHT)
    # Few of the Lab's fields are on the page at a time, and a dropdown shows only the name of what is chosen: what they
    # hold is Gradio's to say.
    noted = f"(...values) => {_TAB}.noted('lab', values)"
    gr.on([field.change for field in lab.form], None, lab.form, js=noted, **LIGHT)
    for name, tab, texts in (("compare", compare, "answers"), ("chat", chat, "turns")):
        ask = f"() => [null, {_TAB}.kept('{texts}')]"
        shown = _button(f"{name}-restore").click(tab.restore, [session, kept], tab.restored, js=ask, **LIGHT)
        shown.success(None, js=f"() => {_TAB}.settle('{texts}')", **LIGHT)
    here = "() => [window.location.search + window.location.hash]"
    followed = _button("compare-follow").click(compare.open_link, address, compare.link_outputs, js=here, **LIGHT)
    linked: list[Any] = compare.link_outputs[:-1]
    followed.success(None, linked, js=f"(...values) => {_TAB}.linked(values)", **LIGHT)
    page.load(None, js=f"() => {_TAB}.begin()", **LIGHT)


def _button(elem_id: str) -> gr.Button:
    return gr.Button(visible="hidden", elem_id=elem_id)
