"""Posts that people paste, and that other systems hand in, for tests of what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from integrations.records import Author as Profile
from service import byhand
from service.byhand import Pasted
from service.clock import business_now
from service.models import Author, Connection, Engagement
from service.runtime import Runtime
from service.store import capturing
from service.store.capturing import Handed, Outcome
from tests.conftest import Member

LINK = "https://www.linkedin.example/posts/ana-1234"


def pasted(**change: Any) -> Pasted:
    whole = Pasted(LINK, "LinkedIn", "Ana Ferrer", "@ana", "Do you ship to Faro?", business_now() - timedelta(hours=2))
    return replace(whole, **change)


def posts(held: Runtime, owner: Member) -> list[tuple[str, str, str, str]]:
    with held.db.tenant(owner.workspace_id) as session:
        rows = session.execute(
            select(Engagement.text, Engagement.url, Author.native_id, Connection.host)
            .join(Author, Author.id == Engagement.author_id)
            .join(Connection, Connection.id == Engagement.connection_id)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def paste(held: Runtime, owner: Member, **change: Any) -> Outcome:
    return byhand.add(held, owner.caller, pasted(**change))


def hand_in(held: Runtime, owner: Member, author: Profile, url: str = "") -> Outcome:
    """A post of theirs at the place that there is, under ids of its own."""
    with held.db.tenant(owner.workspace_id) as session:
        post = Handed(f"post-{author.id}", business_now(), False, author, "Do you ship?", url=url)
        [result] = capturing.save(session, session.scalars(select(Connection)).one(), [post], [])
    return result.outcome
