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
  line continues in lower case (a sentence that was wrapped). So a list counts as
  one sentence an item. An item may also follow on the same line, as "- " before
  a capital or as a bullet (MedQuAD's lists read like that).
- A stop that belongs to a word ends no sentence: decimals (2.5), abbreviations
  (e.g., Dr., U.S.), initials (H. pylori); `stops` has the rules. A stop without a
  space before a capital (pain.The) does.
- Block elements of HTML (<p>, <li>, …) and Unicode's separators of lines and
  paragraphs end a sentence.
- A dash between words and a slash between letters (and/or) part two words; a
  hyphen does not (textstat counts "long-term" as one).
- Curly apostrophes become straight ones, so that "don’t" is found in the word
  lists; apostrophes that are quotation marks go.
- Ligatures, full-width and styled letters become plain ones, a letter and its
  accent one character (NFKC, but for what it would change: 10² stays, ½ stays).
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Sequence

from medilite.readability.stops import without_inner_stops

_GONE = "\x00"
_END = "\x01"
"""Marks put in place of single characters, so that every step keeps the text's length and positions
stay those of the original until the last step: _GONE becomes nothing, _END a full stop and a space."""

_SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f]")
_LINE_OF_SIGNS = re.compile(r"^[ \t|:+=_*#>~-]+$", re.M)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.M)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)\]]", re.I)
_LOWER = {ord(letter): letter.lower() for letter in "SCRIPTYLE"}
_BLOCK_TAG = re.compile(
    r"</?(?:address|article|aside|blockquote|body|button|caption|center|dd|details|dialog|dir|div|dl|dt|fieldset"
    r"|figcaption|figure|footer|form|h[1-6]|header|hgroup|hr|html|legend|li|listing|main|menu|nav|ol|optgroup|option|p"
    r"|plaintext|pre|search|section|select|summary|table|tbody|textarea|tfoot|thead|title|tr|ul|xmp)\b[^<>]{0,400}>",
    re.I,
)
_BREAK_TAG = re.compile(r"<br\b[^<>]{0,400}>", re.I)
_UNSEEN = re.compile(r"<!--|<(script|style)\b", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,400}>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d{0,2});")
_CLUSTER = re.compile("[^\x00-\x7f][\u0300-\u036f]*|[A-Za-z][\u0300-\u036f]+")
_QUOTE = re.compile(r"^(?:[ \t]*>)+", re.M)
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_ITEM = re.compile(
    r"[ \t]*(?:[-*+–—·](?=[ \t])|[•‣◦▪●○]|\(?\d{1,3}[.)](?=[ \t])|\(?[a-z]\)(?=[ \t])"
    r"|\(?(?:I{1,3}|I?V|VI{1,3}|IX)[.)](?=[ \t]+[A-Z][a-z]))(?:[ \t]+\[[ xX]\])?"
)
_INLINE_ITEM = re.compile(r"(?<=[^\s.!?])(?:[ \t]+[-*][ \t]+(?=[\"'(*]*[A-Z])|[ \t]*[•‣◦▪●][ \t]*)")
_INLINE_DASH = re.compile(r"(?<=[^\s.!?])[ \t]+[-*][ \t]+(?=[\"'(]*[^\W_])")
_INTRODUCTION = re.compile(r"(?:\b(?:includ(?:e|es|ing)|following|such as|are|these|be)|:)$")
_ROW = re.compile(r"[ \t]*\|")
_EMPHASIS = re.compile(r"[*`\u200b-\u200f\u2060\ufeff]|~~|(?<![^\W_])_+|_+(?![^\W_])|\\(?=[^\w\s])")
_EN_DASH = re.compile(r"(?<=\d)–(?=\d)")
_BETWEEN_WORDS = re.compile(r"[—–|]|(?<=\w)--+(?=\w)|(?<=[^\W\d_])/(?=[^\W\d_])")
_ALONE = re.compile(r"(?<!\S)[^\w\s.!?…]+(?!\S)")
_APOSTROPHE = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("’‘ʼ＇′", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑−", "-"),
        **dict.fromkeys("。｡．！？", _END),
        "؟": "?",
        **dict.fromkeys("۔।॥։።", "."),
        **dict.fromkeys("\r\x0b\x0c\x1c\x1d\x1e\x85", "\n"),
    }
)


def normalise(text: str) -> str:
    """Return the running text that `measure` measures, on one line; "" if nothing is left."""
    return " ".join(_marked(_plain(text)[0]).replace(_GONE, "").replace(_END, ". ").split())


def running_sentences(running: str) -> list[re.Match[str]]:
    """Return the sentences of a normalised text, as matches in it; what has no letter is none."""
    return [match for match in _SENTENCE.finditer(running) if any(map(str.isalpha, match[0]))]


