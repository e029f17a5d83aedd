"""`python -m medilite models`: list the models, whether each is here, and how it was trained.

Looks at files only; no weights are loaded and nothing is fetched.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medilite.checkpoints import read_training_record
from medilite.cli.terminal import chosen, print_json
from medilite.errors import ModelUnavailableError
from medilite.models import ModelSpec, Profile
from medilite.weights import ensure_adapter, find_base

Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Print the profile's base and models, as text or JSON."""
    settings, profile = chosen(options)
    folder = find_base(profile, settings)
    rows = [describe(profile, spec, folder) for spec in profile.every]
    base = {
        "model": profile.base.model,
        "source": profile.base.source,
        "licence": profile.base.licence,
        "folder": str(folder) if folder else None,
    }
    if options.json:
        print_json({"profile": profile.name, "title": profile.title, "base": base, "models": rows})
    else:
        print("\n".join(_as_text(profile, base, rows)))
    return 0


def describe(profile: Profile, spec: ModelSpec, base: Path | None) -> Row:
    """Return what is known of one model; `available` is None if only the Hub knows."""
    available, reason = presence(profile, spec)
    if base is None and available is not False:
        available, reason = False, "the base is not fetched yet"
    return {
        "id": spec.id,
        "label": spec.label,
        "about": spec.about,
        "adapter": spec.adapter,
        "stacked_on": spec.stacked_on,
        "available": available,
        "reason": reason,
        "training": read_training_record(profile, spec),
    }


def presence(profile: Profile, spec: ModelSpec) -> tuple[bool | None, str | None]:
    """Return whether every adapter of a model is here (None: the Hub has to be asked) and, if not, why."""
    remote = False
    for link in profile.chain(spec.id):
        if isinstance(profile.adapter_path(link), str):
            remote = True
            continue
        try:
            ensure_adapter(profile, link)
        except ModelUnavailableError as error:
            return False, str(error)
    return (None, "fetched from the Hub when it is first asked") if remote else (True, None)


def _as_text(profile: Profile, base: Row, rows: list[Row]) -> list[str]:
    where = f"in {base['folder']}" if base["folder"] else "not fetched yet (`python -m medilite fetch` gets it)"
    lines = [
        f"Profile  {profile.name}: {profile.title}",
        f"Base     {base['model']} ({base['licence']}), {where}",
    ]
    wide_id, wide_label = (max(len(row[key]) for row in rows) for key in ("id", "label"))
    for row in rows:
        status = {True: "ready", False: "unavailable", None: "on the Hub"}[row["available"]]
        lines += ["", f"{row['id']:<{wide_id}}  {row['label']:<{wide_label}}  {status}"]
        stacked = f", stacked on {row['stacked_on']}" if row["stacked_on"] else ""
        adapter = f"adapter: {row['adapter']}{stacked}" if row["adapter"] else None
        why = f"{status}: {row['reason']}" if row["reason"] else None
        details = (row["about"], adapter, _training_line(row["training"]), profile.get(row["id"]).loss_note, why)
        lines += [f"{'':<{wide_id}}  {detail}" for detail in details if detail]
    return lines


def _training_line(record: Row | None) -> str | None:
    known = {name: value for name, value in (record or {}).items() if type(value) in (int, float)}
    parts = [f"{name.replace('_', ' ')} {known[name]:g}" for name in ("rank", "learning_rate") if name in known]
    if "steps" in known:
        parts.append(f"{known['steps']:,} steps")
    if "test_loss" in known:
        asides = ["lower is better"]
        asides += [f"base {known['base_test_loss']:.3f}"] if "base_test_loss" in known else []
        asides += [f"n = {known['test_pairs']:,} pairs"] if "test_pairs" in known else []
        match (record or {}).get("test_loss_interval"):
            case [float() | int() as low, float() | int() as high]:
                asides.insert(0, f"95 % interval {low:.3f} to {high:.3f}")
        parts.append(f"test loss {known['test_loss']:.3f} ({', '.join(asides)})")
    return f"trained: {'; '.join(parts)}" if parts else None
