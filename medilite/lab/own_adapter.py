"""An adapter brought by a visitor: where it is, whether it may be read, and how long it is kept.

Files are checked before anything is loaded: weights and configuration; nothing is unpickled and no code is run.
Adapters of the Hub are downloaded to a temporary folder, deleted once the weights are in memory. The engine decides
whether it can compute the adapter (`TakesAdapters`).
"""

from __future__ import annotations

import json
import math
import operator
import re
import secrets
import struct
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.checkpoints import ADAPTER_FILES, CONFIG_FILE, WEIGHTS_FILE
from medilite.engine.protocol import TakesAdapters
from medilite.errors import ModelUnavailableError
from medilite.models import ModelSpec, Profile
from medilite.settings import Settings

OWN = "own-"
"""Prefix of the id of every adapter that was brought."""

MOST_BYTES = 64 * 2**20
HIGHEST_RANK = 64
MOST_AT_ONCE = 8
LONGEST_NAME = 24

COLOURS = {"Teal": ("#00a070", "#008068"), "Violet": ("#a000f8", "#8068b0"), "Magenta": ("#d000f8", "#b040a0")}
"""Colours to choose from, (light theme, dark theme), far from those of the shipped profiles for any eyes."""

NOT_TAKEN = (
    "This deployment takes no adapters from visitors. Run MediLite yourself, or ask the person who runs this one to set"
    " MEDILITE_OWN_ADAPTERS=true."
)

_HUB = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})@([0-9a-f]{40})")
_HUB_WITHOUT = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(?:@[\w.-]*)?")
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_CODE = (".py", ".pyc", ".so", ".sh")
_CONFIG_BYTES, _HEADER_BYTES = 256 * 2**10, 512 * 2**10
"""Most JSON that is read: Python runs nothing else meanwhile, and 4 MB can take more than a second."""

_WAIT_S = 60.0
"""How long an adapter waits for those that are being brought before it."""


def allowed(settings: Settings) -> bool:
    """Whether visitors may bring adapters here."""
    return local(settings) if settings.own_adapters is None else settings.own_adapters


def local(settings: Settings) -> bool:
    """Whether only this machine's user reaches the app, so that a folder may be named."""
    return not settings.reached_by_others


@dataclass(frozen=True, slots=True)
class Facts:
    """What an adapter's files say of it."""

    rank: int
    size: int
    base: str


@contextmanager
def folder_of(where: str, settings: Settings, endpoint: str | None = None) -> Iterator[Path]:
    """Yield the folder that a person named, or a temporary one with what `owner/name@sha` of the Hub has.

    Raises ModelUnavailableError naming what is wrong; nothing of a download is kept.
    """
    if not allowed(settings):
        raise ModelUnavailableError(NOT_TAKEN)
    named = where.strip()
    if not named:
        raise ModelUnavailableError("No adapter is named yet: give owner/name@sha of the Hub, or a folder.")
    if match := _HUB.fullmatch(named):
        with tempfile.TemporaryDirectory(prefix="medilite-adapter-") as made:
            _download(match[1], match[2], Path(made), endpoint)
            yield Path(made)
        return
    folder = _folder(named) if local(settings) else None
    if not local(settings) or (_HUB_WITHOUT.fullmatch(named) and folder is None):
        raise ModelUnavailableError(
            f"{named[:80]!r} does not name an adapter on the Hub: write owner/name@sha, with the commit's 40"
            " hexadecimal digits, so that what is measured can be repeated."
            + ("" if local(settings) else " Folders can't be named here.")
        )
    if folder is None:
        raise ModelUnavailableError(
            f"There is no folder {named[:200]!r}. Name one that holds {' and '.join(ADAPTER_FILES)}."
        )
    yield folder


def _folder(named: str) -> Path | None:
    try:
        folder = Path(named).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # a name too long, a folder that may not be entered, the home of an unknown user
        return None


