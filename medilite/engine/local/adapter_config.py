"""What an `adapter_config.json` says about its tensors, and whether the engine can compute it exactly.

PEFT's LoRA has many variants, and more with each release: other starting points
that change the base's weights, gates, blocks, tokens that switch the adapter on.
A pair of products expresses none of these, so what is known to change nothing is
accepted and everything else is refused by the name of its key; an unknown key
is accepted only where its value is empty. Compared with PEFT 0.21.2, whose
patterns and targets are matched here as PEFT matches them.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_IGNORED = frozenset(
    {
        "auto_mapping", "base_model_name_or_path", "fan_in_fan_out", "inference_mode", "lora_dropout", "megatron_core",
        "peft_version", "qalora_group_size", "revision", "runtime_config",
    }
)  # fmt: skip
"""Keys that change no output: where it came from, how it was trained, and settings of features that are off."""

_READ = frozenset(
    {
        "alpha_pattern", "exclude_modules", "layers_pattern", "layers_to_transform",
        "lora_alpha", "r", "rank_pattern", "target_modules",
        "use_rslora",
    }
)  # fmt: skip

_ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "task_type": (None, "CAUSAL_LM"),
    "bias": ("none",),
    # Only the adapter's own start: pissa, olora, corda, loftq and lora_ga change the base's weights as well.
    "init_lora_weights": (True, False, "gaussian", "eva", "orthogonal"),
}

_EMPTY: tuple[Any, ...] = (None, False, "", [], {})
_LONGEST_PATTERN = 1000
_MATCHING_S = 2.0
"""Seconds that all patterns of an adapter get: Python's own matcher could take years over one, and stop everything."""

_USUAL_TARGETS = ("q_proj", "v_proj")
"""PEFT's targets on a Llama where the file names none."""


class AdapterConfigError(ValueError):
    """A configuration that can't be used; its message names the key and the value."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """Ranks, scales and targets of a LoRA adapter."""

    rank: int
    alpha: float
    rank_pattern: Mapping[str, Any] = field(default_factory=dict)
    alpha_pattern: Mapping[str, Any] = field(default_factory=dict)
    rank_stabilised: bool = False
    targets: str | tuple[str, ...] | None = None
    excluded: str | tuple[str, ...] | None = None
    layers: tuple[int, ...] | None = None
    _matcher: _Matcher = field(default_factory=lambda: _Matcher(), repr=False, compare=False)

    @classmethod
    def read(cls, path: Path) -> AdapterConfig:
        """Read a configuration. Raises AdapterConfigError, OSError, and ValueError for a file that isn't JSON."""
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise AdapterConfigError(f"{path.name} holds {_short(config)}, not an object")
        _refuse_what_changes_more(config)
        layers = _layers(config)
        return cls(
            rank=_rank("r", config.get("r")),
            alpha=_number("lora_alpha", config.get("lora_alpha")),
            rank_pattern=_pattern(config, "rank_pattern", _rank),
            alpha_pattern=_pattern(config, "alpha_pattern", _number),
            rank_stabilised=bool(config.get("use_rslora")),
            targets=_modules(config, "target_modules"),
            excluded=_modules(config, "exclude_modules"),
            layers=layers,
        )

    def rank_and_scale(self, name: str) -> tuple[int, float]:
        """Return rank and scale of the module `name` ("model.layers.0.self_attn.q_proj")."""
        rank = int(self._matcher.value("rank_pattern", self.rank_pattern, name, self.rank))
        alpha = float(self._matcher.value("alpha_pattern", self.alpha_pattern, name, self.alpha))
        return rank, alpha / (math.sqrt(rank) if self.rank_stabilised else rank)

    def targets_module(self, name: str) -> bool:
        """Return whether PEFT would put an adapter on the module `name`; otherwise it drops the tensors."""
        if self.excluded is not None and self._matcher.is_among("exclude_modules", self.excluded, name):
            return False
        if self.targets is None:
            return True
        if not self._matcher.is_among("target_modules", self.targets, name):
            return False
        if self.layers is None:
            return True
        layer = re.search(r"\.layers\.(\d+)\.", name)
        return layer is not None and int(layer[1]) in self.layers


