"""Saying who somebody is where the rules suggest nobody, or somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations.records import Author as AuthorRecord
from service.clock import real_now
from service.db import raw
from service.ids import new_id
from service.models import Author, Contact, Match
from service.rules.evidence import Basis, Source
from service.rules.matching import author_keys, choose
from service.rules.model import RULES_VERSION, KnownAuthor, MatchState
from service.store import acting, candidates

FOUND = 20  # contacts that a search shows
_BY_HAND = [
    {
        "sentence": "Somebody here knows them.",
        "kind": "",
        "source": Source.PERSON.value,
        "basis": Basis.DECIDED.value,
    }
]


def pair(session: Session, workspace_id: UUID, author_id: UUID, contact_id: UUID, *, by: str) -> UUID | None:
    """This author is this contact, whatever the rules say: the id of the match. None where there is no such author, or no such
    contact any more."""
    author = session.execute(
        select(Author.id).where(Author.workspace_id == workspace_id, Author.id == author_id).with_for_update()
    ).one_or_none()
    crm = session.scalar(
        select(Contact.connection_id).where(
            Contact.workspace_id == workspace_id, Contact.id == contact_id, Contact.deleted_at.is_(None)
        )
    )
    if author is None or crm is None:
        return None
    match = session.scalars(
        select(Match).where(
            Match.workspace_id == workspace_id, Match.author_id == author_id, Match.contact_id == contact_id
        )
    ).one_or_none()
    if match is None:
        match = Match(
            workspace_id=workspace_id, id=new_id(), author_id=author_id, contact_id=contact_id, connection_id=crm, state=MatchState.SUGGESTED.value, score=1.0,
            evidence=_BY_HAND, rules_version=RULES_VERSION, decided_by=acting.BY_RULES, decided_at=real_now(),
        )  # fmt: skip
        session.add(match)
        session.flush()
    acting.decide_match(session, workspace_id, match.id, MatchState.CONFIRMED, by=by)
    return match.id


def somebody_else(session: Session, workspace_id: UUID, match_id: UUID, contact_id: UUID, *, by: str) -> UUID | None:
    """The author of this match is not the contact that it names, but this one: the id of the match that says so."""
    match = acting.decide_match(session, workspace_id, match_id, MatchState.REJECTED, by=by)
    return None if match is None else pair(session, workspace_id, match.author_id, contact_id, by=by)


def find(session: Session, workspace_id: UUID, crm: UUID, text: str) -> Sequence[dict[str, Any]]:
    """Contacts of this CRM that are found under what somebody typed (a name, an e-mail address, a phone number, a handle), the rarest
    match first; twenty at most. Each has id, name, company, city, email and url."""
    known = KnownAuthor("", AuthorRecord(id="", handle=text if " " not in text.strip() else "", name=text, bio=text))
    keys = author_keys(known)
    if not keys:
        return []
    chosen = choose(keys, candidates.under(raw(session), workspace_id, keys, [crm])[crm].found)
    found = candidates.contacts(raw(session), workspace_id, chosen)
    contacts = {each: found[each].candidate.contact for each in chosen if each in found and found[each].crm == crm}
    return [
        {
            "id": UUID(each), "name": contact.name, "company": contact.company, "city": contact.city,
            "email": next(iter(contact.emails), ""), "url": contact.url,
        }
        for each, contact in list(contacts.items())[:FOUND]
    ]  # fmt: skip
