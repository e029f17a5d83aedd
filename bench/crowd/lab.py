"""A visitor of the Lab: one view after another, each watched to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bench.crowd.tally import WentWrongError
from bench.crowd.visitor import Visitor

RESULTS = {
    "forks": ("lab-forks", r'data-scored="yes"'), "strength": ("lab-strengths", r'data-state="(?:end|length)"'),
    "luck": ("lab-luck", r'data-answers="[1-8]"'), "wording": ("lab-wordings", r"<tbody><tr"),
    "learned": ("lab-learned", r'class="lab-step"'),
}  # fmt: skip
"""The views that need nothing brought: where each shows what it found, and what is in it then."""


class LabVisitor(Visitor):
    """Opens the Lab and stays there: a question to one of its views, then to another."""

    mix: Mapping[str, float] = MappingProxyType({"lab": 0.95, "come back": 0.05})

    async def lab(self) -> None:
        """Ask a view a question, and see that it has answered."""
        browser, page = self.browser, self.browser.page
        if not self.tab_open:
            for event in page.opening("lab"):
                await browser.run(event, "the Lab")
            self.tab_open = True
        # Saves are there where a profile's models have some.
        saves = any("no saves" not in label for label, _ in page.parts[page.number("lab-saves-of")]["props"]["choices"])
        view = self.rng.choice([view for view in RESULTS if saves or view != "learned"])
        for event in page.events(page.number("lab-view"), "input"):
            await browser.run(event, "a view of the Lab", lab_view=view)
        place, found = RESULTS[view]
        await self._ask("lab", "lab-run", place, lab_question=self.rng.choice(self.questions), lab_view=view)
        if "All of it is here." not in browser.html("lab-status"):
            raise WentWrongError(f"The Lab's {view} doesn't say that all of it is here.")
        if not re.search(found, browser.html(place)) or "Not medical advice" not in browser.html(place):
            raise WentWrongError(f"The Lab's {view} says that all of it is here, and shows no marked result.")
