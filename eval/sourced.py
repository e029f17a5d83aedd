"""Answers from the source against the same models' without it: `python -m eval.sourced [--profile NAME]`.

Questions for which the library has a passage that fits, of the validation
split unless another is named, are asked twice, greedily: alone, and with that
passage (`Question.passage`), as the app's switch does. Both answers are held
against the same texts: the references, the passage and the entries that it was
found with. Measured is how much the answers make up either way, whether they
name the passage's gene, and how much of the passage they keep, copy and
simplify. Sealed questions are for models whose choice is committed
(docs/protocol.md).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.answers import SavedAnswer, read_answers
from eval.command import chosen, run_command, write_result
from eval.generate import SEED, Plan, generate
from eval.intervals import METHOD, Array, Clusters, clusters_of, function_interval, mean_intervals
from eval.metrics.answer import own_scores
from eval.metrics.catalogue import WITHOUT_LOOPS
from eval.metrics.claimed import claim_scores
from eval.questions import SEALED, Question, fingerprint_of, load_questions, sampled, text_hash
from eval.run import CODE, DATA, PACKAGES, RUNS, Run
from medilite import claims
from medilite.cli.terminal import positive_int, say
from medilite.content.repetition import longest_copied
from medilite.engine import open_engine
from medilite.engine.wording import RULE
from medilite.errors import DataError
from medilite.provenance import commit, device_name, versions
from medilite.settings import Settings
from medilite.sources.marks import mark
from medilite.sources.shelf import make_library, open_library

SPLIT = "clean/val"
GENETIC = "genetic changes"
WAYS = ("without", "with")
MODELS = "base,sft-r16-high,grpo"

MEASURES = {
    "unsupported": "claims not found or at odds, an answer",
    "at_odds": "of these at odds",
    "supported": "claims found, an answer",
    "terms": "content words that no source has, an answer",
    "precision": "content words that a source has, of all, by rarity",
    "sentences": "sentences, an answer",
    "found": "of these marked found",
    "found_own": "of these marked found in the question's own references alone",
    "empty": "sentences with at most one content word, of all",
    "not_found": "sentences marked not found or at odds, of all",
    "gene_named": "names a gene of the passage, where it has one",
    "gene_other": "names one that no source has, where the passage has one",
    "recall": "content recall of the passage",
    "copied": "longest run of words copied from the passage",
    "grade_8": "at or below 8th grade, loops left out",
    "flesch_kincaid_grade": "grade, loops left out",
    "loops": "loops",
    "ended": "ends by itself",
    "words": "words",
}


@dataclass(frozen=True, slots=True)
class Sourced:
    """A question with its passage, and the texts that its answers are held against.

    `own` is whether the passage is of one of the question's references: the library has them.
    """

    question: Question
    known: tuple[str, ...]
    own: bool

    @property
    def passage(self) -> str:
        """The passage's text."""
        return self.question.passage or ""


def with_passages(questions: Sequence[Question], data: Path, settings: Settings) -> list[Sourced]:
    """Return the questions for which the library of prepared data has a passage that fits."""
    settings = settings.model_copy(update={"sources": str(data)})
    library = open_library(make_library(settings, lambda _: None), settings)
    found = []
    for question in questions:
        sought = library.search(question.text)
        if sought.fits:
            first = sought.hits[0].passage
            known = dict.fromkeys((*question.references, *library.references(sought), first.text))
            own = first.id.rpartition("#")[0] in question.qids
            found.append(Sourced(dataclasses.replace(question, passage=first.text), tuple(known), own))
    library.close()
    return found


def measured(of: Sourced, answer: SavedAnswer | None, text: str) -> dict[str, float | None]:
    """Return one answer's MEASURES; what does not apply is None. `answer` is None for the passage's own text."""
    own = own_scores(text, answer.tokens if answer else None, answer.stopped if answer else None)
    if own["loops"]:
        own |= dict.fromkeys(WITHOUT_LOOPS)
    held = claim_scores(of.question.text, of.known, text)
    cut = claims.sentences(text)
    sentences = len(cut)
    found, own_found = (
        [one.verdict == "found" for one in mark(text, sources, of.question.text)]
        for sources in (of.known, of.question.references)
    )
    genes = _genes(text)
    expected = _genes(of.passage)
    anywhere = expected.union(*map(_genes, of.known))
    return {
        "unsupported": (held["claims_not_found"] or 0.0) + (held["claims_at_odds"] or 0.0),
        "at_odds": held["claims_at_odds"],
        "supported": held["claims_found"],
        "terms": held["unsupported_terms"],
        "precision": held["content_precision"],
        "sentences": float(sentences),
        "found": float(sum(found)),
        "found_own": float(sum(own_found)),
        "empty": sum(len(one.stems) < 2 for one in cut) / sentences if sentences else None,
        "not_found": found.count(False) / sentences if sentences else None,
        "gene_named": float(bool(genes & expected)) if expected else None,
        "gene_other": float(bool(genes - anywhere)) if expected else None,
        "recall": claims.held_against(text, [of.passage], of.question.text).recall,
        "copied": float(longest_copied(of.passage, text)),
        **{key: own[key] for key in ("grade_8", "flesch_kincaid_grade", "loops", "ended", "words")},
    }


