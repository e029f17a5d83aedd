"""Token ids to text, piece by piece: only text that can't change any more is returned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_INCOMPLETE = "\ufffd"
"""What a tokenizer shows for bytes that are not yet a whole character."""


class IncrementalText:
    """The text of one growing answer.

    Decoding starts a few tokens back, because a token's text can depend on its neighbours; pieces that end inside a
    character wait for the rest of it. Text of the tokens that the answer has `begun` with is not returned.
    """

    def __init__(self, tokenizer: Any, begun: Iterable[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._context = 0
        self._given = 0
        for token in begun:
            self.add(token)

    def add(self, token: int) -> str:
        """Take one more token and return the text that is now certain."""
        self._ids.append(token)
        text, before = self._decode(self._ids[self._context :]), self._decode(self._ids[self._context : self._given])
        if text.endswith(_INCOMPLETE) or len(text) <= len(before):
            return ""
        self._context, self._given = self._given, len(self._ids)
        return text[len(before) :]

    def rest(self) -> str:
        """Return what was held back, at the answer's end."""
        text, before = self._decode(self._ids[self._context :]), self._decode(self._ids[self._context : self._given])
        self._given = len(self._ids)
        return text[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
