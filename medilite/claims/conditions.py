"""Diseases by their names: "Fraser syndrome", "lipodystrophy"."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_NAMED = re.compile(rf"(?P<before>(?:[\w'’-]+[ ,-]+){{0,4}})(?P<head>\b(?:{_HEAD})\b)", re.I)
_SUFFIX = re.compile(
    r"\b[A-Za-z-]{4,}(?:itis|oma|emia|aemia|osis|iasis|pathy|trophy|plasia|uria|plegia|algia|penia|dactyly|cephaly|ism)\b"
)
_MOST_OF_IT = 0.5
"""Share of a name's weight that must be said elsewhere for the name to be: names come longer and shorter."""

_GENERAL = re.compile(
    r"\b(?:mechanism|metabolism|organism|diagnosis|prognosis|mitosis|meiosis|homeostasis|apoptosis)\b", re.I
)


def conditions(text: str) -> Iterator[Claim]:
    """Yield the diseases that a text names, by start. The value is the name's stems, in alphabetical order.

    A name is words of diseases' names in front of a head ("Costeff syndrome"),
    or one word with a disease's ending ("histidinemia").
    """
    end = 0
    spans: list[tuple[int, int]] = []
    for match in _NAMED.finditer(text):
        start = _start_of_name(text, match)
        spans.append((start, match.end()))
    spans += [match.span() for match in _SUFFIX.finditer(text) if not _GENERAL.match(match[0])]
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < end:
            continue
        stems = name_stems(text[start:stop])
        if stems:
            end = stop
            yield Claim("condition", start, stop, " ".join(sorted(stems)))


def name_stems(name: str) -> frozenset[str]:
    """Return the stems of a name that tell it from others."""
    common = common_stems()
    return frozenset(
        found
        for word in words(name)
        if len(word) > 1 and any(map(str.isalpha, word)) and (found := stem(word)) not in common and weight(found) > 2
    )


def known(stems: frozenset[str], elsewhere: frozenset[str]) -> bool:
    """Return whether most of a name, by weight, is said elsewhere."""
    total = sum(map(weight, stems))
    return sum(weight(found) for found in stems & elsewhere) > _MOST_OF_IT * total


def _start_of_name(text: str, match: re.Match[str]) -> int:
    """Return where the name in front of a head begins: words of diseases' names, without a break."""
    start = match.start("head")
    for word in reversed(list(re.finditer(r"[\w'’-]+", match["before"]))):
        stems = [found for piece in words(word[0]) if (found := stem(piece)) not in common_stems()]
        if not stems or not all(names_disease(found) or len(found) < 2 for found in stems):
            break
        start = match.start("before") + word.start()
    return start
