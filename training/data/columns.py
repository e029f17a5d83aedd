"""Which column of a table is the question, the answer and so on: names differ between publishers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from medilite.errors import DataError, suggestion

ALIASES: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "questions", "question_text", "query", "prompt", "instruction"),
    "answer": ("answer", "answers", "answer_text", "response", "completion", "output"),
    "source": ("source", "document_source", "answer_source", "publisher"),
    "focus_area": ("focus_area", "question_focus", "focus", "topic", "condition"),
    "qtype": ("qtype", "question_type", "type"),
    "qid": ("qid", "question_id", "id"),
    "address": ("address", "url", "document_url"),
    "synonyms": ("synonyms", "focus_synonyms"),
}
"""Names under which each part of a pair is looked for, the likeliest first; compared by `_plain`."""


def find_columns(
    names: Sequence[str], where: str, question_column: str | None = None, answer_column: str | None = None
) -> dict[str, int]:
    """Return, by part of a pair, the position of its column; parts other than question and answer may be missing.

    Raises DataError that lists the columns found and, for a near miss, suggests one.
    """
    plain = [_plain(name) for name in names]
    found: dict[str, int] = {}
    for part, asked in (("question", question_column), ("answer", answer_column)):
        if asked is not None:
            if _plain(asked) not in plain:
                raise DataError(
                    f"{where} has no column {asked!r} (asked for by --{part}-column).{suggestion(asked, names)} "
                    f"Columns found: {_listed(names)}."
                )
            found[part] = plain.index(_plain(asked))
    for part, aliases in ALIASES.items():
        positions = (plain.index(alias) for alias in aliases if alias in plain)
        free = next((position for position in positions if position not in found.values()), None)
        if part not in found and free is not None:
            found[part] = free
    missing = [part for part in ("question", "answer") if part not in found]
    if missing:
        part = missing[0]
        raise DataError(
            f"{where} has no column for the {' and the '.join(missing)}.{suggestion(part, names)} Columns found: "
            f"{_listed(names)}. Rename one to {part!r}, or name it: --{part}-column NAME."
        )
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "") if names else "none"
