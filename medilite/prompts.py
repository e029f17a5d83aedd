"""The one prompt for training, evaluation and app.

A conversation becomes token ids by the model's own chat template. What people
type is data: control tokens come from the template alone, and a text that
spells one ("<|im_end|>") reaches the model as those plain characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medilite.errors import QuestionError
from medilite.records import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_QUESTION_CHARS = 2000

_KEPT_CONTROLS = "\n\t"
# A private-use character no template and no cleaned text contains: it marks where a message's content goes.
_MARK = "\uf8ff"


def clean_question(text: object, max_chars: int = MAX_QUESTION_CHARS) -> str:
    """Return a person's question, fit for a prompt; raises QuestionError if there is none or it is too long.

    Control characters other than line break and tab go, lone surrogates too;
    white space at the ends is stripped. Length counts characters after that.
    """
    if not isinstance(text, str):
        raise QuestionError(f"The question has to be text, not {type(text).__name__}.")
    cleaned = clean_text(text).strip()
    if not cleaned or not any(character.isalnum() for character in cleaned):
        raise QuestionError("There is no question yet: type one.")
    if len(cleaned) > max_chars:
        raise QuestionError(
            f"The question has {len(cleaned):,} characters; at most {max_chars:,} fit. Shorten it and ask again."
        )
    return cleaned


def clean_text(text: str) -> str:
    """Return `text` without control characters (line break and tab stay), surrogates and private-use marks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cs", "Co"))


def question_messages(question: str) -> tuple[Message, ...]:
    """Return the conversation that asks one question: one user turn, as in training."""
    return (Message("user", question),)


def sourced_messages(question: str, passage: str) -> tuple[Message, ...]:
    """Return the conversation that asks a question with a passage to answer from: one user turn.

    The passage is on one line, so that nothing in it can pass for a part of this
    form; control tokens that it spells are plain characters, as in a question.
    """
    said = " ".join(clean_text(passage).split())
    return (Message("user", f"Passage: {said}\n\nAnswer from the passage, in plain words: {question}"),)


def prompt_ids(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, cue_answer: bool = True
) -> list[int]:
    """Return the token ids of a conversation, ending with the opening of the assistant's turn.

    The template is rendered with marks for the contents and cut at its control
    tokens; each piece between them is tokenised with control tokens switched
    off. For contents that spell no control token this equals
    `tokenizer.apply_chat_template(messages)`.
    """
    marked = [{"role": m.role, "content": f"{_MARK}{i}{_MARK}"} for i, m in enumerate(messages)]
    rendered: Any = tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=cue_answer)
    contents = [clean_text(m.content) for m in messages]
    control = {t.content: i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    ids: list[int] = []
    for piece in re.split("(" + "|".join(re.escape(token) for token in control) + ")", rendered):
        if piece in control:
            ids.append(control[piece])
        elif piece:
            text = re.sub(f"{_MARK}(\\d+){_MARK}", lambda match: contents[int(match[1])], piece)
            ids += tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return ids


def opening_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the token ids that every conversation begins with."""
    one, other = (prompt_ids(tokenizer, question_messages(question)) for question in ("A", "?"))
    return one[: next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)]


def answer_ids(tokenizer: PreTrainedTokenizerBase, answer: str) -> list[int]:
    """Return the token ids of a whole answer, up to the token that ends the assistant's turn; it is among them."""
    ids = tokenizer(clean_text(answer), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return [*ids, tokenizer.eos_token_id]


def training_ids(
    tokenizer: PreTrainedTokenizerBase, question: str, answer: str, passage: str | None = None
) -> tuple[list[int], list[int]]:
    """Return (prompt ids, answer ids) of one pair; the answer ends with the end-of-turn token.

    With a passage the prompt is that of an answer from it (`sourced_messages`).

    Together they are what the chat template gives for the two turns, up to the
    end of the assistant's turn.
    """
    messages = question_messages(question) if passage is None else sourced_messages(question, passage)
    prompt = prompt_ids(tokenizer, messages)
    return prompt, answer_ids(tokenizer, answer)
