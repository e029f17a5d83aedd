"""The tab About: what the models are and how they differ, what the scores mean, limits, credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import medilite
from medilite.checkpoints import read_training_record
from medilite.models import ModelSpec, Profile
from medilite.readability import BANDS, METRICS, RECOMMENDED_GRADES, grade_word
from medilite.safety import NOT_MEDICAL_ADVICE_LONG
from medilite.ui.compare.cards import name_html
from medilite.ui.page.scores import metric_help
from medilite.ui.page.words import number_word

Records = Mapping[str, Mapping[str, Any] | None]

_NONE = "–"


def about_html(profile: Profile) -> str:
    """Return the whole tab; the training records are read from the adapters' folders."""
    records = {spec.id: read_training_record(profile, spec) for spec in profile.models}
    return (
        '<div class="ml-about">'
        f"{_what(profile)}{models_table_html(profile, records)}{_scores()}{_limits(profile)}{_credits(profile)}"
        "</div>"
    )


def _what(profile: Profile) -> str:
    count, adapters = len(profile.models), sum(spec.adapter is not None for spec in profile.models)
    return (
        "<section><h2>What this is</h2>"
        f"<p>MediLite shows what {number_word(count)} checkpoints of one small language model, "
        f"{escape(profile.base.model)}, answer to the same health question, and how hard each answer is to read. "
        f"One is the base model as published. The other {number_word(adapters)} are adapters: small sets of weights, "
        "trained on top of it on questions and answers of US health institutes. All answers are written at the same "
        "pace from the same random numbers, so what differs comes from the training alone.</p></section>"
    )


def models_table_html(profile: Profile, records: Records) -> str:
    """Return the table of the models; what is not known is a dash, what isn't trained says so."""
    head = "".join(
        f'<th scope="col"{extra}>{text}</th>'
        for text, extra in (
            ("Model", ""), ("What it is", ""), ("Rank", ' class="ml-num"'), ("Learning rate", ' class="ml-num"'),
            ("Steps", ' class="ml-num"'), ("Test loss (lower is better)", ' class="ml-num"'),
            ("Test pairs", ' class="ml-num"'), ("Seed", ' class="ml-num"'), ("Trained on", ""),
        )
    )  # fmt: skip
    rows = "".join(_model_row(profile, spec, records) for spec in profile.models)
    about = next((str(r["test_loss_about"]) for r in records.values() if r and r.get("test_loss_about")), "")
    note = f"Test loss: {about}. " if about else ""
    return (
        "<section><h2>The models</h2>"
        f'<div class="ml-table-scroll" tabindex="0" role="region" aria-label="Table of the models">'
        f'<table class="ml-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="ml-fine">{escape(note)}Learning rate, steps, loss, seed and device come from the training.json '
        "that training leaves beside each adapter; the base's loss was measured on the same pairs.</p></section>"
    )


def _model_row(profile: Profile, spec: ModelSpec, records: Records) -> str:
    record = records.get(spec.id)
    cells = [f'<th scope="row">{name_html(spec)}</th>', f"<td>{escape(_about(profile, spec))}</td>"]
    if record:
        commit = str(record.get("commit") or "")[:7]
        trained = " · ".join(filter(None, (str(record.get("device") or ""), f"commit {commit}" if commit else "")))
        cells += [
            _number(record.get("rank")), _number(record.get("learning_rate")), _number(record.get("steps")),
            _loss(record.get("test_loss"), record.get("test_loss_interval")), _number(record.get("test_pairs")),
            _number(record.get("seed")), f"<td>{escape(trained) or _NONE}</td>",
        ]  # fmt: skip
    elif spec.adapter is None:
        base = _base_losses(records.values())
        cells += [_number(None)] * 3 + [base, _base_pairs(records.values()), _number(None), "<td>as published</td>"]
    elif spec.adapter.startswith("hub:"):
        cells += [_number(None)] * 6 + [f"<td>published as {escape(spec.adapter.removeprefix('hub:'))}</td>"]
    else:
        cells += [_number(None)] * 6 + ["<td>not trained yet</td>"]
    return f"<tr>{''.join(cells)}</tr>"


