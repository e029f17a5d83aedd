"""The result of every reader: raw pairs, what could not be read, and unique ids."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from medilite.data import fold
from medilite.records import Example

__all__ = [
    *("MEDQUAD_SOURCES", "Collection", "Problem", "RawPair", "SourceKind"),
    *("is_medquad", "with_ids"),
]

SourceKind = Literal["xml", "csv", "kaggle", "hub"]

MEDQUAD_SOURCES = frozenset(
    {"GHR", "GARD", "NIDDK", "NINDS", "MPlusHealthTopics", "NIHSeniorHealth", "CancerGov", "NHLBI", "CDC"}
)
"""The sources whose answers MedQuAD publishes, as its documents spell them."""


@dataclass(frozen=True, slots=True)
class RawPair:
    """One question with its answer as a reader found it, white space folded; "" where a part is missing.

    `synonyms` are the other names of `focus_area` that the source gives, `address` is the page of the answer.
    """

    question: str
    answer: str
    source: str = ""
    focus_area: str = ""
    qtype: str = ""
    qid: str = ""
    synonyms: tuple[str, ...] = ()
    address: str = ""

    @classmethod
    def of(cls, cells: Mapping[str, str]) -> RawPair:
        """Return the pair of a table's row, from its cells by part; a cell of synonyms parts them by "|"."""
        named = dict(cells)
        synonyms = tuple(name for part in named.pop("synonyms", "").split("|") if (name := fold(part)))
        return cls(**named, synonyms=synonyms)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: `where` is a file's name or "name, line n"."""

    where: str
    reason: str


@dataclass(slots=True)
class Collection:
    """All that a reader found, in the collection's own order.

    `counts` says how much was read, in the reader's own terms (documents, rows);
    `problems` names every item that was left out because it is malformed.
    """

    name: str
    kind: SourceKind
    pairs: list[RawPair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def with_ids(pairs: Sequence[RawPair], focus_if_missing: str) -> list[Example]:
    """Turn pairs into examples whose `qid` is unique and stays the same when rows are added or reordered.

    The collection's own ids count documents from one in every source, and a few of one source are in two documents. So
    an id is "source/qid"; where that still names two pairs, all of them get a hash of their content as well. A pair
    without an id of its own is named by that hash alone. Only literal copies of one pair are numbered by their order
    ("#2").
    """
    wanted = [_own_id(pair) for pair in pairs]
    shared = {qid for qid, count in Counter(wanted).items() if count > 1}
    seen: Counter[str] = Counter()
    examples = []
    for pair, own in zip(pairs, wanted, strict=True):
        qid = f"{own}~{_content_hash(pair)[:8]}" if own in shared and pair.qid else own
        seen[qid] += 1
        if seen[qid] > 1:
            qid = f"{qid}#{seen[qid]}"
        focus = pair.focus_area or focus_if_missing
        examples.append(Example(qid, pair.question, pair.answer, pair.source, focus, pair.qtype))
    return examples


def is_medquad(examples: Iterable[Example]) -> bool:
    """Return whether all pairs name one of MedQuAD's sources, so that its credit and licence apply."""
    sources = {example.source for example in examples}
    return bool(sources) and sources <= MEDQUAD_SOURCES


def _own_id(pair: RawPair) -> str:
    if not pair.qid:
        return f"pair-{_content_hash(pair)[:16]}"
    return f"{pair.source}/{pair.qid}" if pair.source else pair.qid


def _content_hash(pair: RawPair) -> str:
    return hashlib.sha256(f"{pair.question}\x1f{pair.answer}".encode()).hexdigest()