def look_at(folder: Path, profile: Profile) -> Facts:
    """Return what an adapter's files say, without loading its numbers.

    Raises ModelUnavailableError for one that is pickled, holds code, is too large, of too high a rank, damaged, or
    of another base.
    """
    _refuse_names([path.name for path in folder.iterdir()])
    weights = folder / WEIGHTS_FILE
    size = weights.stat().st_size
    _refuse_size(WEIGHTS_FILE, size)
    _refuse_size(CONFIG_FILE, (folder / CONFIG_FILE).stat().st_size)
    tensors = _tensors(weights, size)
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        rank, base = config["r"], str(config.get("base_model_name_or_path") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailableError(
            f"Its {CONFIG_FILE} can't be read ({type(error).__name__}): save it again."
        ) from error
    ranks = [shape[0] for name, shape in tensors.items() if name.endswith("lora_A.weight") and len(shape) == 2]
    if isinstance(rank, bool) or not isinstance(rank, int) or max([rank, *ranks]) > HIGHEST_RANK:
        raise ModelUnavailableError(
            f"Its rank is {max([rank, *ranks]) if isinstance(rank, int) else rank!r}; at most {HIGHEST_RANK} can be"
            " taken. Train one of a lower rank."
        )
    if not _fits(base, profile):
        raise ModelUnavailableError(
            f"It was trained on {base[:80]!r}, and the base here is {profile.base.model}: an adapter changes the"
            " numbers of the base that it was trained on, and means nothing on another."
        )
    return Facts(rank, size, base)


def _refuse_names(names: list[str]) -> None:
    missing = [name for name in ADAPTER_FILES if name not in names]
    if code := [name for name in names if name.endswith(_CODE)]:
        raise ModelUnavailableError(f"It holds code ({code[0][:60]}), which is never run here. Bring a folder without.")
    if missing:
        pickled = [name for name in names if name.endswith(_PICKLED)]
        why = f" {pickled[0][:60]} is pickled, which can run code: save it as safetensors." if pickled else ""
        raise ModelUnavailableError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.{why}")


def _refuse_size(name: str, size: int | None) -> None:
    most = MOST_BYTES if name == WEIGHTS_FILE else _CONFIG_BYTES
    if size is None or size > most:
        said = "of unknown size" if size is None else _size_text(size)
        raise ModelUnavailableError(f"Its {name} is {said}; at most {_size_text(most)} can be taken.")


def _size_text(size: int) -> str:
    return f"{size / 2**20:,.0f} MB" if size >= 2**20 else f"{math.ceil(size / 2**10)} kB"


def _tensors(path: Path, size: int) -> dict[str, list[int]]:
    """Return the shapes of a safetensors file's tensors by name, from its header; raises where that is damaged."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - 8:
                raise ValueError("its header is longer than the file")
            if length > _HEADER_BYTES:
                raise ModelUnavailableError(
                    f"The header of its {WEIGHTS_FILE} is {_size_text(length)}; at most {_size_text(_HEADER_BYTES)}"
                    " can be taken. Save it again, without anything else in it."
                )
            header: dict[str, Any] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        if max((one["data_offsets"][1] for one in header.values()), default=0) != size - 8 - length:
            raise ValueError("it is cut off")
        shapes = {name: [operator.index(size) for size in one["shape"]] for name, one in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise ModelUnavailableError(
            f"Its {WEIGHTS_FILE} is no whole safetensors file ({error}). Get it again, or save it again."
        ) from error
    return shapes


def _fits(base: str, profile: Profile) -> bool:
    """Return whether the base that an adapter's configuration names can be the profile's; tensors are checked later."""
    named = base.rstrip("/").rpartition("/")[2].casefold()
    ours = (profile.base.model, getattr(profile.base, "hub_id", None), getattr(profile.base, "repo", None))
    known = {name.rpartition("/")[2].casefold() for name in ours if name}
    # A path on somebody's machine may have any name; only names of the Hub identify a base.
    return named in known or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", base)


def _download(repo: str, sha: str, into: Path, endpoint: str | None) -> None:
    from huggingface_hub import HfApi, hf_hub_download

    try:
        info = HfApi(endpoint=endpoint, token=False).model_info(repo, revision=sha, files_metadata=True)
        sizes = {one.rfilename: one.size for one in info.siblings or []}
        _refuse_names(list(sizes))
        for name in ADAPTER_FILES:
            _refuse_size(name, sizes[name])
            hf_hub_download(repo, name, revision=sha, local_dir=into, endpoint=endpoint, token=False)
    except ModelUnavailableError:
        raise
    except Exception as error:  # the Hub's client raises many unrelated types
        raise ModelUnavailableError(
            f"{repo}@{sha[:8]} can't be downloaded from the Hugging Face Hub ({type(error).__name__}); nothing was"
            " kept. Check that it is public, that it has this commit, and that there is a connection."
        ) from error
    for left in into.iterdir():
        if left.name not in ADAPTER_FILES and left.is_file():
            left.unlink()


class Brought:
    """The adapters that visitors have brought to an engine: MOST_AT_ONCE at most, the oldest goes first.

    While one more is taken in, the one that it replaces is still there.
    """

    def __init__(self, engine: TakesAdapters, profile: Profile, settings: Settings) -> None:
        self._engine, self._profile, self._settings = engine, profile, settings
        self._lock = threading.Lock()
        self._bringing = threading.Lock()
        self._specs: OrderedDict[str, ModelSpec] = OrderedDict()

    def bring(
        self, where: str, label: str, colour: str, stacked_on: str, instead_of: str = "", endpoint: str | None = None
    ) -> tuple[ModelSpec, Facts]:
        """Add an adapter and return it as a model, with the facts of its files; replaces `instead_of`.

        Raises ModelUnavailableError, EngineError, UnknownModelError with a sentence for people.
        """
        parent = self._profile.get(stacked_on)
        light, dark = COLOURS.get(colour, next(iter(COLOURS.values())))
        name = " ".join(label.split())[:LONGEST_NAME] or "My adapter"
        with self._turn(), folder_of(where, self._settings, endpoint) as folder:
            facts = look_at(folder, self._profile)
            spec = ModelSpec(
                id=f"{OWN}{secrets.token_hex(8)}", label=name, about="An adapter that you brought.", colour=light,
                colour_dark=dark, adapter=str(folder.resolve()), stacked_on=parent.id if parent.adapter else None,
            )  # fmt: skip
            self._engine.bring(spec)
            with self._lock:
                gone = [instead_of] if self._specs.pop(instead_of, None) else []
                while len(self._specs) >= MOST_AT_ONCE:
                    gone.append(self._specs.popitem(last=False)[0])
                self._specs[spec.id] = spec
            for model in gone:
                self._engine.let_go(model)
        return spec, facts

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one adapter at a time be downloaded and read, or MOST_AT_ONCE would bound neither disk nor memory."""
        if not self._bringing.acquire(timeout=_WAIT_S):
            raise ModelUnavailableError("Others are bringing adapters, one after another: try again in a minute.")
        try:
            yield
        finally:
            self._bringing.release()

    def get(self, model: str) -> ModelSpec:
        """Return one that is still here, marked as most recently used; raises ModelUnavailableError for any other."""
        with self._lock:
            spec = self._specs.get(model)
            if spec is None:
                raise ModelUnavailableError(
                    "Your adapter is no longer here, because others needed its place: bring it again."
                )
            self._specs.move_to_end(model)
            return spec
