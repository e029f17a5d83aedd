"""While it learned: one question to every save of a training run, and what changed from save to save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from medilite.errors import ModelUnavailableError
from medilite.lab.saves import Save, SavedModels, largest_fall, said, saves_of, terms_of
from medilite.models import ModelSpec, Profile
from medilite.records import SHOWN_DECODING
from medilite.textdiff import DiffSpan, differences
from medilite.ui.compare.cards import card_html
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.html import Markup, templates
from medilite.ui.lab.along import along
from medilite.ui.lab.view import Shown, View, Work
from medilite.ui.leaderboard.chart import Chart, axis
from medilite.ui.leaderboard.chart_slot import ChartSlot
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.source import Seeking
from medilite.ui.page.words import counted, number_text

TEMPLATE = "lab/learned.html"

TERMS_SHOWN = 8
"""Key terms that are named in a row; the rest are counted."""


class LearnedView(View):
    """Asks the parent and every save of a run the same question, in one batch."""

    key, label, verb = "learned", "While it learned", "Ask every save"
    about = (
        "When did it learn that? A save is the model as it was after so many steps of its training. The same question "
        "goes to the model that the training began from (step 0) and to every save, all with the same random numbers. "
        "Move through the steps: what changed since the save before, when the answer became easier to read, and when "
        "it began or stopped using the words of the source."
    )

    def __init__(self, profile: Profile, saved: SavedModels) -> None:
        self.profile, self.saved = profile, saved

    def build(self) -> None:
        """Lay out which model's saves to ask."""
        counts = {spec.id: len(saves_of(self.profile, spec.id)) for spec in self.profile.models if spec.adapter}
        choices = [
            (f"{self.profile.get(model).label} ({counted(count, 'save') if count else 'no saves'})", model)
            for model, count in counts.items()
        ]
        usual = next((model for model in reversed(counts) if counts[model]), next(reversed(counts), None))
        with gr.Row(elem_classes="lb-row", visible=bool(counts)):
            self.model = gr.Dropdown(
                choices, value=usual, label="Saves of", filterable=False, elem_id="lab-saves-of", min_width=240
            )
        if not any(counts.values()):
            html_slot(templates(TEMPLATE).without(), "lab-saves-none", "ml-slot")

    def build_result(self) -> None:
        """Lay out the slider with its answers, and the curve."""
        self.result = html_slot(templates(TEMPLATE).empty(), "lab-learned", "ml-slot")
        self.curve = ChartSlot("lab-learning")

    @property
    def controls(self) -> list[Any]:
        """Which model's saves."""
        return [self.model]

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result, *self.curve.parts]

    def check(self, profile: Profile, model: object) -> None:
        """Raise UnknownModelError for no model, ModelUnavailableError for one without saves."""
        if not saves_of(profile, str(model or "")):
            raise ModelUnavailableError(
                f"{profile.get(str(model)).label} has no saves here: a training run keeps them where its configuration"
                " has keep_saves: true, in the folder saves beside its adapter (docs/training.md)."
            )

    def work(self, work: Work, model: object) -> Iterator[Shown]:
        """Ask step 0 and all saves that can be read, then show what changed."""
        spec = work.profile.get(str(model))
        yield Shown(Stage("asking"), "", {self.curve.section: gr.Column(visible=False)})
        for stage in work.loading():
            yield Shown(stage)
        if work.stop.is_set():
            return
        with self.saved.lent(spec.id) as saves:
            parent = work.profile.get(spec.stacked_on) if spec.stacked_on else work.profile.base_model
            begin = [parent.model_copy(update={"label": f"Step 0: {parent.label}"})] if parent else []
            asked = [*begin, *(save.spec for save in saves if save.spec)]
            if len(asked) == len(begin):
                raise ModelUnavailableError(f"None of the saves of {spec.label} can be used. The first: {saves[0].why}")
            seeking = Seeking(work.shelf, work.question)
            run = Comparison.of(work.question, work.profile, asked, SHOWN_DECODING, 0)
            for stage in work.ask(run.requests(work.visitor), run.advance):
                yield Shown(stage, f"{run.stopped} of {len(asked)} done")
            run.cancel()
        terms: Mapping[str, str] = {}
        if (sought := seeking.come(wait=True)) is not None:
            run.check = True
            run.take_source(sought)
            if sought.found is not None and sought.found.fits:
                terms = terms_of(sought.found.hits[0].passage.text, work.question)
        path = Path.of(run.panes, saves, terms)
        yield Shown(
            Stage("done"), "", {self.result: learned_html(path, run, spec), **self.curve.show(curve(path, spec))}
        )


