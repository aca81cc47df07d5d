"""What is no longer of use goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, event, func, select, update

from service import accounts, housekeeping, sessions
from service.clock import real_now
from service.db import raw
from service.models import IdempotencyKey, KnownDevice, OpenIDState, SigninLink, SigninSession, SigninTry
from service.runtime import Runtime
from service.store import replays
from tests.conftest import BASE_URL, Member


def test_what_ran_out_long_ago_is_forgotten_and_the_rest_stays(held: Runtime, owner: Member) -> None:
    accounts.signin_link(held.db, owner.email, BASE_URL)
    long_ago = real_now() - timedelta(days=2)
    with held.db.globally() as session:
        session.add(SigninLink(token_hash=b"old", user_id=owner.user_id, expires_at=long_ago, used_at=None))
    with held.db.tenant(owner.workspace_id) as session:
        for name, at in (("old", long_ago), ("new", real_now())):
            session.add(
                IdempotencyKey(workspace_id=owner.workspace_id, key=name, request_hash="", status=None, created_at=at)
            )

    housekeeping.tidy(held, owner.workspace_id)

    with held.db.globally() as session:
        assert session.scalar(select(func.count()).select_from(SigninLink).where(SigninLink.token_hash == b"old")) == 0
        assert session.scalar(select(func.count()).select_from(SigninLink)) == 2
        assert session.scalar(select(func.count()).select_from(SigninSession)) == 1
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["new"]


def test_answers_that_are_past_their_day_are_found_without_a_look_at_the_others(held: Runtime, owner: Member) -> None:
    """They are swept while somebody waits for their own."""
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        said.append((statement, parameters))

    event.listen(held.db.engine, "before_cursor_execute", note)
    try:
        with held.db.tenant(owner.workspace_id) as session:
            replays.sweep(session, owner.workspace_id)
    finally:
        event.remove(held.db.engine, "before_cursor_execute", note)
    [(statement, parameters)] = [each for each in said if "idempotency_keys" in each[0]]
    with held.db.tenant(owner.workspace_id) as session:
        connection = raw(session)
        for way in ("seqscan", "bitmapscan"):
            connection.execute(f"SET LOCAL enable_{way} = off".encode())
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall())
    assert "using ix_idempotency_keys_age" in plan
    assert "created_at < " in plan.partition("Index Cond")[2]


def test_tries_to_sign_in_known_browsers_and_sign_ins_under_way_are_forgotten_in_their_time(
    held: Runtime, owner: Member
) -> None:
    now, long_ago = real_now(), real_now() - timedelta(days=2)
    with held.db.globally() as session:
        for key, at in ((b"old", long_ago), (b"new", now)):
            session.add(SigninTry(key=key, tries=5, closed_until=at, last_at=at))
            session.add(OpenIDState(state_hash=key, browser_hash=key, expires_at=at))
            session.add(KnownDevice(token_hash=key, user_id=owner.user_id, last_seen_at=at, expires_at=at))
            sessions.begin(session, owner.user_id, owner.workspace_id, confined=False, browser=key.decode())
        session.flush()
        idle = now - sessions.IDLE - timedelta(days=2)
        session.execute(update(SigninSession).where(SigninSession.browser == "old").values(last_seen_at=idle))

    housekeeping.tidy(held, owner.workspace_id)

    with held.db.globally() as session:
        assert session.scalars(select(SigninTry.key)).all() == [b"new"]
        assert session.scalars(select(OpenIDState.state_hash)).all() == [b"new"]
        assert session.scalars(select(KnownDevice.token_hash)).all() == [b"new"]
        assert set(session.scalars(select(SigninSession.browser))) == {"", "new"}


def test_what_is_nobodys_in_particular_is_swept_once_a_minute_for_all(held: Runtime, owner: Member) -> None:
    def left() -> int:
        with held.db.globally() as session:
            session.add(
                SigninLink(
                    token_hash=b"old", user_id=owner.user_id, expires_at=real_now() - timedelta(days=2), used_at=None
                )
            )
        housekeeping.tidy(held, owner.workspace_id)
        with held.db.globally() as session:
            return len(
                session.scalars(
                    delete(SigninLink).where(SigninLink.token_hash == b"old").returning(SigninLink.user_id)
                ).all()
            )

    assert left() == 0
    assert left() == 1  # somebody has just swept
    held.redis.flushall()  # nobody knows when
    assert left() == 0