def _about(profile: Profile, spec: ModelSpec) -> str:
    if spec.stacked_on is None:
        return spec.about
    return f"{spec.about} Stacked on {profile.get(spec.stacked_on).label}."


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f'<td class="ml-num">{_NONE}</td>'
    text = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f'<td class="ml-num">{escape(text)}</td>'


def _loss(value: object, interval: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f'<td class="ml-num">{_NONE}</td>'
    between = ""
    if isinstance(interval, Sequence) and len(interval) == 2 and all(isinstance(x, int | float) for x in interval):
        between = f' <span class="ml-unit">{interval[0]:.3f} to {interval[1]:.3f}</span>'
    return f'<td class="ml-num">{value:.3f}{between}</td>'


def _measured(records: Sequence[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    return next((r for r in records if r and isinstance(r.get("base_test_loss"), int | float)), None)


def _base_losses(records: Any) -> str:
    record = _measured(list(records))
    return _loss(record["base_test_loss"], record.get("base_test_loss_interval")) if record else _number(None)


def _base_pairs(records: Any) -> str:
    record = _measured(list(records))
    return _number(record.get("test_pairs")) if record else _number(None)


def _scores() -> str:
    low, high = (grade_word(grade) for grade in RECOMMENDED_GRADES)
    bands = "".join(
        f'<li><span class="ml-grade ml-band-{band.key}"><span class="ml-band-word">{escape(band.label)}</span></span>'
        f" {escape(words)}</li>"
        for band, words in zip(
            BANDS,
            ("up to 5th grade", f"{low} to {high}", "9th to 12th grade", "college and beyond", "no English words"),
            strict=True,
        )
    )  # fmt: skip
    terms = "".join(
        f"<dt>{escape(metric.label)}</dt><dd>{escape(metric_help(metric))} "
        f'<span class="ml-fine">{escape(metric.source)}.</span></dd>'
        for metric in METRICS.values()
    )
    return (
        "<section><h2>What the scores mean</h2>"
        f"<p>The grade estimates the US school grade whose pupils can read a text. For what patients read, US health "
        f"agencies recommend {low} to {high}. Formulas count words, syllables and sentences; they can't tell whether "
        "an answer is true, and a short answer gives a rough score.</p>"
        f'<ul class="ml-bands">{bands}</ul><dl class="ml-glossary">{terms}</dl></section>'
    )


def _limits(profile: Profile) -> str:
    return (
        "<section><h2>Limits</h2>"
        f"<p>{escape(NOT_MEDICAL_ADVICE_LONG)}</p>"
        f"<p>{escape(profile.base.model)} is a small language model. It mixes up diseases and medicines, makes up "
        "facts, repeats itself and sounds sure of all of it. Training on medical texts changes how it writes more "
        "than what it knows. It speaks English only.</p>"
        "<p>A question that speaks of an emergency gets a notice above the answers. That notice goes by words, so it "
        "can miss one.</p>"
        "<p>Questions and answers are held in memory, for your page alone, and forgotten within an hour of closing it. "
        "They are not stored and not logged. A copied link carries the question in the part of the address that "
        "browsers don't send.</p>"
        "</section>"
    )


def _credits(profile: Profile) -> str:
    return (
        "<section><h2>Credits</h2><ul>"
        "<li>Training data: <strong>MedQuAD</strong>, Asma Ben Abacha and Dina Demner-Fushman, “A Question-Entailment "
        "Approach to Question Answering”, BMC Bioinformatics 20, 2019. "
        f"{_link('https://github.com/abachaa/MedQuAD', 'MedQuAD')}, "
        f"{_link('https://creativecommons.org/licenses/by/4.0/', 'CC BY 4.0')}.</li>"
        f"<li>Base model: <strong>{escape(profile.base.model)}</strong> by Hugging Face, "
        f"{_link('https://www.apache.org/licenses/LICENSE-2.0', 'Apache-2.0')}.</li>"
        f"<li>MediLite {escape(medilite.__version__)}, Apache-2.0. Readability scores by textstat, with the CMU "
        "Pronouncing Dictionary.</li></ul></section>"
    )


def _link(address: str, words: str) -> str:
    return f'<a href="{escape(address)}" rel="noopener noreferrer" target="_blank">{escape(words)}</a>'
