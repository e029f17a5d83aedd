"""Attacks of outsiders: each of these worked once."""

from __future__ import annotations

from tests.arena.conftest import address, booth, clock, make_booth, open_store, postgres, store

__all__ = ["address", "booth", "clock", "make_booth", "open_store", "postgres", "store"]
