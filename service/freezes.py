"""Freezing a provider for everybody who uses this installation, and bringing it back with one switch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.registry import providers
from service.errors import PlainError
from service.models import Connection, Workspace
from service.runtime import Runtime
from service.store import acting, freezing

OPERATOR = "operator"  # whoever runs Warmline, in the audit trail
LONGEST = 300  # characters of a reason, which stands in tasks


def freeze(runtime: Runtime, key: str, reason: str) -> int:
    """Nothing is read from this provider or written to it from now on; open tasks say why. Returns how many connections that
    concerns. Safe to repeat, also to give another reason. Raises PlainError."""
    clean = " ".join(reason.split())
    if key not in providers():
        raise PlainError(f"There is no provider {key!r}. `warmline providers` lists those that there are.")
    if not clean or len(clean) > LONGEST:
        raise PlainError(f"Give a reason of one sentence ({LONGEST} characters at most): people read it.")
    with runtime.db.globally() as session:
        freezing.freeze(session, key, clean)
    return _tell(runtime, key, wake=False)


def unfreeze(runtime: Runtime, key: str) -> int | None:
    """Everything goes on where it stopped, at once. Returns how many connections that concerns; None when it was not frozen. Safe to
    repeat where it was stopped in the middle."""
    if key not in frozen(runtime):
        return None
    # While it is still frozen: what was refused before would not come up by itself, were this stopped behind the switch.
    for workspace_id in _workspaces(runtime):
        runtime.db.retried(workspace_id, partial(freezing.wake, workspace_id=workspace_id, provider=key))
    with runtime.db.globally() as session:
        freezing.unfreeze(session, key)
    return _tell(runtime, key, wake=True)


def frozen(runtime: Runtime) -> dict[str, str]:
    """The reason for each provider that is frozen."""
    with runtime.db.globally() as session:
        return dict(freezing.reasons(session))


def _tell(runtime: Runtime, key: str, *, wake: bool) -> int:
    """Workspace by workspace: a command that is stopped in the middle can be run again, and what it missed comes up by itself."""

    def work(session: Session, workspace_id: UUID) -> int:
        mine = session.scalars(
            select(Connection.id).where(
                Connection.workspace_id == workspace_id,
                Connection.provider == key,
                Connection.status != "disconnected",
            )
        ).all()
        if not mine:
            return 0
        if wake:
            freezing.wake(session, workspace_id, provider=key)
        action = "provider.unfrozen" if wake else "provider.frozen"
        acting.audit(session, workspace_id, OPERATOR, action, "provider", key)
        freezing.decide_again(session, workspace_id, provider=key, connection_id=None)
        return len(mine)

    return sum(runtime.db.retried(each, partial(work, workspace_id=each)) for each in _workspaces(runtime))


def _workspaces(runtime: Runtime) -> Sequence[UUID]:
    with runtime.db.globally() as session:
        return session.scalars(select(Workspace.id)).all()
