"""A social account is one brand's, until somebody disconnects it."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, update

from integrations.records import Author
from integrations.registry import providers
from service.errors import PlainError
from service.models import Brand, Connection
from service.runtime import Runtime
from service.store import connecting
from tests.conftest import Member


def connect(held: Runtime, owner: Member, brand_id: UUID | None) -> UUID:
    with held.db.tenant(owner.workspace_id) as session:
        chosen = connecting.brand_for(session, owner.workspace_id, brand_id, "social")
        return connecting.save(
            session, held.vault, owner.caller, providers()["mastodon"], Author("1", "team"), brand_id=chosen,
            credentials={"access_token": "t"}, options={}, host="m.example",
        )  # fmt: skip


@pytest.fixture
def rival(held: Runtime, owner: Member) -> UUID:
    """The second brand of a workspace, which has the account."""
    with held.db.tenant(owner.workspace_id) as session:
        session.add(Brand(workspace_id=owner.workspace_id, name="Rival"))
        session.flush()
        brand_id = session.scalars(select(Brand.id).where(Brand.name == "Rival")).one()
    connect(held, owner, brand_id)
    return brand_id


def stands(held: Runtime, owner: Member, status: str) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Connection).values(status=status))


def brand_of_it(held: Runtime, owner: Member) -> UUID | None:
    with held.db.tenant(owner.workspace_id) as session:
        return session.scalars(select(Connection.brand_id)).one()


@pytest.mark.parametrize("status", ["active", "needs_reauth"])
def test_the_account_of_one_brand_is_not_taken_by_another(
    status: str, held: Runtime, owner: Member, rival: UUID
) -> None:
    stands(held, owner, status)
    with pytest.raises(PlainError, match="connected to the brand Rival already"):
        connect(held, owner, None)
    assert brand_of_it(held, owner) == rival


def test_once_it_is_disconnected_another_may_have_it(held: Runtime, owner: Member, rival: UUID) -> None:
    stands(held, owner, "disconnected")
    connect(held, owner, None)
    assert brand_of_it(held, owner) != rival
