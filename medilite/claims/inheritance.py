"""Patterns of inheritance, and whether a text explains them correctly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medilite.claims.records import Claim

_HOW = (
    r"(?=\s+(?:pattern|manner|fashion|inheritance|trait|condition|disorder|disease|mode|way|form|forms|mutations?)\b)"
)
_BETWEEN = (
    r"(?:(?:is|are|was|were|be|been|being|gets?|can|may|an?|(?:in )?itself|usually|typically|generally|normally"
    r"|commonly|often|directly|actually|genetically|thought|considered|believed|felt|shown|found|proven"
    r"|seems?|appears?|tends?|to|(?:caused|explained) by|due to|related to|the result of"
    r"|(?:something|disease|disorder|condition) (?:that|which))\s+)"
)
"""What may stand between a "not" and the word that it denies. Another word would be what is denied: "doctors do not
understand this inherited disease"."""
_NO = rf"(?:not|never|n['’]t|rarely)\s+{_BETWEEN}{{0,6}}?"
_OTHERS = r"(?:others?|other people|another person|(?:any|some)(?:one|body)|people)\b"
_PARENTS = r"(?:\w+\s+){0,2}?(?:parents?|mothers?|fathers?|famil(?:y|ies)|generations?)\b"
_CONTAGIOUS = (
    r"(?!\s+(?:(?:down|on)\s+)?(?:\w+ly\s+)?"
    rf"(?:to\s+{_OTHERS}|(?:from|by|through|via|with|during)\s+(?!{_PARENTS})))"
)
"""Not what is passed from person to person or by touch."""
_OBJECT = r"(?:the|these|this|an?|any|it|one|two|both|his|her|their|your|my)\b"
"""What follows "inherited" where people "have not inherited the gene"."""
_DENIED = re.compile(
    rf"(?:\b(?:not|never)|n['’]t)\s+{_BETWEEN}{{0,4}}?"
    r"(?:(?:inherited|hereditary|transmitted|passed (?:on|down)|follow|have|show)\s+)?"
    r"(?:(?:in|as|by|through)\s+)?(?:an?\s+)?$",
    re.I,
)
"""The words before a pattern that the text denies: "not inherited in an"."""

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.I))
    for name, pattern in (
        ("x-linked dominant", r"\bX[- ]linked[- ]dominant\b"),
        ("x-linked recessive", r"\bX[- ]linked[- ]recessive\b"),
        ("x-linked", r"\b(?:X|sex)[- ]linked\b(?![- ](?:dominant|recessive))"),
        ("y-linked", r"\bY[- ]linked\b"),
        ("codominant", r"\b(?:autosomal[- ])?co-?dominant\b"),
        ("dominant", r"\bautosomal[- ]dominant(?:ly)?\b"),
        ("recessive", r"\bautosomal[- ](?:dominant(?:\s+or|\s+and|/)\s*)?recessive(?:ly)?\b"),
        ("dominant", rf"(?<!linked )(?<!linked-)(?<!somal )(?<!somal-)\bdominant{_HOW}"),
        ("recessive", rf"(?<!linked )(?<!linked-)(?<!somal )(?<!somal-)\brecessive{_HOW}"),
        ("mitochondrial", r"\bmitochondrial(?:ly)?\s+(?:pattern|inherit\w+)|\bmaternal(?:ly)?\s+inherit\w+"),
        ("multifactorial", r"\bmulti-?factorial\b|\bpolygenic\b"),
        (
            "none",
            rf"(?:\b|(?=n['’]t)){_NO}(?:inherited(?!\s+{_OBJECT})|hereditary|genetic(?=\s+(?:disorder|disease|condition))"
            rf"|passed{_CONTAGIOUS}\s+(?:down|on|from))"
            r"|\bsporadic(?:ally)?\b|\bnon-?hereditary\b",
        ),
    )
)

_CHANGED = r"(?:(?:mutated|altered|abnormal|defective|changed|faulty|copy of the|of the)\s+)*"
_TWO = re.compile(
    rf"\bboth\s+(?:{_CHANGED}cop(?:y|ies)|genes|alleles)\b|\btwo\s+{_CHANGED}(?:cop(?:y|ies)|genes|alleles)\b"
    r"|\bboth\s+(?:of\s+the\s+)?(?:biological\s+)?parents\s+(?:must|have to|need|should|have|carry|are|pass|can pass)\b"
    r"|\beach\s+parent\s+must\b",
    re.I,
)
_ONE = re.compile(
    rf"\b(?:one|single|1)\s+{_CHANGED}cop(?:y|ies)\b[^.]*\b(?:sufficient|enough)\b"
    rf"|\b(?:only|just)\s+(?:a\s+)?(?:one|single)\s+(?:{_CHANGED}cop(?:y|ies)|parent|gene|allele)\b"
    r"|\bone\s+parent\s+(?:must|has to|needs)\b",
    re.I,
)
_ONE_COPY = re.compile(
    rf"\b(?:one|single|a)\s+{_CHANGED}copy\b|\bone\s+of\s+(?:the\s+)?two\s+copies\b|\bone\s+(?:affected\s+)?parent\b",
    re.I,
)
_CARRIER = re.compile(
    r"\b(?:carriers?|unaffected|healthy)\b|\bd(?:o|oes|id)(?: not|n['’]t) (?:have|show|develop|cause)\b"
    r"|\bwithout (?:signs|symptoms)\b",
    re.I,
)
"""Words saying that one copy causes no illness, which is true of recessive inheritance."""

