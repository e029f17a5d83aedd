"""Compiled code that is kept for the next start, for as long as nothing that it was compiled from has changed.

Numba looks at a function's own file only. But what a function calls is compiled
into it, so a change in one file would leave the old code running in the others.
Here the stamp of what is kept covers every file of the function's folder.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from llvmlite import binding
from numba import cfunc, config, njit, types
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

from medilite import processor

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

_settings: Any = config
"""Numba's settings, which it makes up as it is imported."""


def compiled(**options: Any) -> Callable[[F], F]:
    """Return a decorator: `numba.njit(**options)`, kept beside the code or, where nothing can be written, elsewhere.

    Where nothing can be written anywhere, every start compiles again.
    """

    def decorate(function: F) -> F:
        made: F = _kept(lambda cache: njit(cache=cache, **options)(function))
        return made

    return decorate


def _kept(compile_: Callable[[bool], Any]) -> Any:
    """Return what `compile_` makes: kept if that can be (True), else not."""
    processor.compile_for_this_machine()
    before = _settings.CACHE_LOCATOR_CLASSES
    _settings.CACHE_LOCATOR_CLASSES = ",".join(f"{each.__module__}.{each.__qualname__}" for each in PLACES)
    try:
        return compile_(True)
    except RuntimeError as error:  # "no locator available"
        log.warning("Compiled code can't be kept, every start compiles again: %s.", error)
        return compile_(False)
    finally:
        _settings.CACHE_LOCATOR_CLASSES = before


def lean() -> Callable[[F], F]:
    """Return a decorator: `compiled`, for code that many threads run at once and that makes no arrays.

    Numba counts who holds an array, at every call that one is passed to, in a number that
    all threads share: with two threads half of a step went into that.
    """
    return compiled(**_LEAN, nogil=True)


_LEAN: dict[str, Any] = {"error_model": "numpy", "_nrt": False}


def called(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator: as `lean`, for a large function of numbers that several others call; compiled at once.

    They call it at its address. What `lean` makes is compiled once more into each of its callers, and into theirs.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        made = _kept(lambda cache: cfunc(signature, cache=cache, **_LEAN)(function))
        name = f"medilite.{function.__module__}.{function.__qualname__}"
        binding.add_symbol(name, made.address)
        return types.ExternalFunction(name, signature)

    return decorate


@lru_cache
def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@lru_cache
def sources_digest(folder: Path) -> str:
    """Return a digest of a folder's Python files, names and contents."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


class _Stamp:
    """A locator's stamp: the digest of all files beside the function's own, and of what says what can be compiled."""

    _py_file: str

    def get_source_stamp(self) -> str:
        return sources_digest(Path(self._py_file).parent) + _digest_of(Path(processor.__file__))


class NamedPlace(_Stamp, UserProvidedCacheLocator):
    """Under NUMBA_CACHE_DIR, where that is set."""


class BesideTheCode(_Stamp, InTreeCacheLocator):
    """In `__pycache__`."""


class UsersPlace(_Stamp, UserWideCacheLocator):
    """In the user's own cache."""


PLACES = (NamedPlace, BesideTheCode, UsersPlace)
"""Where compiled code is kept, the first that can be written to."""
