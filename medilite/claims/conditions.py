"""Diseases by their names: "Fraser syndrome", "lipodystrophy"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from medilite.claims.rarity import names_disease, weight
from medilite.claims.records import Claim
from medilite.content.key_terms import common_stems, stem
from medilite.content.words import words

_HEAD = (
    "syndromes?|diseases?|disorders?|deficiency|dysplasia|dystrophy|atrophy|ataxia|myopathy|neuropathy|anemia|cancer|"
    "carcinoma|tumou?rs?|leukemia|lymphoma|melanoma|sarcoma|palsy|infection|fever|malformations?|anomaly|epilepsy|"
    "deafness|paraplegia|cirrhosis|fibrosis|sclerosis|amyloidosis|porphyria|glaucoma|cataracts?|diabetes|hepatitis|"
    "arthritis|dermatitis|nephropathy|retinopathy|cardiomyopathy|encephalopathy|hypertension|hyperplasia|intolerance|"
    "hypoplasia|dementia|insufficiency|phosphatasia|ichthyosis|keratoderma"
)
_HEADS = re.compile(rf"\b(?:{_HEAD})\b", re.I)
_LETTERS = re.compile(r"[A-Za-z-]+")
_ENDINGS = (
    *("itis", "oma", "emia", "aemia", "osis", "iasis", "pathy", "trophy", "plasia", "uria", "plegia", "algia"),
    *("penia", "dactyly", "cephaly", "ism"),
)
"""Endings of words, of at least seven letters, that alone name a disease."""

_BEFORE = re.compile(r"[\w'’-]+")
_WORDS_BEFORE, _CHARACTERS_BEFORE = 4, 90
"""Most words that a name may have before its head."""

_MOST_OF_IT = 0.5
"""Share of a name's weight that must occur elsewhere for the name to count: names have longer and shorter forms."""

_SPELLING = 0.85
"""Least share of equal letters, in order, for two spellings of one name: small models misspell rare names."""

_RARE_NAME = 5.5
"""Least weight of a run of words that is a name: one very rare word, or two rare ones."""

_GENERAL = re.compile(
    r"\b(?:mechanism|metabolism|organism|diagnosis|prognosis|mitosis|meiosis|homeostasis|apoptosis)\b", re.I
)


def conditions(text: str) -> Iterator[Claim]:
    """Yield the diseases that a text names, by start. The value is the name's stems, in alphabetical order.

    A name is words of diseases' names in front of a head ("Costeff syndrome"),
    or one word with a disease's ending ("histidinemia").
    """
    spans = [(_start_of_name(text, match.start()), match.end()) for match in _HEADS.finditer(text)]
    spans += [
        match.span()
        for match in _LETTERS.finditer(text)
        if len(match[0]) > 6 and match[0].lower().endswith(_ENDINGS) and not _GENERAL.match(match[0])
    ]
    # Names by form come before those found only by their words.
    runs = [
        run for run in _runs(text[: _opening(text)]) if not any(run[0] < end and start < run[1] for start, end in spans)
    ]
    end = 0
    for start, stop in sorted([*spans, *runs], key=lambda span: (span[0], -span[1])):
        stems = name_stems(text[start:stop])
        if start >= end and stems:
            end = stop
            yield Claim("condition", start, stop, " ".join(sorted(stems)))


def name_stems(name: str) -> frozenset[str]:
    """Return the stems of a name that distinguish it from others."""
    common = common_stems()
    return frozenset(
        found
        for word in words(name)
        if len(word) > 1 and any(map(str.isalpha, word)) and (found := stem(word)) not in common and weight(found) > 2
    )


_ASKED = """
What are the symptoms treatments outlook stages complications genetic changes related causes risk diagnose inherited
affected prevent research clinical trials considerations
"""


def subject_stems(question: str) -> frozenset[str]:
    """Return the stems of a question's subject: its words that don't ask."""
    return name_stems(question) - frozenset(stem(word) for word in words(_ASKED))


def known(stems: frozenset[str], elsewhere: frozenset[str]) -> bool:
    """Return whether most of a name, by weight, occurs elsewhere."""
    total = sum(map(weight, stems))
    return sum(weight(found) for found in stems & elsewhere) > _MOST_OF_IT * total


def same_name(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two names are spellings of one: most of their letters are the same, in order."""
    first, second = (" ".join(sorted(name)) for name in (one, other))
    return bool(first and second) and SequenceMatcher(None, first, second).ratio() >= _SPELLING


def _opening(text: str) -> int:
    """Return where a text's first sentence ends, which names its subject in any form."""
    end = re.search(r"[.!?:](?=\s|$)", text)
    return end.end() if end else len(text)


def _runs(text: str) -> list[tuple[int, int]]:
    """Return the runs of words that all occur in diseases' names and are rare enough together to be one."""
    found: list[tuple[int, int]] = []
    run: list[re.Match[str]] = []
    weighed = 0.0
    for word in [*re.finditer(r"[\w'’-]+", text), None]:
        # Symbols (BRCA1) are parts of diseases' names, and none by themselves.
        said = word[0] if word and not (word[0].isupper() and re.search(r"\d", word[0])) else ""
        stems = [piece for part in words(said) if (piece := stem(part)) not in common_stems()]
        near = word is not None and (not run or text[run[-1].end() : word.start()] == " ")
        if word is not None and near and stems and all(names_disease(piece) for piece in stems):
            run.append(word)
            weighed += sum(map(weight, stems))
            continue
        if weighed >= _RARE_NAME:
            found.append((run[0].start(), run[-1].end()))
        run, weighed = [], 0.0
    return found


def _start_of_name(text: str, head: int) -> int:
    """Return where the name in front of a head begins: words of diseases' names, with spaces or hyphens between."""
    first = max(0, head - _CHARACTERS_BEFORE)
    start = end = head
    for word in list(_BEFORE.finditer(text, first, head))[: -_WORDS_BEFORE - 1 : -1]:
        stems = [found for piece in words(word[0]) if (found := stem(piece)) not in common_stems()]
        near = not text[word.end() : end].strip(" ,-")
        if not near or not stems or not all(names_disease(found) or len(found) < 2 for found in stems):
            break
        start = end = word.start()
    return start
