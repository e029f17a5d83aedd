"""Models compared question by question: `python -m eval.compare [--run FOLDER]`.

Every model against the base, and a stacked one against its parent and every
other model: differences with 95 % intervals, the probability that the mean
difference is to the better, p-values corrected for their number; by how many of
five formulas one is easier; the same by source, question type and reference
length; and whether what got easier says less. Reads scores.jsonl, writes
comparisons.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.command import add_run, chosen, run_command, run_of
from eval.intervals import (
    RESAMPLES,
    SEED,
    Clusters,
    by_cluster,
    clusters_of,
    function_interval,
    mean_intervals,
)
from eval.metrics.catalogue import BLEU_ABOUT, EASIER, FORMULAS, METRICS, SCORED
from eval.metrics.overlap import BLEU_KINDS
from eval.scores import SplitScores, arrange, load_run
from eval.significance import holm, statistic_p_values
from eval.slices import slices
from eval.tables import MIDDLE, Row, bleu_parts, middle_fields, number, p_number
from eval.trade import trade
from medilite.files import write_whole

SLICED = (
    *("flesch_kincaid_grade", "flesch_reading_ease", "words"),
    *("content_precision", "content_f1", "unsupported_terms", "claims_at_odds", "loops"),
)
"""Metrics that are compared by slice: ease and content. All of them would make too long a table."""

TABLES = ("comparisons", "formulas", "slices", "quarters", "easier")

Pair = tuple[str, str]


def pairs_of(stacked: Mapping[str, str | None], present: Sequence[str]) -> list[Pair]:
    """Return (model, against) for models with answers: each against the first of all, a stacked one against all others.

    `stacked` names, by model in the profile's order, what it is stacked on.
    """
    base = next(iter(stacked))
    found = [(model, base) for model in stacked if model != base]
    for model, parent in stacked.items():
        if parent:
            # Its parent first: the effect of its training.
            found += [(model, other) for other in (parent, *stacked) if other not in {model, base}]
    found = list(dict.fromkeys(found))
    return [(model, against) for model, against in found if model in present and against in present]


def compare(
    scores: SplitScores, pairs: Sequence[Pair], resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, list[Row]]:
    """Return the tables TABLES of one split.

    p-values are corrected over all comparisons of the split; in slices, over all of one dimension.
    """
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    # Nothing to compare: no answer has this metric (none was judged).
    metrics = tuple(metric for metric, values in scores.values.items() if not np.isnan(values).all())
    everything = np.ones(len(scores.questions), bool)
    tables["comparisons"] = difference_rows(scores, pairs, metrics, everything, resamples, seed)
    tables["comparisons"] += _bleu_differences(scores, pairs, resamples, seed)
    _correct(tables["comparisons"])
    tables["formulas"] = formula_rows(tables["comparisons"], scores, pairs)

    by_dimension: dict[str, list[Row]] = {}
    sliced = [metric for metric in SLICED if metric in metrics]
    for dimension, name, which in slices(scores.questions):
        rows = difference_rows(scores, pairs, sliced, which, resamples, seed)
        by_dimension.setdefault(dimension, []).extend({"dimension": dimension, "slice": name, **row} for row in rows)
    for rows in by_dimension.values():
        _correct(rows)
        tables["slices"] += rows

    for model, against in pairs:
        quarters, easier = trade(scores, model, against, resamples, seed)
        tables["quarters"] += quarters
        tables["easier"] += easier
    return tables


def difference_rows(
    scores: SplitScores,
    pairs: Sequence[Pair],
    metrics: Sequence[str],
    which: npt.NDArray[np.bool_],
    resamples: int,
    seed: int,
) -> list[Row]:
    """Return the paired differences on some of the questions, p-values not corrected yet."""
    keys = [(model, against, metric) for model, against in pairs for metric in metrics]
    if not keys:
        return []
    columns = np.stack([scores.column(k, m)[which] - scores.column(k, a)[which] for m, a, k in keys], axis=1)
    clusters = clusters_of([(a.source, a.qtype) for a, chosen in zip(scores.questions, which, strict=True) if chosen])
    means = mean_intervals(columns, resamples, seed, clusters=clusters)
    middle = [
        middle_fields(columns[:, [i]], METRICS[metric].lead, resamples, seed, clusters)[0]
        for i, (_, _, metric) in enumerate(keys)
    ]
    rows: list[Row] = []
    for i, (model, against, metric) in enumerate(keys):
        better = METRICS[metric].better
        above = number(means.above[i])
        rows.append(
            {
                "split": scores.split,
                "model": model,
                "against": against,
                "metric": metric,
                "difference": number(means.mean[i]),
                "low": number(means.low[i]),
                "high": number(means.high[i]),
                **middle[i],
                "n": int(means.n[i]),
                "of": int(which.sum()),
                "probability_better": _better(above, better),
                "p_value": p_number(means.p_value[i]),
            }
        )
    return rows


def _bleu_differences(scores: SplitScores, pairs: Sequence[Pair], resamples: int, seed: int) -> list[Row]:
    rows: list[Row] = []
    for model, against in pairs:
        for kind in BLEU_KINDS:
            counts = np.concatenate([scores.counts(kind, model), scores.counts(kind, against)], axis=1)
            there = ~np.isnan(counts).any(axis=1)
            counts, clusters = counts[there], scores.clusters[there]
            row: Row = {"split": scores.split, "model": model, "against": against, "metric": kind}
            row |= {"difference": None, "low": None, "high": None, **dict.fromkeys(MIDDLE)}
            row |= {"n": len(counts), "of": len(scores.questions)}
            row |= {"probability_better": None, "p_value": None}
            if len(counts) > 1:

                def difference(sums: Any, kind: str = kind) -> Any:
                    return bleu_parts(kind, sums[:, :10])[:, :1] - bleu_parts(kind, sums[:, 10:])[:, :1]

                found = function_interval(counts, difference, resamples, seed, clusters=clusters)
                value, low, high, above = (float(v[0]) for v in found)
                row |= {"difference": number(value), "low": number(low), "high": number(high)}
                row |= {"probability_better": number(above)}
                row |= {"p_value": p_number(_bleu_p_value(kind, counts, clusters, seed))}
            rows.append(row)
    return rows


def _bleu_p_value(kind: str, counts: Any, clusters: Clusters, seed: int) -> float:
    """Return the p-value of a difference in BLEU: whole clusters are swapped, as `significance` flips signs."""
    half = by_cluster((counts[:, :10] - counts[:, 10:]) / 2, clusters)
    middle = (counts[:, :10] + counts[:, 10:]).sum(0) / 2

    def difference(moved: Any) -> Any:
        return bleu_parts(kind, middle + moved)[:, :1] - bleu_parts(kind, middle - moved)[:, :1]

    return float(statistic_p_values(half, difference, seed=seed)[0])


def formula_rows(comparisons: Sequence[Row], scores: SplitScores, pairs: Sequence[Pair]) -> list[Row]:
    """Return, for each pair, by how many of the five formulas one is easier or harder, and the verdict.

    A formula counts where the interval of the median paired difference lies on
    one side of 0; loops of either side are left out.
    """
    rows: list[Row] = []
    for model, against in pairs:
        own = {
            row["metric"]: row
            for row in comparisons
            if (row["model"], row["against"]) == (model, against) and row["metric"] in FORMULAS
        }
        known = [row for row in own.values() if row["median_low"] is not None]
        easier = [row["metric"] for row in known if row["median_high"] < 0]
        harder = [row["metric"] for row in known if row["median_low"] > 0]
        both = ~np.isnan(scores.column("words", model)) & ~np.isnan(scores.column("words", against))
        loops = np.nan_to_num(scores.column("loops", model)) + np.nan_to_num(scores.column("loops", against))
        rows.append(
            {
                "split": scores.split,
                "model": model,
                "against": against,
                "formulas": len(known),
                "easier": len(easier),
                "harder": len(harder),
                "easier_by": ", ".join(easier),
                "harder_by": ", ".join(harder),
                "verdict": "easier" if len(easier) >= EASIER else "harder" if len(harder) >= EASIER else "neither",
                "n": max((row["n"] for row in known), default=0),
                "loops_left_out": int((both & (loops > 0)).sum()),
            }
        )
    return rows


def _better(above: float | None, better: str | None) -> float | None:
    if above is None or better is None:
        return None
    return above if better == "higher" else number(1 - above)


def _correct(rows: Sequence[Row]) -> None:
    for row, corrected in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_holm"] = None if corrected is None else p_number(corrected)


def summary(tables: dict[str, list[Row]], pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield the main differences in words, and the quarters."""
    for model, against in pairs:
        yield f"{model} against {against}"
        for row in tables["comparisons"]:
            if (row["model"], row["against"]) != (model, against) or row["metric"] not in (*SLICED, *BLEU_KINDS):
                continue
            label = BLEU_ABOUT[row["metric"]][0] if row["metric"] in BLEU_KINDS else METRICS[row["metric"]].label
            if row["low"] is None:
                yield f"  {label:20} too few questions with both answers (n {row['n']})"
                continue
            probability, p = row["probability_better"], row["p_holm"]
            yield (
                f"  {label:20}{row['difference']:+9.3f}  [{row['low']:+.3f}, {row['high']:+.3f}]  n {row['n']:,}"
                + ("" if probability is None else f"  better {probability:.1%}")
                + ("" if p is None else f"  p (Holm) {p:.2g}")
            )
        for row in tables["quarters"]:
            if (row["model"], row["against"]) == (model, against):
                yield f"  {METRICS[row['measure']].label}: {row['label']:26}{row['share']:6.1%} of {row['n']:,}"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.compare", description="Compare a run's models.")
    add_run(parser)
    add_resampling(parser)
    return parser


