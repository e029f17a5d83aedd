"""Losses of references under several models, paired: `python -m training.loss_table --split known --profile lite …`.

Whole profiles, single adapters (`--adapter NAME=FOLDER`), or both, on the same
pairs of the clean set, cut at the same length. `val` gives the curve of loss
against pairs; `known` and `new` are for adapters that are placed, or proposed
for it, and for reporting alone (docs/protocol.md).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.checkpoints import WEIGHTS_FILE, read_record
from medilite.data import CLEAN, SEALED, data_fingerprint, load_split
from medilite.errors import MediLiteError, TrainingError, suggestion
from medilite.files import write_whole
from medilite.models import Profile, load_profile
from medilite.packages import sha256_of
from medilite.settings import load_settings
from medilite.weights import ensure_adapter, ensure_base
from training.config import BaseConfig
from training.inputs import base_identity, digest
from training.losses import LossLog, PairLosses, of_answers, pair_losses
from training.pairs import TokenPair, choose, tokenise
from training.record import commit, versions

SPLITS = ("val", "test", *SEALED)
SEED = 42
ABOUT = (
    "mean cross-entropy of the references, nats an answer token; 95 % bootstrap intervals over pairs, of differences "
    "paired; lower is better"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A model of the table: its name, and the adapters that make it up, lowest first; none for the base."""

    name: str
    adapters: tuple[Path, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The hashes of its adapters, which identify the model regardless of its name."""
        return tuple(sha256_of(folder / WEIGHTS_FILE) for folder in self.adapters)


def models_of(profiles: Sequence[str], adapters: Sequence[str]) -> list[Measured]:
    """Return the base and every model asked for; raises TrainingError, ProfileError or WeightsError."""
    found = [Measured("base", ())]
    for name in profiles:
        profile = load_profile(name)
        found += [
            Measured(f"{profile.name}/{spec.id}", tuple(ensure_adapter(profile, s) for s in profile.chain(spec.id)))
            for spec in profile.models
            if spec.adapter
        ]
    for given in adapters:
        name, _, folder = given.partition("=")
        if not folder or not (Path(folder) / WEIGHTS_FILE).is_file():
            raise TrainingError(f"--adapter {given}: give NAME=FOLDER, the folder with {WEIGHTS_FILE} in it.")
        found.append(Measured(name, (Path(folder),)))
    return found


def loss_table(
    profile: Profile,
    models: Sequence[Measured],
    data: Path,
    split: str,
    count: int | None,
    max_tokens: int,
    logs: Path,
    pairs_of_models: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return every model's loss with its interval, its difference from the first model's, and those of pairs by name.

    Losses are saved under `logs` as they are computed, so a run resumes after a
    kill.
    """
    from training.base_model import load_tokenizer

    settings = load_settings()
    fingerprint, base = data_fingerprint(data, CLEAN), base_identity(profile, settings)
    folder = ensure_base(profile, settings)
    tokenizer = load_tokenizer(folder)
    pairs = tokenise(tokenizer, choose(load_split(data / CLEAN, split), count, SEED), max_tokens)
    config = BaseConfig(profile=profile.name, products="auto")
    losses: list[PairLosses] = []
    products = ""
    for model in models:
        key = digest([fingerprint, base, split, count, max_tokens, model.key])
        log = LossLog(logs / f"{key}.jsonl")
        loaded, products = _load(folder, config, model) if len(log.done) < len(pairs) else (None, products)
        losses.append(_losses(loaded, pairs, log, f"{model.name}: {split}"))
    by_name = dict(zip((model.name for model in models), losses, strict=True))
    head, dirty = commit()
    return {
        "about": ABOUT,
        "split": f"{CLEAN}/{split}",
        "pairs": len(pairs),
        "answer_tokens": sum(losses[0].tokens),
        "max_tokens": max_tokens,
        "compared_with": models[0].name,
        "models": [_row(model, own, losses[0]) for model, own in zip(models, losses, strict=True)],
        "comparisons": [
            {"model": one, "against": other, **_difference(by_name[one], by_name[other])}
            for one, other in pairs_of_models
        ],
        "provenance": {
            "data": fingerprint, "base": base, "products": products or "as kept", "seed": SEED, "commit": head,
            "commit_dirty": dirty, "versions": versions(),
        },
    }  # fmt: skip


def _losses(loaded: Any, pairs: Sequence[TokenPair], log: LossLog, label: str) -> PairLosses:
    if loaded is None:
        return of_answers([log.done[i] for i in range(len(pairs))])
    return of_answers(pair_losses(loaded, pairs, log, label=label))


def _load(folder: Path, config: BaseConfig, model: Measured) -> tuple[Any, str]:
    from peft import PeftModel

    from training.base_model import load_base, merge_parents, set_products

    loaded = merge_parents(load_base(folder, config), model.adapters[:-1])
    products = set_products(loaded, config)
    if model.adapters:
        loaded = PeftModel.from_pretrained(loaded, str(model.adapters[-1]))
    return loaded, products


def _row(model: Measured, own: PairLosses, first: PairLosses) -> dict[str, Any]:
    record = (read_record(model.adapters[-1]) or {}) if model.adapters else {}
    optim = record.get("config", {}).get("optim", {})
    stopped = optim.get("stop_at_pairs")
    return {
        "name": model.name,
        "adapter_sha256": model.key[-1] if model.key else None,
        "rank": record.get("rank"),
        "learning_rate": record.get("learning_rate"),
        "steps": record.get("steps"),
        "trained_on_pairs": stopped or record.get("train_pairs"),
        "loss": own.mean,
        "interval": own.interval(SEED),
        **_difference(own, first),
    }


def _difference(own: PairLosses, other: PairLosses) -> dict[str, Any]:
    return {"difference": own.mean - other.mean, "difference_interval": own.difference_interval(other, SEED)}


def named_pairs(given: Sequence[str], models: Sequence[Measured]) -> list[tuple[str, str]]:
    """Return the pairs of models asked for as "A,B"; raises TrainingError for a name that the table doesn't have."""
    names = [model.name for model in models]
    pairs = []
    for text in given:
        one, _, other = text.partition(",")
        for name in (one, other):
            if name not in names:
                raise TrainingError(
                    f"--compare {text}: the table has no {name!r}.{suggestion(name, names)} Models: {', '.join(names)}."
                )
        pairs.append((one, other))
    return pairs


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(
        prog="python -m training.loss_table", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("--split", required=True, choices=SPLITS, help="split of the clean set")
    parser.add_argument("--profile", action="append", default=[], help="profile whose models are measured, all of them")
    parser.add_argument("--adapter", action="append", default=[], metavar="NAME=FOLDER", help="one more, by its folder")
    parser.add_argument("--compare", action="append", default=[], metavar="A,B", help="also the difference of A from B")
    parser.add_argument("--base", default="lite", help="profile whose base all are trained on (default: lite)")
    parser.add_argument("--data", type=Path, default=Path("data/medquad"), help="folder of the splits")
    parser.add_argument("--pairs", type=int, metavar="N", help="a draw of N pairs (default: all)")
    parser.add_argument("--max-tokens", type=int, default=512, help="longer pairs are cut (default: 512)")
    parser.add_argument("--logs", type=Path, default=Path("runs/losses"), help="where losses are kept as they come")
    parser.add_argument("--json", type=Path, help="write the table here too")
    options = parser.parse_args(arguments)
    try:
        models = models_of(options.profile, options.adapter)
        base = load_profile(options.base)
        compare = named_pairs(options.compare, models)
        how = (options.data, options.split, options.pairs, options.max_tokens, options.logs, compare)
        table = loss_table(base, models, *how)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        write_whole(options.json, (json.dumps(table, indent=2, ensure_ascii=False) + "\n").encode())
    for row in table["models"]:
        low, high = row["interval"]
        below, above = row["difference_interval"]
        against = f"{row['difference']:+.4f} ({below:+.4f} to {above:+.4f}) against {table['compared_with']}"
        print(f"{row['name']:28} {row['loss']:.4f} ({low:.4f} to {high:.4f})  {against}, n = {table['pairs']} pairs")
    for row in table["comparisons"]:
        below, above = row["difference_interval"]
        print(f"{row['model']} against {row['against']}: {row['difference']:+.4f} ({below:+.4f} to {above:+.4f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
