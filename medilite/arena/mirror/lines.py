"""Lines of the mirror's files: what happened to a vote, or a text that votes have in common.

Lines may have been written by anybody with access to the repository, so a line is used only if the store could have
written every field of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from medilite.arena.records import CHOICES, REASONS, text_key
from medilite.errors import DecodingError
from medilite.records import Decoding

FORMAT = 1

What = Literal["vote", "same"]

VOTE, TAKEN_BACK, CHANGED, DELETED, SAME = "vote", "taken back", "changed", "deleted", "same"
QUESTION: Final = "question"
ANSWER: Final = "answer"

_SIDES = ("left", "right")
_PAIR: dict[str, tuple[type, ...]] = {
    "id": (str,), "kind": (str,), "profile": (str,), "voter": (str,), "question_id": (str,), "question_key": (str,),
    **{f"{side}_{name}": kinds for side in _SIDES for name, kinds in (
        ("model", (str,)), ("contestant", (str,)), ("answer_key", (str,)), ("seed", (int,)), ("words", (int,)),
        ("grade", (float, int, type(None))))},
    "similarity": (float, int), "decoding": (str,), "created_at": (float, int), "expires_at": (float, int),
    "app_version": (str,), "bank": (str,), "two_probability": (float, int, type(None)),
    "place_probability": (float, int, type(None)), "turns": (int,), "asked": (int,),
}  # fmt: skip
COLUMNS: dict[str, dict[str, tuple[type, ...]]] = {
    "vote": {
        **_PAIR, "choice": (str,), "left_unsafe": (bool,), "right_unsafe": (bool,), "left_reasons": (str,),
        "right_reasons": (str,), "voted_at": (float, int), "decide_s": (float, int, type(None)),
        "undone_at": (float, int, type(None)), "marks": (str,), "network": (str,),
    },
    "same": {
        **dict.fromkeys(("id", "kind", "profile", "question_key", "contestant_a", "contestant_b", "model_a", "model_b",
                         "answer_key"), (str,)),
        "at": (float, int),
    },
}  # fmt: skip
"""The columns of a vote and of a same, as in the store, and their valid values."""

ADDED: dict[str, dict[str, Any]] = {
    "vote": {"bank": "", "two_probability": None, "place_probability": None, "network": "", "turns": 1, "asked": 1},
    "same": {},
}
"""Columns that older files lack, and the values to use there."""

_LONGEST = 1 << 31
_SEED = 1 << 63


@dataclass(frozen=True, slots=True)
class Change:
    """The new state of a vote or a same: its columns, or None if it was deleted.

    `revision` counts how often it was written; the highest is valid, and deleted stays deleted.
    """

    what: What
    id: str
    revision: int
    row: Mapping[str, Any] | None

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """The order between two changes of one vote."""
        return self.row is None, self.revision, self.row is not None and self.row.get("undone_at") is not None


@dataclass(frozen=True, slots=True)
class Text:
    """A question or an answer that may be kept; `id` is a question's id, "" with an answer."""

    what: Literal["question", "answer"]
    key: str
    text: str
    id: str = ""


def write_change(change: Change) -> str:
    """Return the line of a change, with its line end."""
    head: dict[str, Any] = {"format": FORMAT, "event": _event(change), "id": change.id, "revision": change.revision}
    if change.row is None:
        return _line({**head, "what": change.what})
    return _line({**head, "row": {name: change.row[name] for name in COLUMNS[change.what]}})


def write_text(text: Text) -> str:
    """Return the line of a text, with its line end."""
    more = {"id": text.id} if text.what == QUESTION else {}
    return _line({"format": FORMAT, "event": text.what, "key": text.key, **more, "text": text.text})


def read_line(line: str) -> Change | Text | None:
    """Return a line's content, None if it is incomplete or of another format."""
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            return None
        event = record["event"]
        if event in (QUESTION, ANSWER):
            return _read_text(record)
        id, revision = record["id"], record["revision"]
        if not (isinstance(id, str) and 0 < len(id) <= 64 and _whole(revision) and 0 < revision < _LONGEST):
            return None
        if event == DELETED:
            return Change(record["what"], id, revision, None) if record["what"] in COLUMNS else None
        what: What = "same" if event == SAME else "vote"
        row = {**ADDED[what], **record["row"]} if isinstance(record["row"], dict) else None
        if event not in (VOTE, TAKEN_BACK, CHANGED, SAME) or row is None or not _fits(what, row, id):
            return None
        return Change(what, id, revision, {name: row[name] for name in COLUMNS[what]})
    except (ValueError, KeyError, TypeError, RecursionError, DecodingError):
        return None


def _event(change: Change) -> str:
    if change.row is None:
        return DELETED
    if change.what == "same":
        return SAME
    if change.row["undone_at"] is not None:
        return TAKEN_BACK
    return VOTE if change.revision == 1 else CHANGED


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _read_text(record: Mapping[str, Any]) -> Text | None:
    key, text, id = record["key"], record["text"], record.get("id", "")
    whole = isinstance(text, str) and isinstance(id, str) and "\0" not in text + id and key == text_key(text)
    return Text(record["event"], key, text, id) if whole else None


def _fits(what: What, row: Any, id: str) -> bool:
    """Return whether a row has every column, each with a value that the store could have written."""
    if not isinstance(row, dict) or row.get("id") != id:
        return False
    for name, kinds in COLUMNS[what].items():
        value = row[name]
        if isinstance(value, bool) != (kinds == (bool,)) or not isinstance(value, kinds):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
        if isinstance(value, int) and not -_SEED <= value < _SEED:
            return False
        if isinstance(value, str) and "\0" in value.encode().decode():  # a lone surrogate is no text: ValueError
            return False
    return what == "same" or _is_ballot(row)


def _is_ballot(row: Mapping[str, Any]) -> bool:
    Decoding(**json.loads(row["decoding"]))
    reasons = [name for side in _SIDES for name in row[f"{side}_reasons"].split(",") if name]
    words = [row[f"{side}_words"] for side in _SIDES]
    return (
        row["choice"] in CHOICES
        and row["kind"] in ("ready", "live")
        and all(name in REASONS for name in reasons)
        and all(0 <= count < _LONGEST for count in words)
        and 1 <= row["turns"] <= row["asked"] < _LONGEST
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
