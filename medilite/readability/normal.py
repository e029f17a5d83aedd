"""From an answer as a model writes it to the running text that the formulas measure.

The formulas were made for paragraphs of prose. An answer has Markdown, lists
without full stops, curly quotes and abbreviations, each of which textstat would
count as a word or as the end of a sentence (or would fail to). `normalise`
settles them by these rules:

- Markdown and HTML markup, web addresses, and signs or emoji that stand alone
  are no words and go; the words inside bold text, links, headings, tables and
  code stay.
- A line break ends a sentence if a list item, a heading, a table row or a blank
  line follows or a heading or row precedes it, and otherwise unless the next
  line goes on in lower case (a sentence that was wrapped). So a list counts as
  one sentence an item. An item may also follow on the same line, as "- " before
  a capital or as a bullet (MedQuAD's lists read like that).
- The dots of decimals (2.5), abbreviations (e.g., Dr., a.m.) and names of sites
  end no sentence; a stop without a space before a capital (pain.The) does.
- A dash between words and a slash between letters (and/or) part two words; a
  hyphen does not (textstat counts "long-term" as one).
- Curly apostrophes become straight ones, so that "don’t" is found in the word
  lists; apostrophes that are quotation marks go.
"""

from __future__ import annotations

import itertools
import re

_GONE = "\x00"
_END = "\x01"
"""Marks put in place of single characters, so that every step keeps the text's length and positions
stay those of the original until the last step: _GONE becomes nothing, _END a full stop and a space."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_OF_SIGNS = re.compile(r"^[ \t|:+=_*#>~-]+$", re.M)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.M)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)\]]", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_QUOTE = re.compile(r"^(?:[ \t]*>)+", re.M)
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_ITEM = re.compile(
    r"[ \t]*(?:[-*+–—·](?=[ \t])|[•‣◦▪●○]|\(?\d{1,3}[.)](?=[ \t])|\(?[a-z]\)(?=[ \t]))(?:[ \t]+\[[ xX]\])?"
)
_INLINE_ITEM = re.compile(r"(?<=[^\s.!?])(?:[ \t]+[-*][ \t]+(?=[\"'(*]*[A-Z])|[ \t]*[•‣◦▪●][ \t]*)")
_ROW = re.compile(r"[ \t]*\|")
_EMPHASIS = re.compile(r"[*`\u200b-\u200f\u2060\ufeff]|~~|(?<![^\W_])_+|_+(?![^\W_])|\\(?=[^\w\s])")
_EN_DASH = re.compile(r"(?<=\d)–(?=\d)")
_BETWEEN_WORDS = re.compile(r"[—–|]|(?<=\w)--+(?=\w)|(?<=[^\W\d_])/(?=[^\W\d_])")
_ALONE = re.compile(r"(?<!\S)[^\w\s.!?]+(?!\S)")
_APOSTROPHE = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
_MISSING_SPACE = re.compile(r"(?<=\w\w)\.(?=[A-Z][a-z])")
_INNER_DOT = re.compile(r"(?<=\d)\.(?=\d)|(?<=[^\W\d_])\.(?=[^\W\d_])")
_ABBREVIATION = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Fig|vs|approx|viz|cf|et al|[Ee],g|[Ii],e|No(?=\.\s*\d))\."
    r"|\b(?:etc|a,m|p,m|[A-Z](?:,[A-Z]){1,5}|Ph,D|Inc|Co|Jr|Sr)\.(?=\s*[,;:)]|\s+[a-z])"
)
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ＇′", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑−", "-"),
        **dict.fromkeys("。｡．！？", _END),
        "…": ".",
        "؟": "?",
        "۔": ".",
        "\r": "\n",
    }
)


def normalise(text: str) -> str:
    """Return the running text that `measure` measures, on one line; "" if nothing is left."""
    return " ".join(_marked(text).replace(_GONE, "").replace(_END, ". ").split())


def normalise_with_origins(text: str) -> tuple[str, list[int]]:
    """Return `normalise(text)` and, for each of its characters, the index in `text` that it comes from."""
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(_marked(text)):
        for piece in ". " if character == _END else character:
            if piece == _GONE or (piece.isspace() and (not characters or characters[-1] == " ")):
                continue
            characters.append(" " if piece.isspace() else piece)
            origins.append(index)
    if characters and characters[-1] == " ":
        characters.pop()
        origins.pop()
    return "".join(characters), origins


def _marked(text: str) -> str:
    """Return `text` with the same length and its marks set; see _GONE and _END."""
    text = _CONTROL.sub(" ", text.replace("\r\n", " \n")).translate(_CHARACTERS)
    text = _FENCE.sub(_blank, text)
    text = _LINE_OF_SIGNS.sub(_blank, text)
    text = _LINK.sub(_link_label, text)
    text = _ADDRESS.sub(_blank, text)
    text = _TAG.sub(_blank, text)
    text = _QUOTE.sub(_blank, text)
    lines = [_Line(line) for line in text.split("\n")]
    breaks = [_line_break(*pair) for pair in itertools.pairwise(lines)]
    text = "".join(line.text + end for line, end in zip(lines, [*breaks, ""], strict=True))
    text = _INLINE_ITEM.sub(lambda match: _END + " " * (len(match[0]) - 1), text)
    text = _EN_DASH.sub("-", _EMPHASIS.sub(_drop, text))
    text = _BETWEEN_WORDS.sub(_blank, text)
    text = _APOSTROPHE.sub(_GONE, text)
    text = _ALONE.sub(_keep_ends, text)
    text = _MISSING_SPACE.sub(_END, text)
    # A comma keeps words and characters as they are, and ends no sentence.
    text = _INNER_DOT.sub(",", text)
    return _ABBREVIATION.sub(lambda match: match[0][:-1] + ",", text)


class _Line:
    """One line, its block marker blanked out, and what kind of line it is."""

    __slots__ = ("blank", "block", "goes_on", "heading", "text")

    def __init__(self, line: str) -> None:
        heading, row = _HEADING.match(line), _ROW.match(line)
        item = None if heading or row else _ITEM.match(line)
        marker = heading or item
        self.text = " " * marker.end() + line[marker.end() :] if marker else line
        bare = self.text.strip()
        self.blank = not bare
        self.block = bool(heading or row or item)
        self.heading = bool(heading or row)
        self.goes_on = bare[:1].islower()


def _line_break(line: _Line, following: _Line) -> str:
    last = line.text.rstrip(" \t*_`~\"')]|")[-1:]
    if line.blank or last in {".", "!", "?", _END}:
        return "\n"
    if line.heading or following.block or following.blank or not following.goes_on:
        return _END
    return "\n"


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _drop(match: re.Match[str]) -> str:
    return _GONE * len(match[0])


def _keep_ends(match: re.Match[str]) -> str:
    return "".join(_END if character == _END else " " for character in match[0])


def _link_label(match: re.Match[str]) -> str:
    before, after = match.start(1) - match.start(), match.end() - match.end(1)
    return _GONE * before + match[1] + _GONE * after
