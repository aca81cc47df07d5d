"""What a person (or a key that acts for one) decides: matches, tasks, previews, responders, settings.

Everything here takes an open session of the workspace and `by`, the caller's actor ("user:<id>" or "key:<id>"), leaves a
row in the audit trail, and returns None when the workspace has no such row. Repeating a decision changes nothing.

Rows are locked in the order in which the workers lock them (runs, by `runs.alone`, then authors, conversations, relationships, tasks,
the workspace's schedule last), so that a person and a worker never wait for each other in a circle.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from integrations.records import TaskKind
from service import settings
from service.accounts import normal_email
from service.clock import business_now, real_now
from service.errors import PlainError
from service.models import Audit, Author, Connection, Conversation, Match, Relationship, Run, Settings, Task
from service.rules.model import MatchState
from service.store import due, freezing, handles, runs, sources, undoing

BY_RULES = "rules"
NO_REPLY_NEEDED = "no reply needed"


class StaleVersionError(Exception):
    """Somebody else changed the settings meanwhile. `current` is the version that stands now."""

    def __init__(self, current: int) -> None:
        super().__init__(f"Version {current} of the settings stands now.")
        self.current = current


def audit(session: Session, workspace_id: UUID, by: str, action: str, noun: str, row_id: object) -> None:
    """Leaves a row that says who did what. Ids only, never names or text."""
    session.add(Audit(workspace_id=workspace_id, actor=by, action=action, subject=f"{noun}:{row_id}"))


# --- matches --------------------------------------------------------------------------------------------------


def decide_match(
    session: Session,
    workspace_id: UUID,
    match_id: UUID,
    state: Literal[MatchState.CONFIRMED, MatchState.REJECTED],
    *,
    by: str,
) -> Match | None:
    """This author is, or is not, this contact. Final: rules never change it. Confirming one contact rejects, by the same
    person, another of the same CRM that was confirmed, since an author is one person. All that rested on either is decided again."""
    match = _match(session, workspace_id, match_id)
    if match is None or (match.state == state and match.decided_by != BY_RULES):
        return match
    now = real_now()
    contacts = {match.contact_id}
    if state is MatchState.CONFIRMED:
        # First, because only one confirmed match of an author may stand in each CRM at any moment.
        contacts |= set(
            session.scalars(
                update(Match)
                .where(
                    Match.workspace_id == workspace_id,
                    Match.author_id == match.author_id,
                    Match.connection_id == match.connection_id,
                    Match.state == MatchState.CONFIRMED.value,
                    Match.id != match.id,
                )
                .values(state=MatchState.REJECTED.value, decided_by=by, decided_at=now)
                .returning(Match.contact_id)
            )
        )
    match.state, match.decided_by, match.decided_at = state.value, by, now
    session.flush()
    if state is MatchState.REJECTED and match.pattern:
        due.match_alike(session, workspace_id, match.connection_id, match.pattern)
    _match_again(session, workspace_id, match.author_id, contacts)
    audit(session, workspace_id, by, f"match.{state.value}", "match", match.id)
    return match


def undo_match(session: Session, workspace_id: UUID, match_id: UUID, *, by: str) -> Match | None:
    """Forgets what a person decided of this match, and of those that the same act displaced; the rules look at the author
    again."""
    match = _match(session, workspace_id, match_id)
    if match is None or match.decided_by == BY_RULES:
        return match
    contacts = set(
        session.scalars(
            update(Match)
            .where(
                Match.workspace_id == workspace_id,
                Match.author_id == match.author_id,
                # One act writes one instant, so these are the match itself and what it displaced.
                Match.decided_by == match.decided_by,
                Match.decided_at == match.decided_at,
            )
            .values(state=MatchState.SUGGESTED.value, decided_by=BY_RULES, decided_at=real_now())
            .returning(Match.contact_id)
        )
    )
    session.refresh(match)
    if match.pattern:
        due.match_alike(session, workspace_id, match.connection_id, match.pattern)
    _match_again(session, workspace_id, match.author_id, contacts)
    audit(session, workspace_id, by, "match.undone", "match", match.id)
    return match


def _match(session: Session, workspace_id: UUID, match_id: UUID) -> Match | None:
    """The match, with its author locked: one decision about an author at a time."""
    author_id = session.scalar(select(Match.author_id).where(Match.workspace_id == workspace_id, Match.id == match_id))
    if author_id is None:
        return None
    session.execute(
        select(Author.id).where(Author.workspace_id == workspace_id, Author.id == author_id).with_for_update()
    )
    return session.scalars(
        select(Match).where(Match.workspace_id == workspace_id, Match.id == match_id).with_for_update()
    ).one_or_none()


def _match_again(session: Session, workspace_id: UUID, author_id: UUID, contact_ids: set[UUID]) -> None:
    due.match_again(session, workspace_id, [author_id])
    due.decide_relationships(session, workspace_id, contact_ids=contact_ids)


# --- tasks ----------------------------------------------------------------------------------------------------


def retry_task(session: Session, workspace_id: UUID, task_id: UUID, *, by: str) -> Task | None:
    """What the CRM refused is said to it once more, as it stands now. A task that is not parked stays as it is, and so does one that
    a change holds back: it goes out when that is let through."""
    task = session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id == task_id).with_for_update()
    ).one_or_none()
    if task is None or task.parked_at is None:
        return task
    task.parked_at, task.detail = None, ""
    if task.state == "parked":  # it never stood there
        task.state = "absent"
    if task.run_id is None and task.crm_connection_id is not None:
        task.push_at = business_now()
        session.flush()
        due.push_soon(session, workspace_id, task.crm_connection_id)
    audit(session, workspace_id, by, "task.retried", "task", task_id)
    return task


def dismiss_task(
    session: Session, workspace_id: UUID, task_id: UUID, *, by: str, reason: str = NO_REPLY_NEEDED
) -> Task | None:
    """This is dealt with: the task is completed in the CRM if it stands there, withdrawn here if it never did, and posts
    up to now open no other. A task that is closed already stays as it is."""
    found = session.execute(
        select(Task.conversation_id, Task.relationship_id).where(Task.workspace_id == workspace_id, Task.id == task_id)
    ).one_or_none()
    if found is None:
        return None
    conversation_id, relationship_id = found
    _lock(session, workspace_id, conversation_id, relationship_id)
    task = session.scalars(
        select(Task).where(Task.workspace_id == workspace_id, Task.id == task_id).with_for_update()
    ).one_or_none()
    if task is None or task.wanted != "open":
        return task
    # One that was sent and never answered may stand in the CRM too.
    stands = task.external_id is not None or task.maybe_sent_at is not None or task.state in ("open", "unknown")
    task.wanted, task.closed_by, task.closed_at, task.close_reason = "completed", by, real_now(), reason
    task.held_reason, task.held_until, task.run_id, task.parked_at = "", None, None, None
    task.push_at = business_now() if stands else None
    task.state = task.state if stands else "withdrawn"
    session.flush()
    if task.kind == TaskKind.UNANSWERED:
        _deal_with(session, workspace_id, conversation_id)
    due.decide_conversations(session, workspace_id, conversation_ids=[conversation_id] if conversation_id else [])
    due.decide_relationships(session, workspace_id, ids=[relationship_id] if relationship_id else [])
    if stands and task.crm_connection_id is not None:
        due.push_soon(session, workspace_id, task.crm_connection_id)
    audit(session, workspace_id, by, "task.dismissed", "task", task.id)
    due.decide_soon(session, workspace_id)
    return task


def _lock(session: Session, workspace_id: UUID, conversation_id: UUID | None, relationship_id: UUID | None) -> None:
    for model, row_id in ((Conversation, conversation_id), (Relationship, relationship_id)):
        if row_id is not None:
            session.execute(
                select(model.id).where(model.workspace_id == workspace_id, model.id == row_id).with_for_update()
            )


def _deal_with(session: Session, workspace_id: UUID, conversation_id: UUID | None) -> None:
    session.execute(
        update(Conversation)
        .where(Conversation.workspace_id == workspace_id, Conversation.id == conversation_id)
        .values(
            dealt_with_until=func.greatest(Conversation.dealt_with_until, Conversation.last_post_at, business_now())
        )
    )


# --- connections ----------------------------------------------------------------------------------------------


def approve_crm(
    session: Session, workspace_id: UUID, connection_id: UUID, *, by: str, user_id: UUID | None
) -> Connection | None:
    """Ends a CRM's preview: what was computed is written from now on. None also for a connection that is no CRM."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.kind != "crm":
        return None
    if row.preview:
        row.preview, row.approved_by, row.approved_at = False, user_id, real_now()
        session.flush()
        due.push_soon(session, workspace_id, connection_id)
        audit(session, workspace_id, by, "connection.approved", "connection", connection_id)
    return row