_END = re.compile(r"[.!?](?=\s|$)")
_MEANS = re.compile(r"\s*(?:This|That|It|which|In other words)\b[^.]{0,20}\b(?:means?|is)\b", re.I)

_GENETIC = re.compile(
    r"\b(?:genes?|genetic\w*|inherit\w*|heredit\w*|mutations?|mutated|chromosom\w*|famil(?:ial|y history)|"
    r"autosomal|runs? in families)\b",
    re.I,
)

CONTRADICTIONS = ("dominant: both copies", "recessive: one copy")
"""Values of explanations that say the opposite of their pattern."""


_PART = re.compile(
    r"\b(?:most|some|many|often|usually|generally|typically|rare(?:ly)?|cases?|instances|mutations?|new|de novo|"
    r"parents?|not all|not always|form|forms|percent)\b|%",
    re.I,
)
"""What makes "not inherited" speak of some cases, or of a mutation and not of the disease."""


def speaks_of_genes(text: str) -> bool:
    """Return whether a text mentions genes or inheritance."""
    return _GENETIC.search(text) is not None


def patterns(text: str) -> list[Claim]:
    """Return every pattern of inheritance that a text names, by start.

    "none" is that the disease is not inherited, "sporadic" that some cases, or the mutation, are not.
    """
    found: dict[tuple[int, str], int] = {}
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            # "autosomal dominant or recessive" is found twice: the shorter is the pattern's own words.
            found[match.end(), name] = max(match.start(), found.get((match.end(), name), 0))
    # "Not inherited in an autosomal dominant pattern" names neither that pattern nor none.
    for (end, name), start in list(found.items()):
        denied = None if name == "none" else _DENIED.search(text, max(0, start - 60), start)
        if denied:
            del found[end, name]
            found = {key: at for key, at in found.items() if key[1] != "none" or not denied.start() <= at < start}
    return [
        Claim(
            "inheritance", start, end, "sporadic" if name == "none" and _PART.search(_sentence(text, start)) else name
        )
        for start, end, name in sorted((start, end, name) for (end, name), start in found.items())
    ]


def _sentence(text: str, place: int) -> str:
    """Return the sentence around a place."""
    before = [end.end() for end in _END.finditer(text, 0, place)]
    after = _END.search(text, place)
    return text[before[-1] if before else 0 : after.start() if after else len(text)]


def explanations(text: str) -> Iterator[Claim]:
    """Yield a text's explanations of dominant or recessive: one altered copy of a gene, or both.

    It reads the rest of the pattern's sentence, and the next one if it begins with "This means". A clause that names
    another pattern belongs to that one.
    """
    named = [claim for claim in patterns(text) if claim.value not in {"none", "sporadic"}]
    for number, claim in enumerate(named):
        if claim.value not in {"dominant", "recessive"}:
            continue
        stop = _reach(text, claim.end)
        if number + 1 < len(named):
            stop = min(stop, named[number + 1].start)
        clause = text[claim.end : stop]
        two = _TWO.search(clause)
        if claim.value == "dominant":
            one = _ONE_COPY.search(clause)
            said = "one copy" if one and (not two or one.start() < two.start()) else "both copies" if two else None
        else:
            one = None if _CARRIER.search(clause) else _ONE.search(clause)
            said = "one copy" if one and (not two or one.start() < two.start()) else "both copies" if two else None
        where = one if said == "one copy" else two
        if said and where:
            yield Claim("explanation", claim.end + where.start(), claim.end + where.end(), f"{claim.value}: {said}")


def _reach(text: str, start: int) -> int:
    """Return where the explanation that may follow a pattern ends."""
    first = _END.search(text, start)
    if not first:
        return len(text)
    if _MEANS.match(text, first.end()):
        second = _END.search(text, first.end())
        return second.start() if second else len(text)
    return first.start()


def agree(one: str, other: str) -> bool:
    """Return whether two patterns agree: "x-linked" agrees with both of its kinds."""
    return one == other or (one.startswith("x-linked") and other.startswith("x-linked") and "x-linked" in {one, other})