def _genes(text: str) -> set[str]:
    return {str(claim.value) for claim in claims.of(text) if claim.kind == "gene"}


def summary(rows: Sequence[Mapping[str, float | None]], clusters: Clusters) -> dict[str, Any]:
    """Return, by measure, mean, median, 95 % interval of the mean, and n."""
    values = np.array([[row[key] for key in MEASURES] for row in rows], float)
    means = mean_intervals(values, clusters=clusters)
    return {
        key: {
            "mean": _number(means.mean[place]),
            "low": _number(means.low[place]),
            "high": _number(means.high[place]),
            "median": _number(np.nanmedian(values[:, place])) if means.n[place] else None,
            "n": int(means.n[place]),
        }
        for place, key in enumerate(MEASURES)
    }


def ratio(
    rows: Mapping[str, Sequence[Mapping[str, float | None]]], measure: str, clusters: Clusters
) -> dict[str, float | None]:
    """Return the sum of a measure with the source over that without it, with its interval; None where that is 0."""

    def over(sums: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sums[:, :1] > 0, sums[:, 1:] / sums[:, :1], np.nan)

    sums = np.array([[row[measure] for row in rows[way]] for way in WAYS], float).T
    if not sums[:, 0].any():
        return dict.fromkeys(("ratio", "low", "high"))
    value, low, high, _ = function_interval(sums, over, clusters=clusters)
    return {"ratio": _number(value[0]), "low": _number(low[0]), "high": _number(high[0])}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def figures(
    some: Sequence[Sourced], genetic: Sequence[Sourced], answers: Mapping[str, Mapping[tuple[str, str], SavedAnswer]]
) -> dict[str, Any]:
    """Return every model's figures, and the passages' own: of `some`, those on genes of `genetic`.

    A question counts where the model answered it both ways.
    """

    def both(model: str, asked: Sequence[Sourced]) -> list[Sourced]:
        return [one for one in asked if all((one.question.qid, model) in answers[way] for way in WAYS)]

    def of(asked: Sequence[Sourced], texts: Mapping[str, SavedAnswer] | None) -> list[dict[str, float | None]]:
        found = [(one, texts[one.question.qid] if texts else None) for one in asked]
        return [measured(one, answer, answer.text if answer else one.passage) for one, answer in found]

    def groups(asked: Sequence[Sourced]) -> Clusters:
        return clusters_of([(one.question.source, one.question.qtype) for one in asked])

    result: dict[str, Any] = {"passage": summary(of(some, None), groups(some)), "models": {}}
    for model in sorted({model for _, model in answers["with"]}):
        asked, genes = both(model, some), both(model, genetic)
        rows, on_genes = (
            {way: of(which, {qid: a for (qid, by), a in answers[way].items() if by == model}) for way in WAYS}
            for which in (asked, genes)
        )
        result["models"][model] = {
            "ways": {way: summary(rows[way], groups(asked)) for way in WAYS},
            "ratios": {name: ratio(rows, name, groups(asked)) for name in ("unsupported", "terms")},
            GENETIC: {
                way: {name: summary(on_genes[way], groups(genes))[name] for name in ("gene_named", "gene_other")}
                for way in WAYS
            }
            if genes
            else None,
        }
    return result


def answered(run: Run, asked: Sequence[Question]) -> dict[tuple[str, str], SavedAnswer]:
    """Return a run's answers by question and model; raises DataError where one answered another prompt."""
    prompts = {question.qid: text_hash(question.asked) for question in asked}
    found = {(one.qid, one.model): one for one in read_answers(run.answers).answers if one.qid in prompts}
    other = next((one for one in found.values() if one.question != prompts[one.qid]), None)
    if other:
        raise DataError(
            f"{run.answers} answers {other.qid} from another passage, or none, or with words weighed otherwise: the "
            "library, the data or the code has changed since. Give another --run."
        )
    return found


