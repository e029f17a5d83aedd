"""The fork map: where each answer leaves its parent's path, and how far the models are apart along it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from medilite.errors import EngineError
from medilite.lab.forks import Fork, ForkMap, ScoredAnswer, Scoring, Written
from medilite.models import ModelSpec, Profile
from medilite.records import SHOWN_DECODING
from medilite.ui.compare.cards import SHORT_NOTICE
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.html import Markup, templates
from medilite.ui.lab.view import Shown, View, Work, cards_html
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot
from medilite.ui.page.decoding import decoding_words

TEMPLATE = "lab/forks.html"

STEPS = (0.05, 0.2, 0.5, 1.0)
"""Bits from which on a token is shaded more darkly."""

SHOWN_BEFORE = 60
"""Characters before a fork that are quoted."""


class ForksView(View):
    """Maps the forks of a question's answers, and lets all models continue from one of them."""

    key, label, verb = "forks", "Fork map", "Map the forks"
    about = (
        "Where do two answers part? All models choose their words with the same random numbers, so an answer is the "
        "same as its parent’s (the model that it was trained from) up to one word: the fork. Here is each answer’s "
        "fork, how likely both models found either word there, and how far all models disagree along the way."
    )

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def build_result(self) -> None:
        """Lay out the map, and under it what continues from a fork."""
        self.result = html_slot(templates(TEMPLATE).empty(), "lab-forks", "ml-slot")
        with gr.Column(visible=False, elem_classes="ml-ask") as self.onward:
            html_slot(templates(TEMPLATE).onward_head(), "lab-onward-head", "ml-slot")
            with gr.Row(elem_classes="lb-row"):
                # What is chosen is checked here, not by Gradio: the choices are those of the map.
                self.model = gr.Dropdown(
                    [], label="Answer", allow_custom_value=True, elem_id="lab-onward-model",
                    min_width=200,
                )  # fmt: skip
                self.tokens = gr.Number(
                    1, label="Tokens kept", info="Words, or parts of words: at first up to the fork.", precision=0,
                    minimum=1, maximum=8192, elem_id="lab-onward-tokens", min_width=160,
                )  # fmt: skip
                self.go_on = gr.Button(
                    "Let all continue from here", elem_id="lab-go-on", elem_classes="ml-button", scale=0
                )
        self.continued_place = html_slot("", "lab-onward", "ml-grid-slot")

    @property
    def places(self) -> list[Any]:
        """From where all models are to continue."""
        return [self.model, self.tokens]

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result, self.onward, self.model, self.tokens, self.continued_place]

    # --- the map -------------------------------------------------------------------------

    def work(self, work: Work) -> Iterator[Shown]:
        """Write the answers that aren't there yet, then have each scored by all models."""
        comparison = work.session.comparison
        if comparison and not _answers(comparison, work.question):
            comparison = None
        panes = {pane.spec.id: pane for pane in comparison.panes if _has_tokens(pane)} if comparison else {}
        decoding, seed = (comparison.decoding, comparison.seed) if comparison else (SHOWN_DECODING, 0)
        for stage in work.loading():
            yield Shown(stage)
        if work.stop.is_set():
            return
        specs = work.able()
        missing = Comparison.of(work.question, work.profile, [s for s in specs if s.id not in panes], decoding, seed)
        if missing.panes:
            for stage in work.ask(missing.requests(work.visitor), missing.advance):
                yield Shown(stage, f"{missing.stopped} of {len(missing.panes)} answers written")
            missing.cancel()
            panes |= {pane.spec.id: pane for pane in missing.panes}
        found = ForkMap(work.question, work.profile, decoding, seed)
        found.answers = {spec.id: _written(panes[spec.id]) for spec in specs if _has_tokens(panes[spec.id])}
        if not found.answers and not work.stop.is_set():
            raise EngineError(
                "This engine doesn't report the tokens of its answers, which a map needs. Use MEDILITE_ENGINE=local."
            )
        work.session.forks = found
        yield Shown(Stage("writing"), "", {self.result: map_html(found, specs), self.onward: gr.Column(visible=False)})
        models = [spec.id for spec in specs]
        done: list[Scoring] = []
        for number, answer in enumerate(found.answers.values()):
            if work.stop.is_set():
                break
            scoring = Scoring(answer, models, done)
            for stage in work.ask(scoring.requests(work.messages, work.visitor), scoring.take):
                yield Shown(stage, f"{number} of {len(found.answers)} answers scored by all models")
            if work.stop.is_set():
                break
            found.scored[answer.model] = scoring.result()
            done.append(scoring)
            for one in done:
                one.keep_for(list(found.answers.values())[number + 1 :])
            yield Shown(Stage("writing"), "", {self.result: map_html(found, specs)})
        yield Shown(Stage("writing"), "", self._offer(found))

    def _offer(self, found: ForkMap) -> dict[Any, Any]:
        """Return the choice of where to continue: the first fork, if there is one."""
        labels = [(found.profile.get(model).label, model) for model in found.answers]
        if not labels:
            return {self.onward: gr.Column(visible=False)}
        forks = [fork for model in reversed(list(found.answers)) if (fork := found.fork(model)) and fork.at]
        model, at = (forks[0].model, forks[0].at) if forks else (labels[0][1], 1)
        return {
            self.onward: gr.Column(visible=True),
            self.model: gr.Dropdown(choices=labels, value=model),
            self.tokens: gr.Number(at),
            self.continued_place: "",
        }

    # --- from here on --------------------------------------------------------------------

    def continued(self, work: Work, model: object, tokens: object) -> Iterator[Shown]:
        """Let all models continue from the first tokens of an answer."""
        found = work.session.forks
        assert found is not None
        specs = work.able()
        requests, begun = found.going_on(str(model), tokens, [spec.id for spec in specs], work.visitor)  # type: ignore[arg-type]
        run = Comparison.of(found.question, found.profile, specs, found.decoding, found.seed)
        for pane, request in zip(run.panes, requests, strict=True):
            pane.text, pane.ids, pane.pieces = begun, list(request.begun), [begun]
        for stage in work.ask(requests, run.advance):
            if stage.kind in ("done", "stopped"):
                run.cancel()
            shown = templates(TEMPLATE).onward(begun, cards_html(run, "-onward"))
            yield Shown(stage, f"{run.stopped} of {len(run.panes)} done", {self.continued_place: shown})


