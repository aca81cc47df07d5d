"""What a person (or a key that acts for one) makes of the rules: settings are changed, and what a change alters is approved or undone.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), leaves a
row in the audit trail, and returns None when the workspace has no such row. Repeating a decision changes nothing.

Rows are locked in the order that `service.store.acting` tells.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import settings
from service.errors import PlainError
from service.models import Run, Settings
from service.store import due, handles, runs, sources, undoing
from service.store.acting import audit


class StaleVersionError(Exception):
    """Somebody else changed the settings meanwhile. `current` is the version that stands now."""

    def __init__(self, current: int) -> None:
        super().__init__(f"Version {current} of the settings stands now.")
        self.current = current


# --- settings -------------------------------------------------------------------------------------------------


def change_settings(
    session: Session, workspace_id: UUID, values: dict[str, Any], *, by: str, expected: int | None = None
) -> Settings:
    """Stores a whole new version of the settings and makes every decision due again. `expected` is the version that the
    caller has seen. Raises StaleVersionError when another stands, and marshmallow's ValidationError."""
    runs.alone(session, workspace_id)
    newest = select(Settings.version).where(Settings.workspace_id == workspace_id).order_by(Settings.version.desc())
    # Whoever comes second waits here, and then has to look again: the newest row is another one now.
    session.execute(newest.limit(1).with_for_update())
    standing = settings.current(session, workspace_id)
    if expected is not None and standing.version != expected:
        raise StaleVersionError(standing.version)
    row = settings.change(session, workspace_id, values, by=by)
    _use_for_matching(session, workspace_id, standing, row)
    if standing.values.get("monthly_ceiling") != row.values["monthly_ceiling"]:
        due.pull_those_at_the_ceiling(session, workspace_id)
    runs.begin(session, workspace_id, "settings", settings_version=row.version, by=by)
    audit(session, workspace_id, by, "settings.changed", "settings", row.version)
    due.decide_everything(session, workspace_id)
    return row


def _use_for_matching(session: Session, workspace_id: UUID, before: Settings, now: Settings) -> None:
    """Looks again at whom the networks' settings for matching concern, and at handles that are to be written from now on."""
    networks = set(before.values.get("confirm_only_by_handle", ())) ^ set(now.values["confirm_only_by_handle"])
    if networks:
        sources.look_again(session, workspace_id, sorted(networks))
    if now.values["write_handles"]:
        handles.write_soon(session, workspace_id)


# --- runs -----------------------------------------------------------------------------------------------------


def approve_run(session: Session, workspace_id: UUID, run_id: UUID, *, by: str) -> Run | None:
    """What this run holds back goes to the CRMs. One that holds nothing stays as it is."""
    run = runs.get(session, workspace_id, run_id)
    if run is not None and run.state == "held":
        runs.close(session, run, "approved", by)
        audit(session, workspace_id, by, "run.approved", "run", run.id)
        runs.release(session, workspace_id, run.id)
    return run


def undo_run(session: Session, workspace_id: UUID, run_id: UUID, *, by: str) -> Run | None:
    """Tasks as they would stand had this run never been. The settings of before stand again, as a new version, and what they want is
    done without asking. A change of rules, and of settings with it, is taken back task by task, and nothing is decided again: these
    rules are undone. What people edited or closed meanwhile stays theirs. Raises PlainError for a run that others rest on."""
    run = runs.get(session, workspace_id, run_id)
    if run is None or run.state == "undone":
        return run
    newest = runs.latest(session, workspace_id)
    if run.kind == "first" or newest is None or newest.id != run.id:
        raise PlainError("Later changes rest on this one. Only the newest change can be undone.")
    if run.from_rules_version != run.rules_version:
        _undo_rules(session, run, by)
    else:
        _undo_settings(session, run, by)
    audit(session, workspace_id, by, "run.undone", "run", run.id)
    return run


def _undo_rules(session: Session, run: Run, by: str) -> None:
    undoing.put_back(session, run.workspace_id, run.id)
    version = _settings_of_before(session, run, by=by)
    runs.close(session, run, "undone", by)
    undoing.stand_undone(session, run, settings_version=version, by=by)
    due.decide_soon(session, run.workspace_id)


def _undo_settings(session: Session, run: Run, by: str) -> None:
    version = _settings_of_before(session, run, by=by)
    if version != run.settings_version:
        runs.begin(session, run.workspace_id, "undo", settings_version=version, by=by)
        due.decide_everything(session, run.workspace_id)
    runs.close(session, run, "undone", by)


def _settings_of_before(session: Session, run: Run, *, by: str) -> int:
    """The settings from before this run stand again, if they were others. Returns the version that stands."""
    standing = settings.current(session, run.workspace_id)
    before = session.get(Settings, (run.workspace_id, run.from_settings_version))
    if before is None or run.from_settings_version == run.settings_version:
        return standing.version
    row = settings.change(session, run.workspace_id, before.values, by=by)
    _use_for_matching(session, run.workspace_id, standing, row)
    return row.version