def normalise_with_origins(text: str) -> tuple[str, list[int]]:
    """Return `normalise(text)` and, for each of its characters, the index in `text` that it comes from."""
    plain, places = _plain(text)
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(_marked(plain)):
        for piece in ". " if character == _END else character:
            if piece == _GONE or (piece.isspace() and (not characters or characters[-1] == " ")):
                continue
            characters.append(" " if piece.isspace() else piece)
            origins.append(places[index])
    if characters and characters[-1] == " ":
        characters.pop()
        origins.pop()
    return "".join(characters), origins


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Return `text` without HTML's entities and Unicode's variants, and where each character was."""
    if text.isascii() and "&" not in text:
        return text, range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for match in re.finditer(f"{_ENTITY.pattern}|{_CLUSTER.pattern}|[\u2028\u2029]", text):
        new = _variant(match[0])
        if new == match[0]:
            continue
        pieces += [text[done : match.start()], new]
        places += range(done, match.start())
        places += (min(match.start() + offset, match.end() - 1) for offset in range(len(new)))
        done = match.end()
    return "".join([*pieces, text[done:]]), [*places, *range(done, len(text))]


def _variant(seen: str) -> str:
    """Return what a character (with its accents, or as an entity) counts as."""
    if seen[0] == "&":
        meant = html.unescape(seen)
        # These would become markup.
        return " " if meant in {"<", ">"} else meant if meant == seen else "".join(map(_variant, meant))
    if seen in {"\u2028", "\u2029"}:
        return "\n\n"
    plain = unicodedata.normalize("NFC", seen)
    tag = unicodedata.decomposition(plain[0]).partition(">")[0]
    if plain[0].isalpha() and tag[:1] == "<" and tag not in {"<super", "<sub", "<fraction"}:
        letters = unicodedata.normalize("NFKC", plain)
        return letters if all(map(str.isalpha, letters)) else plain
    if tag == "<wide" or plain[0] in "‼⁇⁈⁉․":
        return unicodedata.normalize("NFKC", plain)
    return plain


def _marked(text: str) -> str:
    """Return `text` with the same length and its marks set; see _GONE and _END."""
    text = _CONTROL.sub(" ", text.replace("\r\n", " \n")).translate(_CHARACTERS)
    text = _FENCE.sub(_blank, text)
    text = _LINE_OF_SIGNS.sub(_blank, text)
    text = _LINK.sub(_link_label, text)
    text = _ADDRESS.sub(_blank, text)
    if "<" in text:
        text = _BLOCK_TAG.sub(_paragraph, _without_unseen(text))
        text = _TAG.sub(_blank, _BREAK_TAG.sub(lambda match: "\n" + " " * (len(match[0]) - 1), text))
    text = _QUOTE.sub(_blank, text)
    lines = [_Line(line) for line in text.split("\n")]
    breaks = [_line_break(*pair) for pair in itertools.pairwise(lines)]
    text = "".join(_dashed(line.text) + end for line, end in zip(lines, [*breaks, ""], strict=True))
    text = _INLINE_ITEM.sub(_item_end, text)
    text = _EN_DASH.sub("-", _EMPHASIS.sub(_drop, text))
    text = _BETWEEN_WORDS.sub(_blank, text)
    text = _APOSTROPHE.sub(_GONE, text)
    text = _ALONE.sub(_keep_ends, text)
    return without_inner_stops(text, _GONE, _END)


def _without_unseen(text: str) -> str:
    """Return `text` with HTML's comments, scripts and styles blanked out; one without an end is left."""
    pieces, done, unended = [], 0, set[str]()
    # Not str.lower, which changes the length of some texts.
    lowered = text.translate(_LOWER)
    for match in _UNSEEN.finditer(text):
        closer = f"</{match[1].lower()}" if match[1] else "-->"
        if match.start() < done or closer in unended:
            continue
        end = lowered.find(closer, match.end())
        if end < 0:
            unended.add(closer)
            continue
        pieces += [text[done : match.start()], " " * (end + len(closer) - match.start())]
        done = end + len(closer)
    return "".join([*pieces, text[done:]])


def _dashed(line: str) -> str:
    """Return a line with its list of dashes as items: an introduced one, or one of three dashes and more."""
    dashes = [dash for dash in _INLINE_DASH.finditer(line) if not _is_range(dash)]
    items = dashes
    if len(dashes) < 3:
        introduced = (_INTRODUCTION.search(line, max(0, dash.start() - 30), dash.start()) for dash in dashes)
        items = list(itertools.dropwhile(lambda dash: not next(introduced), dashes))
    pieces, done = [], 0
    for dash in items:
        pieces += [line[done : dash.start()], _item_end(dash)]
        done = dash.end()
    return "".join([*pieces, line[done:]])


def _is_range(match: re.Match[str]) -> bool:
    """Return whether numbers are on both sides ("5 - 10")."""
    return match.string[match.start() - 1].isdigit() and match.string[match.end()].isdigit()


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
    if line.blank or last in {".", "!", "?", "…", _END}:
        return "\n"
    if line.heading or following.block or following.blank or not following.goes_on:
        return _END
    return "\n"


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _paragraph(match: re.Match[str]) -> str:
    return "\n\n" + " " * (len(match[0]) - 2)


def _item_end(match: re.Match[str]) -> str:
    return _END + " " * (len(match[0]) - 1)


def _drop(match: re.Match[str]) -> str:
    return _GONE * len(match[0])


def _keep_ends(match: re.Match[str]) -> str:
    return "".join(_END if character == _END else " " for character in match[0])


def _link_label(match: re.Match[str]) -> str:
    before, after = match.start(1) - match.start(), match.end() - match.end(1)
    return _GONE * before + match[1] + _GONE * after
