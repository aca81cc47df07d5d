"""Farewell: tells the providers of accounts that were disconnected, where whoever was to tell them has died."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service import disconnecting
from service.models import Errand
from service.runtime import Runtime

LOOK_AGAIN = timedelta(minutes=1)


def farewell(runtime: Runtime, workspace_id: UUID, hold: Callable[[Session], Errand | None]) -> timedelta | None:
    """Does what is left of it. Returns in how long to come again; None: not by itself, since all are told."""
    return None if disconnecting.tell_all(runtime, workspace_id) else LOOK_AGAIN
