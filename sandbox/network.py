"""The social network itself: accounts, posts, threads, messages. Everything that writes goes through here.

Functions that write take the connection of a transaction (`Store.write`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox import x_render
from sandbox.clock import parse_ms
from sandbox.ids import numeric, snowflake

HANDLE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


class LoadError(ValueError):
    """A record that can't be taken; the message says which and why."""


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value).strip()


# -- accounts


def load_accounts(db: sqlite3.Connection, accounts: Iterable[Mapping[str, Any]]) -> None:
    """Adds accounts, or changes those whose id is known. Raises LoadError, and then nothing may be kept."""
    rows = [_account_row(account) for account in accounts]
    try:
        db.executemany(
            "INSERT INTO accounts (id, handle, handle_key, name, bio, location, website, brand, followers, doc) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, "
            "handle_key = excluded.handle_key, name = excluded.name, bio = excluded.bio, location = excluded.location, "
            "website = excluded.website, brand = excluded.brand, followers = excluded.followers, doc = excluded.doc",
            rows,
        )
    except sqlite3.IntegrityError as error:
        raise LoadError("two accounts would bear one handle; give each its own") from error
    named = db.execute(
        "SELECT post_id FROM unknown_names WHERE handle_key IN (SELECT value FROM json_each(?))",
        (json.dumps([row[2] for row in rows]),),
    ).fetchall()
    link(db, [row[0] for row in named])


def _account_row(account: Mapping[str, Any]) -> tuple[Any, ...]:
    handle = _text(account, "handle").removeprefix("@")
    if not handle or not set(handle.lower()) <= HANDLE_CHARACTERS or len(handle) > 50:
        raise LoadError(f"the handle {handle[:60]!r} is not one: letters, digits and _ only")
    try:
        id_ = numeric(account["id"])
        followers = int(account.get("followers") or 0)
    except (KeyError, ValueError) as error:
        raise LoadError(f"the account {handle} has no usable id: {error}") from error
    profile: dict[str, Any] = {
        "name": _text(account, "name") or handle, "bio": x_render.unescape(_text(account, "bio")),
        "location": _text(account, "location"), "website": _text(account, "website"),
        "brand": bool(account.get("brand")), "followers": followers,
    }  # fmt: skip
    return (id_, handle, handle.lower(), *profile.values(), x_render.dumps(x_render.user(id_, handle, **profile)))


def find_account(db: sqlite3.Connection, who: str) -> sqlite3.Row | None:
    """An account by handle, with or without @, else by id."""
    name = who.strip().removeprefix("@")
    row: sqlite3.Row | None = db.execute("SELECT * FROM accounts WHERE handle_key = ?", (name.lower(),)).fetchone()
    if row is None and name.isascii() and name.isdigit() and len(name) <= 19:
        row = db.execute("SELECT * FROM accounts WHERE id = ?", (min(int(name), 2**63 - 1),)).fetchone()
    return row


# -- posts


