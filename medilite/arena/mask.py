"""Hide in an answer what names its model or maker, before a voter sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
"""Names of this project's models and their makers, and of others that small models take themselves for.

Only what is no word of medicine or of everyday life: "GPT" alone is an enzyme,
"Claude" and "Gemini" may be anything.
"""


def mask(text: str, also: Iterable[str] = ()) -> str:
    """Return `text` with every such name, and those in `also`, replaced by MASK; case and spacing don't matter."""
    own = [r"[\s_-]*".join(re.escape(part) for part in re.split(r"[\s_-]+", name)) for name in also if name.strip()]
    pattern = "|".join((*own, *_NAMES))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", MASK, text, flags=re.IGNORECASE)
