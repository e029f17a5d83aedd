"""Every environment variable that MediLite reads, typed, in one place.

`MEDILITE_PROFILE=paper make app` and a Space's variables both end up here; no
other module reads the environment.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from medilite.errors import SettingsError


class Settings(BaseSettings):
    """What a deployment can set; every name carries the prefix MEDILITE_ in the environment."""

    model_config = SettingsConfigDict(env_prefix="MEDILITE_", extra="ignore", frozen=True, env_ignore_empty=True)

    profile: str = Field("lite", description="name of a shipped profile (lite, paper) or path of a profile's YAML file")
    weights: str | None = Field(
        None, description="local folder with the base's weights, instead of the profile's own source"
    )
    cache_dir: Path = Field(
        default_factory=lambda: Path.home() / ".cache" / "medilite", description="where fetched weights are kept"
    )
    threads: int | None = Field(None, ge=1, le=256, description="CPU threads for generation (default: torch's choice)")
    precision: Literal["float32", "int8"] = Field(
        "float32", description="numbers that the engine computes in on a CPU; int8 is several times faster"
    )
    slots: int | None = Field(
        None, ge=1, le=512,
        description="answers that the int8 engine writes at once (default: what an eighth of the memory holds,"
        " 48 at most); who asks beyond it waits",
    )  # fmt: skip
    engine: Literal["local", "remote"] = Field(
        "local", description="where answers are written: on this machine, or by model servers ([how](docs/remote.md))"
    )
    servers: str | None = Field(
        None,
        description="addresses of OpenAI-compatible model servers, separated by commas: `http://10.0.0.5:8000`; for"
        " `MEDILITE_ENGINE=remote`",
    )
    server_key: SecretStr | None = Field(None, description="API key for these servers, sent to no other")
    server_connect_s: float = Field(5.0, gt=0, le=600, description="seconds in which a model server has to be reached")
    server_first_token_s: float = Field(
        30.0, gt=0, le=3600, description="seconds in which a model server has to begin an answer; else another is tried"
    )
    server_next_token_s: float = Field(
        15.0,
        gt=0,
        le=3600,
        description="longest pause of a model server between two tokens; then the answer ends there",
    )
    data_dir: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "medilite",
        description="where votes are kept, in an SQLite database",
    )
    votes_url: str | None = Field(
        None,
        description="another database for the votes, for several replicas: `postgresql://user:password@host/name`",
    )
    keep_votes_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="days after which votes are deleted, with their pairs and texts (default: never)",
    )
    keep_questions_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="days after which visitors' own questions and the answers to them are deleted, where they agreed "
        "to have them kept; the votes stay (default: never)",
    )
    host: str = Field("127.0.0.1", description="address that the app listens on (a Space sets 0.0.0.0)")
    port: int = Field(7860, ge=0, le=65535, description="port that the app listens on; 0 picks a free one")
    open_browser: bool = Field(False, description="open the app in a browser once it runs")
    max_question_chars: int = Field(2000, ge=1, le=20000, description="longest question, in characters")
    max_queue: int = Field(64, ge=1, le=10000, description="how many visitors may wait before new ones are turned away")
    judge_keys: SecretStr | None = Field(
        None, description="API keys for `eval.judge`, separated by commas; used in turn, sent to its server only"
    )

    @cached_property
    def weights_dir(self) -> Path:
        """Folder under the cache in which converted weights stand."""
        return self.cache_dir.expanduser() / "weights"

    @property
    def votes_database(self) -> str | Path:
        """URL or path of the database in which votes are kept."""
        return self.votes_url or self.data_dir.expanduser() / "votes.db"


def load_settings(**overrides: object) -> Settings:
    """Read the environment; keyword arguments win over it.

    Raises SettingsError naming the variable, its value and what is allowed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "MEDILITE_" + "_".join(str(part) for part in first["loc"]).upper()
        field = Settings.model_fields.get(str(first["loc"][0])) if first["loc"] else None
        about = f" It is the {field.description}." if field and field.description else ""
        raise SettingsError(f"{name}={first.get('input')!r} can't be used: {first['msg']}.{about}") from error
