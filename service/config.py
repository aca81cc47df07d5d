"""What the environment says. Read once per process with `load()`; nothing else in the house reads os.environ
(but `service.clock`, for WARMLINE_NOW)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow.validate import Range
from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service import embedded
from service.clock import business_now
from service.errors import PlainError
from service.leases import LEASE

T = TypeVar("T")
RUNNING = "running.env"  # in the data folder: how to reach the Warmline that runs there
RUNNING_ROLES = "RUNNING_"  # before the names of the three addresses under which its processes sign in to PostgreSQL


@dataclass(frozen=True)
class SingleSignOn:
    """Our registration with an OpenID provider."""

    issuer: str  # its address, as it names itself
    client_id: str
    client_secret: str = field(default="", repr=False)  # "": a public client
    only: bool = False  # nobody signs in otherwise, but by a link of whoever runs Warmline


@dataclass(frozen=True)
class Config:
    home: Path  # where embedded servers keep their data, logs and keys
    database_url: str | None = field(repr=False)  # the application's role; such an address holds a password
    database_admin_url: str | None = field(repr=False)  # the owner's role: migrations
    database_scheduler_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    base_url: str  # the public address of console and API, without a slash at the end
    port: int
    host: str
    secret_keys: Mapping[str, bytes] = field(repr=False)  # key id -> 32 bytes; the first one seals
    allow_hosts: tuple[str, ...] = ()  # not on the internet, and called all the same when a user names them
    json_logs: bool = False
    lease: timedelta = LEASE  # how long a claimed row stays with a worker that falls silent
    queue_sweep_seconds: int = 600  # how often what jobs of killed workers left in the queue is cleared away
    api_per_second: int = 0  # calls of one workspace; 0: no limit
    workers: int = 2  # worker processes; more than the cores can carry helps nobody
    stop_within: float = 20.0  # seconds that a web or worker process which is to stop has for what is under way
    metrics_token: str = field(default="", repr=False)  # opens /metrics; "": there is none
    freshness: timedelta = timedelta(minutes=5)  # how soon after it is ripe a task should stand in its CRM
    otlp_endpoint: str | None = None  # where spans go; OpenTelemetry reads the rest of OTEL_* itself
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)  # whose word on scheme and client address is believed
    single_sign_on: SingleSignOn | None = None
    leave_days: int = 7  # how long a workspace whose owner wants it deleted can still be kept
    backup_days: int | None = None  # how long backups are kept, for receipts; None: whoever runs Warmline has not said
    database_backup_url: str | None = field(default=None, repr=False)  # a role that sees all rows, for backups alone
    web_processes: int = 1  # that one web process divides into
    sandbox_port: int = 8790  # where the sandbox of `up` and `demo` listens, on loopback
    testing: bool = False

    def need(self, name: str) -> str:
        """The setting of this name. Raises PlainError when it is missing."""
        value = getattr(self, name)
        if not value:
            raise PlainError(f"{name.upper()} is not set. Set it, or run `warmline up`, which brings its own servers.")
        return str(value)


def load(*, follow: bool = True) -> Config:
    """The configuration. What the environment does not say is taken from the Warmline that runs in the data folder, if one
    does and `follow` is set: so `warmline signin` works beside `warmline up`. Raises PlainError for a setting that cannot
    be read."""
    home = Path(os.environ.get("WARMLINE_HOME") or ".warmline").absolute()
    env = Env()
    roles = ""
    if follow and (home / RUNNING).is_file() and embedded.holder(home) is not None:
        env.read_env(home / RUNNING, recurse=False)  # what the environment says comes first
        if "DATABASE_ADMIN_URL" not in os.environ:
            roles = (
                RUNNING_ROLES  # DATABASE_URL alone is the owner's address: what runs has made roles of its own of that
            )
    _check_now()
    port = _whole(env, "PORT", 8000, 1, 65_535)
    allow_hosts = tuple(env.str("WARMLINE_ALLOW_HOSTS", "").lower().replace(",", " ").split())
    return Config(
        home=home,
        database_url=_postgres(env, "DATABASE_URL", roles),
        database_admin_url=_postgres(env, "DATABASE_ADMIN_URL", roles),
        database_scheduler_url=_postgres(env, "DATABASE_SCHEDULER_URL", roles),
        database_backup_url=_postgres(env, "DATABASE_BACKUP_URL", roles),
        redis_url=_redis(env, "REDIS_URL"),
        base_url=_address(env, "WARMLINE_URL", f"http://127.0.0.1:{port}"),
        port=port,
        host=env.str("WARMLINE_BIND", "127.0.0.1"),
        secret_keys=parse_keys(env.str("WARMLINE_SECRET_KEYS", "")),
        allow_hosts=allow_hosts,
        json_logs=_flag(env, "WARMLINE_JSON_LOGS"),
        leave_days=_whole(env, "WARMLINE_LEAVE_DAYS", 7, 0, 90),
        backup_days=_whole(env, "WARMLINE_BACKUP_DAYS", None, 0, 3650),
        lease=timedelta(seconds=_whole(env, "WARMLINE_LEASE_SECONDS", 300, 5, 3600)),
        queue_sweep_seconds=_whole(env, "WARMLINE_QUEUE_SWEEP_SECONDS", 600, 5, 86_400),
        api_per_second=_whole(env, "WARMLINE_API_PER_SECOND", 20, 0, 100_000),
        workers=_whole(env, "WARMLINE_WORKERS", 2, 1, 256),
        web_processes=_whole(env, "WEB_CONCURRENCY", 1, 1, 256),
        sandbox_port=_whole(env, "WARMLINE_SANDBOX_PORT", 8790, 1, 65_535),
        metrics_token=_token(env, "WARMLINE_METRICS_TOKEN"),
        freshness=timedelta(seconds=_whole(env, "WARMLINE_FRESHNESS_SECONDS", 300, 10, 86_400)),
        otlp_endpoint=env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "") or None,
        trusted_proxies=tuple(env.str("WARMLINE_TRUSTED_PROXIES", "127.0.0.1").replace(",", " ").split()),
        single_sign_on=_single_sign_on(env, allow_hosts),
        stop_within=_number(env, "WARMLINE_STOP_WITHIN", 20.0, 1, 600),
    )


def _whole(env: Env, name: str, default: T, least: int, most: int) -> int | T:
    return _read(env, name, default, Env.int, f"a whole number from {least} to {most}", validate=Range(least, most))


def _number(env: Env, name: str, default: float, least: int, most: int) -> float:
    return _read(env, name, default, Env.float, f"a number from {least} to {most}", validate=Range(least, most))


def _flag(env: Env, name: str) -> bool:
    return _read(env, name, False, Env.bool, "true or false")


def _read(env: Env, name: str, default: T, read: Callable[..., Any], kind: str, **options: Any) -> Any | T:
    """The setting; one that is empty is as good as none. Raises PlainError where it is not of this kind."""
    if not env.str(name, "").strip():
        return default
    try:
        return read(env, name, **options)
    except EnvValidationError:
        usual = "" if default is None else f": then it is {str(default).lower()}"
        raise PlainError(f"{name} has to be {kind}. Set it to that, or leave it out{usual}.") from None


def _check_now() -> None:
    try:
        business_now()
    except ValueError:
        raise PlainError("WARMLINE_NOW is no instant. Write it as 2026-03-12T16:00:00Z, or leave it out.") from None


def _address(env: Env, name: str, default: str) -> str:
    """Where people open what we serve: callbacks, links and cookies go by it, so one without a scheme would break each of them later."""
    given = env.str(name, "").strip().rstrip("/") or default
    try:
        parts = urlsplit(given)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable or parts.username or parts.query or parts.fragment or len(given.split()) > 1:
        raise PlainError(f"{name} is not an address that a browser can open. Write it as https://warmline.example.com.")
    return parts._replace(netloc=parts.netloc.lower()).geturl()  # as browsers write it


def _token(env: Env, name: str) -> str:
    given = env.str(name, "").strip()
    if given and (len(given) < 16 or not given.isascii() or not given.isprintable()):
        raise PlainError(f"{name} is too short to be a secret, or holds letters that no header can carry. Use 16 or more, such as `openssl rand -hex 24` prints.")  # fmt: skip
    return given


def _single_sign_on(env: Env, allow_hosts: Sequence[str]) -> SingleSignOn | None:
    issuer, client_id = env.str("WARMLINE_OIDC_ISSUER", ""), env.str("WARMLINE_OIDC_CLIENT_ID", "")
    secret, only = env.str("WARMLINE_OIDC_CLIENT_SECRET", ""), _flag(env, "WARMLINE_OIDC_ONLY")
    if not (issuer or client_id or secret or only):
        return None
    for name, value in (("WARMLINE_OIDC_ISSUER", issuer), ("WARMLINE_OIDC_CLIENT_ID", client_id)):
        if not value:
            raise PlainError(f"{name} is not set, and single sign-on needs it. Set it, or none of WARMLINE_OIDC_*.")
    parts = urlsplit(issuer)
    plain = parts.scheme == "http" and parts.hostname in allow_hosts
    if not parts.hostname or parts.username or parts.query or parts.fragment or not (parts.scheme == "https" or plain):
        raise PlainError(
            "WARMLINE_OIDC_ISSUER is no address of an issuer. Write it as the issuer names itself, such as https://id.example.com;"
            " one without https has to stand in WARMLINE_ALLOW_HOSTS."
        )
    return SingleSignOn(issuer, client_id, secret, only)


def _postgres(env: Env, name: str, prefix: str) -> str | None:
    """An address as SQLAlchemy wants it. Its own words are never repeated: they may hold a password."""
    given = env.str(f"{prefix}{name}", None)
    if not given:
        return None
    scheme, _, rest = given.partition("://")
    try:
        if scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise ValueError
        return make_url(f"postgresql+psycopg://{rest}").render_as_string(hide_password=False)
    except (ValueError, ArgumentError):
        raise PlainError(
            f"{name} is not the address of a PostgreSQL. Write it as postgresql://user:password@host/database."
        ) from None


def _redis(env: Env, name: str) -> str | None:
    given = env.str(name, None)
    if not given:
        return None
    try:
        read: Any = parse_url  # untyped
        read(given)
    except ValueError:
        raise PlainError(f"{name} is not the address of a Redis. Write it as redis://:password@host:6379/0.") from None
    return given


def parse_keys(text: str, source: str = "WARMLINE_SECRET_KEYS") -> dict[str, bytes]:
    """`id:base64,id:base64` -> keys. Raises PlainError, which names the `source`, for anything that is not a 32-byte key
    under a short id of its own."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not (key_id.isascii() and key_id.isalnum()) or len(key_id) > 16 or len(key) != 32:
            raise PlainError(
                f"{source} holds something other than id:base64 of 32 bytes. Make one with `warmline keys new`."
            )
        if key_id in keys:
            raise PlainError(f"{source} names two keys {key_id}. Give each an id of its own.")
        keys[key_id] = key
    return keys
