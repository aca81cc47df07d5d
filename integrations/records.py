"""The vocabulary: what every network and every CRM is translated into at the edge.

Frozen, and `msgspec.Struct` rather than dataclasses: one of them is made for every row of every page, and a frozen dataclass takes five
times as long to make (ADR 0040). `msgspec.structs.replace` is what changes a copy. Every instant is an aware `datetime` in UTC; every id is the
provider's own, as a string. `None` means "the provider did not say"; in a `Task` that updates an existing
one it means "leave this field as it is".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from msgspec import Struct, field


class Kind(StrEnum):
    """How a post concerns a connected account."""

    MENTION = "mention"  # names us
    REPLY = "reply"  # answers a post of ours
    COMMENT = "comment"  # stands below a post of ours, answering somebody else there
    QUOTE = "quote"  # quotes a post of ours
    DIRECT = "direct"  # a private message, theirs or ours
    OWN = "own"  # we wrote it
    CONTEXT = "context"  # fetched so that a thread can be read; speaks to somebody else


class Author(Struct, frozen=True):
    """An identity on a network (or, from a CRM's `whoami`, the account there)."""

    id: str  # stable; never the handle, but "@" and the handle in lower case where the network tells nothing else
    handle: str  # without the @, as the network spells it
    name: str = ""
    bio: str = ""
    url: str = ""  # the profile's page on the network
    website: str = ""  # the link the person put on the profile, expanded
    location: str = ""
    bot: bool = False  # the network says so
    followers: int | None = None


class Budget(Struct, frozen=True):
    """How many calls the provider still serves, by its own count."""

    left: int | None  # None: it is counted anew so soon that nobody can go by it
    most: int
    what: str  # of which there are so many: "calls a day (all tools share them)"
    resets_at: datetime | None = None  # when it is counted anew, real time; None: within a day
    note: str = ""  # a sentence that belongs to it


class Renamed(Struct, frozen=True):
    """An account under a handle that may not be the one we know, and when it went by that."""

    account: Author
    at: datetime


class Engagement(Struct, frozen=True):
    """One post on a network, as one connected account sees it."""

    id: str
    kind: Kind
    author: Author
    text: str  # plain text, links expanded, entities decoded; may be empty
    created_at: datetime
    url: str  # where a person can answer it
    thread: str  # the network's id of the thread; the post's own id when it starts one
    in_reply_to: str | None = None  # post id
    in_reply_to_author: str | None = None  # author id
    mentions: tuple[str, ...] = ()  # author ids named in the post, implicit ones included
    quotes: str | None = None  # post id
    edited_at: datetime | None = None
    language: str | None = None  # BCP 47, as the network says
    is_repost: bool = False
    window_closes_at: datetime | None = None  # after this the network lets nobody answer


class Gone(Struct, frozen=True):
    """A record that the provider says is no longer there (or never was)."""

    id: str


class GoneBetween(Struct, frozen=True):
    """Where ids are whole numbers: every record between these two, neither of them included, is no longer there (or never was). One
    that is wide is sought among all records that are here, so that it is told seldom and together with others."""

    after: int
    before: int

    @property
    def wide(self) -> bool:
        """Whether it has more ids than are asked for one by one."""
        return self.before - self.after - 1 > 2_000


class Unasked(Struct, frozen=True):
    """A post that the provider was not asked about, since it takes no more calls for now. Nothing is known of it."""

    id: str


class Handle(Struct, frozen=True):
    """A social handle that a CRM keeps on file for a contact."""

    network: str | None  # our provider key where the field's name tells it, else None
    value: str  # a handle without the @, or a profile's address, as found


class Contact(Struct, frozen=True):
    """A person or company in a CRM: only the fields that matching and wording need."""

    id: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    title: str = ""
    website: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    owner_id: str | None = None
    handles: tuple[Handle, ...] = ()
    source: str = ""  # how the contact came into the CRM, in the CRM's words
    lifecycle: str = ""  # lead, customer, ... in the CRM's words
    do_not_call: bool = False
    unsubscribed: bool = False
    url: str = ""  # the contact's page in the CRM
    updated_at: datetime | None = None


class ActivityKind(StrEnum):
    CALL = "call"
    MEETING = "meeting"
    EMAIL = "email"
    TEXT = "text"
    NOTE = "note"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    NONE = "none"


class Activity(Struct, frozen=True):
    """A call, meeting, e-mail, text or note that the CRM has logged (or has in its calendar)."""

    id: str
    kind: ActivityKind
    at: datetime  # when it starts or started
    ends_at: datetime | None = None
    direction: Direction = Direction.NONE
    outcome: str = ""  # connected, no_answer, held, cancelled, scheduled, sent, replied, or ""
    contact_ids: tuple[str, ...] = ()
    owner_id: str | None = None
    updated_at: datetime | None = None


class Owner(Struct, frozen=True):
    """Somebody who can own records in a CRM."""

    id: str
    email: str
    name: str = ""
    active: bool = True


class TaskKind(StrEnum):
    UNANSWERED = "unanswered"
    READY_FOR_CALL = "ready_for_call"


class TaskStatus(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"  # deleted in the CRM: it lost its reason


class Task(Struct, frozen=True):
    """What should stand in the CRM under `key`. With an `external_id` it changes that task, and every field
    that is None stays as the CRM has it."""

    key: str  # ours; never changes
    kind: TaskKind
    status: TaskStatus
    subject: str | None = None  # plain text, 60 characters at most
    body: str | None = None  # plain text; links stand bare
    due_at: datetime | None = None
    owner_id: str | None = None
    contact_id: str | None = None
    former_contact_id: str | None = None  # whom it was about before and is no more: taken off the task
    high_priority: bool | None = None
    external_id: str | None = None
    maybe_sent_at: datetime | None = None  # a create went out then and was never answered: seek before sending
    # Of a change: the contents of ours that may stand there, by the names of fields, with their `status`. What differs from them all is
    # a person's by now, though we have not read it back yet: it is left alone and told (`PushResult.theirs`). Empty: nothing is compared.
    ours: tuple[Mapping[str, Any], ...] = ()


class TaskState(Struct, frozen=True):
    """A task as the CRM has it now."""

    id: str
    key: str | None  # ours, where the CRM could keep it
    status: TaskStatus  # OPEN or COMPLETED; a deleted one is `Gone`
    subject: str = ""
    body: str = ""
    due_at: datetime | None = None
    owner_id: str | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    url: str = ""
    bare: bool = False  # it is there no more: nothing but its key, its status and when is known
    sole: bool = False  # the CRM itself lets no other task bear this key, so it is no copy that somebody has made


class PushOutcome(StrEnum):
    CREATED = "created"
    FOUND = "found"  # it was there already, under our key
    UPDATED = "updated"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    GONE = "gone"  # the person deleted it: leave it be
    REFUSED = "refused"  # this one record; `detail` is the CRM's sentence
    LATER = "later"  # not tried or failed in passing; safe to try again
    UNKNOWN = "unknown"  # sent, no answer: seek it under its key before sending again


class PushResult(Struct, frozen=True):
    key: str
    outcome: PushOutcome
    external_id: str | None = None
    url: str = ""
    detail: str = ""  # for a person; never a token, a query string or the text of a post
    sent: bool = False  # UNKNOWN only: a create went out in this very call, so the wait for it begins anew
    # UPDATED or COMPLETED: what a person had changed there, as it stands, and when they ticked it off (see `integrations.edits`). Who asked for something else, and
    # is told one of the two, has been forestalled: somebody made the task theirs, or ticked it off, and nothing was written.
    theirs: Mapping[str, Any] = field(default_factory=dict)


class HandleWrite(Struct, frozen=True):
    """A confirmed handle that should stand in a contact of the CRM, if nothing stands there yet."""

    contact_id: str
    network: str  # our provider key
    handle: str  # without the @
    url: str = ""  # the profile's page


class WriteOutcome(StrEnum):
    WRITTEN = "written"
    KEPT = "kept"  # the contact has one already, or the CRM has nowhere to put it: nothing was changed
    REFUSED = "refused"  # this one record; `detail` is the CRM's sentence
    LATER = "later"  # not tried or failed in passing; safe to try again


class WriteResult(Struct, frozen=True):
    contact_id: str
    network: str
    outcome: WriteOutcome
    detail: str = ""  # for a person


T = TypeVar("T", covariant=True)


class Page(Struct, Generic[T], frozen=True):
    """Some records, and the cursor to keep once they are stored. `notes` are sentences for the connection's
    health line ("only the newest 800 mentions are served"); `reads` counts billed reads by price name, where no meter was told of them. `answered` are ids
    of posts that a pull was given and need not ask for again, served or not. `renamed`: the newest of these records has our own account
    under another handle; where profiles are paid for, nothing else tells. `named` are others by the handles under which these records speak of
    them, where they do so beside their ids; it makes nobody known. `budget`: what the provider said, as it served the page, that it serves yet.
    `over` are notes of earlier pages that hold no more."""

    items: tuple[T, ...]
    cursor: str | None
    notes: tuple[str, ...] = ()
    reads: Mapping[str, int] = field(default_factory=dict)
    answered: tuple[str, ...] = ()
    renamed: Renamed | None = None
    budget: Budget | None = None
    over: tuple[str, ...] = ()
    named: tuple[Renamed, ...] = ()
