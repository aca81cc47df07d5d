"""An account that moves to another brand, for tests of what becomes of what it brought."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from integrations.records import Author
from service import connect, disconnecting
from service.models import Brand, Connection
from tests.workers.conftest import BRAND, World

WORD, NEW = "Quixotic", "Zanzibar"
TEXT = f"@brand When does the {WORD} velodrome open?"
LENA = Author("u7", "lena", "Lena Falk", url="https://social.example/lena")


def moves(world: World, to: str = "Rival") -> None:
    """The account is disconnected and connected under this brand, as our own refusal tells people to do it."""
    disconnecting.disconnect(world.runtime, world.owner.caller, account(world).id)
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", brand_id(world, to), {})
    world.look()


def brand_id(world: World, name: str) -> UUID:
    with world.runtime.db.tenant(world.workspace_id) as session:
        found = session.scalars(select(Brand).where(Brand.name == name)).one_or_none()
        if found is None:
            found = Brand(workspace_id=world.workspace_id, name=name)
            session.add(found)
            session.flush()
        return found.id


def account(world: World) -> Connection:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return session.scalars(select(Connection).where(Connection.account_id == BRAND.id)).one()


def where(world: World) -> dict[str, str]:
    """The brand of each post."""
    return dict(
        map(
            tuple,
            world.sql("SELECT e.native_id, b.name FROM engagements e JOIN brands b ON b.id = e.brand_id ORDER BY 1"),
        )
    )


def waits(world: World) -> dict[str, str | None]:
    """The brands for which somebody waits, and who."""
    rows = world.sql(
        "SELECT b.name, a.handle FROM conversations c JOIN brands b ON b.id = c.brand_id JOIN authors a ON a.id = c.author_id"
        " WHERE c.waiting_since IS NOT NULL"
    )
    return dict(map(tuple, rows))


def holds(world: World, words: str) -> bool:
    """Whether these words stand in a post or a task of ours, or in the CRM."""
    [(ours,)] = world.sql(
        "SELECT coalesce((SELECT string_agg(e::text, '') FROM engagements e), '') || coalesce((SELECT string_agg(t::text, '') FROM tasks t), '')"
    )
    return words in ours or words in str(world.crm.tasks)


def a_week_goes_by(world: World) -> None:
    world.sql(
        "UPDATE engagements SET checked_at = checked_at - interval '8 days', asked_at = asked_at - interval '8 days'"
    )


def stays(world: World) -> None:
    """It moved, and moved back."""
    moves(world)
    moves(world, to="Acme")
