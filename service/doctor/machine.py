"""This machine: the program, its settings, its folder and its keys."""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
from contextlib import suppress

from service import config as configuration
from service import embedded
from service.config import RUNNING
from service.doctor.patient import Patient
from service.errors import PlainError
from service.watch import checkup

OLDEST = (3, 11)


def python(patient: Patient) -> str:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        raise PlainError(f"This is Python {here}, and Warmline needs {OLDEST[0]}.{OLDEST[1]} or newer.")
    return f"Python {here}."


def settings(patient: Patient) -> str:
    patient.config = configuration.load()
    return "Every setting can be read."


def folder(patient: Patient) -> str:
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


def running(patient: Patient) -> str:
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


def keys(patient: Patient) -> str:
    vault = patient.vault
    return f"Credentials are sealed with the key {vault.current}."


def disk(patient: Patient) -> str:
    config = patient.known
    ours = embedded.holder(config.home) is not None or config.database_url is None
    return checkup.disk(config.home, ours=ours)
