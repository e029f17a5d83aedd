"""Which full stops, exclamation and question marks end a sentence.

`without_inner_stops` turns the others into commas, which keeps words and
characters as they are and ends nothing. The rules, in order:

- A mark inside a word or number ends nothing (2.5, e.g, Cancer.Net), but for a
  missing space (pain.The) and a footnote (risk.3 The).
- A question or exclamation mark before a lower-case word ends nothing (it
  belongs to a title or name: see What is COPD? to learn more).
- Dotted letters (b.i.d., U.S., P.A.D.) end nothing before a lower-case word or a
  number; before a capital it depends on the kind (see _after_dotted).
- A single capital is an initial (H. pylori, Neil R. Powe) or the last word of a
  sentence (vitamin D. For); the word before it decides.
- Abbreviations: some go with what follows (Dr., Fig., var.), some can end a
  sentence, but only before a capital (etc., oz., Inc.).
- What remains ends a sentence. Before a lower-case word that is so only after a
  whole word, as in lists that lost their line breaks ("stress. eating too much");
  a short unknown one is taken for an abbreviation.

How often this is right, beside libraries that split sentences:
`python -m eval.sentences`, on places in MedQuAD that were read one by one.
"""

from __future__ import annotations

import re

_MARKS = re.compile(r"[.!?…]+")
_CLOSERS = "\"')]}*_`"
_OPENERS = "\"'([{*_`-"
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]", re.ASCII)
_INITIAL = re.compile(r"[A-Z][.,]\s")
_SITE = re.compile(r"(?:net|com|org|gov|edu|info|js|io|ai)\b", re.I)
_FOOTNOTE = re.compile(r"\d{1,3}(?:[,–-]\d{1,3})*(?:\s+[\"'(]?[A-Z]|\s*$)")
_NOTE = re.compile(r"(?:\[\d{1,3}(?:[,–-]\d{1,3})*\]|[¹²³⁰⁴-⁹])+(?=\s|$)")
"""The number of a note behind a full stop: risk.[3] or risk.³"""

_CITATION = re.compile(r"(?:19|20)\d\d(?:\s[A-Z][a-z]{2,8}(?:-[A-Z][a-z]{2})?(?:\s\d{1,2})?)?\s?;")
_SMALL = re.compile(r"[a-z]{1,2}[A-Z]")
_ZONE = re.compile(r"(?:Eastern|Central|Mountain|Pacific|Atlantic|E[SD]?T|C[SD]?T|M[SD]?T|P[SD]?T|GMT|UTC|Mon|Sat|Sun)")

_OPENING_WORDS_TEXT = """
a about after all also although an and another any are as at be because before being both but by can do does each
either eat even every few first follow for from get give go have he her here his how however i if in is it its let
make many may more most my never no not of on once one only or other our out over people please she should since so
some such symptoms take talk that the their then there these they this those though through to tell to try under
until use we what when where whether which while who why will with without you your
"""
_OPENING_WORDS = frozenset(_OPENING_WORDS_TEXT.split())
"""Words that begin a sentence and no name, in lower case."""

_DESIGNATED_TEXT = """
vitamin type types hepatitis group stage grade class factor protein complex part phase plan chromosome syndrome
influenza lamin hemoglobin haemoglobin deficiency category section figure table appendix grafts
"""
_DESIGNATED = frozenset(_DESIGNATED_TEXT.split())
"""Words that a capital letter follows as a designation, also where they are written with a capital."""

_JOINING_TEXT = """
a an and or of in on by with from for as is are was were the to how that than both have has called like about
between including against causes when where if also not cause caused named known why which because be can
"""
_JOINING = frozenset(_JOINING_TEXT.split())
"""Words after which a capital with a stop is the beginning of a name."""