def load_posts(db: sqlite3.Connection, posts: Iterable[Mapping[str, Any]]) -> list[int]:
    """Adds posts, or changes those whose id is known; answers the ids that are new or changed. A post that was deleted
    stays so. Raises LoadError, and then nothing may be kept."""
    db.execute("DROP TABLE IF EXISTS temp.loaded")
    db.execute(
        "CREATE TEMP TABLE loaded (id INTEGER PRIMARY KEY, author_id, text, created_at, in_reply_to, quotes, reposts, lang)"
    )
    db.executemany("INSERT OR REPLACE INTO loaded VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_post_row, posts))
    stranger = db.execute(
        "SELECT id, author_id FROM loaded WHERE author_id NOT IN (SELECT id FROM accounts) LIMIT 1"
    ).fetchone()
    if stranger:
        raise LoadError(f"the post {stranger[0]} is by {stranger[1]}, who has no account; load the account too")
    changed = [
        row[0]
        for row in db.execute(
            "INSERT INTO posts (id, author_id, text, created_at, in_reply_to, quotes, reposts, lang) "
            "SELECT * FROM loaded WHERE true ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id, "
            "text = excluded.text, created_at = excluded.created_at, in_reply_to = excluded.in_reply_to, "
            "quotes = excluded.quotes, reposts = excluded.reposts, lang = excluded.lang "
            "WHERE deleted = 0 AND (author_id, text, created_at, in_reply_to, quotes, reposts, lang) IS NOT "
            "(excluded.author_id, excluded.text, excluded.created_at, excluded.in_reply_to, excluded.quotes, "
            "excluded.reposts, excluded.lang) RETURNING id"
        )
    ]
    db.execute("DROP TABLE temp.loaded")
    link(db, changed)
    return changed


def _post_row(post: Mapping[str, Any]) -> tuple[Any, ...]:
    id_ = post.get("id")
    text = x_render.unescape(str(post.get("text") or ""))
    others = [post.get(name) for name in ("in_reply_to", "quotes", "reposts")]
    try:
        reply, quotes, reposts = (None if other in (None, "") else numeric(other) for other in others)
        if quotes is None and reposts is None:
            quotes = x_render.quoted_in(text)
        return (
            numeric(id_), numeric(post["author_id"]), text, parse_ms(str(post["created_at"])), reply, quotes, reposts,
            str(post.get("lang") or "und"),
        )  # fmt: skip
    except KeyError as error:
        raise LoadError(f"the post {id_} has no {error.args[0]}") from error
    except ValueError as error:
        raise LoadError(f"the post {id_} can't be read: {error}") from error


def link(db: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Works out thread, mentions and the ready answer of these posts and of what hangs below them."""
    if not ids:
        return
    rows = db.execute(_BELOW, (json.dumps(list(ids)),)).fetchall()
    roots = _roots(rows)
    names = {row["id"]: x_render.handles_in(row["text"]) for row in rows}
    people = _people(db, {name for found in names.values() for name in found})
    everyone = json.dumps([row["id"] for row in rows])
    for table in ("mentions", "unknown_names"):
        db.execute(f"DELETE FROM {table} WHERE post_id IN (SELECT value FROM json_each(?))", (everyone,))  # noqa: S608 (two constants)
    done, mentions, unknown = [], [], []
    for row in rows:
        parent = row["parent_author"] if row["parent_author"] is not None else row["reply_author"]
        post = x_render.Post(
            row["id"], row["author_id"], row["text"], row["created_at"], row["in_reply_to"], row["quotes"], row["reposts"],
            row["lang"], roots[row["id"]], parent if row["in_reply_to"] is not None else None,
        )  # fmt: skip
        done.append((post.root, post.reply_author, x_render.dumps(x_render.tweet(post, people)), post.id))
        unknown += [(name, post.id) for name in names[post.id] if name not in people]
        if post.reposts is None:
            concerned = {people[name][0] for name in names[post.id] if name in people}
            concerned |= {post.reply_author, row["quoted_author"]} - {None}
            mentions += [(one, post.created_at, post.id) for one in concerned - {post.author_id}]
    db.executemany("UPDATE posts SET root = ?, reply_author = ?, doc = ? WHERE id = ?", done)
    db.executemany("INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)", mentions)
    db.executemany("INSERT OR IGNORE INTO unknown_names VALUES (?, ?)", unknown)


# These posts, all replies below them, and the posts that quote them: what they say about their neighbours may be new.
_BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT value FROM json_each(?1) UNION SELECT p.id FROM posts p JOIN below ON p.in_reply_to = below.id
), touched (id) AS (
    SELECT id FROM below UNION SELECT p.id FROM posts p JOIN json_each(?1) q ON p.quotes = q.value
)
SELECT p.*, parent.author_id AS parent_author, parent.root AS parent_root, quoted.author_id AS quoted_author
FROM touched CROSS JOIN posts p ON p.id = touched.id LEFT JOIN posts parent ON parent.id = p.in_reply_to
LEFT JOIN posts quoted ON quoted.id = p.quotes WHERE p.deleted = 0
"""


def _roots(rows: Sequence[sqlite3.Row]) -> dict[int, int]:
    """The root of each post's thread. Where a parent is not known the thread starts at the parent's id."""
    by_id = {row["id"]: row for row in rows}
    roots: dict[int, int] = {}
    for start in by_id:
        path, seen, here = [], set(), start
        while here in by_id and here not in roots and here not in seen and by_id[here]["in_reply_to"] is not None:
            path.append(here)
            seen.add(here)  # data may claim that two posts answer each other
            here = by_id[here]["in_reply_to"]
        root = roots.get(here, here)
        if path and here not in by_id:
            root = by_id[path[-1]]["parent_root"] or here
        for one in (*path, *((here,) if here in by_id else ())):
            roots[one] = root
    return roots


def _people(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    found = db.execute(
        "SELECT a.handle_key, a.id, a.handle FROM json_each(?) e CROSS JOIN accounts a ON a.handle_key = e.value",
        (json.dumps(list(names)),),
    )
    return {row[0]: (row[1], row[2]) for row in found}


def add_post(
    db: sqlite3.Connection,
    author_id: int,
    text: str,
    at: int,
    *,
    in_reply_to: int | None = None,
    quotes: int | None = None,
) -> int:
    """A new post at `at` (ms), as the network's own page writes it: a reply opens with the handle it answers."""
    if in_reply_to is not None:
        parent = db.execute(
            "SELECT a.id, a.handle FROM posts p JOIN accounts a ON a.id = p.author_id WHERE p.id = ? AND p.deleted = 0",
            (in_reply_to,),
        ).fetchone()
        if parent is None:
            raise LoadError("the post to reply to is not there any more")
        if parent["id"] != author_id and parent["handle"].lower() not in x_render.handles_in(text):
            text = f"@{parent['handle']} {text}".rstrip()
    latest = db.execute("SELECT coalesce(max(id), 0) FROM posts").fetchone()[0]
    id_ = snowflake(at, after=latest)
    db.execute(
        "INSERT INTO posts (id, author_id, text, created_at, in_reply_to, quotes, lang) VALUES (?, ?, ?, ?, ?, ?, 'und')",
        (id_, author_id, text, at, in_reply_to, quotes if quotes is not None else x_render.quoted_in(text)),
    )
    link(db, [id_])
    return id_


def delete_post(db: sqlite3.Connection, id_: int) -> bool:
    """Deletes a post; replies to it stay in its thread. False where there is none."""
    found = db.execute("UPDATE posts SET deleted = 1, text = '', doc = NULL WHERE id = ? AND deleted = 0", (id_,))
    db.execute("DELETE FROM mentions WHERE post_id = ?", (id_,))
    db.execute("DELETE FROM unknown_names WHERE post_id = ?", (id_,))
    return found.rowcount > 0


def concerned(db: sqlite3.Connection, ids: Sequence[int]) -> set[int]:
    """Brand accounts that have to do with these posts: author, named, answered, quoted, or a voice in the thread."""
    rows = db.execute(
        "WITH these AS (SELECT p.id, p.author_id, p.root FROM json_each(?) e CROSS JOIN posts p ON p.id = e.value) "
        "SELECT author_id FROM these UNION SELECT account_id FROM these JOIN mentions m ON m.post_id = these.id "
        "UNION SELECT p.author_id FROM (SELECT DISTINCT root FROM these) threads JOIN posts p ON p.root = threads.root AND p.deleted = 0 "
        "INTERSECT SELECT id FROM accounts WHERE brand = 1",
        (json.dumps(list(ids)),),
    )
    return {row[0] for row in rows}


# -- messages


def load_messages(db: sqlite3.Connection, messages: Iterable[Mapping[str, Any]]) -> list[int]:
    """Adds messages {id, sender_id, recipient_id, text, created_at}, or changes those whose id is known; answers their
    ids. Raises LoadError."""
    ids = []
    for one in messages:
        try:
            id_, sender, recipient = (numeric(one[name]) for name in ("id", "sender_id", "recipient_id"))
            at = parse_ms(str(one["created_at"]))
        except KeyError as error:
            raise LoadError(f"the message {one.get('id')} has no {error.args[0]}") from error
        except ValueError as error:
            raise LoadError(f"the message {one.get('id')} can't be read: {error}") from error
        _put_message(db, id_, sender, recipient, x_render.unescape(str(one.get("text") or "")), at)
        ids.append(id_)
    return ids


def add_message(db: sqlite3.Connection, sender: int, recipient: int, text: str, at: int) -> int:
    latest = db.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    id_ = snowflake(at, after=latest)
    _put_message(db, id_, sender, recipient, text, at)
    return id_


def _put_message(db: sqlite3.Connection, id_: int, sender: int, recipient: int, text: str, at: int) -> None:
    known = db.execute("SELECT count(*) FROM accounts WHERE id IN (?, ?)", (sender, recipient)).fetchone()[0]
    if known != 2:
        raise LoadError(f"the message {id_} is between two people of whom one has no account; load the account too")
    doc = x_render.dumps(x_render.message(id_, sender, recipient, text, at))
    before = db.execute("SELECT sender_id, recipient_id, created_at FROM messages WHERE id = ?", (id_,)).fetchone()
    for mine in before[:2] if before else ():
        db.execute(
            "DELETE FROM inboxes WHERE account_id = ? AND created_at = ? AND message_id = ?", (mine, before[2], id_)
        )
    db.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?)", (id_, sender, recipient, text, at, doc))
    for mine, other in ((sender, recipient), (recipient, sender)):
        db.execute("INSERT OR REPLACE INTO inboxes VALUES (?, ?, ?, ?)", (mine, at, id_, other))
