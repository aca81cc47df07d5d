"""CSV files as a load for the sandbox: `messages.csv`, and `contacts.csv` where there is one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.backtest import files
from service.demo.sandbox import Load
from service.errors import PlainError

MESSAGES = ("message_id", "author", "inbound", "created_at", "in_reply_to", "text")
CONTACTS = ("contact_id", "first_name", "last_name", "full_name", "email")  # and, where there, those of `_PROPERTIES`
YEARS = range(2006, 2100)  # X begins in 2006
# Our column -> the CRM property that holds it.
_PROPERTIES = {
    "first_name": "firstname", "last_name": "lastname", "email": "email", "company": "company", "website": "website", "phone": "phone",
    "city": "city", "region": "state", "country": "country", "title": "jobtitle",
}  # fmt: skip


def read(folder: Path, owner: str) -> tuple[Load, datetime]:
    """The load, with `owner` (an e-mail address) as the CRM's only user, and the instant of its last post (UTC). With no
    contacts file, every second customer becomes a contact who has the handle on file. Raises PlainError for a file that is
    missing, lacks a column or holds something that cannot be read."""
    messages = files.rows(folder / "messages.csv", MESSAGES)
    if not messages:
        raise PlainError(f"{folder / 'messages.csv'} holds no messages.")
    posts = [_post(row, number) for number, row in enumerate(messages, 2)]
    inbound = [files.inbound(row["inbound"], f"Line {line} of messages.csv") for line, row in enumerate(messages, 2)]
    ours = {row["author"]: None for row, theirs in zip(messages, inbound, strict=True) if not theirs}
    customers = {row["author"]: None for row in messages if row["author"] not in ours}
    if not ours:
        raise PlainError(
            f"{folder / 'messages.csv'} holds no post of a brand (inbound 0), so there is no account to connect."
        )
    contacts = folder / "contacts.csv"
    load = Load(
        accounts=[_account(name, brand=True) for name in ours] + [_account(name, brand=False) for name in customers],
        posts=posts,
        contacts=[_contact(row, line) for line, row in enumerate(files.rows(contacts, CONTACTS), 2)]
        if contacts.exists()
        else list(_every_second(customers)),
        owners=[{"id": "71", "email": owner, "first_name": "Olivia", "last_name": "Berg"}],
        brands={handle_of(name): name for name in ours},
    )
    return load, max(datetime.fromisoformat(post["created_at"]) for post in posts)


def _post(row: Mapping[str, str], line: int) -> dict[str, Any]:
    try:
        at = datetime.fromisoformat(row["created_at"].strip().replace("Z", "+00:00"))
        if at.year not in YEARS:
            raise ValueError
    except ValueError:
        raise PlainError(
            f"Line {line} of messages.csv: {row['created_at']!r} is not a time such as 2017-10-04T18:32:42Z."
        ) from None
    if empty := [name for name in ("message_id", "author") if not row[name].strip()]:
        raise PlainError(f"Line {line} of messages.csv has no {empty[0]}.")
    return {
        "id": number(row["message_id"]), "author_id": number(row["author"]), "text": row["text"],
        "created_at": (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(), "in_reply_to": number(row["in_reply_to"]) or None,
    }  # fmt: skip


def number(name: str) -> str:
    """An id such as the network's: digits. A name that is none becomes 15 digits of its hash, always the same."""
    name = name.strip()
    fits = name.isascii() and name.isdigit() and len(name) <= 18
    return name if fits or not name else str(int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) + 10**14)


def handle_of(name: str) -> str:
    """A name as the network can have it for a handle: letters, digits and underscores. One that had to be changed gets some
    digits of its own, so that no two become one."""
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)[:40]
    return clean if clean == name else f"{clean}_{number(name)[-6:]}"


def _account(name: str, *, brand: bool) -> dict[str, Any]:
    return {
        "id": number(name),
        "handle": handle_of(name),
        "name": name if brand else f"Customer {name}",
        "brand": brand,
    }


def _contact(row: Mapping[str, str], line: int) -> dict[str, Any]:
    if not row["contact_id"].strip():
        raise PlainError(f"Line {line} of contacts.csv has no contact_id.")
    properties = {ours: row[column] for column, ours in _PROPERTIES.items() if row.get(column)}
    if not properties.get("firstname") and not properties.get("lastname") and row.get("full_name"):
        properties["firstname"], _, properties["lastname"] = row["full_name"].rpartition(" ")
    return {"id": number(row["contact_id"]), **properties}


def _every_second(customers: Iterable[str]) -> Iterable[dict[str, Any]]:
    for name in list(customers)[::2]:
        yield {
            "id": number(f"contact of {name}"),
            "firstname": "Customer",
            "lastname": name,
            "twitterhandle": handle_of(name),
        }
