"""A workspace full of posts, put into the tables by COPY as pull would have left them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from bench.words import Writer
from integrations.records import Author as AuthorRecord
from integrations.records import Contact, Engagement, Handle, Kind
from service.ids import new_id
from service.store import filing
from service.store.contact_json import contact_fields

NOW = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)  # business time stands still here
SINCE = timedelta(days=60)
US, HANDLE = "1000", "shop"
THREADS_PER_AUTHOR = 2
UNANSWERED, KNOWN = 0.3, 0.35  # of the threads; of the authors
_BATCH = 20_000

_AUTHORS = (
    "id",
    "provider",
    "host",
    "native_id",
    "handle",
    "name",
    "bio",
    "url",
    "website",
    "location",
    "followers",
    "updated_at",
)
_POSTS = (
    "id", "connection_id", "brand_id", "native_id", "kind", "ours", "author_id", "thread", "in_reply_to", "in_reply_to_author", "mentions",
    "text", "url", "language", "posted_at", "received_at", "checked_at",
)  # fmt: skip
_CONVERSATIONS = ("id", "brand_id", "connection_id", "author_id", "thread", "decide_at", "last_post_at", "reasons")
_CONTACTS = ("id", "connection_id", "native_id", "name", "company", "owner_id", "fields", "filed", "filed_version")
COUNTS = (
    "INSERT INTO key_counts (workspace_id, key, connection_id, contacts) SELECT workspace_id, key, connection_id, count(*)"
    " FROM contacts, unnest(filed) AS key WHERE workspace_id = %s AND key COLLATE \"C\" ~ '^[gdfcyrljo*]' GROUP BY 1, 2, 3"
)


@dataclass(frozen=True)
class Shop:
    """A workspace with one connected account and one CRM."""

    workspace_id: UUID
    brand_id: UUID
    account: UUID
    crm: UUID

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in vars(self).items()}


def shop(admin: Connection, workspace_id: UUID, crm: UUID | None = None) -> Shop:
    """Connects an account, and a CRM where none is there yet, by rows alone."""
    row = admin.execute("SELECT id FROM brands WHERE workspace_id = %s", [workspace_id]).fetchone()
    assert row
    made = Shop(workspace_id, row[0], new_id(), crm or new_id())
    for id_, brand, provider, kind, account in (
        (made.account, made.brand_id, "x", "social", US),
        (made.crm, None, "hubspot", "crm", "8790001"),
    ):
        admin.execute(
            "INSERT INTO connections (workspace_id, id, brand_id, provider, kind, host, account_id, handle, name, url, options, status,"
            " status_reason, preview, responder_email, ready_at) VALUES (%s, %s, %s, %s, %s, '', %s, %s, '', '', '{}', 'active', '', false,"
            " 'olga@acme.test', now()) ON CONFLICT DO NOTHING",
            [workspace_id, id_, brand, provider, kind, account, HANDLE],
        )
    admin.execute(
        "INSERT INTO owners (workspace_id, id, connection_id, native_id, email, name, active) VALUES (%s, %s, %s, '71', 'olga@acme.test',"
        " 'Olga', true) ON CONFLICT DO NOTHING",
        [workspace_id, new_id(), made.crm],
    )
    return made


def fill(admin: Connection, where: Shop, posts: int, *, seed: int = 1) -> None:
    """Puts `posts` posts there, in threads of two to six, with their authors, conversations (due) and contacts."""
    people = _People(where, seed, max(2, posts // 4 // THREADS_PER_AUTHOR))
    _copy(admin, "authors", where, _AUTHORS, [people.us, *people.authors])
    _copy(admin, "contacts", where, _CONTACTS, [row for row, _ in people.contacts])
    keys = [(key, where.crm, contact) for _, keys in people.contacts for key, contact in keys]
    _copy(admin, "contact_keys", where, ("key", "connection_id", "contact_id"), keys)
    admin.execute(COUNTS, [where.workspace_id])
    written: list[tuple[Any, ...]] = []
    conversations: list[tuple[Any, ...]] = []
    for thread in _threads(where, people, posts, seed):
        written += thread.posts
        conversations.append(thread.conversation)
        if len(written) >= _BATCH:
            _copy(admin, "engagements", where, _POSTS, written)
            written = []
    _copy(admin, "engagements", where, _POSTS, written)
    _copy(admin, "conversations", where, _CONVERSATIONS, conversations)
    admin.execute("VACUUM ANALYZE")  # as autovacuum does within minutes


def _copy(admin: Connection, table: str, where: Shop, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, ("workspace_id", *names)))
    )
    with admin.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((where.workspace_id, *row))


class _People:
    """Authors, and contacts who are some of them."""

    def __init__(self, where: Shop, seed: int, number: int) -> None:
        self.us = (new_id(), "x", "", US, HANDLE, "The Shop", "", "", "", "", 5000, NOW)
        self.authors: list[tuple[Any, ...]] = []
        self.contacts: list[tuple[tuple[Any, ...], list[tuple[str, UUID]]]] = []
        writer = Writer(seed, HANDLE)
        for index in range(number):
            first, last = writer.name()
            handle, city = f"{first.lower()}_{last.lower()}{index}", writer.city()
            self.authors.append(
                (new_id(), "x", "", str(10_000 + index), handle, f"{first} {last}", "Rides to work", f"https://x.com/{handle}", "", city,
                 writer.random.randrange(2000), NOW)
            )  # fmt: skip
            if writer.random.random() < KNOWN:
                self.contacts.append(_contact(where, index, first, last, handle, city))


def _contact(
    where: Shop, index: int, first: str, last: str, handle: str, city: str
) -> tuple[tuple[Any, ...], list[tuple[str, UUID]]]:
    record = Contact(
        id=str(500_000 + index), name=f"{first} {last}", first_name=first, last_name=last, emails=(f"{handle}@mail.test",), city=city,
        owner_id="71", handles=(Handle("x", handle),),
    )  # fmt: skip
    id_, filed = new_id(), filing.tokens(record)
    row = (
        id_, where.crm, record.id, record.name, record.company, record.owner_id, Jsonb(contact_fields(record)), filed, filing.VERSION,
    )  # fmt: skip
    return row, [(token, id_) for token in filed if filing.is_sought(token)]


@dataclass(frozen=True)
class _Thread:
    posts: list[tuple[Any, ...]]
    conversation: tuple[Any, ...]


def _threads(where: Shop, people: _People, posts: int, seed: int) -> Iterator[_Thread]:
    """Threads that a customer opens and in which customer and shop take turns, to the number of posts in all."""
    random, writer, left, number = Random(seed), Writer(seed + 1, HANDLE), posts, 0
    while left > 0:
        author = people.authors[number % len(people.authors)]
        waits = random.random() < UNANSWERED
        # The customer has the even turns. An answered thread ends with the shop, or with a last polite word.
        length = random.choice((3, 5) if waits else (2, 3, 4, 5, 6))
        length = 1 if left < 2 else min(length, left)
        opened = NOW - SINCE * random.uniform(0.02, 1)
        yield _thread(where, people.us, author, number, length, opened, writer, polite=not waits)
        left -= length
        number += 1


def _thread(
    where: Shop, us: tuple[Any, ...], author: tuple[Any, ...], number: int, length: int, opened: datetime, writer: Writer, *, polite: bool
) -> _Thread:  # fmt: skip
    root, rows, at = str(10**15 + number * 10), [], opened
    for turn in range(length):
        ours, last = turn % 2 == 1, turn == length - 1
        by, to = (us, author) if ours else (author, us)
        text = (
            writer.answer(author[4]) if ours
            else writer.opener() if turn == 0
            else writer.thanks() if last and polite
            else writer.follow_up()
        )  # fmt: skip
        native = str(10**15 + number * 10 + turn)
        parent = str(10**15 + number * 10 + turn - 1) if turn else None
        rows.append(
            (new_id(), where.account, where.brand_id, native, "own" if ours else "reply" if turn else "mention", ours, by[0], root, parent,
             to[3] if turn else None, [to[3]], text, f"https://x.com/{by[4]}/status/{native}", "en", at, at, at)
        )  # fmt: skip
        at += timedelta(hours=writer.random.uniform(0.2, 5))
    conversation = (new_id(), where.brand_id, where.account, author[0], root, NOW, rows[-1][14], Jsonb([]))
    return _Thread(rows, conversation)


# --- new posts ------------------------------------------------------------------------------------------------


def an_hour(number: int, hour: int, stored_authors: int) -> list[Engagement]:
    """New posts, as a network serves them: half of them by people who have written before, each opening a thread."""
    writer, us = Writer(1000 + hour, HANDLE), AuthorRecord(US, HANDLE, "The Shop")
    made = []
    for index in range(number):
        who = 10_000 + (hour * number + index) % stored_authors if index % 2 else 10**7 + hour * number + index
        first, last = writer.name()
        author = AuthorRecord(str(who), f"writer{who}", f"{first} {last}", url=f"https://x.com/writer{who}")
        id_ = str(2 * 10**15 + hour * 10**6 + index)
        made.append(
            Engagement(
                id=id_, kind=Kind.MENTION, author=author, thread=id_, text=writer.opener(), created_at=NOW - timedelta(minutes=90),
                url=f"{author.url}/status/{id_}", mentions=(us.id,), language="en",
            )
        )  # fmt: skip
    return made


# --- the same workspace, many times as big ------------------------------------------------------------------------

_COPIED = (
    "authors", "author_keys", "contacts", "contact_keys", "key_counts", "matches", "engagements", "signals", "conversations", "relationships", "tasks",
)  # fmt: skip
_DERIVED = "md5({}::text || k)::uuid"
_COLUMNS = {
    **dict.fromkeys(("id", "author_id", "contact_id", "engagement_id", "conversation_id", "relationship_id"), _DERIVED),
    **dict.fromkeys(("native_id", "thread", "in_reply_to", "key", "external_id", "handle"), "{} || '-' || k"),
    "filed": "(SELECT coalesce(array_agg(x || '-' || k), '{{}}') FROM unnest({}) x)",
    "person": "split_part({0}, ':', 1) || ':' || md5(split_part({0}, ':', 2) || k)::uuid",
}


def multiply(admin: Connection, times: int, tables: Sequence[str] = _COPIED, workspace_id: UUID | None = None) -> None:
    """Copies everything that the workspace (the only one, if none is named) holds `times` - 1 times, under other ids: as many more authors, who wrote as
    much and of whom as much was decided."""
    for table in tables:
        columns = [
            row[0]
            for row in admin.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'",
                [table],
            )
        ]
        values = [_COLUMNS.get(name, "{}").format(f"t.{name}") for name in columns]
        admin.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} t, generate_series(1, {times - 1}) k"
            " WHERE t.workspace_id = coalesce(%s, t.workspace_id)",
            [workspace_id],
        )
    admin.execute("VACUUM ANALYZE")
