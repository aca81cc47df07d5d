"""Makes rows as the workers would have left them."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select

from service import invitations, sessions
from service.db import Database
from service.models import (
    Author,
    Brand,
    CalendarFeed,
    Connection,
    Contact,
    Conversation,
    Engagement,
    Match,
    Membership,
    Owner,
    PersonRequest,
    Relationship,
    Run,
    SigninSession,
    Stream,
    Task,
    User,
)

_CONTACT = {
    "id": "c1", "name": "", "first_name": "", "last_name": "", "emails": [], "phones": [], "company": "", "title": "", "website": "",
    "city": "", "region": "", "country": "", "owner_id": "77", "handles": [], "source": "", "lifecycle": "lead", "do_not_call": False,
    "unsubscribed": False, "url": "https://crm.example/contacts/c1",
}  # fmt: skip


class Rows:
    """Rows of one workspace; each method returns the id of what it made."""

    def __init__(self, db: Database, workspace_id: UUID, now: datetime) -> None:
        self.db, self.workspace_id, self.now = db, workspace_id, now
        self._numbers = count(1)
        with db.tenant(workspace_id) as session:
            self.brand = session.scalars(select(Brand.id)).first()

    def _add(self, row: Any) -> UUID:
        row.workspace_id = self.workspace_id
        with self.db.tenant(self.workspace_id) as session:
            session.add(row)
            session.flush()
            made: UUID = row.id
            return made

    def get(self, model: type[Any], row_id: UUID) -> Any:
        """The row as it stands now."""
        with self.db.tenant(self.workspace_id) as session:
            return session.get(model, (self.workspace_id, row_id))

    def connection(self, *, brand: bool = True, streams: tuple[str, ...] = ("mentions",), **values: Any) -> UUID:
        row = {
            "provider": "fakesocial",
            "kind": "social",
            "account_id": f"a{next(self._numbers)}",
            "handle": "acme",
            "ready_at": self.now,
            "status_at": self.now,
        }
        made = self._add(Connection(brand_id=self.brand if brand else None, **{**row, **values}))
        for name in streams:
            self.stream(made, name)
        return made

    def stream(self, connection: UUID, name: str, **values: Any) -> UUID:
        row = {"first_done_at": self.now, "last_pulled_at": self.now, "items": 3, "reads": {"posts": 3}, "notes": []}
        return self._add(Stream(connection_id=connection, name=name, **{**row, **values}))

    def author(self, handle: str, **values: Any) -> UUID:
        row = {
            "provider": "fakesocial",
            "native_id": f"n{next(self._numbers)}",
            "match_due": False,
            "updated_at": self.now,
        }
        return self._add(Author(handle=handle, **{**row, **values}))

    def engagement(self, connection: UUID, author: UUID, *, at: datetime, text: str = "Hello", **values: Any) -> UUID:
        native = f"p{next(self._numbers)}"
        row = {
            "native_id": native,
            "kind": "mention",
            "ours": False,
            "thread": "t1",
            "url": f"https://social.example/{native}",
            "received_at": at,
            "checked_at": at,
        }
        return self._add(
            Engagement(
                connection_id=connection,
                brand_id=self.brand,
                author_id=author,
                text=text,
                posted_at=at,
                **{**row, **values},
            )
        )

    def conversation(self, connection: UUID, author: UUID, *, thread: str = "t1", **values: Any) -> UUID:
        row = {"last_post_at": self.now, "reasons": ["Ada asked a question."], "waiting_since": None}
        return self._add(
            Conversation(
                brand_id=self.brand, connection_id=connection, author_id=author, thread=thread, **{**row, **values}
            )
        )

    def relationship(self, person: str, **values: Any) -> UUID:
        return self._add(Relationship(brand_id=self.brand, person=person, **values))

    def contact(self, connection: UUID, name: str, **values: Any) -> UUID:
        native = f"c{next(self._numbers)}"
        row = {"native_id": native, "owner_id": "77", "fields": {**_CONTACT, "name": name}}
        return self._add(Contact(connection_id=connection, name=name, **{**row, **values}))

    def owner(self, connection: UUID, native_id: str, email: str) -> UUID:
        return self._add(Owner(connection_id=connection, native_id=native_id, email=email, name="Olga"))

    def match(self, author: UUID, contact: UUID, *, state: str = "suggested", **values: Any) -> UUID:
        row = {
            "score": 0.7,
            "evidence": [
                {
                    "sentence": "The names are the same.",
                    "kind": "name",
                    "source": "profile",
                    "basis": "shown publicly by the person",
                }
            ],
            "rules_version": 1,
            "decided_at": self.now,
        }
        crm = self.get(Contact, contact).connection_id
        return self._add(
            Match(author_id=author, contact_id=contact, connection_id=crm, state=state, **{**row, **values})
        )

    def task(
        self,
        *,
        crm: UUID | None = None,
        author: UUID | None = None,
        contact: UUID | None = None,
        conversation: UUID | None = None,
        relationship: UUID | None = None,
        **values: Any,
    ) -> UUID:
        row = {
            "key": f"unanswered:{next(self._numbers)}",
            "kind": "unanswered",
            "person": f"author:{author}",
            "wanted": "open",
            "state": "absent",
            "content": {"subject": "Ada waits for an answer", "body": "She asked a question.", "owner_id": "77"},
            "reasons": ["Ada asked a question and waits."],
            "urgency": 50,
            "since": self.now,
            "due_at": self.now,
            "settings_version": 1,
            "rules_version": 1,
            "decided_at": self.now,
        }
        return self._add(
            Task(
                brand_id=self.brand,
                crm_connection_id=crm,
                author_id=author,
                contact_id=contact,
                conversation_id=conversation,
                relationship_id=relationship,
                **{**row, **values},
            )
        )

    def run(self, **values: Any) -> UUID:
        row = {
            "kind": "settings", "state": "held", "settings_version": 1, "rules_version": 1, "from_settings_version": 1, "from_rules_version": 1,
            "started_by": "user:olga", "counts": {},
        }  # fmt: skip
        return self._add(Run(**{**row, **values}))

    def person_request(self, **values: Any) -> UUID:
        row = {
            "kind": "object",
            "state": "lifted",
            "person": "author:gone",
            "author_ids": [],
            "contact_ids": [],
            "asked_by": "user:olga",
        }
        return self._add(PersonRequest(**{**row, **values}))

    def calendar(self, email: str = "omar@acme.test", **values: Any) -> UUID:
        row = {"host": "cal.example", "sealed": b"", "address_hash": email.encode(), "added_by": "user:olga"}
        return self._add(CalendarFeed(email=email, **{**row, **values}))

    def colleague(self, email: str = "mia@acme.test", role: str = "member") -> tuple[UUID, UUID, UUID]:
        """A member who is signed in, and somebody else who is invited: their ids, as member, invitation and session."""
        with self.db.tenant(self.workspace_id) as session:
            user = User(email=email)
            session.add(user)
            session.flush()
            session.add(Membership(workspace_id=self.workspace_id, user_id=user.id, role=role))
            invitation, _ = invitations.invite(session, self.workspace_id, f"new-{email}", "viewer", by="user:olga")
            cookie = sessions.begin(session, user.id, self.workspace_id, confined=False, browser="Firefox on Linux")
            session.flush()
            signed_in = session.scalars(select(SigninSession.id).filter_by(token_hash=sessions.digest(cookie))).one()
        return user.id, invitation, signed_in
