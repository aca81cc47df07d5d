"""Looks at the set-up step by step. Each check says in one sentence how it is, or what is missing and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from service import db, queue
from service.doctor import connected, machine, servers
from service.doctor.patient import Look, Patient
from service.errors import PlainError
from service.watch import checkup


@dataclass(frozen=True)
class Step:
    """What one check found. `state` is ok, missing, or unchecked where an earlier step is missing."""

    name: str
    state: str
    says: str


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


CHECKS: tuple[Check, ...] = (
    Check("Python", machine.python),
    Check("settings", machine.settings),
    Check("data folder", machine.folder, ("settings",)),
    Check("running", machine.running, ("settings",)),
    Check("keys", machine.keys, ("settings", "running")),
    Check("PostgreSQL", servers.postgres, ("settings", "running")),
    Check("migrations", servers.migrations, ("PostgreSQL",)),
    Check("roles", servers.roles, ("migrations",)),
    Check("Redis", servers.redis, ("settings", "running")),
    Check("web", servers.web, ("settings", "running")),
    Check("worker", servers.alive("worker"), ("Redis",)),
    Check("scheduler", servers.alive("scheduler"), ("Redis",)),
    Check("providers", connected.registered, ("keys", "migrations")),
    Check("connections", connected.connections, ("migrations",)),
    Check("sandbox", connected.sandbox, ("providers",)),
    Check("backlog", lambda patient: checkup.backlog(patient.overall), ("roles", "Redis")),
    Check("tasks", lambda patient: checkup.refused(patient.overall), ("roles", "Redis")),
    Check("processes", lambda patient: checkup.processes(patient.overall), ("Redis",)),
    Check("clocks", lambda patient: checkup.clocks(patient.overall), ("roles", "Redis")),
    Check("disk", machine.disk, ("settings",)),
    Check("old keys", lambda patient: checkup.old_keys(patient.runtime), ("keys", "migrations")),
)
