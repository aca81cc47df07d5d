"""The list of people to leave out: whoever was erased here, or objects to being judged, is not stored again when they are read again.

It holds no name. A person is known by keyed hashes of what is theirs on a network or in a CRM: ids, handles, e-mail addresses; the key is
the workspace's own and sealed. Every store of posts or contacts asks here, in the transaction in which it stores: `begin` waits for
those under way, so that nothing of a person arrives behind the back of whoever has just been put on the list.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.orm import Session

from integrations import foreign
from integrations.records import Activity, Author, Contact, Engagement
from integrations.registry import handed_in
from service import pastedlinks
from service.db import VAULT, raw
from service.models import SuppressionKey
from service.pasted import has_handle, nameless
from service.rules.matching import addresses, mailboxes
from service.rules.matching.keys import Key, author_keys, full_names, identifiers
from service.rules.model import KnownAuthor
from service.sealed import SUPPRESSION
from service.store import locks
from service.store.locks import Lock
from service.store.rows import execute
from service.vault import Vault

T = TypeVar("T")
_SEALED = "SELECT sealed FROM suppression_keys WHERE workspace_id = %(w)s"
_KEY_BYTES = 32  # as long as what SHA-256 gives (RFC 2104, 3)


# --- by what somebody is recognised ---------------------------------------------------------------------------


def author_marks(provider: str, host: str, author: Author, shared: Collection[str] = ()) -> set[str]:
    """An author's own: the network's id, the handle there, and addresses on the profile, but for those of these keys that are shared."""
    keys = authors_keys(provider, author).difference(shared)
    own = _at_place(host, author, keys) if provider in handed_in() else keys
    return {id_mark(provider, host, author.id), *own}


def authors_keys(provider: str, author: Author) -> set[str]:
    """The handle, and addresses on the profile that are not an office's by their names."""
    keys = set(filter(_may_tell, author_keys(KnownAuthor(provider, author))))
    return keys - offices(keys)


def _at_place(host: str, author: Author, keys: set[str]) -> set[str]:
    """These keys where posts are handed in from many places: a handle is one person's at its place alone, and a name that stands where no
    handle was given is nobody's own."""
    handles = {key for key in keys if key.startswith(f"{Key.HANDLE}:")}
    told = handles if has_handle(author) else set()
    profile = addresses.own_address(author.url)
    told |= {f"profile:{profile}"} if profile else set()
    return (keys - handles) | {f"{key}|{host.casefold()}" for key in told}


def ids_without_handle(provider: str, author: Author, links: Iterable[str]) -> set[str]:
    """The ids that an author would have, where posts are handed in, by the name alone on the pages of these links: whoever pastes what
    they wrote gives the handle or does not. What was handed in through the API may be no link, and nobody can paste that."""
    if provider not in handed_in() or not author.name:
        return set()
    return {nameless(author, pastedlinks.page(link)) for link in links if foreign.address(link).netloc}


def alone_mark(mark: str) -> str:
    """That somebody was known by the name on a page alone (`id_mark`): they may be whoever comes by that name and a handle there."""
    return f"alone|{mark}"


def id_mark(provider: str, host: str, native_id: str) -> str:
    """A network's id of an author."""
    return f"author|{provider}|{host}|{native_id}"


def contact_mark(connection_id: UUID, native_id: str) -> str:
    """A CRM's id of a contact."""
    return f"contact|{connection_id}|{native_id}"


def contact_marks(connection_id: UUID, contact: Contact) -> set[str]:
    """A contact's own: the CRM's id, handles whose network is known, and e-mail addresses, by themselves and beside the name; an
    office's beside the name alone."""
    keys, names = contacts_keys(contact), full_names(contact)
    beside = {f"{key}|{name}" for key in keys for name in names}
    return {contact_mark(connection_id, contact.id), *(keys - offices(keys)), *beside}


def contacts_keys(contact: Contact) -> set[str]:
    """Handles whose network is known, and e-mail addresses. Some are an office's (`offices`)."""
    return set(filter(_may_tell, identifiers(contact)))


def offices(keys: Iterable[str]) -> set[str]:
    """Those of these keys that are an office's by their names, and so nobody's by themselves."""
    mail = f"{Key.EMAIL}:"
    return {key for key in keys if key.startswith(mail) and mailboxes.is_offices(key.removeprefix(mail))}