_WITH_WHAT_FOLLOWS_TEXT = """
dr drs mr mrs ms messrs mx prof st ste mt ft rev fr sgt lt col cpt capt cmdr gen gov sen rep hon pres supt vs v viz
cf fig figs eq eqs sec sect vol vols ch chap chaps pp para paras var subsp ssp sp spp cv nov approx ca esp incl excl
al resp aka profs vit mme mlle dept attn ref refs ed eds trans tab suppl
"""
_WITH_WHAT_FOLLOWS = frozenset(_WITH_WHAT_FOLLOWS_TEXT.split())
"""Abbreviations that end no sentence, whatever follows; but for _ENDS_BEFORE_CAPITAL."""

_WORD_BEFORE = 32
"""Characters that are looked at for the word before an abbreviation, however long the text is."""
_TITLES = frozenset({"dr", "drs", "mr", "mrs", "ms", "mx", "prof"})
"""Titles after which a letter may stand for a name ("Dr. X. He knows")."""

_BEFORE_NUMBER_TEXT = """
no nos art p cap max min avg est tel ext apt rte ver bldg rm ste nr pt
"""
_BEFORE_NUMBER = frozenset(_BEFORE_NUMBER_TEXT.split())
"""Words that are abbreviations only before a number ("No. 5", but "No. It is not")."""

_ENDS_BEFORE_CAPITAL_TEXT = """
etc inc co corp ltd bros univ assn assoc inst dept ave blvd rd hwy jr sr esq al sp spp ed eds oz lb lbs tsp tsps
tbsp tbsps tbs pt pts qt qts gal gals fl mg mcg ml kg cm mm km ft yd yds sq cu hr hrs min mins sec secs wk wks mo
mos yr yrs approx max avg est misc appt appts temp tab tabs cap caps inj subq subcut supp supps susp soln oint conc
dil equiv neg pos diff resp incl excl prn bid tid qid po hosp meds staph strep clin biol chem phys psych neurol subj
obj hx dx rx tx fx sx pl sing abbr def ex lab labs vits mil gov gen no nos vol jan feb mar apr jun jul aug sept
sep oct nov dec mon tue tues wed thu thur thurs fri sat sun
"""
_ENDS_BEFORE_CAPITAL = frozenset(_ENDS_BEFORE_CAPITAL_TEXT.split())
"""Abbreviations that end a sentence before a capital, and none before a lower-case word or a number."""

_NAME_FOLLOWS_TEXT = """
jr sr inc co corp ltd bros univ
"""
_NAME_FOLLOWS = frozenset(_NAME_FOLLOWS_TEXT.split())
"""Abbreviations that are often followed by more of the name ("Carell Jr. Children's Hospital")."""

_SHORT_WORDS_TEXT = """
a i am an as at be by do go he if in is it me my no of on or so to up us we add age aid air all and any arm art ask
bad bed big bit bug but can cut day did die dna drug due ear eat egg end eye fat few fit fix flu fly for fun gas get
got gum gun gut had has her hey him hip his hit hot how ice ill its jaw job joy key kid leg let lip log lot low lung
mad man may mix new nor not now off oil old one our out own pay per pet put ran raw red rib run sad say see set sex
she sit six ski son sun sex tea ten the toe too top toy try two use was way wet who why won yes yet you hiv aids rna
"""
_SHORT_WORDS = frozenset(_SHORT_WORDS_TEXT.split())
"""English words of up to three letters, which are taken for abbreviations otherwise."""

_VOWEL = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]")


def without_inner_stops(text: str, gone: str, end: str) -> str:
    """Return `text`, of the same length, with a comma for each mark that ends no sentence.

    `gone` is a character that counts as absent, `end` one that ends a sentence. A mark that lacks the space
    behind it becomes `end`.
    """
    if gone in text:
        kept = [index for index, character in enumerate(text) if character != gone]
        bare = _settled("".join(text[index] for index in kept), end)
        characters = list(text)
        for index, character in zip(kept, bare, strict=True):
            characters[index] = character
        return "".join(characters)
    return _settled(text, end)


