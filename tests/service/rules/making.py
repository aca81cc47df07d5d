"""Short words for what the rules read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from msgspec import Struct, structs

from integrations.records import Kind
from service.rules.model import Conversation, Policy, Post, Signals
from service.rules.signals import read

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
T = TypeVar("T")
OFFICE = {day: ((time(9), time(17)),) if day < 5 else () for day in range(7)}
AROUND_THE_CLOCK = {day: ((time(0), time(0)),) for day in range(7)}

POLICY = Policy(
    version=1,
    timezone="UTC",
    hours=OFFICE,
    holidays=frozenset(),
    patience={"direct": HOUR, "question": 2 * HOUR, "other": 8 * HOUR},
    lapse_after=90 * DAY,
)
ALWAYS = dataclasses.replace(POLICY, hours=AROUND_THE_CLOCK)


def replace(record: T, **changes: Any) -> T:
    """The same with other fields, whichever way its class is made."""
    changed: T = (
        structs.replace(record, **changes) if isinstance(record, Struct) else dataclasses.replace(record, **changes)
    )  # type: ignore[type-var]
    return changed


def post(id_: str, at: datetime, text: str = "How do I log in?", **changes: Any) -> Post:
    """A mention by Ana; her words are read unless signals are given."""
    fields: dict[str, Any] = {
        "kind": Kind.MENTION, "ours": False, "author_id": "ana", "signals": read(text), "url": f"https://net.test/{id_}",
        "author_name": "Ana", "network": "Birdsong",
    }  # fmt: skip
    return Post(id=id_, native_id=f"n{id_}", at=at, text=text, **{**fields, **changes})


def answer(id_: str, at: datetime, to: str | None = None, **changes: Any) -> Post:
    """A post of ours; `to` is the id of the post that it replies to."""
    fields: dict[str, Any] = {
        "text": "Here you are.", "kind": Kind.OWN, "ours": True, "author_id": "us", "signals": Signals(), "author_name": "Warm Ltd",
        "in_reply_to": f"n{to}" if to else None,
    }  # fmt: skip
    return post(id_, at, **{**fields, **changes})


def talk(*posts: Post, **changes: Any) -> Conversation:
    fields: dict[str, Any] = {"author_id": "ana", "author_name": "Ana", "author_handle": "ana", "author_is_ours": False}
    return Conversation(posts=posts, **{**fields, **changes})