def _answers(comparison: Comparison, question: str) -> bool:
    """Return whether its answers are whole, and to the bare question, under which they are scored."""
    after_more = comparison.before is not None or comparison.given is not None
    return comparison.done and comparison.question == question and not after_more


def _has_tokens(pane: Pane) -> bool:
    return bool(pane.ids) and pane.stopped != "error"


def _written(pane: Pane) -> Written:
    return Written(pane.spec.id, tuple(pane.ids), tuple(pane.pieces), pane.stopped or "cancelled")


def map_html(found: ForkMap, specs: Sequence[ModelSpec]) -> Markup:
    """Return the map as far as it is: a card an answer, with its fork, its strip and the places furthest apart."""
    most = math.log2(max(len(specs), 1))
    cards = [_answer_html(found, spec, {s.id: s for s in specs}, most) for spec in specs]
    how = decoding_words(found.decoding, found.seed)
    penalty = found.decoding.repetition_penalty != 1
    drawn = found.decoding.temperature != 0
    legend = templates(TEMPLATE).legend(len(specs), most, list(zip(("no", *STEPS), (*STEPS, most), strict=True)))
    return templates(TEMPLATE).map(found.question, how, legend, cards, penalty, drawn)


def _answer_html(found: ForkMap, spec: ModelSpec, specs: dict[str, ModelSpec], most: float) -> Markup:
    answer, fork = found.answers.get(spec.id), found.fork(spec.id)
    scored = found.scored.get(spec.id)
    parent = specs.get(found.parent_of(spec.id) or "")
    if answer is None:
        return templates(TEMPLATE).silent(spec)
    common = fork.at if fork else 0
    text = _strip(answer, scored, common)
    before = found.answers.get(parent.id) if parent else None
    same = before is not None and fork is None
    whole = same and before is not None and before.ids == answer.ids
    return templates(TEMPLATE).answer(
        spec, parent, _told(fork, answer) if fork else None, same, whole, text, scored.mean_bits if scored else None,
        _places(scored, answer, specs) if scored else [], len(answer.ids) - answer.ended, SHORT_NOTICE,
        _why_less_likely(found),
    )  # fmt: skip


def _told(fork: Fork, answer: Written) -> dict[str, Any]:
    """Return what a card says about its fork."""
    before = answer.before(fork.at)
    said, instead = _word(fork.said.text), _word(fork.instead.text)
    if said == instead:
        # They differ in white space alone, which has to be seen then.
        said, instead = (text.replace(" ", "␣").replace("\n", "↵") for text in (fork.said.text, fork.instead.text))
    quoted = before[-SHOWN_BEFORE:]
    if len(before) > SHOWN_BEFORE:
        quoted = "…" + quoted.partition(" ")[2]
    return {
        "at": fork.at,
        "before": quoted.strip(),
        "said": said,
        "instead": instead,
        "shares": [(fork.said.to_model, fork.instead.to_model), (fork.said.to_parent, fork.instead.to_parent)],
        "bits": fork.bits,
        "times": None if fork.bits is None else 2**fork.bits,
    }


def _why_less_likely(found: ForkMap) -> str:
    """Return what makes a model say what it holds less likely."""
    if found.decoding.temperature:
        return "words are drawn at random at this temperature"
    return "the repetition penalty holds back words that are in the question or the answer already"


def _word(text: str) -> str:
    """Return a token's text as it is quoted, or words for one that can't be seen."""
    if not text:
        return ""
    return text.strip() or ("a line break" if "\n" in text else "a space")


def _strip(answer: Written, scored: ScoredAnswer | None, common: int) -> Markup:
    """Return the answer's text, each token shaded by how far the models are apart there, with a mark at the fork."""
    macros, pieces = templates(TEMPLATE), Markup()
    for at in range(len(answer.ids)):
        if common and at == common:
            pieces += macros.mark()
        bits = scored.apart[at] if scored and at < len(scored.apart) else None
        text = answer.piece(at)
        ended = answer.ended and at == len(answer.ids) - 1
        rest = answer.pieces[at] if ended else ""
        level = None if bits is None else sum(bits >= step for step in STEPS)
        pieces += macros.token(rest if ended else text, level, bits, at < common, ended)
    return pieces


def _places(scored: ScoredAnswer, answer: Written, specs: dict[str, ModelSpec]) -> list[dict[str, Any]]:
    return [
        {
            "at": place.at + 1,
            "text": _word(place.text) or "the end",
            "bits": place.bits,
            "likeliest": [
                (specs[model].label, _word(text), share)
                for model, (text, share) in place.likeliest.items() if model in specs
            ],
        }
        for place in scored.farthest
    ]  # fmt: skip
