"""Numbers with their unit: prevalence, share, age, dose, duration, size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from medilite.claims.records import Claim, Quantity

_TO_TWENTY = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_WORDS: dict[str, float] = {word: number for number, word in enumerate(_TO_TWENTY, 1)}
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS |= {word: 10 * number for number, word in enumerate(_TENS, 3)}
_TIMES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}

_SPELLED = rf"(?:twenty|{'|'.join(_TENS)})[\s-](?:{'|'.join(_TO_TWENTY[:9])})|" + "|".join(
    sorted(_WORDS, key=len, reverse=True)
)
_NUM = (
    # Thousands may be parted by a comma or a thin space; by an ordinary one only where they are whole: "10 000".
    r"(?:\d{1,3}(?:[,\u2009\u202f\u00a0]\d{3})+|\d{1,3}(?:\ 000)+(?!\d)|\d+(?:\.\d+)?|(?<!\d)\.\d+"
    rf"|\b(?:{_SPELLED})\b)"
    r"(?:[\s-]*(?:hundred thousand|hundred|thousand|million|billion)\b)?"
)
_TO = r"\s*(?:to|-|–|—|or|and|through)\s*"


def _range(name: str = "") -> str:
    return rf"(?P<low{name}>{_NUM})(?:{_TO}(?P<high{name}>{_NUM}))?"


_PEOPLE = (
    "people|persons|individuals|patients|men|women|males|females|boys|girls|children|infants|newborns|babies|adults|"
    "births|cases|families|americans|deaths|pregnancies"
)
_DOSE = {"mcg": 1e-3, "µg": 1e-3, "microgram": 1e-3, "micrograms": 1e-3, "mg": 1, "milligram": 1, "milligrams": 1}
_DOSE |= {"g": 1e3, "gram": 1e3, "grams": 1e3}
_TIME = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1, "day": 24, "week": 168, "month": 730.5, "year": 8766}
_LENGTH = {"mm": 1, "millimeter": 1, "cm": 10, "centimeter": 10, "inch": 25.4, "foot": 304.8, "feet": 304.8}
_WEIGHT = {"kg": 1, "kilogram": 1, "pound": 0.45359237, "lb": 0.45359237, "ounce": 0.0283495}
_UNITS: dict[str, tuple[str, float]] = {
    **{unit: ("dose", factor) for unit, factor in _DOSE.items()},
    **{unit: ("time", factor) for unit, factor in _TIME.items()},
    **{unit: ("length", factor) for unit, factor in _LENGTH.items()},
    **{unit: ("weight", factor) for unit, factor in _WEIGHT.items()},
    **dict.fromkeys(("ml", "milliliter"), ("volume", 1.0)),
    **dict.fromkeys(("liter", "l"), ("volume", 1e3)),
    **dict.fromkeys(("iu", "unit"), ("units", 1.0)),
    **dict.fromkeys(("calorie",), ("calories", 1.0)),
    **dict.fromkeys(("mmhg", "mm hg"), ("pressure", 1.0)),
    **dict.fromkeys(("°c", "degrees c", "degrees celsius"), ("degrees Celsius", 1.0)),
    **dict.fromkeys(("°f", "degrees f", "degrees fahrenheit", "degree", "degrees"), ("degrees", 1.0)),
}
_UNIT = (
    r"mm\s?Hg|mcg|µg|micrograms?|mg|milligrams?|grams?|g|ml|mL|milliliters?|liters?|IU|units?|"
    r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|mm|millimeters?|cm|centimeters?|inch(?:es)?|foot|feet|"
    r"kg|kilograms?|pounds?|lbs?|ounces?|calories|°[FC]|degrees(?:\s+(?:[FC]\b|Fahrenheit|Celsius))?"
)

_RATIO = re.compile(
    # Not the 1 of "BRCA1 in 1994", nor the 19 of "COVID-19 in 2020".
    r"(?<![\w.,-])(?<!chromosome\s)(?<!type\s)(?<!stage\s)(?<!grade\s)"
    rf"(?P<of>{_NUM})(?:\s*(?:to|-|–|—|or)\s*(?P<of_high>{_NUM}))?\s*(?:[^\W\d]\w*\s+)?(?:in|per|out\s+of|of(?=\s+every))\s+(?:every\s+|about\s+|approximately\s+)?"
    # "1 attack in 30 to 40 days" is neither 1 in 3 nor 1 in 30.
    rf"(?P<low>(?>{_NUM}))(?!\s*(?:to|-|–|or)\s*{_NUM}\s*(?:{_UNIT})\b)"
    rf"(?:\s*(?:to|-|–|or|and)\s*(?:(?>{_NUM})\s+(?:in|per)\s+)?(?P<high>(?>{_NUM})))?(?!\s*(?:%|(?:percent|{_UNIT})\b))",
    re.I,
)
_CHANCE = r"(?:chances?|risks?|odds|probability|likelihood)\b"
_CHANCE_AFTER = re.compile(rf"\W*(?:\([^()]*\)\W*)?(?:\w+\s+){{0,2}}?{_CHANCE}", re.I)
_CHANCE_BEFORE = re.compile(rf"\b{_CHANCE}\s+(?:\w+\s+){{0,5}}$", re.I)
_MENDEL = (2, 4)
"""1 in 2 and 1 in 4, Mendelian odds: taken for a chance unless people follow."""

_SOME_PEOPLE = re.compile(rf"\s+(?:\w+\s+)?(?:{_PEOPLE})\b", re.I)
_BOUNDED = re.compile(r"\b(?:less|fewer|more|up|at least|at most|over|under)(?:\s+(?:than|to))?\s*$", re.I)
_PERCENT = re.compile(
    rf"(?P<low>{_NUM})(?:(?:{_TO}|\s*(?:%|percent)\s*(?:to|-|–|—)\s*)(?P<high>{_NUM}))?\s*-?(?:%|percent\b|per\s+cent\b|percentage\b)",
    re.I,
)
_AGE = re.compile(
    rf"\b(?:ages?|aged)\s+(?:of\s+|from\s+|between\s+|about\s+|is\s+)*{_range()}(?:\s*(?P<unit>months?|weeks?|days?))?"
    rf"|{_range('2')}[\s-]*(?P<unit2>years?|months?|weeks?|days?)[\s-]*(?:of\s+age\b|old\b)"
    r"|\b(?P<decade>[1-9]0)s\b",
    re.I,
)
_COUNT = re.compile(
    rf"(?P<low>{_NUM})(?:{_TO}(?P<high>{_NUM}))?\s+(?:(?:affected|new|known|reported|of|the|young|older|live|"
    rf"american|million|u\.?s\.?)\s+){{0,3}}(?:{_PEOPLE})\b",
    re.I,
)
_MEASURE = re.compile(rf"{_range()}[\s-]*(?P<unit>{_UNIT})\b(?![\s-]*(?:of\s+age|old)\b)", re.I)
_CHROMOSOME = re.compile(r"\bchromosomes?\s+(?P<low>\d{1,2}|X|Y)\b", re.I)


def numbers(text: str) -> Iterator[Claim]:
    """Yield the quantities of a text by start; each figure counts once, with the most specific unit that fits.

    Units: ratio (the N of "1 in N"), chance (the same of a chance or risk), percent, age (years), people,
    dose (mg), time (hours), length (mm), weight (kg), volume (ml), units, calories, pressure, degrees, degrees Celsius,
    chromosome (X is 23, Y 24). Numbers without a unit are not claims: it is unclear what they count.
    """
    taken: list[tuple[int, int]] = []
    found: list[Claim] = []
    for quantities in (_ratios, _percents, _ages, _chromosomes, _measures, _counts):
        for start, end, quantity in quantities(text):
            if not any(start < other_end and other_start < end for other_start, other_end in taken):
                taken.append((start, end))
                found.append(Claim("number", start, end, quantity))
    yield from sorted(found, key=lambda claim: claim.start)


def within(quantity: Quantity, others: Iterable[Quantity]) -> bool:
    """Return whether others of its unit contain a quantity: each end is one of their ends, or inside a range."""
    unit = _ALIKE.get(quantity.unit, quantity.unit)
    ranges = [(other.low, other.high) for other in others if _ALIKE.get(other.unit, other.unit) == unit]
    return all(
        any(low * 0.99 - 1e-9 <= end <= high * 1.01 + 1e-9 for low, high in ranges)
        for end in (quantity.low, quantity.high)
    )


def is_bound(text: str, claim: Claim) -> bool:
    """Return whether a number is a bound ("fewer than 1 in 5,000"), which agrees with other numbers."""
    return _BOUNDED.search(text, max(0, claim.start - 20), claim.start) is not None


def said(quantity: Quantity) -> str:
    """Return a quantity in words, for a hint."""

    def plain(value: float) -> str:
        return f"{value:,.10g}"

    span = plain(quantity.low) if quantity.low == quantity.high else f"{plain(quantity.low)} to {plain(quantity.high)}"
    match quantity.unit:
        case "ratio" | "chance":
            few, many = plain(round(quantity.low)), plain(round(quantity.high))
            return f"1 in {few}" if few == many else f"1 in {few} to {many}"
        case "percent":
            return f"{span} percent"
        case "age":
            return f"age {span}"
        case "time":
            for name, hours in (("year", 8766), ("month", 730.5), ("week", 168), ("day", 24), ("hour", 1)):
                low, high = quantity.low / hours, quantity.high / hours
                if low >= 1 and abs(low - round(low)) < 1e-6:
                    span = plain(low) if low == high else f"{plain(low)} to {plain(high)}"
                    return f"{span} {name}{'' if low == high == 1 else 's'}"
            return f"{span} hours"
        case "chromosome":
            return f"chromosome {({23: 'X', 24: 'Y'}).get(int(quantity.low), span)}"
        case _:
            names = {"dose": "mg", "length": "mm", "weight": "kg", "volume": "ml", "pressure": "mmHg"}
            return f"{span} {names.get(quantity.unit, quantity.unit)}"


_ALIKE = {"chance": "ratio"}
"""Units that are the same number: whether "1 in N" is a chance isn't always said."""

