"""What the client of a provider can be asked: of a network, of a CRM, and what some can do besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from integrations.records import (
    Activity,
    Author,
    Contact,
    Engagement,
    Gone,
    GoneBetween,
    HandleWrite,
    Owner,
    Page,
    PushResult,
    Task,
    TaskState,
    Unasked,
    WriteResult,
)


class SocialClient(Protocol):
    """Calls one network as one connected account. Raises `integrations.errors`; never retries, never sleeps."""

    def whoami(self) -> Author:
        """The account that the credential belongs to."""
        ...

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        """Everything new on `stream` since `cursor`, at least once, a page at a time, each with the cursor to keep.

        Stopping after any page and coming back with its cursor loses nothing. `threads` are ids of threads we
        are in, newest first, or ids of missing posts: only streams that say `wants_threads` or `wants_parents` get any.
        """
        ...

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone | Unasked]:
        """The posts with these ids as they are now (any number of ids), in any order: the post where it is served, `Gone` where the
        network says so as its contract has it, and no answer where it says nothing: what is only left out may be there. Such an id
        is asked for again later. Where the network takes no more calls midway, what came is returned, and `Unasked` for each of the
        others; those come first the next time. (No answer at all where posts are `HANDED_IN`.)"""
        ...


CRMRecord = Contact | Activity | TaskState | Owner | Gone | GoneBetween  # the last one on "contacts" only


class CRMClient(Protocol):
    """Calls one CRM account. Raises `integrations.errors`; never retries, never sleeps."""

    def whoami(self) -> Author:
        """The CRM account: its id, its domain as `handle`, its name, its address as `url`."""
        ...

    def prepare(self) -> Mapping[str, Any]:
        """Called once on connecting: tries what the account allows (a unique property for our key, say) and
        returns JSON-able options, which every later client of this connection gets back. Safe to repeat."""
        ...

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[CRMRecord]]:
        """As `SocialClient.pull`. Changed-since streams overlap; deletions may not show (see `read_tasks`). `Gone` is an owner, a contact or
        an activity that the CRM shows no more."""
        ...

    def read_tasks(self, ids: Sequence[str]) -> Sequence[TaskState | Gone]:
        """These tasks as they stand now, any number of ids; one answer for each id, but none for a task that stands there
        hidden from us: it is not gone."""
        ...

    def push_tasks(self, tasks: Sequence[Task]) -> Sequence[PushResult]:
        """Creates, updates, completes and withdraws, in the CRM's batches; one result per task, by key.

        Safe to repeat: a key that stands in the CRM already is `FOUND`. What goes wrong with one record is that
        record's result (`REFUSED`, `LATER`, `UNKNOWN`); raises only what concerns the whole connection, and then
        only if nothing was sent: after a batch went out, the rest come back as `LATER`.
        """
        ...


@runtime_checkable
class HandleWriter(Protocol):
    """What the client of a CRM with the capability `WRITE_HANDLES` can do besides."""

    def write_handles(self, writes: Sequence[HandleWrite]) -> Sequence[WriteResult]:
        """Puts each handle into the contact's property for that network, where it is empty, in the CRM's batches; one result per
        write, in the same order. A value that is there is never changed. Safe to repeat. What goes wrong with one record is
        that record's result; raises only what concerns the whole connection, and then only if nothing was sent."""
        ...


@runtime_checkable
class Cleaner(Protocol):
    """What the client of a CRM in which `prepare` makes something can do besides, when it is asked to leave no trace."""

    def clean(self) -> Sequence[str]:
        """Removes what `prepare` made in the CRM (a property, a field). One sentence for each thing that was removed, or that
        stays and why. Tasks are withdrawn before. Safe to repeat."""
        ...


@runtime_checkable
class Thrifty(Protocol):
    """What a client can do besides that keeps what its connection spends over a day within an allowance: a process or a client that is new
    has to go on with what the last one left."""

    def allowance(self) -> Mapping[str, Any]:
        """What is left of it, JSON-able, by what it is for: only that out of which this client has spent something. The others are not
        touched where it is kept. Every later client gets all that was kept, as `Access.allowance`."""
        ...


@runtime_checkable
class ContactReader(Protocol):
    """What the client of a CRM can do besides whose stream of contacts shows by itself who was deleted only while there are not too many:
    of more, some are asked about in each sweep, round and round."""

    compared: int  # contacts up to which the stream shows it
    contacts_a_sweep: int  # about how many one sweep may ask

    def gone_contacts(self, ids: Sequence[str]) -> Sequence[Gone]:
        """Those of these contacts of which the CRM says that they are deleted. One that is hidden from us is not."""
        ...
