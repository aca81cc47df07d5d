"""What is no longer of use goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from service import accounts, housekeeping
from service.clock import real_now
from service.models import IdempotencyKey, SigninLink, SigninSession
from service.runtime import Runtime
from tests.conftest import BASE_URL, Member


def test_what_ran_out_long_ago_is_forgotten_and_the_rest_stays(held: Runtime, owner: Member) -> None:
    accounts.signin_link(held.db, owner.email, BASE_URL)
    long_ago = real_now() - timedelta(days=2)
    with held.db.globally() as session:
        session.add(SigninLink(token_hash=b"old", user_id=owner.user_id, expires_at=long_ago, used_at=None))
    with held.db.tenant(owner.workspace_id) as session:
        for name, at in (("old", long_ago), ("new", real_now())):
            session.add(
                IdempotencyKey(
                    workspace_id=owner.workspace_id, key=name, request_hash="", status=None, body=None, created_at=at
                )
            )

    housekeeping.tidy(held, owner.workspace_id)

    with held.db.globally() as session:
        assert session.scalar(select(func.count()).select_from(SigninLink).where(SigninLink.token_hash == b"old")) == 0
        assert session.scalar(select(func.count()).select_from(SigninLink)) == 2
        assert session.scalar(select(func.count()).select_from(SigninSession)) == 1
    with held.db.tenant(owner.workspace_id) as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["new"]
