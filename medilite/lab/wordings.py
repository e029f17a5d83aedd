"""A question reworded by rules of this project: typos, lay words, a second language, clinical words.

Each rule is a row of small edits, made one after another. An edit that would take the emergency notice from a question,
or make it another one, is left out: an emergency described badly is still one. Words that say no, and numbers, are
never touched.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from medilite.lab.lay_words import CLINICAL, LAY, NAMES
from medilite.safety import emergency_notice

Kind = Literal["typos", "lay", "second-language", "clinical"]
Edit = Callable[[str], str]

LABELS: dict[Kind, str] = {
    "typos": "With typos",
    "lay": "In lay words",
    "second-language": "By a learner of English",
    "clinical": "In clinical words",
}

_NEGATION = re.compile(r"(?i)\b(?:no|not|never|none|without|nor|neither|cannot|\w+n['’]t)\b")
_LONG_WORD = re.compile(r"[A-Za-z]{5,}")
_ARTICLE = re.compile(
    r"(?P<name>(?i:\b(?:hep|hepatitis|vitamin|flu|influenza|type|group|class|strep|ha?emophilia|immunoglobulin) a\b"
    r"|\ba fib\b))"
    r"|(?P<begin>(?:^|[.!?]\s|\n)\s*)(?:The|An|A(?! fib\b)) (?=[A-Za-z])"
    r"|(?<![\w'’-])(?:the|an|a) (?=[A-Za-z])"
)
"""An article; a capital A within a sentence is a letter of a name, and so is "a" behind some words."""

_NAME = re.compile(rf"(?i)(?<![\w-])({NAMES})(?![\w-])")
_SEED = 20_261_129
_SLIPS = 3
"""Most words that are typed wrong."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A question in other words; `kept` counts edits that were left out so that the emergency notice stays."""

    kind: Kind
    text: str
    kept: int = 0


def wordings(question: str) -> list[Wording]:
    """Return the question as each rule words it, in the order of LABELS; a rule that changes nothing is left out."""
    made = []
    for kind, edits in _EDITS.items():
        text, kept = _edited(question, edits(question), _SLIPS if kind == "typos" else None)
        if text != question:
            made.append(Wording(kind, text, kept))
    return made


def _edited(question: str, edits: Iterable[Edit], most: int | None = None) -> tuple[str, int]:
    """Return the text after the edits that leave notice, negations and numbers alone, and how many didn't.

    No more than `most` are made.
    """
    wanted, text, kept, made = _must_stay(question), question, 0, 0
    for edit in edits:
        if made == most:
            break
        new = re.sub(r"[ \t]{2,}", " ", edit(text)).strip()
        if new == text:
            continue
        if _must_stay(new) == wanted:
            text, made = new, made + 1
        else:
            kept += 1
    return text, kept


def _must_stay(text: str) -> tuple[object, ...]:
    notice = emergency_notice(text)
    said_no = [match.casefold() for match in _NEGATION.findall(text)]
    return notice.kind if notice else None, tuple(said_no), tuple(re.findall(r"\d+", text))


def _typos(question: str) -> list[Edit]:
    """Long words get one slip each: two letters swapped, one left out, or one typed twice."""
    draw = random.Random(f"{_SEED} {question}")
    words = [match[0] for match in _LONG_WORD.finditer(question) if not _NEGATION.fullmatch(match[0])]
    if not question.isupper():
        # With a slip an abbreviation is another one.
        words = [word for word in words if not word.isupper()]
    edits = []
    for word in dict.fromkeys(words):
        at = draw.randrange(1, len(word) - 2)
        slip = draw.choice(("swap", "drop", "twice"))
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        new = {"swap": swapped, "drop": word[:at] + word[at + 1 :], "twice": word[:at] + word[at] + word[at:]}[slip]
        edits.append(_replaced(word, new))
    return edits


def _lay(question: str) -> list[Edit]:
    said = [_translated(clinical, lay) for clinical, lay in LAY]
    return [
        *said,
        _pattern(r"^what are the (?:signs and )?symptoms of (.+?)\?*$", r"how do I know if I have \1?"),
        _pattern(r"^what (?:are the )?causes? (?:of )?(.+?)\?*$", r"why do people get \1?"),
        _pattern(r"^how is (.+?) treated\?*$", r"what can you do about \1?"),
        _pattern(r"^what (?:is|are) (?:the treatments? for) (.+?)\?*$", r"what can you do about \1?"),
        _pattern(r"^what (?:is|are) (.+?)\?*$", r"so what is \1 exactly?"),
    ]


def _second_language(question: str) -> list[Edit]:
    return [
        lambda text: _ARTICLE.sub(lambda found: found["name"] or found["begin"] or "", text),
        _pattern(r"^(what|how|why|when) (?:do|does|is|are|should|can) (\w+)", r"\1 \2"),
        _pattern(r"\bare\b", "is"),
        _pattern(r"\b(have|has) been\b", "is"),
        _pattern(r"\bdoes\b", "do"),
        _pattern(r"\bshould I\b", "I must"),
        _pattern(r"\bsymptoms\b", "symptom"),
        _pattern(r"^(?=\S)", "Please, I want to ask: "),
    ]


def _clinical(question: str) -> list[Edit]:
    said = [_translated(lay, clinical) for lay, clinical in CLINICAL]
    return [
        _pattern(r"\bwhat are the (?:signs and )?symptoms of\b", "What is the clinical presentation of"),
        _pattern(r"^what causes\b", "What is the aetiology of"),
        _pattern(r"^how do (?:I|you) treat\b", "What is the management of"),
        _pattern(r"^how is (.+?) treated\?*$", r"What is the management of \1?"),
        _pattern(r"^what helps (?:against|with)\b", "What is the recommended management of"),
        *said,
    ]


_EDITS: dict[Kind, Callable[[str], list[Edit]]] = {
    "typos": _typos, "lay": _lay, "second-language": _second_language, "clinical": _clinical,
}  # fmt: skip


def _replaced(word: str, new: str, kept: str = "") -> Edit:
    """Return an edit that puts `new` for a word or words, wherever they are whole; a capital, and `kept`, stay."""
    words = f"{re.escape(kept)}|{re.escape(word)}" if kept else re.escape(word)
    pattern = re.compile(rf"(?i)(?<![\w-])(?:{words})(?![\w-])")
    return lambda text: pattern.sub(
        lambda found: found[0] if found[0].casefold() == kept else _cased(new, found[0]), text
    )


def _translated(word: str, new: str) -> Edit:
    """Return the edit of `_replaced`, which leaves names alone, and `new` where the text has it already."""
    edit = _replaced(word, new, kept=new if word in new else "")
    # The odd parts are the names.
    return lambda text: "".join(part if at % 2 else edit(part) for at, part in enumerate(_NAME.split(text)))


def _pattern(pattern: str, new: str) -> Edit:
    compiled = re.compile(f"(?i){pattern}")
    return lambda text: compiled.sub(new, text, count=0)


def _cased(new: str, old: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() and old[1:].islower() else new