_Found = Iterator[tuple[int, int, Quantity]]


def _ratios(text: str) -> _Found:
    for match in _RATIO.finditer(text):
        of, low = _value(match["of"]), _value(match["low"])
        high = _value(match["high"]) if match["high"] else low
        most, start = _value(match["of_high"]) if match["of_high"] else of, match.start()
        if most < of:  # no range: "in 1990 and 1 in 5,000"
            of, start = most, match.start("of_high")
        # "1 in 10,000" is a prevalence, "2 of 3 copies" and "10 in 12 hours" are none.
        if not of or low <= most or (low < 20 and of != 1) or (most > 1 and low < 100):
            continue
        ends = sorted((low / most, max(high, low) / of if high > of else low / of))
        yield start, match.end(), Quantity("chance" if _is_chance(text, match, low / of) else "ratio", *ends)


def _is_chance(text: str, match: re.Match[str], ratio: float) -> bool:
    """Return whether "1 in N" is how likely something is for one person, and not how many have it."""
    return (
        _CHANCE_AFTER.match(text, match.end()) is not None
        or _CHANCE_BEFORE.search(text, max(0, match.start() - 60), match.start()) is not None
        or (ratio in _MENDEL and not _SOME_PEOPLE.match(text, match.end()))
    )


def _percents(text: str) -> _Found:
    for match in _PERCENT.finditer(text):
        yield match.start(), match.end(), _quantity("percent", match["low"], match["high"])