def _settled(text: str, end: str) -> str:
    pieces, done = [], 0
    for match in _MARKS.finditer(text):
        kind = _kind(text, match, end)
        if kind != "end":
            mark = end + " " * (len(match[0]) - 1) if kind == "missing-space" else "," * len(match[0])
        elif "…" in match[0]:
            mark = "." * len(match[0])
        else:
            continue
        pieces += [text[done : match.start()], mark]
        done = match.end()
    return "".join([*pieces, text[done:]])


def _kind(text: str, match: re.Match[str], end: str) -> str:
    """Return "end", "missing-space" (it ends a sentence, but no space follows) or "inner"."""
    start, stop = match.span()
    token = _token_before(text, start)
    if match[0] == "." and _is_word(token, 3) and (note := _NOTE.match(text, stop)):
        ahead = _ahead(text, note.end(), end)
        return "inner" if ahead and ahead[0].islower() else "end"
    following = text[stop : stop + 1]
    if following.isalnum():
        return _inside(text, match, token)
    if re.match(r"\s\.", text[stop : stop + 2]):
        return "inner"  # the next of ". . ."
    closed = stop
    while text[closed : closed + 1] and text[closed] in _CLOSERS:
        closed += 1
    if text[closed : closed + 1] not in ("", end) and not text[closed].isspace():
        # As in "e.g., by" or "(U.S.);": more of the sentence follows, unless a word does (said.”Then).
        return "end" if text[closed].isalpha() and closed > stop else "inner"
    ahead = _ahead(text, closed, end)
    if not ahead:
        return "end"
    first = ahead[0]
    if match[0] != ".":
        return "inner" if first.islower() else "end"
    if not token and re.search(r"\.\s$", text[max(0, start - 2) : start]):
        return "inner" if first.islower() else "end"  # the last of ". . ."
    if not token or not token[-1].isalpha():
        # "7.4. mRNA": a word that begins small wherever it is.
        return "inner" if first.islower() and token[-1:].isdigit() and not _SMALL.match(ahead) else "end"
    ends = _ends(text, start - len(token), token, ahead, closed > stop)
    return "end" if ends else "inner"


def _inside(text: str, match: re.Match[str], token: str) -> str:
    stop = match.end()
    following = text[stop]
    wordy = len(token) > 1 and token[-2:].isalpha()
    if match[0] != ".":
        return "missing-space" if following.isupper() and token[-1:].isalpha() else "inner"
    if following.isupper() and text[stop + 1 : stop + 2].islower() and not _SITE.match(text, stop):
        return "missing-space" if wordy and token.lower() not in _WITH_WHAT_FOLLOWS and token != "www" else "inner"
    if following.isupper() and wordy and token[-3:].islower() and len(token) > 2:
        acronym = re.match(r"[A-Z]{2,}[\s,:;(-]", text[stop : stop + 12])
        return "missing-space" if acronym else "inner"
    if following.isdigit() and _FOOTNOTE.match(text, stop) and _is_word(token, 4):
        return "end"
    return "inner"


def _ends(text: str, begin: int, token: str, ahead: str, closed: bool) -> bool:
    """Return whether a single full stop after `token` ends a sentence before `ahead`; see the module."""
    first, word = ahead[0], _first_word(ahead)
    before_capital = not (first.islower() or first.isdigit())
    name = token.lower()
    if _DOTTED.fullmatch(token):
        return before_capital and _after_dotted(text, begin, token, ahead, word)
    if len(token) == 1:
        return before_capital and _after_single(text, begin, word, token, ahead)
    if before_capital:
        if token in {"Ft", "Gen", "Gov", "Sec", "Vol", "No", "Nos"}:
            return token in {"No", "Nos"}
        if name in _ENDS_BEFORE_CAPITAL:
            return name not in _NAME_FOLLOWS or word.lower() in _OPENING_WORDS
        if name == "st":
            return word.lower() in _OPENING_WORDS
        return name not in _WITH_WHAT_FOLLOWS or name == "v"
    if name in _WITH_WHAT_FOLLOWS or name in _ENDS_BEFORE_CAPITAL:
        return False
    if len(token) < 4 and text[max(0, begin - 3) : begin].rstrip()[-1:].isdigit():
        # A unit of measure: "5 in. of".
        return False
    if first.isdigit():
        if name in _BEFORE_NUMBER or _CITATION.match(ahead):
            return False
        return _is_word(token, 4) or token.isupper()
    return not closed and _is_word(token, 4)