def pull_now(session: Session, workspace_id: UUID, connection_id: UUID) -> bool:
    """Every stream of this connection is due now, before those of whom nobody waits for. False when there is no such connection."""
    if _connection(session, workspace_id, connection_id) is None:
        return False
    due.pull_soon(session, workspace_id, connection_id, urgent=True)
    return True


def set_responder(
    session: Session, workspace_id: UUID, connection_id: UUID, email: str, *, by: str
) -> Connection | None:
    """Who gets what waits on this account, by e-mail address; "" is nobody. Raises PlainError for something that is not
    an address. What waits there now is routed again."""
    address = normal_email(email) if email.strip() else ""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.responder_email == address:
        return row
    row.responder_email = address
    session.flush()
    waiting = session.scalars(
        select(Conversation.id).where(
            Conversation.workspace_id == workspace_id,
            Conversation.connection_id == connection_id,
            Conversation.brand_id == row.brand_id,
            Conversation.waiting_since.is_not(None),
        )
    ).all()
    # People whom no CRM knows are called by the responder.
    unknown = session.scalars(
        select(Task.relationship_id).where(
            Task.workspace_id == workspace_id,
            Task.wanted == "open",
            Task.contact_id.is_(None),
            Task.relationship_id.is_not(None),
        )
    ).all()
    due.decide_conversations(session, workspace_id, conversation_ids=waiting)
    due.decide_relationships(session, workspace_id, ids=[each for each in unknown if each is not None])
    audit(session, workspace_id, by, "connection.responder_set", "connection", connection_id)
    due.decide_soon(session, workspace_id)
    return row