def _refuse_what_changes_more(config: Mapping[str, Any]) -> None:
    for key, value in config.items():
        if key in _IGNORED or key in _READ:
            continue
        if key in _ALLOWED:
            if not any(
                value is allowed or (type(value) is type(allowed) and value == allowed) for allowed in _ALLOWED[key]
            ):
                raise AdapterConfigError(f"{key}={_short(value)} is no plain LoRA, which is what the engine can add")
        elif not any(type(value) is type(empty) and value == empty for empty in _EMPTY):
            if key == "eva_config" and config.get("init_lora_weights") == "eva":
                continue
            raise AdapterConfigError(
                f"{key}={_short(value)} is no plain LoRA, or not known to this engine, so its effect is unknown"
            )


def _rank(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 65_536:
        raise AdapterConfigError(f"{key}={_short(value)}, where a whole number from 1 on belongs")
    return value


def _number(key: str, value: Any) -> float:
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise AdapterConfigError(f"{key}={_short(value)}, where a finite number belongs")


def _pattern(config: Mapping[str, Any], key: str, checked: Any) -> Mapping[str, Any]:
    patterns = config.get(key)
    if patterns is None:
        return {}
    if not isinstance(patterns, dict):
        raise AdapterConfigError(f"{key}={_short(patterns)}, where an object of patterns belongs")
    for pattern in patterns:
        _expression(key, pattern)
    return {pattern: checked(f"{key}[{_short(pattern)}]", value) for pattern, value in patterns.items()}


def _expression(key: str, pattern: str) -> None:
    try:
        if len(pattern) > _LONGEST_PATTERN:
            raise AdapterConfigError(
                f"{key} has a pattern of {len(pattern):,} characters; {_LONGEST_PATTERN:,} are read"
            )
        re.compile(rf"(.*\.)?({pattern})$")
    except (re.error, OverflowError, RecursionError) as error:
        raise AdapterConfigError(f"{key} has {_short(pattern)}, which is no regular expression ({error})") from error


class _Matcher:
    """Matches patterns as PEFT does, within a time."""

    def __init__(self) -> None:
        self._left_s = _MATCHING_S

    def value(self, key: str, patterns: Mapping[str, Any], name: str, default: Any) -> Any:
        """Return the value of the first pattern that matches, as PEFT's get_pattern_key."""
        found = (value for pattern, value in patterns.items() if self._matches(key, rf"(.*\.)?({pattern})$", name))
        return next(found, default)

    def is_among(self, key: str, modules: str | tuple[str, ...], name: str) -> bool:
        """Return whether a module is one of those that a list names, or a pattern matches as a whole."""
        if isinstance(modules, str):
            return self._matches(key, rf"(?:{modules})\Z", name)
        return any(name == module or name.endswith(f".{module}") for module in modules)

    def _matches(self, key: str, pattern: str, name: str) -> bool:
        import regex

        began = time.monotonic()
        try:
            return regex.match(pattern, name, timeout=max(0.01, self._left_s)) is not None
        except (TimeoutError, regex.error) as error:
            raise AdapterConfigError(f"{key} has a pattern that takes too long, or can't be matched here") from error
        finally:
            self._left_s -= time.monotonic() - began


def _modules(config: Mapping[str, Any], key: str) -> str | tuple[str, ...] | None:
    value = config.get(key)
    if value is None and key == "target_modules":
        return _USUAL_TARGETS
    if value is None or (isinstance(value, str) and value.lower() == "all-linear"):
        return None
    if isinstance(value, str):
        _expression(key, value)
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value) if value or key == "target_modules" else None
    raise AdapterConfigError(f"{key}={_short(value)}, where names of modules or a pattern belong")


def _layers(config: Mapping[str, Any]) -> tuple[int, ...] | None:
    value = config.get("layers_to_transform")
    if value is None:
        return None
    layers = value if isinstance(value, list) else [value]
    if not layers:
        return None
    if any(isinstance(one, bool) or not isinstance(one, int) for one in layers):
        raise AdapterConfigError(f"layers_to_transform={_short(value)}, where numbers of layers belong")
    if isinstance(config.get("target_modules"), str) and str(config["target_modules"]).lower() != "all-linear":
        raise AdapterConfigError("layers_to_transform is given beside target_modules as a pattern, which PEFT refuses")
    within = config.get("layers_pattern") or "layers"
    if "layers" not in (within if isinstance(within, list) else [within]):
        raise AdapterConfigError(f"layers_pattern={_short(within)}, and the layers of this base are called 'layers'")
    return tuple(layers)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