def _after_dotted(text: str, begin: int, token: str, ahead: str, word: str) -> bool:
    """Return whether dotted letters end a sentence before a capital."""
    name = token.lower()
    opens = word.lower() in _OPENING_WORDS
    if name in {"e.g", "i.e", "a.k.a", "f.k.a", "n.b"}:
        return False
    if name in {"a.m", "p.m"}:
        return not _ZONE.match(ahead)
    if name in {"u.s", "u.k", "u.n", "e.u", "u.s.a"}:
        second = ahead[len(word) :].split(maxsplit=1)[:1]
        # "in the U.S. Physicians can" is over, "by the U.S. Department of" is not.
        placed = re.search(r"\b[Ii]n the $", text[max(0, begin - 8) : begin]) is not None
        plain = bool(second) and second[0].islower() and second[0] not in {"of", "and", "for", "on"}
        return opens or (placed and plain and name != "e.u")
    if token[0].isupper() and len(token) == 3:
        return opens or name == "d.c"
    if token.isupper() and not opens:
        # Initials of a name (J.R.R. Tolkien), where one may begin.
        return text[max(0, begin - _WORD_BEFORE) : begin].split()[-1:] not in ([], ["by"], ["and"])
    return True


def _after_single(text: str, begin: int, word: str, token: str, ahead: str) -> bool:
    """Return whether a single letter with a stop ends a sentence before a capital."""
    words = text[max(0, begin - 60) : begin].split()
    before = words[-1].strip("(\"'") if words else ""
    if _INITIAL.match(ahead):
        return False
    if token.islower():
        return bool(before) and before.lower() not in _JOINING
    if before.rstrip(".").lower() in _TITLES and word.lower() in _OPENING_WORDS - {"a", "i"}:
        return True
    if not before or before[-1] in ".,;:!?" or not before[-1].isalpha():
        return before[-1:] not in {"", ".", "!", "?", ",", ";", ":"} and not before[-1:].isspace()
    name = before.lower()
    if name in {"and", "or"}:
        listed = [other.strip(",()") for other in words[-5:-1]]
        return any(len(other) == 1 and other.isupper() for other in listed) or word.lower() in _OPENING_WORDS
    if name in _JOINING:
        return word.lower() in _OPENING_WORDS and word.lower() not in {"a", "i"}
    if before[0].isupper():
        return name in _DESIGNATED or before.isupper() or word.lower() in _OPENING_WORDS
    return True


def _is_word(token: str, letters: int) -> bool:
    """Return whether a token is a word rather than an unknown abbreviation."""
    last = re.split(r"[-/,]", token)[-1].lower()
    if len(last) >= letters:
        return _VOWEL.search(last) is not None
    return last in _SHORT_WORDS or (token != last and not last.isalpha()) or (token.isupper() and len(token) > 1)


def _token_before(text: str, start: int) -> str:
    """Return the word in front of a mark, with the stops inside it, without what opens it."""
    begin = start
    while begin and not text[begin - 1].isspace() and text[begin - 1] not in '("[{' and start - begin < 60:
        begin -= 1
    return text[begin:start].lstrip(_OPENERS)


def _ahead(text: str, at: int, end: str) -> str:
    """Return what follows a mark from its first letter or digit on; "" if the sentence is over anyway."""
    for index in range(at, min(len(text), at + 40)):
        character = text[index]
        if character == end:
            return ""
        if character.isalnum():
            return text[index : index + 60]
        if character in ".!?…":
            return ""
    return ""


def _first_word(text: str) -> str:
    match = re.match(r"[^\W\d_]+(?:'[^\W\d_]+)?", text)
    return match[0] if match else ""
