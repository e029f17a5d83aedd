"""Hide names of models and makers in an answer before a voter sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from medilite.models import Profile

MASK = "[name hidden]"

_NAMES = (
    r"smol[\s_-]*lm[\s_-]*\d*(?:\.\d+)?(?:[\s_-]*\d+(?:\.\d+)?\s*[bm])?(?:[\s_-]*instruct)?",
    r"hugging[\s_-]*face(?:[\s_-]*tb)?",
    r"medi[\s_-]*lite(?:[\s_-]*qa)?",
    r"med[\s_-]*qu?ad",
    r"chat[\s_-]*gpt",
    r"gpt[\s_-]*[2-9](?:\.\d)?(?:[\s_-]*(?:o|turbo))?",
    r"open[\s_-]?ai",
    r"llama[\s_-]*[2-9](?:\.\d)?",
    r"meta\s+ai",
    r"mistral\s*(?:ai|\d+b)",
    r"qwen[\s_-]*\d*(?:\.\d)?",
    r"deepseek",
    r"anthropic",
    r"google\s+(?:ai|bard|deepmind|gemini)",
    r"deepmind",
    r"grpo|lora\s+(?:adapter|rank)",
)
"""Names of this project's models and their makers, and of others that small models claim to be.

Only what is not a medical or everyday word: "GPT" alone is an enzyme, "Claude" and "Gemini" may be anything.
"""


HELD_WORDS = 7
"""How many words of an unfinished answer are held back, so that the longest name is complete."""


def names_of(profile: Profile) -> tuple[str, ...]:
    """Return the names of a profile's own models and base, except those that are plain words, such as "Base"."""
    base = profile.base
    hub = getattr(base, "repo", None) or getattr(base, "hub_id", None) or ""
    names = [base.model, hub, hub.rpartition("/")[2]]
    for spec in profile.models:
        names += [spec.id, spec.label]
    return tuple(dict.fromkeys(name for name in names if _is_name(name)))


def mask(text: str, also: Iterable[str] = ()) -> str:
    """Return `text` with every such name, and those in `also`, replaced by MASK; case and spacing don't matter."""
    return _pattern(tuple(also)).sub(MASK, text)


def mask_growing(text: str, also: Iterable[str] = ()) -> str:
    """Return what may be shown of an unfinished answer: its last words are held back, since a name may begin there."""
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    cut = starts[-HELD_WORDS] if len(starts) > HELD_WORDS else 0
    for match in _pattern(tuple(also)).finditer(text):
        if match.start() < cut < match.end():
            cut = match.start()
    return mask(text[:cut], also)


@lru_cache(maxsize=16)
def _pattern(also: tuple[str, ...]) -> re.Pattern[str]:
    own = [r"[\s_-]*".join(re.escape(part) for part in re.split(r"[\s_-]+", name)) for name in also if name.strip()]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join((*own, *_NAMES))})(?![A-Za-z0-9])", re.IGNORECASE)


def _is_name(text: str) -> bool:
    return any(c.isdigit() for c in text) or re.search(r"[a-z][A-Z]", text) is not None
