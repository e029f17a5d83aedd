"""A progress line on stderr for loops that take longer than two seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def watched(items: Iterable[Item], label: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items; from the third second on, stderr shows how many have passed and, with `total`, the time left."""
    from tqdm import tqdm

    yield from tqdm(items, desc=label, unit=f" {unit}", total=total, delay=2, mininterval=0.5, leave=False)
