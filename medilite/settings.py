"""Every environment variable that MediLite reads, typed.

`MEDILITE_PROFILE=paper make app` and a Space's variables both end up here; no
other module reads the environment.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from medilite.errors import SettingsError

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from limits import RateLimitItem

_HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Read by the Hub's own client, not here: listed so that the log can hide them."""

_PASSWORDS = (re.compile(r"://[^:/@\s]*:(\S+)@"), re.compile(r"[?&;]\w*(?:password|token|key|secret)=([^&;\s]+)", re.I))
"""A password in a URL: between user and host, where it may hold an @ itself, or among the parameters."""

_DATABASE_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?:(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*(?::(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})*)?@)?"
    r"(?:[\w.-]+|\[[0-9a-f:.]+\])?(?::\d{1,5})?"
    r"/(?:[^/?#@\s%]|%[0-9a-f]{2})+(?:\?[^#@\s]*)?",
    re.IGNORECASE | re.ASCII,
)
"""An address of a database's server that can be read in one way only."""

_MAY_BE_SECRET = re.compile(
    r"[^\s,'\"]*@|(?<==)[^\s,'\"]+|(?<=[?#;])[^\s,'\"]+|\b(?:hf|sk|gsk|ghp)[_-][\w-]{8,}", re.IGNORECASE
)
"""Where an address may hold a secret: all before an @, parameters and what follows # or ;, and tokens."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Host names that only this machine can use to reach the app."""

