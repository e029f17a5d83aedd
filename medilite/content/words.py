"""What the measures of content take for a word."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words(text: str) -> list[str]:
    """Return the words of `text` in order: letters and digits, lower-case, without accents.

    An apostrophe inside a word stays ("don't"), a hyphen parts two words, all
    other signs go: "Ménière's X-linked" is ["meniere's", "x", "linked"].
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    # ASCII, as most answers are, has nothing to drop; looking at every character takes most of the time.
    return _WORD.findall(plain if plain.isascii() else "".join(c for c in plain if not unicodedata.combining(c)))