def pause(session: Session, workspace_id: UUID, connection_id: UUID, reason: str, *, by: str) -> Connection | None:
    """Nothing is read from this account or written to it until somebody resumes it. What was read stays; open tasks say why."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or (row.paused_at is not None and row.paused_reason == reason):
        return row
    row.paused_at, row.paused_reason = row.paused_at or real_now(), reason
    session.flush()
    audit(session, workspace_id, by, "connection.paused", "connection", connection_id)
    freezing.decide_again(session, workspace_id, provider=None, connection_id=connection_id)
    return row


def resume(session: Session, workspace_id: UUID, connection_id: UUID, *, by: str) -> Connection | None:
    """What was paused goes on where it stopped, at once."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.paused_at is None:
        return row
    row.paused_at, row.paused_reason = None, ""
    session.flush()
    freezing.wake(session, workspace_id, connection_id=connection_id)
    audit(session, workspace_id, by, "connection.resumed", "connection", connection_id)
    freezing.decide_again(session, workspace_id, provider=None, connection_id=connection_id)
    return row


def set_ceiling(
    session: Session, workspace_id: UUID, connection_id: UUID, dollars: int | None, *, by: str
) -> Connection | None:
    """What reading this account may cost in a month, in US dollars; None is the workspace's ceiling alone."""
    row = _connection(session, workspace_id, connection_id)
    if row is None or row.monthly_ceiling == dollars:
        return row
    row.monthly_ceiling = dollars
    session.flush()
    due.pull_those_at_the_ceiling(session, workspace_id)
    audit(session, workspace_id, by, "connection.ceiling_set", "connection", connection_id)
    return row


def _connection(session: Session, workspace_id: UUID, connection_id: UUID) -> Connection | None:
    return session.scalars(
        select(Connection)
        .where(Connection.workspace_id == workspace_id, Connection.id == connection_id)
        .with_for_update()
    ).one_or_none()


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