def shared_mark(key: str) -> str:
    """That several people carry this key: nobody is recognised by it alone, from then on."""
    return f"shared|{key}"


def _may_tell(key: str) -> bool:
    """Whether a key of `service.rules.matching` may tell one person from others, by itself or beside a name. (Whether others carry it:
    `service.store.sharing`.)"""
    kind, _, value = key.partition(":")
    return kind == Key.EMAIL or (kind == Key.HANDLE and not value.startswith("*"))


# --- the list -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class List:
    """The list of one workspace, in one transaction."""

    session: Session
    workspace_id: UUID
    key: bytes

    def __repr__(self) -> str:
        return f"List({self.workspace_id})"

    def hash(self, mark: str) -> bytes:
        return hmac.digest(self.key, mark.encode(), hashlib.sha256)

    def holding(self, marks: Mapping[T, Iterable[str]]) -> set[T]:
        """Of these (by anything), those of whom any mark is on the list."""
        hashes = {each: {self.hash(mark) for mark in theirs} for each, theirs in marks.items()}
        wanted = sorted({one for some in hashes.values() for one in some})
        if not wanted:
            return set()
        rows = execute(
            raw(self.session),
            "SELECT hash FROM suppressions WHERE workspace_id = %(w)s AND hash = ANY(%(hashes)s)",
            {"w": self.workspace_id, "hashes": wanted},
        )
        listed = {bytes(row[0]) for row in rows}
        return {each for each, some in hashes.items() if some & listed}

    def add(self, request_id: UUID, marks: Iterable[str]) -> None:
        """Puts somebody on the list. Who stands there for another request from now on stands there for this one, unless that erased
        them, which is for good."""
        execute(
            raw(self.session),
            "INSERT INTO suppressions (workspace_id, hash, request_id) SELECT %(w)s, unnest(%(hashes)s::bytea[]), %(r)s"
            " ON CONFLICT (workspace_id, hash) DO UPDATE SET request_id = excluded.request_id WHERE NOT EXISTS (SELECT 1 FROM person_requests p"
            " WHERE p.workspace_id = %(w)s AND p.id = suppressions.request_id AND p.kind = 'erase')",
            {"w": self.workspace_id, "hashes": sorted({self.hash(mark) for mark in marks}), "r": request_id},
        )

    def take_off(self, request_id: UUID) -> None:
        """Whoever stands there because of this request stands there no more."""
        execute(
            raw(self.session),
            "DELETE FROM suppressions WHERE workspace_id = %(w)s AND request_id = %(r)s",
            {"w": self.workspace_id, "r": request_id},
        )


def reading(session: Session, workspace_id: UUID) -> List | None:
    """The list, which stays as it is until the end of this transaction; None where nobody was ever on it."""
    connection = raw(session)
    # Two statements (see `locks.beside`) for one way there and back: every page that is stored asks.
    with connection.pipeline():
        locks.beside(connection, workspace_id, Lock.SUPPRESSIONS)
        found = connection.execute(_SEALED, {"w": workspace_id})
    row = found.fetchone()
    return List(session, workspace_id, _open(session, workspace_id, row[0])) if row else None


def known_as_shared(session: Session, workspace_id: UUID, keys: Iterable[str]) -> set[str]:
    """Of these keys, those that several people carried when one of them was put on the list, though they may be gone since. Nobody
    waits for that, nor is waited for."""
    sealed = _sealed(session, workspace_id)
    if sealed is None:
        return set()
    listed = List(session, workspace_id, _open(session, workspace_id, sealed))
    return listed.holding({key: [shared_mark(key)] for key in keys})


def changing(session: Session, workspace_id: UUID) -> List:
    """The list, to be changed in this transaction: whatever stores people waits until it ends. Call it first."""
    locks.alone(raw(session), workspace_id, Lock.SUPPRESSIONS)
    sealed = _sealed(session, workspace_id)
    if sealed is None:
        sealed = _vault(session).seal({"key": os.urandom(_KEY_BYTES).hex()}, *SUPPRESSION.place(workspace_id))
        session.add(SuppressionKey(workspace_id=workspace_id, sealed=sealed))
        session.flush()
    return List(session, workspace_id, _open(session, workspace_id, sealed))


