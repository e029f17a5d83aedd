"""A comparison as a file to keep: JSON and CSV, made in memory, never on the server's disk."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import asdict
from typing import Any

import medilite
from medilite.answer_record import answer_record
from medilite.files import csv_cell
from medilite.readability import Readability
from medilite.safety import NOT_MEDICAL_ADVICE
from medilite.ui.compare.comparison import Comparison

_SCORE_NAMES = tuple(Readability.__dataclass_fields__)
_VERDICTS = ("found", "not_found", "at_odds")


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data; an answer that failed is null, as is every score it doesn't have."""
    return {
        "question": comparison.question,
        "earlier": [
            {"question": run.question, "answers": {pane.spec.id: pane.text for pane in run.panes}}
            for run in comparison.earlier
        ],
        "profile": comparison.profile.name,
        "base": comparison.profile.base.model,
        "decoding": asdict(comparison.decoding),
        "seed": comparison.seed,
        "version": medilite.__version__,
        "notice": NOT_MEDICAL_ADVICE,
        "source": _source_record(comparison),
        "answered_from": comparison.given and comparison.given.id,
        "answers": [
            {
                "model": pane.spec.id,
                "label": pane.spec.label,
                **answer_record(pane.answer(), pane.scores),
                "marks": None if pane.checked is None else [asdict(mark) for mark in pane.checked],
            }
            for pane in comparison.panes
        ],
    }


def _source_record(comparison: Comparison) -> dict[str, Any] | None:
    """Return where the source is to be found, by id and address; null where there was no library."""
    sought = comparison.sought
    if sought is None or sought.found is None or sought.about is None:
        return None
    return {
        "library": sought.about.title,
        "fingerprint": sought.about.fingerprint,
        "fits": sought.found.fits,
        "passages": [{"id": hit.passage.id, "address": hit.passage.address} for hit in sought.found.hits],
    }


def as_json(comparison: Comparison) -> str:
    """Return the comparison as JSON text, readable by people too."""
    return json.dumps(comparison_record(comparison), ensure_ascii=False, indent=2) + "\n"


def as_csv(comparison: Comparison) -> str:
    """Return the comparison as CSV, one line a model; null is an empty cell.

    Text that a spreadsheet would run as a formula is made plain (`csv_cell`). It
    begins with a byte-order mark, without which spreadsheets on Windows take it
    for text of another encoding.
    """
    record = comparison_record(comparison)
    shared = {key: record[key] for key in ("question", "profile", "base")}
    shared["follows"] = " / ".join(run["question"] for run in record["earlier"]) or None
    last = {**record["decoding"], "seed": record["seed"], "version": record["version"], "notice": record["notice"]}
    first = record["source"]["passages"][0] if record["source"] and record["source"]["fits"] else None
    source = {"passage": first and first["id"], "passage_address": first and first["address"]}
    source["answered_from"] = record["answered_from"]
    rows = []
    for answer in record["answers"]:
        scores = answer.pop("readability") or dict.fromkeys(_SCORE_NAMES)
        marks = answer.pop("marks")
        counts = {name: None if marks is None else sum(m["verdict"] == name for m in marks) for name in _VERDICTS}
        rows.append({**shared, **answer, **scores, **counts, **source, **last})
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: csv_cell(value) for key, value in row.items()})
    return out.getvalue()


def data_uri(text: str, mime: str) -> str:
    """Return a `data:` address that holds `text`, for a link with `download`."""
    return f"data:{mime};charset=utf-8;base64,{base64.b64encode(text.encode('utf-8')).decode('ascii')}"
