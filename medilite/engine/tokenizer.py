"""The base's tokenizer and chat template without transformers, whose own loads torch.

It has just what `prompts` and `text` ask of a tokenizer; a test compares it
with transformers' own, id by id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medilite.errors import WeightsError

_NAMED = ("bos_token", "eos_token", "unk_token", "pad_token")


class BaseTokenizer:
    """The tokenizer of a folder in transformers' layout; raises WeightsError if it can't be read."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        try:
            config: dict[str, Any] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            template = folder / "chat_template.jinja"
            source = template.read_text(encoding="utf-8") if template.is_file() else config["chat_template"]
            self._template = _compiled(source)
        except Exception as error:  # tokenizers raises plain Exception, jinja2 and json their own
            raise WeightsError(
                f"{folder} has no tokenizer that can be used ({type(error).__name__}: {error}). It has to hold"
                " tokenizer.json, tokenizer_config.json and a chat template, as save_pretrained of transformers writes"
                " them."
            ) from error
        # A text that spells a control token is tokenised as plain characters.
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.added_tokens_decoder = self._tokenizer.get_added_tokens_decoder()
        """Every added token by id; each has `content` and `special`."""
        named = {name: config.get(name) for name in _NAMED}
        # A token is named as text or as an object with its `content`.
        self._named = {name: t["content"] if isinstance(t, dict) else t for name, t in named.items() if t}

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def eos_token_id(self) -> int:
        """The token that ends a turn; raises WeightsError if the tokenizer names none."""
        found = self._tokenizer.token_to_id(str(self._named.get("eos_token")))
        if found is None:
            raise WeightsError("The tokenizer names no token that ends a turn (eos_token in tokenizer_config.json).")
        return int(found)

    def __call__(
        self, text: str, *, add_special_tokens: bool = False, split_special_tokens: bool = True
    ) -> dict[str, list[int]]:
        """Return {"input_ids": ids}; control tokens are never read out of the text."""
        assert split_special_tokens, "control tokens come from the template alone"
        return {"input_ids": self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids}

    def apply_chat_template(
        self, conversation: Sequence[dict[str, str]], *, tokenize: bool = False, add_generation_prompt: bool = True
    ) -> str:
        """Return the conversation as the template writes it."""
        assert not tokenize
        return self._template.render(
            messages=list(conversation), add_generation_prompt=add_generation_prompt, tools=None, **self._named
        )

    def decode(
        self, ids: Sequence[int], *, skip_special_tokens: bool = True, clean_up_tokenization_spaces: bool = False
    ) -> str:
        """Return the text of token ids."""
        assert not clean_up_tokenization_spaces
        return self._tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens)


def _compiled(source: str) -> Any:
    """Return a chat template, with the settings that transformers compiles it with."""
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.globals["raise_exception"] = raise_exception
    return environment.from_string(source)