def _sealed(session: Session, workspace_id: UUID) -> bytes | None:
    return session.scalar(select(SuppressionKey.sealed).where(SuppressionKey.workspace_id == workspace_id))


def _open(session: Session, workspace_id: UUID, sealed: bytes) -> bytes:
    return bytes.fromhex(_vault(session).open(sealed, *SUPPRESSION.place(workspace_id))["key"])


def _vault(session: Session) -> Vault:
    found: Any = session.info.get(VAULT)
    if found is None:
        raise RuntimeError("this database was opened without a vault, so nobody can tell whom to leave out")
    vault: Vault = found()
    return vault


# --- leaving them out -----------------------------------------------------------------------------------------


def without_authors(
    session: Session,
    workspace_id: UUID,
    provider: str,
    host: str,
    posts: Sequence[Engagement],
    is_ours: Callable[[Author], bool],
) -> list[Engagement]:
    """These posts without any that somebody on the list wrote, or that we wrote to them; others name them no more."""
    listed = reading(session, workspace_id)
    if listed is None or not posts:
        return list(posts)
    authors = {post.author.id: post.author for post in posts}
    marks: dict[str, set[str]] = {id_: author_marks(provider, host, author) for id_, author in authors.items()}
    by_name: dict[str, set[str]] = defaultdict(set)
    for post in posts if provider in handed_in() else ():
        if has_handle(post.author):
            ids = ids_without_handle(provider, post.author, [post.url])
            by_name[post.author.id] |= {alone_mark(id_mark(provider, host, each)) for each in ids}
    named = {id_ for post in posts for id_ in (*post.mentions, post.in_reply_to_author) if id_}
    for id_ in named - marks.keys():
        marks[id_] = {id_mark(provider, host, id_)}
    out = listed.holding(marks)
    if namesakes := listed.holding(by_name) - out:
        out |= namesakes - _here(session, workspace_id, provider, host, namesakes)
    return [
        _unnamed(post, out)
        for post in posts
        # What we said to them says much about them; what others did is theirs.
        if post.author.id not in out and not (post.in_reply_to_author in out and is_ours(post.author))
    ]


def _here(session: Session, workspace_id: UUID, provider: str, host: str, ids: Iterable[str]) -> set[str]:
    """Of these authors, those who are here already, beside whoever was put on the list."""
    rows = execute(
        raw(session),
        "SELECT native_id FROM authors WHERE workspace_id = %(w)s AND provider = %(p)s AND host = %(h)s AND native_id = ANY(%(ids)s)",
        {"w": workspace_id, "p": provider, "h": host, "ids": sorted(ids)},
    )
    return {row[0] for row in rows}


def _unnamed(post: Engagement, out: set[str]) -> Engagement:
    if out.isdisjoint((*post.mentions, post.in_reply_to_author)):
        return post
    return replace(
        post,
        mentions=tuple(each for each in post.mentions if each not in out),
        in_reply_to_author=None if post.in_reply_to_author in out else post.in_reply_to_author,
    )


def without_contacts(
    session: Session, workspace_id: UUID, connection_id: UUID, items: Sequence[Contact]
) -> list[Contact]:
    """These contacts without those on the list, under whatever id the CRM has them now."""
    listed = reading(session, workspace_id)
    if listed is None:
        return list(items)
    out = listed.holding({each.id: contact_marks(connection_id, each) for each in items})
    return [each for each in items if each.id not in out]


def without_links(
    session: Session, workspace_id: UUID, connection_id: UUID, items: Sequence[Activity]
) -> list[Activity]:
    """These activities without those on the list among whom they were with. They stay: they shield whoever had them."""
    listed = reading(session, workspace_id)
    if listed is None:
        return list(items)
    named = {native for each in items for native in each.contact_ids}
    out = listed.holding({native: [contact_mark(connection_id, native)] for native in named})
    if not out:
        return list(items)
    return [
        replace(each, contact_ids=tuple(native for native in each.contact_ids if native not in out)) for each in items
    ]


def listed_ids(session: Session, workspace_id: UUID, provider: str, host: str, native_ids: Iterable[str]) -> set[str]:
    """Of these authors (by the network's ids), those on the list."""
    listed = reading(session, workspace_id)
    return listed.holding({each: [id_mark(provider, host, each)] for each in native_ids}) if listed else set()