_NEXT_URL = re.compile(r",\s*(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


def _home() -> Path:
    """Return the user's home; raises SettingsError for a container's user who has neither a home nor a name."""
    try:
        return Path.home()
    except RuntimeError:
        raise SettingsError(
            "This user has no home folder: set HOME, or both MEDILITE_DATA_DIR and MEDILITE_CACHE_DIR, to folders that "
            "can be written."
        ) from None


class Settings(BaseSettings):
    """What a deployment can set; in the environment with the prefix MEDILITE_, but for the Hub's own names."""

    model_config = SettingsConfigDict(
        env_prefix="MEDILITE_", extra="ignore", frozen=True, env_ignore_empty=True, populate_by_name=True
    )

    profile: str = Field("lite", description="name of a shipped profile (lite, paper) or path of a profile's YAML file")
    weights: str | None = Field(
        None, description="local folder with the base's weights, instead of the profile's own source"
    )
    cache_dir: Path = Field(
        default_factory=lambda: _home() / ".cache" / "medilite",
        description="where fetched and packed weights, the library and the syllable dictionary are kept",
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=256,
        description="CPU threads for generation (default: one for each core that a container's limit leaves)",
    )
    precision: Literal["float32", "int8", "int4"] = Field(
        "int8",
        description="numbers that the engine computes in on a CPU; float32 gives the very tokens of transformers with"
        " PEFT, several times slower; int4 rounds the base to 16 levels, for a large one",
    )
    slots: int | None = Field(
        None, ge=1, le=512,
        description="answers that the int8 engine writes at once (default: what an eighth of the memory holds,"
        " 48 at most); who asks beyond it waits",
    )  # fmt: skip
    engine: Literal["local", "remote"] = Field(
        "local", description="where answers are written: on this machine, or by model servers ([how](remote.md))"
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
        default_factory=lambda: _home() / ".local" / "share" / "medilite",
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
    private_bank: bool | None = Field(
        None,
        description="have the models answer the project's questions again while nobody asks, so that nobody can look "
        "up who wrote a ready-made pair; new ones each week (default: where others reach the app, over the network or "
        "through a proxy, but not on ZeroGPU)",
    )
    own_adapters: bool | None = Field(
        None,
        description="let visitors of the Lab bring an adapter of their own: plain LoRA in safetensors, of rank 64 and "
        "64 MB at most, eight at once, in memory alone; folders of this machine only where nobody else reaches the app "
        "(default: on there; off over the network, through a proxy and on a Space)",
    )
    voter_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="any random text of 16 characters or more: with the same one, voters' ids stay valid when the "
        "database starts empty, as after a Space's restart (default: made with the database)",
    )
    mirror: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$",
        description="dataset repository on the Hub, `owner/name`, in which votes are mirrored, and from which they are "
        "restored at start; needs `HF_TOKEN`",
    )
    mirror_minutes: float = Field(
        5, ge=1, le=1440, description="how long the mirror waits at least from one commit to the next"
    )
    hf_token: SecretStr | None = Field(
        None,
        validation_alias="HF_TOKEN",
        description="token of the Hugging Face Hub that may write to the mirror's repository; sent to the Hub only",
    )
    sources: str = Field(
        "auto",
        description="library of passages shown beside the answers ([how](sources.md)): `auto` (what `make data` "
        "prepared, else a built one in the cache, else MedQuAD from the Hub), `off`, or the path of a built library, "
        "of prepared data or of a table of your own",
    )
    host: str = Field("127.0.0.1", description="address that the app listens on (a Space sets 0.0.0.0)")
    port: int = Field(7860, ge=0, le=65535, description="port that the app listens on; 0 picks a free one")
    open_browser: bool = Field(False, description="open the app in a browser once it runs")
    max_question_chars: int = Field(2000, ge=1, le=20000, description="longest question, in characters")
    max_queue: int = Field(64, ge=1, le=10000, description="how many visitors may wait before new ones are turned away")
    trusted_proxies: str | None = Field(
        None,
        description="proxies in front of the app whose `X-Forwarded-For` counts: how many there are, or their "
        "addresses, separated by commas (default: none, the header is ignored; 1 in a Space)",
    )
    answers_per_visitor: str = Field(
        "20/minute; 300/hour", description="how often one visitor may ask for answers; `off` for no limit"
    )
    answers_per_address: str = Field(
        "600/minute; 6000/hour",
        description="how often all visitors at one network address may (an IPv6 address counts by its first 64 bits)",
    )
    pairs_per_visitor: str = Field(
        "60/minute; 1000/hour", description="how often one voter may take a pair of ready-made answers"
    )
    pairs_per_address: str = Field(
        "1200/minute; 12000/hour", description="how often all voters at one network address may"
    )
    readings_per_address: str = Field(
        "300/minute; 6000/hour",
        description="how often programs at one network address may search the library, have a text measured or read "
        "the leaderboard ([API](api.md)), and visitors may compare models on a slice of its questions or download the "
        "votes",
    )
    events_per_address: str = Field(
        "600/10second",
        description="how many events of the page (clicks, asking, polling), and requests by MCP, visitors at one "
        "network address may send",
    )
    sessions_per_address: str = Field(
        "120/minute; 1200/hour", description="how many pages visitors at one network address may open"
    )
    allowed_origins: str | None = Field(
        None,
        pattern=r"^https?://[^\s,/]+(?:\s*,\s*https?://[^\s,/]+)*$",
        description="addresses of other pages that may use this app through their visitors' browsers, separated by "
        "commas: `https://clinic.example` (default: none)",
    )
    prefix: str = Field(
        "",
        pattern=r"^(?:(?:/[A-Za-z0-9._~-]+)+/?)?$",
        description="path under which a proxy serves the app, and which it takes off: `/medilite` "
        "([how](deploy.md#a-server-behind-a-proxy); default: none)",
    )
    sign_ins_per_address: str = Field(
        "60/minute; 1200/hour",
        description="how often visitors at one network address may begin or finish to sign in, where "
        "[signing in](deploy.md#signing-in) is on",
    )
    mcp: bool = Field(True, description="serve the API's endpoints as MCP tools too, at `/gradio_api/mcp/`")
    judge_keys: SecretStr | None = Field(
        None, description="API keys for `eval.judge`, separated by commas; used in turn, sent to its server only"
    )

    metrics: bool = Field(
        False, description="serve counts for Prometheus at `/metrics`, to anyone who reaches the port"
    )
    log: Literal["text", "json"] = Field(
        "text", description="how the log is written: lines for people, or one JSON object a line"
    )
    grace_s: float = Field(
        5.0, ge=0, le=600, description="seconds that running answers get to finish in when the app is stopped"
    )
    gradio_server_name: str | None = Field(
        None,
        validation_alias="GRADIO_SERVER_NAME",
        description="Gradio's own setting, as a Space sets it: address to listen on where MEDILITE_HOST is not set",
        repr=False,
    )
    space_id: str | None = Field(None, validation_alias="SPACE_ID", description="set by a Space: its name", repr=False)
    system: str | None = Field(None, validation_alias="SYSTEM", description="set by a Space: `spaces`", repr=False)
    oauth_client_id: str | None = Field(
        None,
        validation_alias="OAUTH_CLIENT_ID",
        description="set by a Space with `hf_oauth: true`: what the Hub calls this app when somebody signs in",
        repr=False,
    )
    oauth_client_secret: SecretStr | None = Field(
        None,
        validation_alias="OAUTH_CLIENT_SECRET",
        description="set by a Space with `hf_oauth: true`: what this app proves itself to the Hub by, and signs "
        "sessions with",
        repr=False,
    )
    oauth_scopes: str | None = Field(
        None,
        validation_alias="OAUTH_SCOPES",
        description="set by a Space with `hf_oauth: true`: what visitors who sign in are asked for",
        repr=False,
    )
    openid_provider_url: str | None = Field(
        None,
        pattern=r"^https?://",
        validation_alias="OPENID_PROVIDER_URL",
        description="set by a Space with `hf_oauth: true`: the Hub's address for signing in",
        repr=False,
    )
    zero_gpu: bool = Field(
        False,
        validation_alias="SPACES_ZERO_GPU",
        description="set by a ZeroGPU Space: a GPU is lent answer by answer",
        repr=False,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: object, info: ValidationInfo) -> object:
        """Drop the spaces and line breaks that files of secrets and variables end with; blank is not set."""
        if not isinstance(value, str):
            return value
        name, value = str(info.field_name), value.strip()
        # For a Service of this name Kubernetes sets MEDILITE_PORT to its address.
        if not value or (name == "port" and value.startswith("tcp://")):
            return cls.model_fields[name].get_default(call_default_factory=True)
        if name in ("engine", "precision", "log") or (name == "sources" and value.lower() in ("auto", "off")):
            return value.lower()
        if name in ("profile", "weights", "sources", "data_dir", "cache_dir"):
            if "://" in value:
                raise ValueError("it is an address, and a name or path on this machine belongs here")
            try:
                Path(value).expanduser()
            except RuntimeError:
                raise ValueError("no home of that user is known. Write the whole path, or set HOME") from None
        return value

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: str) -> str:
        host = plain_address(value)
        if re.search(r"[/@\[\]\s]", host) or host.count(":") == 1:
            raise ValueError("it is no address alone. Give 127.0.0.1, ::1 or a name, and the port by MEDILITE_PORT")
        return host

    @field_validator("server_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("it holds a space or a letter that no request can carry. Copy it again")
        return value

    @field_validator("prefix")
    @classmethod
    def _without_last_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator(
        "answers_per_visitor", "answers_per_address", "pairs_per_visitor", "pairs_per_address", "readings_per_address",
        "events_per_address", "sessions_per_address", "sign_ins_per_address",
    )  # fmt: skip
    @classmethod
    def _limits(cls, value: str) -> str:
        rate_limits(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str | None) -> str | None:
        proxies_of(value)
        return value

    @field_validator("votes_url")
    @classmethod
    def _one_way_to_read(cls, value: str | None) -> str | None:
        if value is None:
            return value
        wrong = ambiguous_address(value) if value.lower().startswith("postgres") else None
        if wrong:
            raise ValueError(wrong)
        # A libpq string, or a variable that nothing filled in, would become a file of that name.
        if "://" not in value and re.search(r"[@=?;$]|^\w+:(?![\\/])", value):
            raise ValueError("it is neither postgresql://user:password@host/name nor sqlite:///path")
        return value

    @cached_property
    def weights_dir(self) -> Path:
        """Folder under the cache for converted weights."""
        return self.cache_dir.expanduser() / "weights"

    @property
    def listens_on(self) -> str:
        """Address that the app listens on: MEDILITE_HOST, else what Gradio's own setting says."""
        named = self.host if "host" in self.model_fields_set else self.gradio_server_name or self.host
        return plain_address(named)

    @property
    def reached_by_others(self) -> bool:
        """Whether others than this machine's user reach the app: over the network, in a Space, or through a proxy."""
        return (
            self.space_id is not None
            or self.listens_on.lower() not in LOOPBACK
            # Behind a proxy of this machine the address is a loopback one.
            or bool(proxies_of(self.trusted_proxies))
        )

    @property
    def is_mirrored(self) -> bool:
        """Whether votes are mirrored to the Hub, which needs a repository and a token."""
        return self.mirror is not None and self.hf_token is not None

    @property
    def signs_in(self) -> bool:
        """Whether visitors can sign in: Gradio attaches its routes in a Space that has all of these."""
        needed = (
            self.space_id, self.oauth_client_id, self.oauth_client_secret, self.oauth_scopes, self.openid_provider_url,
        )  # fmt: skip
        return self.system == "spaces" and all(needed)

    @property
    def forgets(self) -> bool:
        """Whether visitors' own questions are deleted some day: the mirror can't forget, and doesn't get them."""
        return self.keep_questions_days is not None or self.keep_votes_days is not None

    @property
    def votes_database(self) -> str | Path:
        """URL or path of the database in which votes are kept."""
        return self.votes_url or self.data_dir.expanduser() / "votes.db"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be logged: every key, every password in a URL, and the Hub's tokens."""
        found = [os.environ.get(name, "") for name in _HUB_TOKENS]
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                found += value.get_secret_value().split(",")
            elif isinstance(value, str):
                passwords = [p for url in _NEXT_URL.split(value) for one in _PASSWORDS for p in one.findall(url)]
                # A driver quotes it decoded.
                found += [form for password in passwords for form in (password, unquote(password))]
        return tuple(dict.fromkeys(secret.strip() for secret in found if secret.strip()))


def load_settings(**overrides: object) -> Settings:
    """Read the environment; keyword arguments win over it.

    Raises SettingsError naming the variable, its value and what is allowed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        named = str(first["loc"][0]) if first["loc"] else ""
        fields = {variable(field): field for field in Settings.model_fields}
        name = named if named in fields else variable(named)
        known = Settings.model_fields.get(fields.get(name, ""))
        about = f" It is the {known.description}." if known and known.description else ""
        # An address may hold a password, and one that can't be read anywhere.
        hidden = "SecretStr" in str(known.annotation) or fields[name].endswith(("_url", "servers")) if known else False
        given = "…" if hidden else repr(masked_address(str(first.get("input"))))
        said = masked_address(first["msg"]) if hidden or "://" in first["msg"] else first["msg"]
        said = said.removeprefix("Value error, ").rstrip(".")
        raise SettingsError(f"{name}={given} can't be used: {said}.{about}") from None


def masked_address(text: str) -> str:
    """Return a text without what may be a secret in its addresses; nothing else of it changes."""
    return _MAY_BE_SECRET.sub("…", text)


def rate_limits(text: str) -> list[RateLimitItem]:
    """Read limits ("20/minute; 300/hour"); "off" is none. Raises ValueError with cause and remedy."""
    from limits import parse_many

    if text.strip().lower() == "off":
        return []
    try:
        items = parse_many(text)
    except ValueError:
        raise ValueError("it is not a list of limits. Write them as 20/minute; 300/hour, or off for none") from None
    if not all(item.amount > 0 for item in items):
        raise ValueError("it would let nobody in. Write 20/minute; 300/hour, say, or off for no limit")
    return items


def plain_address(text: str) -> str:
    """Return an address as the system takes it: without brackets, and with an IPv6 zone after % instead of a URL's %25.

    See RFC 6874. Outside of brackets `%25` and a digit stay: that may be the zone 251.
    """
    said = text.strip()
    bare = said.removeprefix("[").removesuffix("]")
    return re.sub(r"%25(?=.)" if bare != said else r"%25(?=[^0-9])", "%", bare, count=1) if ":" in bare else bare


def proxies_of(text: str | None) -> int | tuple[IPv4Network | IPv6Network, ...]:
    """Read how many proxies there are ("1"), or their addresses ("10.0.0.7, 10.1.0.0/16"). Raises ValueError."""
    from ipaddress import ip_network

    said = (text or "").strip()
    if not said or (said.isascii() and said.isdigit() and len(said) < 3):
        return int(said or 0)
    try:
        networks = [ip_network(plain_address(part), strict=False) for part in said.split(",")]
        # Visitors' addresses are IPv4 ones too where a socket of both kinds reports them as IPv6 ones.
        mapped = [getattr(network.network_address, "ipv4_mapped", None) for network in networks]
        return tuple(
            ip_network((four, network.prefixlen - 96)) if four else network
            for network, four in zip(networks, mapped, strict=True)
        )
    except ValueError as error:
        raise ValueError(
            f"{error}. Give the number of proxies in front of the app (1, say), or their addresses, separated by "
            "commas (10.0.0.7, 10.1.0.0/16)"
        ) from None


def ambiguous_address(address: str) -> str | None:
    """Return what is wrong with an ambiguous address of a database server; None if nothing is.

    It doesn't quote the address: any part may belong to the password.
    """
    if _DATABASE_ADDRESS.fullmatch(address):
        return None
    return (
        "it isn't clear where user, password, host and name end. Give postgresql://user:password@host:port/name, and "
        "write signs in user, password and name percent-encoded: % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, "
        "# as %23, [ as %5B, ] as %5D, a space as %20."
    )


def variable(field: str) -> str:
    """Return the environment variable that a field is read from."""
    known = Settings.model_fields.get(field)
    alias = known.validation_alias if known else None
    return alias if isinstance(alias, str) else f"MEDILITE_{field.upper()}"
