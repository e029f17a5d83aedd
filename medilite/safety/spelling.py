"""Key words that people in a hurry misspell, put right."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGER = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[a-z]{6,}")

_SPOKEN = {
    "gonna": "going to", "gunna": "going to", "gna": "going to", "finna": "going to", "imma": "im going to",
    "ima": "im going to", "wanna": "want to", "wana": "want to", "wannna": "want to", "tryna": "trying to",
    "gotta": "got to", "hafta": "have to", "needa": "need to", "oughta": "ought to", "outta": "out of",
    "kinda": "kind of", "lemme": "let me", "gimme": "give me", "dunno": "dont know", "aint": "isnt",
    "dnt": "dont", "dun": "dont", "cnt": "cant", "couldve": "could have", "shouldve": "should have",
    "wouldve": "would have", "wudnt": "wouldnt", "cuz": "because", "coz": "because", "bcuz": "because",
    "u": "you", "ur": "your", "r": "are", "n": "and", "plz": "please", "pls": "please", "tn": "tonight",
    "tonite": "tonight", "2nite": "tonight", "2night": "tonight", "tmrw": "tomorrow", "tmr": "tomorrow",
    "tomorow": "tomorrow", "2morrow": "tomorrow", "nomore": "anymore", "anymo": "anymore", "myslf": "myself",
    "mysef": "myself", "mself": "myself", "meself": "myself", "noone": "nobody", "noones": "nobody",
    "dieing": "dying", "alot": "a lot", "sewerslide": "suicide", "sueycide": "suicide",
}  # fmt: skip
"""Spoken and shortened spellings, without apostrophes, and their meaning."""


def _with_apostrophes(word: str) -> str:
    """Return a pattern for a word in which an apostrophe may be anywhere ("ain't")."""
    return "'?".join(word)


_SPOKEN_PATTERN = re.compile(rf"\b(?:{'|'.join(map(_with_apostrophes, _SPOKEN))})\b")

_G_LESS = re.compile(
    r"\b(kill|dy|liv|cutt|hurt|hang|shoot|harm|end|burn|jump|bleed|breath|chok|think|plann|want|try|tak|wak|exist|starv"
    r"|drown|overdos|stockpil|hoard|feel|say|tell|go)in\b"
)
"""Words whose last letter is dropped in speech ("killin")."""

_PLAIN_TEXT = """
kill killing killed suicide suicidal die dying dead death harm harming hurt hurting cut cutting self myself end life
live living alive unalive want overdose overdosed pills heart attack stroke breathing breathe breath bleeding chest pain
help
"""
_PLAIN = frozenset(_PLAIN_TEXT.split())
"""Words that are looked for behind signs that look like letters, and in letters that are written apart."""

_SIGNS = re.compile(r"(?<![^\W_])[a-z0-9@$!|]{3,}")
_LIKE = [str.maketrans("01!|3457@$", letters) for letters in ("oiiieastas", "ollleastas")]
"""Letters that signs look like: 1, ! and | are i, or l."""

_DISGUISED = re.compile(r"\bk[1!|*]ll\w*|\bsu[1!|*]c[i1!|*]d\w*|\bsuic[1!|*]d\w*|\bd[1!|*]e\b|\bmy[5$3s][3e][l1]f\b")
_LETTERS = str.maketrans("1!|*53$", "iiiises")
_SPELT_OUT = re.compile(r"\b(?:[a-z][ .*-]){3,}[a-z]\b")

_FAR_OFF = (
    (r"o\.?d'?e?d|o\.d\.'d", "overdosed"),
    (r"od'?ing|od(?= on\b)", "overdosing"),
    (r"(?:he|hea|ha|hear)rt[\s-]*att?ac[kh]s?|heart[\s-]*atta(?:k|ch)s?", "heart attack"),
    (r"stroek|storke|srtoke|strok|stoke", "stroke"),
    (r"chst|chset|cheast", "chest"),
    (r"siezing|seezing", "seizing"),
    (r"seizer|seizers|seezure|ceizure", "seizure"),
    (r"anafila\w+|anafala\w+|anaphila\w+", "anaphylaxis"),
    (r"suacid\w+|suiccid\w+|sueside", "suicide"),
    (r"un\W?con\w{0,3}[cs]i?ous", "unconscious"),
    (r"breat?he?ing|breething|brething|breathin", "breathing"),
    (r"a\s?&\s?e", "a and e"),
    (r"sewer\s?slides?", "suicide"),
    (r"\d[\d.,]*\s?kms", "kilometres"),
)
"""Misspellings more than a letter off, as regular expressions, and what they mean."""

_FAR_OFF_PATTERN = re.compile("|".join(rf"\b(?P<w{i}>{wrong})\b" for i, (wrong, _) in enumerate(_FAR_OFF)))

_KEY_WORDS = re.findall(
    r"\w+",
    """suicide suicidal overdose overdosed anaphylaxis anaphylactic seizure seizures unconscious unresponsive choking
    choked bleeding breathing breathe breath swallowed poisoned poisoning heavily collapsed swelling swollen paralyzed
    paralysed drowning convulsing convulsions numbness drooping allergic ambulance fainted slurred electrocuted pregnant
    stroke attack tightness tongue throat""",
)

_REAL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """cooking cooked breeding bleating breather breathed breathes smelling spelling dwelling dropping tainted
        painted fainter overdone strike strokes stroked stroker attach attacks attic threat thrust wreath wreaths
        breadth breaths heaving heavenly tongues throats lightness rightness swallows stolen swelled poisons
        stacking blurred spurred slurped crowning browning frowning droning downing drooling trooping blending
        bleeping shelling selling stelling welling swilling breach breaching breathy wreathe wreathing throaty
        tongued strobe strode strove wallowed shallowed sainted feinted prisoned choker coking chowing overdoes
        regnant dumbness""",
    )
)
"""Words a letter away from a key word that mean something else."""


def corrected(text: str) -> str:
    """Return lower-case `text` with spoken and misspelt words put right and letters drawn out ("heeelp") cut to two."""
    # Before what is spoken: the u of "s u i c i d e" is no "you".
    text = _SPELT_OUT.sub(_joined, _SIGNS.sub(_lettered, text.replace("ı", "i")))
    text = _SPOKEN_PATTERN.sub(lambda match: _SPOKEN[match[0].replace("'", "")], text)
    text = _G_LESS.sub(r"\1ing", _DISGUISED.sub(_undisguised, text))
    text = _FAR_OFF_PATTERN.sub(_meant, _LONGER.sub(r"\1\1", text))
    return _WORD.sub(lambda match: _nearest(match[0]), text)


def _undisguised(match: re.Match[str]) -> str:
    return "myself" if match[0].startswith("my") else match[0].translate(_LETTERS)


def _joined(match: re.Match[str]) -> str:
    """Return a word whose letters were written apart ("k i l l")."""
    word = re.sub(r"[ .*-]", "", match[0])
    return f"i {word[1:]}" if word[0] == "i" and word[1:] in _PLAIN else word


def _lettered(match: re.Match[str]) -> str:
    """Return the word that is written with signs for letters ("k1ll"), or what was written."""
    return next((word for like in _LIKE if (word := match[0].translate(like)) in _PLAIN), match[0])


def _meant(match: re.Match[str]) -> str:
    assert match.lastgroup is not None
    return _FAR_OFF[int(match.lastgroup[1:])][1]


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    """Return the key word from which one letter is missing, too many, wrong or swapped with the next; else `word`."""
    from rapidfuzz.distance import OSA

    if word in _REAL_WORDS:
        return word
    near = (right for right in _KEY_WORDS if OSA.distance(word, right, score_cutoff=1) <= 1)
    return word if word in _KEY_WORDS else next(near, word)