@dataclass(frozen=True, slots=True)
class At:
    """One step: its answer, or why there is none; `before` is the last answer before it that is whole."""

    step: int
    pane: Pane | None
    why: str = ""
    before: Pane | None = None
    since: int = 0
    terms: frozenset[str] = frozenset()
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()

    @property
    def grade(self) -> float | None:
        """The answer's grade, None if it has none."""
        found = self.pane.scores.flesch_kincaid_grade if self.pane and self.pane.scores else None
        return None if found is None else float(found)

    @property
    def new(self) -> int:
        """How many words the answer before doesn't have in this place."""
        return _words(self.pane.text, self.pane.differs) if self.pane else 0

    @property
    def gone(self) -> int:
        """How many words of the answer before are not in this one."""
        if self.pane is None or self.before is None:
            return 0
        return _words(self.before.text, differences(self.pane.text, self.before.text))


@dataclass(frozen=True, slots=True)
class Path:
    """The steps of a run, the earliest first, and the key terms of the source by their stems; {} without a source."""

    steps: tuple[At, ...]
    terms: Mapping[str, str]

    @classmethod
    def of(cls, panes: Sequence[Pane], saves: Sequence[Save], terms: Mapping[str, str]) -> Path:
        """Return the path of answered panes, the parent's first if it was asked, and mark what is new in each."""
        left = list(panes)
        usable = sum(save.spec is not None for save in saves)
        rows: list[tuple[int, Pane | None, str]] = [(0, left.pop(0), "")] if len(left) > usable else []
        rows += [(save.step, left.pop(0) if save.spec else None, save.why) for save in saves]
        steps: list[At] = []
        last: At | None = None
        for step, pane, why in rows:
            whole = pane is not None and pane.stopped in ("end", "length")
            if pane is None or not whole:
                steps.append(At(step, pane, why or (pane.error if pane else "") or ""))
                continue
            has = said(pane.text, terms)
            if last is not None and last.pane is not None:
                pane.differs = differences(last.pane.text, pane.text)
                came, went = (
                    tuple(terms[term] for term in terms if term in some)
                    for some in (has - last.terms, last.terms - has)
                )
                last = At(step, pane, "", last.pane, last.step, has, came, went)
            else:
                last = At(step, pane, terms=has)
            steps.append(last)
        return cls(tuple(steps), terms)

    @property
    def whole(self) -> list[At]:
        """The steps whose answers are whole."""
        return [at for at in self.steps if at.pane is not None and at.pane.stopped in ("end", "length")]

    @property
    def fall(self) -> tuple[At, At] | None:
        """The neighbours between which the grade falls most."""
        whole = self.whole
        found = largest_fall([at.grade for at in whole])
        return (whole[found[0]], whole[found[1]]) if found else None


def _words(text: str, spans: Sequence[DiffSpan]) -> int:
    return sum(len(text[span.start : span.end].split()) for span in spans)


def learned_html(path: Path, run: Comparison, spec: ModelSpec) -> Markup:
    """Return the slider with each step's answer, what happened when, and a row a step."""
    macros, limit = templates(TEMPLATE), run.decoding.max_new_tokens
    cards = [card_html(at.pane, limit, key=f"-saves-{at.step}") if at.pane else "" for at in path.steps]
    return macros.all(
        run.question, decoding_words(run.decoding, run.seed), spec, list(zip(path.steps, cards, strict=True)), path,
        TERMS_SHOWN, number_text,
    )  # fmt: skip


def curve(path: Path, spec: ModelSpec) -> Chart | None:
    """Return grade, sentences found and key terms over the steps."""
    whole = path.whole
    panes = [at.pane for at in whole if at.pane is not None]
    counts = [len(at.terms) for at in whole] if path.terms else None
    about = (
        f"The answers of {spec.label} while it was trained, from step 0, the model that it began from: each one’s "
        "grade and, where the library has the topic, how many of its sentences are found in the source, and how many "
        "of the source’s key terms it says."
    )
    last = max(at.step for at in path.steps)
    unit = axis("optimizer step", range=[-0.02 * last, 1.02 * last])
    return along("step", "What changed while it learned", about, [at.step for at in whole], panes, spec, unit, counts)
