"""A post that a person adds by hand: from a place that Warmline may not read, it is judged like any other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from integrations import foreign
from integrations.records import Author
from integrations.registry import handed_in
from service import access, connect, pastedlinks
from service.accounts import Caller
from service.clock import business_now
from service.errors import PlainError
from service.models import Connection
from service.pasted import has_handle, writer
from service.runtime import Runtime
from service.store import capturing
from service.store.capturing import Handed, Outcome, Written

LONGEST_TEXT, LONGEST_LINK, LONGEST_NAME = 10_000, 2000, 200  # characters
OLDEST = timedelta(days=365)  # nobody waits for an answer to what is older
AHEAD = timedelta(minutes=5)  # clocks differ


@dataclass(frozen=True)
class Pasted:
    """What a person typed. `at` is when it was written, aware."""

    link: str
    place: str
    name: str
    handle: str
    text: str
    at: datetime


def add(runtime: Runtime, caller: Caller, pasted: Pasted, brand_id: UUID | None = None) -> Outcome:
    """Stores it as a post of that place; the same person's under the same link twice is one post, as it was pasted last. Whoever may
    connect makes a new place by naming it. Raises PlainError with a sentence on what cannot be used."""
    post = _post(pasted)
    connection_id = _place(runtime, caller, _line(pasted.place, "the name of the place"), brand_id)
    with runtime.db.tenant(caller.workspace_id) as session:
        connection = session.get_one(Connection, (caller.workspace_id, connection_id))
        if connection.status != "active":
            raise PlainError("That place is disconnected. Connect it again on Connections first.")
        stored = capturing.written_under(session, connection, key_of(post.url))
        [result] = capturing.save(session, connection, [_as_stored(post, stored)], [])
    return result.outcome


def key_of(link: str) -> str:
    """What the ids of all posts under this link begin with: the same for every spelling of it."""
    return "link-" + pastedlinks.hashed(pastedlinks.plain(link))


def _post(pasted: Pasted) -> Handed:
    link = pasted.link.strip()
    _check_link(link)
    now = business_now()
    if pasted.at > now + AHEAD:
        raise PlainError("It says that it was written in the future. Give the day and time when it was written.")
    if pasted.at < now - OLDEST:
        raise PlainError("It was written more than a year ago. Nobody waits for an answer to that any more.")
    text = "".join(
        each for each in pasted.text if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cs")
    ).strip()
    if not text:
        raise PlainError("Paste a few lines of what was written: they say whether somebody waits for an answer.")
    if len(text) > LONGEST_TEXT:
        raise PlainError(f"That is more than {LONGEST_TEXT:,} characters. Paste the lines that matter.")
    name = _line(pasted.name, "the name of who wrote it")
    handle = pasted.handle.strip().removeprefix("@")
    if handle:
        handle = _line(handle, "the handle")
    who = writer(name, handle, pastedlinks.page(link))
    # Several people write under one link, where theirs have none of their own.
    return Handed(
        id=f"{key_of(link)}-{pastedlinks.hashed(who.id)}",
        at=min(pasted.at, now),
        ours=False,
        author=who,
        text=text,
        url=link,
    )


def _as_stored(post: Handed, stored: Sequence[Written]) -> Handed:
    """The post under the id that it is stored under, if one of these (all under its link) is the same person's: by the handle, or by the
    name where a handle was given but once, which stays."""
    who = post.author
    assert who is not None  # nobody pastes what is ours
    same = [each for each in stored if each.author.id == who.id] or [
        each for each in stored if _same_name(each.author, who) and not (has_handle(each.author) and has_handle(who))
    ]
    if len(same) != 1:
        return post
    [found] = same
    return replace(post, id=found.id, author=who if has_handle(who) else found.author)


def _same_name(one: Author, other: Author) -> bool:
    return one.name.casefold() == other.name.casefold()


def _place(runtime: Runtime, caller: Caller, place: str, brand_id: UUID | None) -> UUID:
    with runtime.db.tenant(caller.workspace_id) as session:
        found = capturing.connection_of_place(session, caller.workspace_id, place, brand_id)
        if found is not None:
            return found.id
    if access.ADMIN not in caller.scopes:
        raise PlainError(f"No place named {place} is connected here. An owner connects it on Connections.")
    [provider] = handed_in()
    [made] = connect.connect_with_secret(runtime, caller, provider, brand_id, {"place": place})
    return made


def _line(text: str, what: str) -> str:
    tidy = " ".join(text.split())
    if not tidy:
        raise PlainError(f"Give {what}.")
    if len(tidy) > LONGEST_NAME or not tidy.isprintable():
        raise PlainError(f"Give {what} in one line of at most {LONGEST_NAME} characters.")
    return tidy


def _check_link(link: str) -> None:
    parts = foreign.address(link)
    good = parts.scheme in ("https", "http") and "." in (parts.hostname or "") and parts.username is None
    if not good or len(link) > LONGEST_LINK or not link.isprintable() or " " in link:
        raise PlainError("Paste the link of the post itself. It begins with https://")
