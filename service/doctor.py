"""Looks at the set-up step by step. Each check says in one sentence how it is, or what is missing and what to do."""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, create_engine, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from integrations import consents
from integrations.provider import HANDED_IN
from integrations.registry import providers
from service import config as configuration
from service import db, embedded, health, queue
from service.clock import real_now
from service.config import RUNNING, Config
from service.errors import PlainError
from service.launcher import KEYS, read_keys
from service.models import ProviderApp, Workspace
from service.runtime import Runtime
from service.sealed import APPS
from service.store import listing
from service.vault import SealBrokenError, Vault
from service.watch import checkup, overall
from service.watch.overall import Overall

PATIENCE = 3  # seconds for one answer: a doctor who waits for minutes is no help
SHOWN = 20  # connections in trouble that are named
OLDEST = (3, 11)


@dataclass(frozen=True)
class Step:
    """What one check found. `state` is ok, missing, or unchecked where an earlier step is missing."""

    name: str
    state: str
    says: str


@dataclass
class Patient:
    """What the checks have learned so far."""

    config: Config | None = None
    apps: list[ProviderApp] = field(default_factory=list)

    @property
    def known(self) -> Config:
        assert self.config is not None  # checks that need it come after the one that reads it
        return self.config

    @cached_property
    def database(self) -> db.Database:
        return db.Database(_hasty(self.known.need("database_url")), pool_size=1)

    @cached_property
    def vault(self) -> Vault:
        keys = self.known.secret_keys
        if not keys and (self.known.home / KEYS).is_file():
            keys = read_keys(self.known.home / KEYS)
        return Vault(keys)

    @cached_property
    def runtime(self) -> Runtime:
        return Runtime(replace(self.known, database_url=_hasty(self.known.need("database_url"))))

    @cached_property
    def overall(self) -> Overall:
        return overall.look(self.runtime)

    @cached_property
    def redis(self) -> Redis:
        return Redis.from_url(self.known.need("redis_url"), socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)

    def close(self) -> None:
        if "database" in self.__dict__:
            self.database.engine.dispose()
        if "redis" in self.__dict__:
            self.redis.close()
        if "runtime" in self.__dict__:
            self.runtime.db.engine.dispose()
            self.runtime.redis.close()
            if self.known.database_scheduler_url:
                overall.engine_of(self.runtime).dispose()


Look = Callable[[Patient], str]  # the sentence of a check that is content. Raises PlainError with what to do


@dataclass(frozen=True)
class Check:
    name: str
    look: Look
    needs: tuple[str, ...] = ()  # steps without which this one cannot be looked at


def examine() -> list[Step]:
    """Every step, in the order in which they depend on each other. Raises nothing."""
    patient, found = Patient(), dict[str, Step]()
    try:
        for check in CHECKS:
            found[check.name] = _step(check, patient, found)
    finally:
        patient.close()
    return list(found.values())


def _step(check: Check, patient: Patient, found: Mapping[str, Step]) -> Step:
    lacking = [name for name in check.needs if found[name].state != "ok"]
    if lacking:
        return Step(check.name, "unchecked", f"Not looked at, because of {lacking[0]}.")
    try:
        return Step(check.name, "ok", check.look(patient))
    except PlainError as error:
        return Step(check.name, "missing", str(error))
    except SQLAlchemyError as error:
        return Step(check.name, "missing", str(db.plainly(error)))
    except RedisError as error:
        return Step(check.name, "missing", str(queue.unreachable(error)))


# --- this machine ---------------------------------------------------------------------------------------------


def _python(patient: Patient) -> str:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        raise PlainError(f"This is Python {here}, and Warmline needs {OLDEST[0]}.{OLDEST[1]} or newer.")
    return f"Python {here}."


def _settings(patient: Patient) -> str:
    patient.config = configuration.load()
    return "Every setting can be read."


def _folder(patient: Patient) -> str:
    home = patient.known.home
    if not home.exists():
        above = next(parent for parent in home.parents if parent.exists())
        if above.is_dir() and os.access(above, os.W_OK):
            return f"{home} is made at the first start."
        raise PlainError(f"{home} cannot be made in {above}. Set WARMLINE_HOME to a folder of yours.")
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise PlainError(
            f"The data folder {home} cannot be written to ({error.strerror}). Set WARMLINE_HOME to a folder of yours."
        ) from None
    return f"{home} belongs to {_owner(home.stat().st_uid)} and can be written to."


