"""Servers and processes: whether each answers, and as whom."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from service import database_roles, db, queue
from service.config import Config
from service.doctor.patient import Look, Patient, answers, hasty
from service.errors import PlainError
from service.sentences import count_of


def postgres(patient: Patient) -> str:
    with patient.database.engine.connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
    return f"PostgreSQL {version} answers."


def roles(patient: Patient) -> str:
    patient.database.check_role()
    scheduler = _as(patient.known, "database_scheduler_url", database_roles.scheduler)
    if patient.known.database_admin_url is None:
        return f"The application is held by row-level security; {scheduler} sees the schedule alone. (DATABASE_ADMIN_URL is needed to migrate, and is not set here.)"
    owner = _as(patient.known, "database_admin_url", database_roles.owner)
    return f"The application is held by row-level security; {scheduler} sees the schedule alone; {owner} migrates."


def _as(known: Config, setting: str, look: Callable[[Connection], str]) -> str:
    engine = create_engine(hasty(known.need(setting)))
    try:
        with engine.connect() as connection:
            return look(connection)
    except OperationalError as error:
        raise db.unreachable(error, setting.upper()) from None
    finally:
        engine.dispose()


def migrations(patient: Patient) -> str:
    with patient.database.engine.connect() as connection:
        db.check_schema(connection)
    return "The schema is up to date."


def redis(patient: Patient) -> str:
    waiting = queue.waiting(patient.redis)
    return f"The queue answers; {count_of(waiting, 'job')} waiting."


def web(patient: Patient) -> str:
    url = patient.known.base_url
    if not answers(f"{url}/livez"):
        raise PlainError(
            f"Nothing answers at {url}. Start it with `warmline web`, or set WARMLINE_URL to its public address."
        )
    return f"The console and the API answer at {url}."


def alive(who: str) -> Look:
    def look(patient: Patient) -> str:
        if not queue.alive(patient.redis, who):
            raise PlainError(f"No {who} runs, so nothing is {_WORK[who]}. Start one with `warmline {who}`.")
        return f"A {who} is at work."

    return look


_WORK = {"worker": "pulled, decided or pushed", "scheduler": "found to be due"}
