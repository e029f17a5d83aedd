"""Every error that a user can meet.

MediLiteError
├── SettingsError            an environment variable or flag can't be used
├── ProfileError             a profile file is missing, malformed or inconsistent
├── UnknownModelError        no model of that id in the profile
├── QuestionError            the question is empty, too long or not text
│   └── ContextOverflowError prompt and new tokens exceed the model's context
├── DecodingError            a decoding setting is out of its range
├── ArgumentError            an argument of a program's call can't be used
├── WeightsError             the weights of the base can't be used
│   ├── WeightsUnavailableError  not cached and not to be had from here
│   └── ChecksumError        a file is not the one that was published
├── ModelUnavailableError    this model can't answer (a broken adapter, say); others may
├── EngineError              generation failed
│   └── StoppingError        the app is being stopped; ask again once it is back
├── RateLimitError           one visitor or one address asks too often; waiting helps
├── JudgeError               the judge's server can't be asked, or not with these keys
├── StoreError               the votes' database can't be used now; what was asked may be tried again
├── MirrorError              the votes' copy on the Hub can't be read or written now; it is tried again
├── VoteError                a vote can't be counted
│   ├── TokenError               its pair's token is forged, expired or another visitor's
│   ├── BallotError              the choice, or what goes with it, is none of those offered
│   └── LimitError               too many votes from one voter in this time
├── DataError                a data set or a file between stages can't be used
├── ConfigError              a training or evaluation configuration is wrong
└── TrainingError            a stage of training can't be run, or failed

Each message names the value, the cause and the remedy. They are turned into
`gr.Error` or an exit code only at the edge (ui/, __main__, the scripts), where
`without_folders` keeps the server's paths from visitors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


class MediLiteError(Exception):
    """Base of all errors that MediLite raises on purpose."""


class SettingsError(MediLiteError):
    """An environment variable or command-line flag can't be used."""


class ProfileError(MediLiteError):
    """A profile file is missing, malformed or inconsistent."""


class UnknownModelError(MediLiteError):
    """No model of that id is in the profile."""

    def __init__(self, model: str, known: Iterable[str]) -> None:
        self.model = model
        self.known = tuple(known)
        super().__init__(
            f"Unknown model {model!r}: this profile has no such model.{suggestion(model, self.known)} "
            f"Known models: {', '.join(self.known)}."
        )


class QuestionError(MediLiteError):
    """The question is empty, too long or not text."""


class ContextOverflowError(QuestionError):
    """Prompt and new tokens together exceed the model's context."""


class DecodingError(MediLiteError):
    """A decoding setting is out of its range."""


class ArgumentError(MediLiteError):
    """An argument of a program's call (API, MCP) can't be used."""


class WeightsError(MediLiteError):
    """The weights of the base can't be used."""


class WeightsUnavailableError(WeightsError):
    """The weights are not cached and can't be fetched from here."""


class ChecksumError(WeightsError):
    """A file is not the one that was published; it is never used."""


class ModelUnavailableError(MediLiteError):
    """This model can't answer, for the reason in the message; the others may."""


class EngineError(MediLiteError):
    """Generation failed."""


class StoppingError(EngineError):
    """The app is being stopped; ask again once it is back."""


class RateLimitError(MediLiteError):
    """One visitor, or one network address, asks too often; `wait_s` is how long to wait, in seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(message)


class JudgeError(MediLiteError):
    """The judge's server can't be asked, or not with these keys."""


class StoreError(MediLiteError):
    """The votes' database can't be used now; what was asked may be tried again.

    `cause` is the driver's own words without secrets, for the operator and never for visitors; "" if there are none.
    """

    def __init__(self, message: str, cause: str = "") -> None:
        self.cause = cause
        super().__init__(message)


class MirrorError(MediLiteError):
    """The votes' mirror on the Hub can't be read or written now; nothing is lost, and it is tried again."""


class VoteError(MediLiteError):
    """A vote can't be counted."""


class TokenError(VoteError):
    """A pair's token is forged, expired, or another visitor's."""


class BallotError(VoteError):
    """The choice, or what goes with it, is none of those offered."""


class LimitError(VoteError):
    """One voter has voted too often in this time."""


class DataError(MediLiteError):
    """A data set, or a file that one stage hands to the next, can't be used."""


class ConfigError(MediLiteError):
    """A training or evaluation configuration is wrong."""


class TrainingError(MediLiteError):
    """A stage of training can't be run now, or failed."""


_QUOTED_PATH = re.compile(r"""(['"])(?:~|[A-Za-z]:)?[/\\](?:(?!\1)[^\n])*[/\\]((?:(?!\1)[^\n/\\])*)\1""")
_PATH = re.compile(
    r"""(?<![\w.:/\\~-])(?:file://)?(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'"“”<>|;,()]+[/\\])+([^\s/\\'"“”<>|;,()]*)"""
)


def without_folders(message: str, *known: Path) -> str:
    """Return a message with every absolute path cut to its last part: visitors need not know a server's folders.

    `known` are paths that may be in the message and whose names may hold spaces.
    Web addresses and names on the Hub stay as they are.
    """
    for path in sorted(known, key=lambda path: -len(str(path))):
        if len(path.parts) > 1:
            message = message.replace(str(path), path.name)
    return _PATH.sub(r"\1", _QUOTED_PATH.sub(r"\1\2\1", message))


def suggestion(value: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or "" if none is near."""
    import difflib

    near = difflib.get_close_matches(value.lower(), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
