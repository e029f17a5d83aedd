"""What `make test` spares and `make test THOROUGH=1` does: more of the same, other windows, and what takes minutes."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")

THOROUGH = bool(os.environ.get("THOROUGH"))

thorough = pytest.mark.skipif(not THOROUGH, reason="takes minutes: THOROUGH=1")
"""Marks a test, or one of its parameters (`pytest.param(…, marks=thorough)`)."""


def usually(usual: T, thoroughly: T) -> T:
    """Return how often, or how long, something is done."""
    return thoroughly if THOROUGH else usual