def _ages(text: str) -> _Found:
    for match in _AGE.finditer(text):
        if match["decade"]:
            decade = float(match["decade"])
            yield match.start(), match.end(), Quantity("age", decade, decade + 9)
            continue
        low, high, unit = (
            (match["low"], match["high"], match["unit"]) if match["low"] else match.group("low2", "high2", "unit2")
        )
        years = {"m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25}.get((unit or "y")[0].lower(), 1.0)
        yield match.start(), match.end(), _quantity("age", low, high, years)


def _chromosomes(text: str) -> _Found:
    for match in _CHROMOSOME.finditer(text):
        number = {"X": 23.0, "Y": 24.0}.get(match["low"].upper()) or float(match["low"])
        yield match.start(), match.end(), Quantity("chromosome", number, number)


def _measures(text: str) -> _Found:
    for match in _MEASURE.finditer(text):
        unit = " ".join(match["unit"].lower().split())
        known = _UNITS.get(unit) or _UNITS.get(unit.rstrip("s")) or _UNITS.get(unit.removesuffix("es"))
        if known:
            yield match.start(), match.end(), _quantity(known[0], match["low"], match["high"], known[1])


def _counts(text: str) -> _Found:
    for match in _COUNT.finditer(text):
        # "one person", "two people" are phrases, not figures.
        if _value(match["low"]) >= 3:
            yield match.start(), match.end(), _quantity("people", match["low"], match["high"])


def _quantity(unit: str, low: str, high: str | None, factor: float = 1.0) -> Quantity:
    first = _value(low) * factor
    second = _value(high) * factor if high else first
    return Quantity(unit, min(first, second), max(first, second))


def _value(text: str) -> float:
    """Return the number that `text` (a match of _NUM) is."""
    text = re.sub(r"(?<=\d)(?:[,\u2009\u202f\u00a0](?=\d)|\ (?=000))", "", text)
    value = 0.0
    for word in text.replace("-", " ").lower().split():
        if word in _TIMES:
            value = (value or 1.0) * _TIMES[word]
        elif word in _WORDS:
            value += _WORDS[word]
        else:
            digits = re.match(r"\d*\.?\d+", word)[0]  # type: ignore[index]
            value, rest = float(digits), word.removeprefix(digits)
            if rest in _TIMES:
                value *= _TIMES[rest]
    return value