def _owner(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"


def _running(patient: Patient) -> str:
    config = patient.known
    pid = embedded.holder(config.home)
    if pid is not None and not (config.home / RUNNING).is_file():
        raise PlainError(
            f"A Warmline is starting or stopping in the data folder (process {pid}). Look again in a moment."
        )
    if pid is not None:
        return f"A Warmline runs in the data folder (process {pid})."
    if config.database_url and config.redis_url:
        return "Nothing runs in the data folder; DATABASE_URL and REDIS_URL name servers of your own."
    raise PlainError(
        "Nothing runs here. Start everything with `warmline up`, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def _keys(patient: Patient) -> str:
    vault = patient.vault
    return f"Credentials are sealed with the key {vault.current}."


# --- servers --------------------------------------------------------------------------------------------------


def _postgres(patient: Patient) -> str:
    with patient.database.engine.connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
    return f"PostgreSQL {version} answers."


def _roles(patient: Patient) -> str:
    patient.database.check_role()
    scheduler = _as(patient.known.need("database_scheduler_url"), _scheduler)
    if patient.known.database_admin_url is None:
        return f"The application is held by row-level security; {scheduler} sees the schedule alone. (DATABASE_ADMIN_URL is needed to migrate, and is not set here.)"
    owner = _as(patient.known.database_admin_url, _owner_role)
    return f"The application is held by row-level security; {scheduler} sees the schedule alone; {owner} migrates."


def _scheduler(connection: Connection) -> str:
    name, careless, member, reads = connection.execute(
        text(
            "SELECT current_user, rolsuper OR rolbypassrls, pg_has_role(current_user, 'warmline_scheduler', 'USAGE'),"
            " has_any_column_privilege('engagements', 'SELECT') FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if careless or reads:
        raise PlainError(
            f"DATABASE_SCHEDULER_URL signs in as {name!r}, which sees more than the schedule. Give the scheduler a role of its own."
        )
    if not member:
        raise PlainError(
            f"DATABASE_SCHEDULER_URL signs in as {name!r}, which may not see the schedule. Run `warmline migrate`."
        )
    return str(name)


def _owner_role(connection: Connection) -> str:
    name, owns = connection.execute(
        text(
            "SELECT current_user, pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'engagements'::regclass"
        )
    ).one()
    if not owns:
        raise PlainError(
            f"DATABASE_ADMIN_URL signs in as {name!r}, which does not own the tables, so it could not migrate them."
        )
    return str(name)


def _as(url: str, look: Callable[[Connection], str]) -> str:
    engine = create_engine(_hasty(url))
    try:
        with engine.connect() as connection:
            return look(connection)
    finally:
        engine.dispose()


def _migrations(patient: Patient) -> str:
    with patient.database.engine.connect() as connection:
        db.check_schema(connection)
    return "The schema is up to date."


def _redis(patient: Patient) -> str:
    waiting = queue.waiting(patient.redis)
    return f"The queue answers; {_count(waiting, 'job')} waiting."


# --- processes ------------------------------------------------------------------------------------------------


def _web(patient: Patient) -> str:
    url = patient.known.base_url
    if not _answers(f"{url}/livez"):
        raise PlainError(
            f"Nothing answers at {url}. Start it with `warmline web`, or set WARMLINE_URL to its public address."
        )
    return f"The console and the API answer at {url}."


def _alive(who: str) -> Look:
    def look(patient: Patient) -> str:
        if not queue.alive(patient.redis, who):
            raise PlainError(f"No {who} runs, so nothing is {_WORK[who]}. Start one with `warmline {who}`.")
        return f"A {who} is at work."

    return look


_WORK = {"worker": "pulled, decided or pushed", "scheduler": "found to be due"}


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=PATIENCE, allow_redirects=False).ok
        except requests.RequestException:
            return False


# --- what is connected ----------------------------------------------------------------------------------------


def _registered(patient: Patient) -> str:
    with patient.database.globally() as session:
        patient.apps = list(session.scalars(select(ProviderApp)))
        session.expunge_all()
    for app in patient.apps:
        try:
            patient.vault.open(app.sealed, *APPS.place(app.provider, app.host))
        except SealBrokenError:
            raise PlainError(
                f"The client secret of {app.provider} was sealed with another key. Put that key into WARMLINE_SECRET_KEYS"
                f" behind the new one, or register again with `warmline providers set {app.provider}`."
            ) from None
    have = {app.provider for app in patient.apps}
    # Where posts are handed in there is nothing to register.
    known = [each for each in providers().values() if HANDED_IN not in each.capabilities]
    ready = [each for each in known if each.key in have or not all(way.needs_app for way in consents.ways(each))]
    lacking = [each for each in known if each not in ready]
    for kind, what in (("social", "network"), ("crm", "CRM")):
        if not any(each.kind == kind for each in ready):
            choice = " or ".join(f"`warmline providers set {each.key}`" for each in lacking if each.kind == kind)
            raise PlainError(f"No {what} is registered, so none can be connected. Run {choice}.")
    rest = f" Not registered: {', '.join(each.name for each in lacking)}." if lacking else ""
    names = [each.name for each in ready]
    return f"{' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))} can be connected.{rest}"


def _connections(patient: Patient) -> str:
    rows = _all_connections(patient)
    now = real_now()
    troubled = [
        f"{health.provider_name(row['provider'])} {row['handle'] or row['name']}: {health.line(row, now)}"
        for row in rows
        if row["status"] == "needs_reauth" or any(stream["failures"] or stream["error"] for stream in row["streams"])
    ]
    if troubled:
        more = f" And {len(troubled) - SHOWN} more." if len(troubled) > SHOWN else ""
        raise PlainError(f"{' '.join(troubled[:SHOWN])}{more} See Connections at {patient.known.base_url}/connections.")
    if not rows:
        return f"None yet. Connect accounts at {patient.known.base_url}/connections."
    newest = max(
        (stream["last_pulled_at"] for row in rows for stream in row["streams"] if stream["last_pulled_at"]),
        default=None,
    )
    looked = f"; last looked {health.ago(newest, now)}" if newest else ""
    return f"{_count(len(rows), 'account')} connected, all well{looked}."


def _all_connections(patient: Patient) -> list[Mapping[str, Any]]:
    """Of every workspace, one after the other, as row-level security wants it."""
    with patient.database.globally() as session:
        workspaces: Sequence[Any] = session.scalars(select(Workspace.id).order_by(Workspace.id)).all()
    rows: list[Mapping[str, Any]] = []
    for workspace_id in workspaces:
        with patient.database.tenant(workspace_id) as session:
            found, _ = listing.connections(session, workspace_id, limit=1000)
            rows += [row for row in found if row["status"] != "disconnected"]
    return rows


def _sandbox(patient: Patient) -> str:
    """Its addresses stand in place of the vendors' own."""
    roots = {f"{parts.scheme}://{parts.netloc}" for app in patient.apps for parts in map(urlsplit, app.hosts.values())}
    silent = [root for root in sorted(roots) if not _answers(f"{root}/control/counts")]
    if silent:
        raise PlainError(
            f"Accounts are connected to the sandbox at {silent[0]}, which does not answer. Start it with `warmline sandbox"
            f" --port {urlsplit(silent[0]).port}`."
        )
    return f"The sandbox answers at {', '.join(sorted(roots))}." if roots else "Not used here."


def _disk(patient: Patient) -> str:
    config = patient.known
    ours = embedded.holder(config.home) is not None or config.database_url is None
    return checkup.disk(config.home, ours=ours)


CHECKS: tuple[Check, ...] = (
    Check("Python", _python),
    Check("settings", _settings),
    Check("data folder", _folder, ("settings",)),
    Check("running", _running, ("settings",)),
    Check("keys", _keys, ("settings", "running")),
    Check("PostgreSQL", _postgres, ("settings", "running")),
    Check("migrations", _migrations, ("PostgreSQL",)),
    Check("roles", _roles, ("migrations",)),
    Check("Redis", _redis, ("settings", "running")),
    Check("web", _web, ("settings", "running")),
    Check("worker", _alive("worker"), ("Redis",)),
    Check("scheduler", _alive("scheduler"), ("Redis",)),
    Check("providers", _registered, ("keys", "migrations")),
    Check("connections", _connections, ("migrations",)),
    Check("sandbox", _sandbox, ("providers",)),
    Check("backlog", lambda patient: checkup.backlog(patient.overall), ("roles", "Redis")),
    Check("tasks", lambda patient: checkup.refused(patient.overall), ("roles", "Redis")),
    Check("processes", lambda patient: checkup.processes(patient.overall), ("Redis",)),
    Check("clocks", lambda patient: checkup.clocks(patient.overall), ("roles", "Redis")),
    Check("disk", _disk, ("settings",)),
    Check("old keys", lambda patient: checkup.old_keys(patient.runtime), ("keys", "migrations")),
)


def _hasty(url: str) -> str:
    return make_url(url).update_query_dict({"connect_timeout": str(PATIENCE)}).render_as_string(hide_password=False)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