def add_resampling(parser: argparse.ArgumentParser) -> None:
    """Add the bootstrap's options."""
    parser.add_argument(
        "--resamples",
        type=_resamples,
        default=RESAMPLES,
        metavar="N",
        help="bootstrap resamples (default: %(default)s)",
    )
    parser.add_argument(
        "--bootstrap-seed", type=int, default=SEED, metavar="S", help="their seed (default: %(default)s)"
    )


def _resamples(text: str) -> int:
    if (number := int(text)) < 2000:
        raise argparse.ArgumentTypeError(f"{text} resamples are too few for 95 % intervals; give 2000 or more")
    return number


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    _, profile = chosen(options)
    place = run_of(options, profile)
    result: dict[str, Any] = {"resamples": options.resamples, "seed": options.bootstrap_seed, "splits": {}}
    rows, questions, _ = load_run(place.folder, profile)
    stacked = {spec.id: spec.stacked_on for spec in profile.models}
    for split, some in questions.items():
        scores = arrange(split, some, profile.ids, SCORED, [row for row in rows if row.split == split])
        pairs = pairs_of(stacked, scores.answering)
        tables = compare(scores, pairs, options.resamples, options.bootstrap_seed)
        result["splits"][scores.split] = tables
        print("\n".join([f"== {scores.split}", *summary(tables, pairs)]))
    write_whole(place.comparisons, (json.dumps(result, indent=1) + "\n").encode())
    print(f"Written to {place.comparisons}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the comparisons are written, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
