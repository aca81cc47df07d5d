"""Cases: what a rule is told of one conversation or relationship, read from the database, ready to be judged.

A case can be judged any number of times and under any policy: deciding judges it once, trying settings out judges it under
two of them. Nothing is stored here but signals, which depend on a text and the version of the rules alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session

from service.drafting import Subject
from service.rules.model import Conversation, History, Person, Post, Verdict
from service.rules.readiness import ready_for_call
from service.rules.standing import deal_of
from service.rules.threads import by_person, linked, unique
from service.rules.unanswered import unanswered
from service.store import deciding, elsewhere, freezing, people, persons, said
from service.store.deciding import DueConversation, DueRelationship, Talk
from service.store.people import Known
from service.store.said import Thread


class Case(Struct, frozen=True):
    """One subject, and the rule that judges it: takes `now` and `policy`, returns its verdict."""

    subject: Subject
    rule: Callable[..., Verdict]


OBJECTS = "They asked not to be judged."
Names = Mapping[str, str]  # providers' names for people, by key
ByPerson = Mapping[str, Sequence[Post]]


class Threads:
    """The threads that the cases of one transaction rest on, each read once."""

    def __init__(self, session: Session, workspace_id: UUID, names: Names) -> None:
        self._session, self._workspace_id, self._names = session, workspace_id, names
        self._read: dict[Thread, ByPerson] = {}

    def of(self, wanted: set[Thread]) -> Mapping[Thread, ByPerson]:
        """These threads, and others perhaps: for each, what concerns every person in it."""
        missing = wanted - self._read.keys()
        if missing:
            posts = said.posts_of(self._session, self._workspace_id, missing, self._names)
            self._read |= {thread: by_person(linked(unique(items))) for thread, items in posts.items()}
        return self._read


# --- is somebody waiting --------------------------------------------------------------------------------------


def conversations(
    session: Session, workspace_id: UUID, found: Sequence[DueConversation], names: Names, threads: Threads | None = None
) -> list[Case]:
    """One case for each of these conversations, in their order."""
    reading = threads or Threads(session, workspace_id, names)
    posts = reading.of({(each.brand_id, each.thread) for each in found})
    known = people.contacts(session, workspace_id, [each.contact_id for each in found if each.contact_id])
    answered = elsewhere.answers_elsewhere(session, workspace_id, found, names)
    moved = elsewhere.by_the_account(session, workspace_id, found, names)
    stages = elsewhere.stages(session, workspace_id, found)
    frozen = freezing.by_connection(session, workspace_id)
    left_alone = (
        persons.objecting(
            session, workspace_id, *zip(*((each.author_id, each.contact_id) for each in found), strict=True)
        )
        if found
        else set()
    )
    cases = []
    for each in found:
        own = posts.get((each.brand_id, each.thread), {}).get(each.native_id, [])
        contact = known.get(each.contact_id) if each.contact_id else None
        talk = Conversation(
            author_id=each.native_id, author_name=each.name, author_handle=each.handle, posts=(*own, *moved.there.get(each.id, ())),
            author_is_ours=any(post.ours for post in own if post.author_id == each.native_id), dealt_with_until=each.dealt_with_until,
            elsewhere=(*answered.get(each.id, ()), *moved.private.get(each.id, ())), author_is_bot=each.bot, deal=deal_of(contact.record.lifecycle) if contact else "",
            stage=stages.get((each.brand_id, each.person), ""), responder=each.responder_email,
        )  # fmt: skip
        reason = frozen.get(each.connection_id, "")
        subject = _subject(each, contact, own, names, freezing.in_tasks(reason) if reason else "")
        objects = not left_alone.isdisjoint((each.author_id, each.contact_id))
        cases.append(Case(subject, _left_alone if objects else partial(unanswered, talk)))
    return cases


def _left_alone(**_: object) -> Verdict:
    """Whoever objects is not judged."""
    return Verdict(None, (OBJECTS,))


def _subject(each: DueConversation, contact: Known | None, talk: Sequence[Post], names: Names, frozen: str) -> Subject:
    words = _words(contact, each.name, each.handle, names.get(each.provider, each.provider), each.followers)
    return Subject(
        each.brand_id, each.person, each.author_id, contact, each.responder_email, words, talk, conversation_id=each.id, frozen=frozen
    )  # fmt: skip


def _words(contact: Known | None, name: str, handle: str, network: str, followers: int | None) -> Person:
    record = contact.record if contact else None
    return Person(
        name=(record.name if record else "") or name or handle, handle=handle, network=network, contact_id=str(contact.id) if contact else None,
        company=record.company if record else "", title=record.title if record else "", known=contact is not None,
        phone=record.phones[0] if record and record.phones else "", followers=followers,
    )  # fmt: skip


# --- is it time to talk ---------------------------------------------------------------------------------------


def relationships(
    session: Session, workspace_id: UUID, found: Sequence[DueRelationship], names: Names, threads: Threads | None = None
) -> list[Case]:
    """One case for each of these relationships, in their order."""
    reading = threads or Threads(session, workspace_id, names)
    talks = deciding.talks_of(session, workspace_id, found)
    posts = reading.of({(talk.brand_id, talk.thread) for own in talks.values() for talk in own})
    ids = [each.contact_id for each in found if each.contact_id]
    known, logged = people.contacts(session, workspace_id, ids), deciding.activities_of(session, workspace_id, ids)
    closed = deciding.call_tasks_closed(session, workspace_id, [each.id for each in found])
    authors = {talk.author_id for own in talks.values() for talk in own} | {each.author_id for each in found}
    left_alone = persons.objecting(session, workspace_id, authors, ids)
    cases = []
    for each in found:
        own = talks.get((each.brand_id, each.person), [])
        contact = known.get(each.contact_id) if each.contact_id else None
        said = _said(own, posts)
        history = History(
            person_name=_name(contact, own), posts=tuple(said), activities=tuple(logged.get(each.contact_id, ())) if each.contact_id else (),
            do_not_call=bool(contact and contact.record.do_not_call), unsubscribed=bool(contact and contact.record.unsubscribed),
            last_call_task_closed_at=closed.get(each.id), known=contact is not None,
            deal=deal_of(contact.record.lifecycle) if contact else "", bio=" ".join(filter(None, dict.fromkeys(talk.bio for talk in own))),
        )  # fmt: skip
        objects = not left_alone.isdisjoint((each.author_id, each.contact_id, *(talk.author_id for talk in own)))
        rule = _left_alone if objects else partial(ready_for_call, history)
        cases.append(Case(_relation(each, contact, own, said, names), rule))
    return cases


def _said(talks: Sequence[Talk], threads: Mapping[Thread, ByPerson]) -> list[Post]:
    """What passed between this person and the brand, over all their threads and networks."""
    return unique(
        post for talk in talks for post in threads.get((talk.brand_id, talk.thread), {}).get(talk.native_id, ())
    )


def _name(contact: Known | None, talks: Sequence[Talk]) -> str:
    if contact is not None and contact.record.name:
        return contact.record.name
    return next((talk.name or talk.handle for talk in talks), "")


def _relation(
    each: DueRelationship, contact: Known | None, talks: Sequence[Talk], said: Sequence[Post], names: Names
) -> Subject:
    last = next((post.author_id for post in reversed(said) if not post.ours), None)
    newest = next((talk for talk in talks if talk.native_id == last), talks[0] if talks else None)
    words = _words(
        contact, newest.name if newest else "", newest.handle if newest else "",
        names.get(newest.provider, newest.provider) if newest else "", newest.followers if newest else None,
    )  # fmt: skip
    return Subject(
        each.brand_id, each.person, newest.author_id if newest else each.author_id, contact,
        newest.responder_email if newest else "", words, said, relationship_id=each.id,
        speakers=sorted({talk.author_id for talk in talks}),
    )  # fmt: skip
