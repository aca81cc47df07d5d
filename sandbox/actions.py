"""What a person or a program does on the network, one thing at a time, with the hint that follows."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b

from sandbox import network
from sandbox.ids import numeric
from sandbox.network import LoadError
from sandbox.state import Sandbox

LONGEST = 25_000  # characters: what X lets a paying account write


def _who(db: sqlite3.Connection, who: str, *, may_join: bool) -> sqlite3.Row:
    """The account; a handle that nobody bears yet joins the network where that is allowed. Raises LoadError."""
    handle = who.strip().removeprefix("@")
    row = network.find_account(db, handle)
    if row is None and may_join and handle:
        id_ = int.from_bytes(blake2b(handle.lower().encode(), digest_size=8).digest(), "big") >> 11
        network.load_accounts(db, [{"id": id_, "handle": handle}])
        row = network.find_account(db, handle)
    if row is None:
        raise LoadError(f"@{handle} has no account here" if handle else "say who is writing")
    return row


def _said(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise LoadError("write something first")
    if len(said) > LONGEST:
        raise LoadError(f"that is {len(said):,} characters; at most {LONGEST:,} fit into a post")
    return said


def post(state: Sandbox, who: str, text: str, in_reply_to: object = None) -> int:
    """Writes a post as `who` (a handle or an id) and answers its id. Raises LoadError."""
    try:
        parent = None if in_reply_to is None else numeric(in_reply_to)
    except ValueError as error:
        raise LoadError(str(error)) from error
    said = _said(text)
    with state.store.write() as db:
        author = _who(db, who, may_join=True)
        id_ = network.add_post(db, author["id"], said, state.post_times.next(), in_reply_to=parent)
    state.hints.send(network.concerned(state.store.read(), [id_]), "tweet_create_events", [str(id_)])
    return id_


def delete_post(state: Sandbox, id_: int) -> bool:
    """False where there is no such post."""
    about = network.concerned(state.store.read(), [id_])
    with state.store.write() as db:
        found = network.delete_post(db, id_)
    if found:
        state.hints.send(about, "tweet_delete_events", [str(id_)])
    return found


def message(state: Sandbox, who: str, to: str, text: str) -> tuple[int, int]:
    """Sends a direct message and answers (sender, recipient). Raises LoadError."""
    said = _said(text)
    with state.store.write() as db:
        sender, recipient = _who(db, who, may_join=True), _who(db, to, may_join=False)
        if sender["id"] == recipient["id"]:
            raise LoadError("nobody writes messages to themselves")
        id_ = network.add_message(db, sender["id"], recipient["id"], said, state.post_times.next())
    state.hints.send({sender["id"], recipient["id"]}, "direct_message_events", [str(id_)])
    return sender["id"], recipient["id"]