def run(options: argparse.Namespace) -> int:
    """Carry out the command line; 1 if an answer failed."""
    settings, profile = chosen(options)
    every = load_questions(options.data, options.split)
    say("Looking the questions up")
    of_genes = [question for question in every if question.qtype == GENETIC]
    before = {one.qid for one in (*sampled(every, options.after, SEED), *sampled(of_genes, options.genes_after, SEED))}
    # Of both draws: a question may be in the one and in the other.
    drawn, more = (
        [question for question in sampled(pool, count, SEED) if question.qid not in before]
        for pool, count in (
            (every, options.after + options.count),
            (of_genes, options.genes_after + options.genes),
        )
    )
    fitting = with_passages(drawn, options.data, settings)
    if not fitting:
        raise DataError(
            f"None of {len(drawn)} questions of {options.split} has a passage: raise --count, or lower --after."
        )
    genetic = [one for one in with_passages(more, options.data, settings) if _genes(one.passage)]
    folder = options.run or RUNS / f"sourced-{profile.name}"
    runs = {way: Run(folder / way) for way in WAYS}
    questions = {one.question.qid: one.question for one in (*fitting, *genetic)}
    asked = {
        "with": list(questions.values()),
        "without": [dataclasses.replace(question, passage=None) for question in questions.values()],
    }
    failed = 0
    engine = open_engine(profile, settings)
    for way in WAYS:
        say(f"{way} the source")
        answered(runs[way], asked[way])
        plan = Plan(
            profile, options.data, (options.split,),
            tuple(spec.id for spec in profile.select(options.models, rewriters=True)), runs[way],
            at_once=options.at_once, board=options.from_board if way == "without" else None,
        )  # fmt: skip
        failed += generate(plan, settings, engine, asked[way])[1]
    answers = {way: answered(runs[way], asked[way]) for way in WAYS}
    head, dirty = commit(CODE)
    one = next(iter(answers["with"].values()))
    result = {
        "profile": profile.name, "split": options.split, "data": fingerprint_of(options.data, [options.split]),
        "after": options.after, "drawn": len(drawn), "fitting": len(fitting),
        "of_own_reference": sum(one.own for one in fitting),
        "genes_after": options.genes_after, "on_genes": len(genetic), "seed": SEED,
        "decoding": dataclasses.asdict(one.setup.decoding), "precision": one.setup.precision, "words_weighed": RULE,
        "adapters": {model: of.adapter for (_, model), of in answers["with"].items()}, "failed": failed,
        "measures": MEASURES, "intervals": METHOD, "commit": head, "commit_dirty": dirty,
        "answers_commits": sorted({str(of.commit) for way in WAYS for of in answers[way].values()}),
        "versions": versions(PACKAGES), "device": device_name(),
        **figures(fitting, genetic, answers),
    }  # fmt: skip
    write_result(result, table(result), options.json)
    return 1 if failed else 0


def table(result: Mapping[str, Any]) -> str:
    """Return the figures as Markdown."""

    def cell(of: Mapping[str, Any] | None) -> str:
        if of is None or of["mean"] is None:
            return "–"
        return f"{of['mean']:.2f} ({_shown(of['low'])} to {_shown(of['high'])})"

    columns = [(f"{model}, {way}", of["ways"][way]) for model, of in result["models"].items() for way in WAYS]
    columns.append(("the passage", result["passage"]))
    lines = [
        f"{result['fitting']} of {result['drawn']} questions have a passage, {result['of_own_reference']} of them one "
        "of their own reference",
        "",
        f"| mean (95 % interval), n = {result['fitting']} | {' | '.join(name for name, _ in columns)} |",
        "| --- |" + " --- |" * len(columns),
    ]
    lines += [f"| {label} | {' | '.join(cell(of[key]) for _, of in columns)} |" for key, label in MEASURES.items()]
    for model, of in result["models"].items():
        share = of["ratios"]["unsupported"]
        lines.append(
            f"{model}: unsupported claims with the source are {_shown(share['ratio'])} of those without "
            f"({_shown(share['low'])} to {_shown(share['high'])})"
        )
        for way, row in (of[GENETIC] or {}).items():
            lines.append(f"{model}, on genes, {way}: {cell(row['gene_named'])}, n = {row['gene_named']['n']}")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, 1 if some answers failed, 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(prog="python -m eval.sourced", description="Measure answers from the source.")
    parser.add_argument("--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file")
    parser.add_argument("--data", type=Path, default=DATA, help="prepared MedQuAD (default: %(default)s)")
    parser.add_argument("--split", choices=(SPLIT, *SEALED), default=SPLIT, help="(default: %(default)s)")
    parser.add_argument("--models", default=MODELS, metavar="all|id,id", help="(default: %(default)s)")
    parser.add_argument("--count", type=positive_int, default=150, metavar="N", help="questions (default: %(default)s)")
    parser.add_argument(
        "--genes",
        type=positive_int,
        default=50,
        metavar="N",
        help="questions on genes besides, for the gene's figures alone (default: %(default)s)",
    )
    for name, of in (("--after", "questions"), ("--genes-after", "on genes")):
        parser.add_argument(
            name,
            type=positive_int,
            default=0,
            metavar="N",
            help=f"leave out the first N {of}, asked before (default: none)",
        )
    parser.add_argument(
        "--from-board", type=Path, metavar="FOLDER", help="take answers without the source over from a board"
    )
    parser.add_argument("--at-once", type=positive_int, default=16, metavar="K", help="(default: %(default)s)")
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="answers' folder (default: runs/sourced-PROFILE)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    return run_command(parser, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
